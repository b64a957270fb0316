"""Measured, computed and missing numbers stay apart in every form that a report takes."""

from __future__ import annotations

import numpy as np
import pytest

from engine.benchmarks.measure import Computed, Missing, alternate, peak_mb, ratios, summary
from engine.benchmarks.report import Cell, Plot, Section, Table
from engine.training.eval.report import update_page


def test_every_cell_says_how_it_came_about():
    assert str(summary([1.0, 3.0, 2.0])) == "2.00 (1.00–3.00)"
    assert str(summary([12.34])) == "12.3"
    assert str(Computed(1234.5)) == "1,234 (computed)"
    assert str(Missing("no memory")) == "– (no memory)"


def test_csv_keeps_kinds_and_spread():
    cells: list[Cell] = [6, summary([1.0, 2.0]), Computed(3.0), Missing("why")]
    table = Table("T", ["layers", "s", "ratio", "MB"], [cells])
    assert Section("x", "X", "text", [table]).csv().splitlines()[1:] == [
        "T,6,s,measured,1.5,1.0,2.0,2",
        "T,6,ratio,computed,3.0,,,",
        "T,6,MB,missing,why,,,",
    ]


def test_works_are_timed_in_turn():
    order: list[str] = []
    works = {name: (lambda name=name: order.append(name)) for name in "ab"}
    taken = alternate(works, 2, between=lambda name: order.append(f"before {name}"))
    assert order == ["before a", "a", "before b", "b"] * 2
    assert [len(values) for values in taken.values()] == [2, 2]


def test_ratios_are_taken_within_rounds():
    """A machine that is twice as slow in one round does not change its ratio."""
    assert ratios([4.0, 8.0], [1.0, 2.0]).high == 4.0


def test_peak_memory_counts_what_is_freed_again():
    grown = peak_mb(lambda: np.ones(30_000_000, dtype=np.uint8).sum())
    if isinstance(grown, Missing):
        pytest.skip("this system does not tell")
    assert 25 < grown.median < 200


def test_a_page_without_markers_stays_as_it_was(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("text")
    with pytest.raises(ValueError, match="bench:crop:begin"):
        update_page(page, "bench:crop", "new")
    assert page.read_text() == "text"


def test_plots_are_named_relative_to_their_page():
    plot = Plot("p", "P", "y", [], {})
    section = Section("x", "X", "text", [], [plot])
    assert 'src="benchmarks/p-light.svg"' in section.markdown("", "benchmarks")
    assert 'srcset="p-dark.svg"' in section.markdown("", "")
    assert ".svg" not in section.markdown("", None)
