"""`layerloom bench ui`: the rows say what was measured; nothing here is timed."""

from __future__ import annotations

import subprocess
import sys

from app.benchmarks.ui.process import steps
from app.benchmarks.ui.rows import Row, as_text, single, timed
from app.benchmarks.ui.starting import prediction
from tests.app.painted import document_with_boxes, fill


def test_rows_have_their_budget_beside_them() -> None:
    """Median, p95 and max, and a word where a budget is missed."""
    row = timed("UI1", "drag", [1.0] * 90 + [40.0] * 10, median=16, p95=33)
    assert row == Row("UI1", "drag", "1.0 / 40.0 / 40.0 ms", "median ≤ 16, p95 ≤ 33 ms", False)
    text = as_text([row, Row("ME1", "step", "1 KB", "≤ 4 KB", True)], "a machine")
    assert "| UI1 | drag | 1.0 / 40.0 / 40.0 ms | median ≤ 16, p95 ≤ 33 ms | over |" in text
    assert text.splitlines()[-1].endswith("| ok |")


def test_one_number_has_its_limit_beside_it() -> None:
    assert single("ME1", "step", 0.8, 4, " KB", 1) == Row("ME1", "step", "0.8 KB", "≤ 4 KB", True)
    assert single("UI15", "quit", 2.5, 2).is_met is False


def test_undo_steps_keep_little() -> None:
    """4 KB without pixels, the new pixels once, nothing for a stored candidate."""
    document = document_with_boxes((0, 0, 512, 512), (0, 0, 256, 256))
    fill(document)
    rows = list(steps(document.contents))
    assert [row.id for row in rows] == ["ME1", "ME2", "ME2"]
    assert all(row.is_met for row in rows), rows


def test_first_predictions_are_right_or_wrong_by_thirty_percent() -> None:
    """Nine of ten; what was not predicted counts as wrong."""
    right = [{"predicted": seconds, "took": 1.0} for seconds in (0.71, 1.0, 1.29)] * 3
    row = prediction([*right, {"predicted": 2.0, "took": 1.0}])
    assert (row.found, row.is_met) == ("9 of 10, worst +100%", True)
    row = prediction(
        [*right[:8], {"predicted": None, "took": 1.0}, {"predicted": 0.6, "took": 1.0}]
    )
    assert (row.found, row.is_met) == ("8 of 10, worst -40%", False)
    assert prediction([{"predicted": None, "took": None}]).is_met is False


def test_the_command_prints_a_table() -> None:
    """The bench starts from the command line and needs no display."""
    done = subprocess.run(
        [sys.executable, "-m", "app", "bench", "ui", "--quick", "--only", "ME1"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "| ME1 | undo step without pixels |" in done.stdout
