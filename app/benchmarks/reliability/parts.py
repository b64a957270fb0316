"""Long runs in parts: each part in a process of its own, each result kept in a file at once.

A part that dies or hangs is a failure that names its seeds, not the end of the run. A run that was
cut short goes on where it was: parts that are in the file and were kept are not run again.
"""

from __future__ import annotations

import json
import multiprocessing
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from app.benchmarks.reliability.figure import Figure, timed

LIMIT_S = 7200.0  # a part takes minutes; a machine with other work may take twenty times as long


@dataclass(frozen=True, slots=True)
class Part:
    """Some runs of one promise: `count` of them from `seed` on."""

    name: str
    seed: int
    count: int

    @property
    def key(self) -> str:
        return f"{self.name} {self.seed} {self.count}"


Run = Callable[[Part], Figure]


def run_parts(
    parts: Iterable[Part],
    run: Run,
    *,
    jobs: int = 1,
    log: Path | None = None,
    limit_s: float = LIMIT_S,
) -> Iterator[tuple[Part, Figure]]:
    """Run the parts and give each with its figure, in the order in which they end.

    Args:
        run: makes one part; a function of a module, since it is called in another process.
        jobs: so many processes at once; 0 = in this process, one after the other.
        log: results are appended here, one line of JSON each, and taken from here when they are
            there already; None = neither.
        limit_s: a part that takes longer hangs.
    """
    known = _read(log)
    waiting = []
    for part in parts:
        if part.key in known:
            yield part, known[part.key]
        else:
            waiting.append(part)
    results = _in_processes(waiting, run, jobs, limit_s) if jobs else _here(waiting, run)
    for part, figure in results:
        if log is not None:
            with log.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps({"part": part.key, "figure": figure.as_json()}) + "\n")
        yield part, figure


def _read(log: Path | None) -> dict[str, Figure]:
    """Kept parts of a former run. Parts that failed are to be run again."""
    found: dict[str, Figure] = {}
    if log is None or not log.exists():
        return found
    for line in log.read_text(encoding="utf-8").splitlines():
        try:
            values = json.loads(line)
        except ValueError:  # the last line, cut when the run was
            continue
        figure = Figure(**values["figure"])
        if figure.failures:
            found.pop(values["part"], None)
        else:
            found[values["part"]] = figure
    return found


def _here(parts: Iterable[Part], run: Run) -> Iterator[tuple[Part, Figure]]:
    for part in parts:
        yield part, timed(lambda: run(part))  # noqa: B023


@dataclass(slots=True)
class _Busy:
    part: Part
    process: BaseProcess
    answer: Connection
    began: float


def _in_processes(
    parts: list[Part], run: Run, jobs: int, limit_s: float
) -> Iterator[tuple[Part, Figure]]:
    # A fork has all modules already; this process has no other thread that a fork could break.
    is_linux = sys.platform == "linux"
    context: Any = multiprocessing.get_context("fork" if is_linux else "spawn")
    left = list(reversed(parts))
    busy: list[_Busy] = []
    try:
        while left or busy:
            while left and len(busy) < jobs:
                part = left.pop()
                answer, theirs = context.Pipe(duplex=False)
                process = context.Process(target=_work, args=(run, part, theirs))
                process.start()
                theirs.close()
                busy.append(_Busy(part, process, answer, time.monotonic()))
            wait([each.answer for each in busy], timeout=1.0)
            for each in list(busy):
                figure = _answer(each, limit_s)
                if figure is not None:
                    busy.remove(each)
                    yield each.part, figure
    finally:
        for each in busy:
            each.process.kill()


def _answer(busy: _Busy, limit_s: float) -> Figure | None:
    """The figure of a part that has ended; None while it works."""
    part, figure = busy.part, None
    seeds = f"seeds {part.seed} to {part.seed + part.count - 1}"
    if busy.answer.poll():
        try:
            figure = busy.answer.recv()
        except EOFError:  # it died, and said nothing
            busy.process.join()
            code = busy.process.exitcode
            figure = Figure(part.name, "parts", failures=[f"{seeds}: the process died ({code})"])
    elif time.monotonic() - busy.began > limit_s:
        busy.process.kill()
        figure = Figure(part.name, "parts", failures=[f"{seeds}: hangs"])
    if figure is not None:
        busy.process.join()
        busy.answer.close()
    return figure


def _work(run: Run, part: Part, answer: Connection) -> None:
    try:
        figure = timed(lambda: run(part))
    except BaseException as error:  # a promise that cannot even be tried is not kept
        figure = Figure(part.name, "parts")
        figure.fail(f"seed {part.seed}: {type(error).__name__}: {error}")
    answer.send(figure)
    answer.close()
