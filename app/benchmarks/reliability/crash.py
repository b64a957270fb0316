"""REL1: kill -9 loses at most the last second, and the user's file is always whole."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from app.benchmarks.reliability import crash_child
from app.benchmarks.reliability.figure import Figure
from app.document.contents import content_hash
from app.document.errors import UserError
from app.document.storage.journal import recover, unfinished
from app.document.storage.ora import load_project

ALLOWED_LOSS_S = 1.0
_DELAYS = (0.05, 0.3)
_RECORDS = (200, 3)  # checkpoints as the window makes them, and all the time
_SAVE_S = 0.03  # about as long as a save takes
_LOST = "most lost {:.0f} ms"


def crash(count: int, seed: int, longest_s: float = 2.5) -> Figure:
    """Kill a working program `count` times, each time after at most `longest_s` seconds.

    A third of the kills is aimed at a save: it comes within a moment of its beginning.
    """
    figure = Figure("REL1 crash", "kills")
    if not hasattr(os, "fork"):
        figure.notes.append("skipped: this system cannot fork")
        return figure
    with subprocess.Popen(
        [sys.executable, "-m", crash_child.__name__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).resolve().parents[3],
    ) as child:
        for number in range(seed, seed + count):
            with tempfile.TemporaryDirectory() as folder:
                killed_at = _run_and_kill(child, number, Path(folder), longest_s)
                figure.peak(_LOST, 1000 * _check(figure, number, Path(folder), killed_at))
            figure.runs += 1
        assert child.stdin is not None
        child.stdin.close()
    return figure


def _run_and_kill(child: subprocess.Popen[str], seed: int, folder: Path, longest_s: float) -> float:
    source = Random(seed)
    assert child.stdin is not None and child.stdout is not None
    child.stdin.write(f"{seed} {source.choice(_DELAYS)} {source.choice(_RECORDS)} {folder}\n")
    child.stdin.flush()
    pid = int(child.stdout.readline())
    log = folder / crash_child.LOG
    while not log.exists() or log.stat().st_size == 0:  # it has begun
        time.sleep(0.002)
    time.sleep(source.random() * longest_s)
    if source.random() < 1 / 3:
        _wait_for_a_save(log)
        time.sleep(source.random() * _SAVE_S)
    killed_at = time.monotonic()
    os.kill(pid, signal.SIGKILL)
    child.stdout.readline()  # it is gone, and its lock with it
    return killed_at


def _wait_for_a_save(log: Path) -> None:
    end = log.stat().st_size
    limit = time.monotonic() + 5.0
    while b"begin" not in log.read_bytes()[end:] and time.monotonic() < limit:
        time.sleep(0.0005)


@dataclass(slots=True)
class _Log:
    commits: list[tuple[float, str]] = field(default_factory=list)
    saved: str = ""
    saving: str = ""


def _read(path: Path) -> _Log:
    log = _Log()
    for line in path.read_text().splitlines():
        parts = line.split(" ")
        if len(parts) != 3 or len(parts[2]) != 64:
            continue  # the last line, cut by the kill
        kind, at, digest = parts
        if kind == "commit":
            log.commits.append((float(at), digest))
        elif kind == "begin":
            log.saving = digest
        else:
            log.saved, log.saving = digest, ""
    return log


def _check(figure: Figure, seed: int, folder: Path, killed_at: float) -> float:
    """Note what is wrong; return how many seconds of commands were lost."""
    log = _read(folder / crash_child.LOG)
    if log.saving:
        figure.count("inside a save")
    if any((folder / crash_child.WORK).glob("*/.*")):  # a new file that has no name yet
        figure.count("inside a checkpoint")
    design = folder / crash_child.DESIGN
    if design.exists() or log.saved:
        try:
            found = content_hash(load_project(design).contents)
            if found not in (log.saved, log.saving):
                figure.fail(f"seed {seed}: the saved file is neither the last nor the next save")
        except UserError as error:
            figure.fail(f"seed {seed}: the saved file does not open: {error}")
    listed = unfinished(folder / crash_child.WORK)
    if not listed:
        lost = killed_at - log.commits[0][0]  # nothing was kept yet
    else:
        try:
            recovered = recover(listed[0].folder)
        except UserError as error:
            figure.fail(f"seed {seed}: recovery failed: {error}")
            return 0.0
        digest = content_hash(recovered.contents)
        places = [place for place, (_, each) in enumerate(log.commits) if each == digest]
        if not places:
            # The very last command may have been kept before its line was written.
            lost = 0.0
            if not _may_be_newer(recovered.changed_at, log):
                figure.fail(f"seed {seed}: what was recovered never was")
        else:
            later = log.commits[places[-1] + 1 :]
            lost = killed_at - later[0][0] if later else 0.0
    if lost > ALLOWED_LOSS_S:
        figure.fail(f"seed {seed}: {lost:.2f} s of commands are lost")
    return lost


def _may_be_newer(changed_at: float, log: _Log) -> bool:
    """Whether a state can be one that the log did not get to note: kept after its last line."""
    noted = time.time() - time.monotonic() + log.commits[-1][0]
    return changed_at >= noted - 0.05
