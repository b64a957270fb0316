"""REL1 to REL7 in their short forms; `layerloom bench reliability --count 1000` is the long one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from app.document import Document
from app.document.commands import Command
from app.document.commands.base import OnLayers
from tests.reliability import bench, damage, jobs, random_edits
from tests.reliability import crash as crash_module
from tests.reliability.crash import crash
from tests.reliability.figure import Figure, Part, in_process, run_parts, table
from tests.reliability.saving import saving


def assert_kept(figure: Figure) -> None:
    assert figure.is_kept, "\n".join(figure.lines())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
@pytest.mark.parametrize(("count", "longest_s"), [(24, 0.25), (6, 1.6)])
def test_rel1_kill_at_any_moment(count: int, longest_s: float) -> None:
    """At most the last second is lost, and the saved file is always whole."""
    assert_kept(crash(count, int(1000 * longest_s), longest_s))


def test_rel2_every_fault_point() -> None:
    """Each file call and each write fails once, for projects, exports and the journal."""
    figure = saving(2, 0)
    assert_kept(figure)
    assert figure.runs > 40


def test_rel3_undo_files_and_journal() -> None:
    """100 walks of 50 steps."""
    assert_kept(random_edits.undo(100, 0, 50))


def test_rel4_others_keep_their_pixels(tmp_path: Path) -> None:
    """With the real engine and a tiny model; jobs also fail and are cancelled."""
    from engine.models.checkpoint import save_model
    from tests.engine.tiny import tiny_model

    save_model(tmp_path / "tiny.safetensors", tiny_model())
    figure = jobs.isolation(25, 0, tmp_path / "tiny.safetensors")
    assert_kept(figure)
    assert all(figure.counts[f"jobs {end}"] for end in ("finished", "cancelled", "failed"))


def test_rel6_damaged_input() -> None:
    """30 mutated inputs of each of 18 kinds."""
    figures = [damage.damage(kind, 30, 0) for kind in damage.KINDS]
    for figure in figures:
        assert_kept(figure)
    assert sum(figure.runs for figure in figures) >= 500


def test_rel5_and_rel7_in_the_real_window(tmp_path: Path) -> None:
    """Each end of a job at each step of one document, then commands; nothing stays behind.

    In a process of its own, because a stand-in takes the generator's place there. How long things
    take is printed and judged by the long form.
    """
    code = """
from tests.reliability.in_window import window_faults, window_soak
for figure in (window_faults(1, 0, judges_time=False), window_soak(150, 0)):
    print("\\n".join(figure.lines()))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.splitlines()
    assert first.startswith("REL5 engine: 35 ended jobs, kept"), done.stdout
    assert second.startswith("REL7 memory: 150 commands, kept"), done.stdout


# ---- the figures themselves ----


def test_every_command_is_walked() -> None:
    """A new command class must be added to the walk, or the promises say nothing of it."""

    def below(kind: type[Command]) -> set[type[Command]]:
        return {kind}.union(*(below(child) for child in kind.__subclasses__()))

    ours = {kind for kind in below(Command) if kind.__module__.startswith("app.document.")}
    assert ours - {Command, OnLayers} == set(random_edits.MAKERS)


def test_a_seed_repeats_a_walk() -> None:
    def hashes() -> list[str]:
        source = Random(5)
        document = random_edits.start(source)
        found = []
        for _ in range(40):
            random_edits.random_command(document, source)
            found.append(document.content_hash())
        return found

    assert hashes() == hashes()


def test_broken_promises_are_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each measurement sees what it is there for."""

    def broken(path: Path) -> object:
        if len(path.read_bytes()) % 2:
            raise KeyError("not ours")
        return None

    monkeypatch.setitem(damage.KINDS, "layout", (damage.KINDS["layout"][0], broken))
    figure = damage.damage("layout", 12, 0)
    assert not figure.is_kept
    assert all("KeyError" in line and "seed" in line for line in figure.failures)

    monkeypatch.setattr(Document, "content_hash", lambda self: str(id(self.contents)))
    figure = random_edits.undo(1, 0, 30)
    assert "seed 0" in figure.failures[0] and not figure.is_kept


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_late_journal_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """REL1 measures: a keeper that gathers for half a minute has kept nothing yet."""
    monkeypatch.setattr(crash_module, "_DELAYS", (30.0,))
    # What the program itself took, which is little where it hardly gets a processor.
    monkeypatch.setattr(crash_module, "ALLOWED_LOSS_S", 0.001)
    assert crash(4, 7, 0.6).failures


def test_the_command_prints_figures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A second call with the same log takes what is there and runs only what is new."""
    log = tmp_path / "log"
    call = ["--count", "1", "--log", str(log), "--only"]
    assert bench.main([*call, "rel2,rel6-gif"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert {line.split(":")[0] for line in lines[:2]} == {"REL2 save", "REL6 gif"}
    assert lines[3].startswith("| promise") and lines[5].startswith("| REL2 save |")
    kept = log.read_text().splitlines()
    assert bench.main([*call, "rel2,rel3"]) == 0
    assert log.read_text().splitlines()[:-1] == kept
    assert lines[5] in capsys.readouterr().out
    for bad in (["--count", "0"], ["--jobs", "0"], ["--only", "rel9"], ["--nothing"]):
        with pytest.raises(SystemExit) as caught:
            bench.main(bad)
        assert caught.value.code == 2


def _part(part: Part) -> Figure:
    figure = Figure(part.name, "runs", runs=part.count, counts={"seen": part.count})
    figure.peak("at most {:.1f}", part.seed)
    return figure


@pytest.mark.parametrize(
    ("code", "failure"),
    [
        ("import os; os._exit(3)", "seeds 7 to 8: the process died (3): "),
        ("import time; time.sleep(60)", "seeds 7 to 8: hangs"),
        ("raise KeyError('odd')", "seeds 7 to 8: the process died (1): KeyError: 'odd'"),
    ],
)
def test_parts_that_die_or_hang_are_failures(code: str, failure: str) -> None:
    figure = in_process([sys.executable, "-S", "-c", code], Part("bad", 7, 2), limit_s=5.0)
    assert figure.failures == [failure] and not figure.is_kept


def test_figures_of_parts_add_up(tmp_path: Path) -> None:
    log = tmp_path / "log"
    whole = Figure("good", "runs")
    for _, figure in run_parts([Part("good", seed, 2) for seed in (1, 5, 3)], _part, log=log):
        whole.add(figure)
    log.write_text(log.read_text() + '{"part": "good 9 2", "fig')  # a run that was cut short
    again = Figure("good", "runs")
    for _, figure in run_parts([Part("good", seed, 2) for seed in (1, 5, 3)], _part, log=log):
        again.add(figure)
    assert (whole.runs, whole.counts, whole.peaks) == (6, {"seen": 6}, {"at most {:.1f}": 5.0})
    assert whole == again
    assert "| good | 6 runs | kept | 6 seen; at most 5.0 |" in table([whole])
