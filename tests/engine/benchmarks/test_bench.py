"""The command of the engine bench: tiny model, one run. Times are taken and never asserted."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from engine.benchmarks import bench, cache, harness, start
from engine.benchmarks.harness import Context
from engine.benchmarks.report import Section, can_plot
from engine.models.checkpoint import save_model
from engine.training.eval.report import around_markers
from tests.engine.tiny import tiny_generator, tiny_model


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Everything at sizes of milliseconds; returns a model file."""
    monkeypatch.setattr(start, "QUICK_RUNS", 1)
    weights = tmp_path / "tiny.safetensors"
    save_model(weights, tiny_model())
    return weights


def arguments(weights: Path, *more: str) -> list[str]:
    out = str(weights.parent / "out")
    few = ["--runs", "1", "--threads", "1", "--most-layers", "6", "--out", out]
    return ["--weights", str(weights), *few, *more]


def test_equal_boxes_are_equal_on_the_grid_and_inside():
    for count in (1, 2, 6, 10, 50):
        boxes = harness.equal_boxes(count, 96)
        assert len(boxes) == count
        for x0, y0, x1, y1 in boxes:
            assert (x1 - x0, y1 - y0) == (96, 96)
            assert 0 <= x0 <= 416
            assert 0 <= y0 <= 416
            assert x0 % 32 == y0 % 32 == 0


def test_the_cache_bench_sees_hits_and_misses():
    """A first edit misses every finished layer, the same edit again none, a painted layer one."""
    context = Context(generator=tiny_generator(), runs=1, quick=True, most_layers=6)
    rows = {row[0]: row[1:3] for row in cache.bench(context).tables[0].rows}
    assert rows["empty cache (first edit)"] == [0, 6]
    assert rows["nothing"] == rows["move by one token"] == rows["prompt edit"] == [6, 0]
    assert rows["pixel edit"] == [5, 1]


@pytest.mark.parametrize("quick", [True, False])
def test_every_bench_returns_numbers(small, quick):
    """All benches but the one that starts processes, which has a test of its own."""
    context = Context(generator=tiny_generator(), runs=1, quick=quick, most_layers=6)
    for name, make in bench.BENCHES.items():
        if name == "start":
            continue
        section = make(context)
        assert section.name == name
        assert section.text
        assert all(table.rows for table in section.tables), name
        for table in section.tables:
            assert {len(row) for row in table.rows} == {len(table.columns)}, table.title
        assert all(plot.rows and plot.lines for plot in section.plots), name


def test_the_price_of_one_layer_is_printed():
    """How many times faster one layer is than the picture, as a median of the rounds."""
    context = Context(generator=tiny_generator(), runs=2, quick=True, most_layers=6)
    (table,) = bench.BENCHES["edit"](context).tables
    assert [row[0] for row in table.rows] == [6, 6]
    for row in table.rows:
        said = dict(zip(table.columns, row, strict=True))
        whole, warm = said["picture, s"], said["warm, s"]
        assert said["picture / warm"].median > 0
        low, high = whole.low / warm.high, whole.high / warm.low
        assert low <= said["picture / warm"].median <= high, "of these very times"


def test_the_command_writes_markdown_csv_and_plots(small, capsys):
    page = small.parent / "page.md"
    page.write_text("Before\n<!-- bench:crop:begin -->old<!-- bench:crop:end -->\nAfter\n")
    code = bench.main(arguments(small, "--quick", "--only", "crop", "--page", str(page)))
    assert code == 0
    printed = capsys.readouterr().out
    assert "| 5 | 160 px |" in printed
    assert str(small.parent) not in printed, "paths of a machine do not belong into a report"
    out = small.parent / "out"
    assert (out / "report.md").read_text() == printed.rstrip("\n") + "\n"
    with open(out / "crop.csv", newline="") as file:
        kinds = {row["kind"] for row in csv.DictReader(file)}
    assert {"measured", "computed"} <= kinds
    text = page.read_text()
    assert text.startswith("Before\n")
    assert text.endswith("After\n")
    assert "Region crop" in text
    assert "old" not in text
    for name in ("crop-seconds-light.svg", "crop-seconds-dark.svg"):
        assert (out / name).exists() == can_plot()
        assert (small.parent / "page" / name).exists() == can_plot()


def test_without_matplotlib_one_line_says_so(small, capsys, monkeypatch):
    monkeypatch.setattr(bench, "can_plot", lambda: False)
    assert bench.main(arguments(small, "--quick", "--only", "crop")) == 0
    captured = capsys.readouterr()
    assert captured.err.count("matplotlib") == 1
    assert ".svg" not in captured.out
    assert not list((small.parent / "out").glob("*.svg"))


def test_the_six_layer_table_is_what_readme_shows(small, capsys):
    assert bench.main(arguments(small, "--quick", "--only", "edit")) == 0
    printed = capsys.readouterr().out
    assert printed.count("| 6 |") == 2
    assert "tiny-hash" not in printed, "the file's own hash is printed"


def test_unknown_benches_are_named(small, capsys):
    with pytest.raises(SystemExit):
        bench.main(arguments(small, "--only", "crop,nothing"))
    assert "'nothing'" in capsys.readouterr().err


def test_a_page_without_markers_is_refused_before_the_work(small, capsys):
    page = small.parent / "page.md"
    page.write_text("text")
    with pytest.raises(SystemExit):
        bench.main(arguments(small, "--only", "crop", "--page", str(page)))
    assert "bench:crop:begin" in capsys.readouterr().err
    assert not (small.parent / "out").exists()


def test_the_documentation_has_a_place_for_every_bench():
    page = Path(__file__).resolve().parents[3] / "docs" / "benchmarks.md"
    for name in bench.BENCHES:
        around_markers(page, f"bench:{name}")


def test_a_process_says_when_it_got_how_far(small):
    context = Context(generator=tiny_generator(), runs=1, quick=True, weights=small)
    section: Section = start.bench(context)
    names = [row[0] for row in section.tables[0].rows]
    assert names[-len(start.EVENTS) :] == list(start.EVENTS)
