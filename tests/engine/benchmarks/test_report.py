"""Measured, computed and missing numbers stay apart in every form that a report takes."""

from __future__ import annotations

import numpy as np
import pytest

from engine.benchmarks.measure import (
    Computed,
    Missing,
    alternate,
    once,
    peak_growth,
    ratios,
    summary,
)
from engine.benchmarks.report import (
    Plot,
    Section,
    Table,
    cell_text,
    section_csv,
    section_markdown,
    update_page,
)


def test_every_cell_says_how_it_came_about():
    assert cell_text(summary([1.0, 3.0, 2.0])) == "2.00 (1.00–3.00)"
    assert cell_text(once(12.34)) == "12.3"
    assert cell_text(Computed(1234.5)) == "1,234 (computed)"
    assert cell_text(Missing("no memory")) == "– (no memory)"
    assert cell_text("6") == "6"


def test_csv_keeps_kinds_and_spread():
    table = Table("T", ["layers", "s", "ratio"], [[6, summary([1.0, 2.0]), Computed(3.0)]])
    lines = section_csv(Section("x", "X", "text", [table])).splitlines()
    assert lines[1:] == ["T,6,s,measured,1.5,1.0,2.0,2", "T,6,ratio,computed,3.0,,,"]


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
    grown = peak_growth(lambda: np.ones(30_000_000, dtype=np.uint8).sum())
    if grown is None:
        pytest.skip("this system does not tell")
    assert 25e6 < grown < 200e6


def test_a_page_without_markers_stays_as_it_was(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("text")
    with pytest.raises(ValueError, match="bench:crop:begin"):
        update_page(page, "crop", "new")
    assert page.read_text() == "text"


def test_plots_are_named_relative_to_their_page():
    plot = Plot("p", "P", "x", "y", [])
    section = Section("x", "X", "text", [], [plot])
    assert 'src="benchmarks/p-light.svg"' in section_markdown(section, "", "benchmarks")
    assert 'srcset="p-dark.svg"' in section_markdown(section, "", "")
    assert ".svg" not in section_markdown(section, "", None)
