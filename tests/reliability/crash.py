"""REL1: kill -9 loses at most the last second, and the user's file is always whole.

The program that is killed (`main`) makes random commands, saves and fake results, and notes each in
a log. It reads lines "SEED DELAY RECORDS FOLDER" and forks a worker for each, so that a run costs
no start of Python; a line of the log is written with one call and survives the kill.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from app.document.contents import content_hash
from app.document.errors import UserError
from app.document.storage.journal import Keeper, WorkInfo, folder, recover, unfinished
from app.document.storage.ora.file import load_project, save_project
from tests.reliability.figure import Figure
from tests.reliability.process import waited_ns
from tests.reliability.random_edits import random_command, start

_DENSE = (",", ":")
PROGRAM = "tests.reliability.crash"
LOG, WORK, DESIGN = "log", "work", "design.ora"
ALLOWED_LOSS_S = 1.0
_DELAYS = (0.05, 0.3)
_RECORDS = (200, 3)  # checkpoints as the window makes them, and all the time
_SAVE_S = 0.03  # about as long as a save takes
_LOST, _LOST_BY_CLOCK = "most lost {:.0f} ms", "by the clock {:.0f} ms"


def crash(count: int, seed: int, longest_s: float = 2.5) -> Figure:
    """Kill a working program `count` times, each time after at most `longest_s` seconds.

    A third of the kills is aimed at a save: it comes within a moment of its beginning.

    What was lost is judged by the clock less the longest that one of the program's threads waited
    for a processor meanwhile: a journal that may not run on a busy machine keeps nothing.
    """
    figure = Figure("REL1 crash", "kills")
    if not hasattr(os, "fork"):
        figure.notes.append("skipped: this system cannot fork")
        return figure
    with subprocess.Popen(
        [sys.executable, "-m", PROGRAM],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).resolve().parents[2],
    ) as child:
        for number in range(seed, seed + count):
            with tempfile.TemporaryDirectory() as folder:
                kill = _run_and_kill(child, number, Path(folder), longest_s)
                first_lost = _check(figure, number, Path(folder))
                if first_lost is not None:
                    _judge(figure, number, first_lost, kill)
            figure.runs += 1
        assert child.stdin is not None
        child.stdin.close()
    return figure


@dataclass(frozen=True, slots=True)
class _Moment:
    """A commit, or the kill: when, what each thread had waited by then, the document's digest."""

    at: float
    waited: dict[str, int]
    digest: str = ""


def _run_and_kill(
    child: subprocess.Popen[str], seed: int, folder: Path, longest_s: float
) -> _Moment:
    source = Random(seed)
    assert child.stdin is not None and child.stdout is not None
    child.stdin.write(f"{seed} {source.choice(_DELAYS)} {source.choice(_RECORDS)} {folder}\n")
    child.stdin.flush()
    pid = int(child.stdout.readline())
    log = folder / LOG
    while not log.exists() or log.stat().st_size == 0:  # it has begun
        time.sleep(0.002)
    time.sleep(source.random() * longest_s)
    if source.random() < 1 / 3:
        _wait_for_a_save(log)
        time.sleep(source.random() * _SAVE_S)
    # Stopped where a kill would end it, so that its account can be read before it goes with it.
    os.kill(pid, signal.SIGSTOP)
    while not _is_stopped(pid):
        time.sleep(0.0005)
    kill = _Moment(time.monotonic(), waited_ns(pid))
    os.kill(pid, signal.SIGKILL)
    child.stdout.readline()  # it is gone, and its lock with it
    return kill


def _is_stopped(pid: int) -> bool:
    """Whether all of its threads stand still; true where the system does not say."""
    try:
        states = [
            Path(each.path, "stat").read_text().rpartition(")")[2].split()[0]
            for each in os.scandir(f"/proc/{pid}/task")
        ]
    except OSError:
        return True
    return all(state in "TtZX" for state in states)


def _wait_for_a_save(log: Path) -> None:
    end = log.stat().st_size
    limit = time.monotonic() + 5.0
    while b"begin" not in log.read_bytes()[end:] and time.monotonic() < limit:
        time.sleep(0.0005)


@dataclass(slots=True)
class _Log:
    commits: list[_Moment] = field(default_factory=list)
    saved: str = ""
    saving: str = ""


def _read(path: Path) -> _Log:
    log = _Log()
    for line in path.read_text().splitlines():
        parts = line.split(" ")
        if len(parts) != 4 or len(parts[3]) != 64:
            continue  # the last line, cut by the kill
        kind, at, waited, digest = parts
        if kind == "commit":
            log.commits.append(_Moment(float(at), json.loads(waited), digest))
        elif kind == "begin":
            log.saving = digest
        else:
            log.saved, log.saving = digest, ""
    return log


def _judge(figure: Figure, seed: int, first_lost: _Moment, kill: _Moment) -> None:
    by_clock = kill.at - first_lost.at
    waits = [waited - first_lost.waited.get(each, 0) for each, waited in kill.waited.items()]
    lost = by_clock - max(waits, default=0) / 1e9
    figure.peak(_LOST, 1000 * lost)
    figure.peak(_LOST_BY_CLOCK, 1000 * by_clock)
    if lost > ALLOWED_LOSS_S:
        figure.fail(f"seed {seed}: {lost:.2f} s of commands are lost")


def _check(figure: Figure, seed: int, folder: Path) -> _Moment | None:
    """Note what is wrong; return the first command that was lost."""
    log = _read(folder / LOG)
    if log.saving:
        figure.count("inside a save")
    if any((folder / WORK).glob("*/.*")):  # a new file that has no name yet
        figure.count("inside a checkpoint")
    design = folder / DESIGN
    if design.exists() or log.saved:
        try:
            found = content_hash(load_project(design).contents)
            if found not in (log.saved, log.saving):
                figure.fail(f"seed {seed}: the saved file is neither the last nor the next save")
        except UserError as error:
            figure.fail(f"seed {seed}: the saved file does not open: {error}")
    listed = unfinished(folder / WORK)
    if not listed:
        return log.commits[0]  # nothing was kept yet
    try:
        recovered = recover(listed[0].folder)
    except UserError as error:
        figure.fail(f"seed {seed}: recovery failed: {error}")
        return None
    digest = content_hash(recovered.contents)
    places = [place for place, each in enumerate(log.commits) if each.digest == digest]
    if places:
        later = log.commits[places[-1] + 1 :]
        return later[0] if later else None
    # The very last command may have been kept before its line was written.
    noted = time.time() - time.monotonic() + log.commits[-1].at
    if recovered.changed_at < noted - 0.05:
        figure.fail(f"seed {seed}: what was recovered never was")
    return None


# ---- the program that is killed ----


def work(seed: int, place: Path, delay_s: float, records: int) -> None:
    """Do something, keep it, note it, until killed or until the input has ended.

    The journal gathers for `delay_s`; a checkpoint follows `records` records.
    """
    folder.MAX_RECORDS = records
    source = Random(seed)
    document = start(source)
    log = os.open(place / LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    keeper = Keeper(place / WORK, delay_s=delay_s)
    info = WorkInfo(str(place / DESIGN), None, False)

    def note(kind: str) -> None:
        # The system's monotonic clock is the same for parent and child.
        at, digest = time.monotonic(), document.content_hash()
        os.write(
            log, f"{kind} {at:.6f} {json.dumps(waited_ns(), separators=_DENSE)} {digest}\n".encode()
        )

    keeper.note(document.contents, info)
    note("commit")
    # When the input has ended no line comes before this worker is gone.
    while not select.select([sys.stdin], [], [], 0)[0]:
        random_command(document, source)
        keeper.note(document.contents, info)
        note("commit")
        chance = source.random()
        if chance < 0.1:
            note("begin")
            save_project(document.contents, place / DESIGN)
            note("end")
        elif chance < 0.3:
            time.sleep(source.random() * 0.05)


def main() -> int:
    """Fork a worker for each line; end with the input."""
    for line in sys.stdin:
        seed, delay, records, place = line.rstrip("\n").split(" ", 3)
        child = os.fork()
        if child == 0:
            work(int(seed), Path(place), float(delay), int(records))
            os._exit(0)  # as a kill: the journal's thread is not waited for
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()
        os.waitpid(child, 0)  # it ends by being killed
        sys.stdout.write("gone\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
