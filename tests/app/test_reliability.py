"""REL1 to REL7 in their short forms; `layerloom bench reliability --count 1000` is the long one."""

from __future__ import annotations

import os
from pathlib import Path
from random import Random

import pytest

from app.benchmarks.reliability import bench, damage, engine_faults, undo, walk
from app.benchmarks.reliability import crash as crash_module
from app.benchmarks.reliability.crash import crash
from app.benchmarks.reliability.figure import Figure
from app.benchmarks.reliability.saving import saving
from app.benchmarks.reliability.soak import soak
from app.document import Document
from app.document.commands import Command
from app.document.storage.journal import Keeper


def assert_kept(figure: Figure) -> None:
    assert figure.is_kept, "\n".join(figure.lines())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
@pytest.mark.parametrize(("count", "longest_s"), [(24, 0.25), (6, 1.6)])
def test_rel1_kill_at_any_moment(count: int, longest_s: float) -> None:
    """REL1, SV2: at most the last second is lost, and the saved file is always whole."""
    assert_kept(crash(count, int(1000 * longest_s), longest_s))


def test_rel2_every_fault_point() -> None:
    """REL2: each file call and each write fails once, for projects, exports and the journal."""
    figure = saving(2, 0)
    assert_kept(figure)
    assert figure.runs > 40


def test_rel3_undo_files_and_journal() -> None:
    """REL3: 100 walks of 50 steps."""
    assert_kept(undo.undo(100, 0, 50))


def test_rel4_others_keep_their_pixels() -> None:
    """REL4, RE3: 50 documents, also while the user goes on working."""
    assert_kept(engine_faults.isolation(50, 0))


def test_rel5_every_end_at_every_step() -> None:
    """REL5, GE16: errors, cancel, a result that comes too late; the next job runs."""
    assert_kept(engine_faults.engine_faults(2, 0))


def test_rel6_damaged_input() -> None:
    """REL6: 40 mutated inputs of each of 15 kinds."""
    figure = damage.damage(40, 0)
    assert_kept(figure)
    assert figure.runs == 40 * len(damage.KINDS) >= 500


def test_rel7_memory_does_not_grow() -> None:
    """REL7: commands, undo, saves, journal; the closed document is gone."""
    assert_kept(soak(1000, 0))


# ---- the figures themselves ----


def test_every_command_is_walked() -> None:
    """A new command class must be added to the walk, or the promises say nothing of it."""

    def below(kind: type[Command]) -> set[type[Command]]:
        return {kind}.union(*(below(child) for child in kind.__subclasses__()))

    ours = {kind for kind in below(Command) if kind.__module__.startswith("app.document.")}
    assert ours - {Command} == set(walk.MAKERS)


def test_a_seed_repeats_a_walk() -> None:
    def hashes() -> list[str]:
        source = Random(5)
        document = walk.start(source)
        found = []
        for _ in range(40):
            walk.random_command(document, source)
            found.append(document.content_hash())
        return found

    assert hashes() == hashes()


def test_broken_promises_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each measurement sees what it is there for."""

    def broken(path: Path) -> object:
        if len(path.read_bytes()) % 2:
            raise KeyError("not ours")
        return None

    monkeypatch.setitem(damage.KINDS, "layout", (damage.KINDS["layout"][0], broken))
    figure = damage.damage(12, 0)
    assert not figure.is_kept
    assert all("KeyError" in line and "seed" in line for line in figure.failures)

    monkeypatch.setattr(Document, "content_hash", lambda self: str(id(self.contents)))
    figure = undo.undo(1, 0, 30)
    assert "seed 0" in figure.failures[0] and not figure.is_kept


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_lazy_journal_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """REL1 measures: a keeper that gathers for three seconds loses more than one."""
    monkeypatch.setattr(crash_module, "_DELAYS", (30.0,))
    monkeypatch.setattr(crash_module, "ALLOWED_LOSS_S", 0.05)
    figure = crash(2, 7, 0.6)
    assert figure.failures
    assert Keeper.__doc__


def test_the_command_prints_figures(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.main(["--count", "1", "--only", "rel2,rel4"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines] == ["REL2 save", "REL4 isolation"]
    for bad in (["--count", "0"], ["--only", "rel9"], ["--nothing"]):
        with pytest.raises(SystemExit) as caught:
            bench.main(bad)
        assert caught.value.code == 2
