"""The engine bench works: tiny model, one run. Times are not asserted, only that they are taken."""

from __future__ import annotations

from engine.benchmarks import engine_bench
from engine.weights import save_model
from tests.engine.tiny import tiny_generator, tiny_model


def test_equal_boxes_are_equal_on_the_grid_and_inside():
    for count in (1, 2, 6, 10, 50):
        boxes = engine_bench.equal_boxes(count, 96)
        assert len(boxes) == count
        for x0, y0, x1, y1 in boxes:
            assert (x1 - x0, y1 - y0) == (96, 96)
            assert 0 <= x0 <= 416
            assert 0 <= y0 <= 416
            assert x0 % 32 == y0 % 32 == 0


def test_edits_are_timed_cold_warm_and_without_the_cache():
    generator = tiny_generator()
    times = engine_bench.bench_edit(generator, 3, 1, background=True)
    assert set(times) == {"picture", "cold", "warm", "uncached"}
    assert all(value > 0 for value in times.values())
    assert generator.cache.stats().hits > 0


def test_the_command_prints_its_table(tmp_path, capsys):
    save_model(tmp_path / "tiny.safetensors", tiny_model())
    arguments = ["--weights", str(tmp_path / "tiny.safetensors"), "--runs", "1", "--threads", "1"]
    assert engine_bench.main([*arguments, "--quick"]) == 0
    printed = capsys.readouterr().out
    assert printed.count("| 6 |") == 2
    assert "tiny-hash" not in printed, "the file's own hash is printed"
