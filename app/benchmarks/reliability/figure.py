"""What a run of a promise found, and long runs in parts.

A figure has numbers to print, and failures with the seed that repeats them. Figures of parts of a
run add up. Each part runs in a process of its own, and its result is kept in a file at once. A part
that dies or hangs is a failure that names its seeds, not the end of the run. A run that was cut
short goes on where it was: parts that are in the file without a failure are not run again.
"""

from __future__ import annotations

import json
import multiprocessing
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

MAX_SHOWN = 20


@dataclass(slots=True)
class Figure:
    """The result of one promise, or of a part of its runs.

    Attributes:
        promise: its id and name.
        unit: what was counted.
        runs: how many of them.
        failures: one line each, with the seed that repeats it.
        counts: numbers that add up, by what was counted.
        peaks: the highest of measured values; the name has a place for the number,
            as in "most lost {:.0f} ms".
        notes: what else is to be said, such as why nothing was run.
        seconds: how long it took, all processes together.
    """

    promise: str
    unit: str
    runs: int = 0
    failures: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    peaks: dict[str, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def is_kept(self) -> bool:
        """Nothing failed, and something was run or there is a note that says why not."""
        return not self.failures and (self.runs > 0 or bool(self.notes))

    @property
    def facts(self) -> list[str]:
        """Measured values as text."""
        counted = [f"{number:,} {name}" for name, number in self.counts.items()]
        return [*counted, *(name.format(value) for name, value in self.peaks.items()), *self.notes]

    def fail(self, text: str) -> None:
        """One more failure; the text names the seed."""
        self.failures.append(text)

    def count(self, name: str, number: int = 1) -> None:
        """So many more of something."""
        self.counts[name] = self.counts.get(name, 0) + number

    def peak(self, name: str, value: float) -> None:
        """A measured value; the highest stays."""
        self.peaks[name] = max(value, self.peaks.get(name, value))

    def add(self, other: Figure) -> None:
        """Another part of the same promise."""
        self.runs += other.runs
        self.failures += other.failures
        self.seconds += other.seconds
        for name, number in other.counts.items():
            self.count(name, number)
        for name, value in other.peaks.items():
            self.peak(name, value)
        self.notes += [each for each in other.notes if each not in self.notes]

    def as_json(self) -> dict[str, Any]:
        """Plain values; `Figure(**values)` is the figure again."""
        return asdict(self)

    def lines(self) -> list[str]:
        """The figure as text, one line and the failures below it."""
        facts = "".join(f", {fact}" for fact in self.facts)
        first = f"{self.promise}: {self.runs:,} {self.unit}, {self.state}{facts}"
        return [f"{first} ({self.seconds:.0f} s)", *self.shown_failures()]

    @property
    def state(self) -> str:
        """ "kept", or how many failed."""
        if self.is_kept:
            return "kept" if self.runs else "skipped"
        return f"{len(self.failures):,} FAILED" if self.failures else "nothing ran"

    def shown_failures(self) -> list[str]:
        """The first failures, one line each."""
        return [f"  {text}" for text in self.failures[:MAX_SHOWN]]


def table(figures: Iterable[Figure]) -> str:
    """All figures as a table that can be pasted into a page."""
    rows = [
        f"| {each.promise} | {each.runs:,} {each.unit} | {each.state} | "
        f"{'; '.join(each.facts)} | {each.seconds:,.0f} |"
        for each in figures
    ]
    head = ["| promise | runs | result | measured | seconds |", "| --- | --- | --- | --- | ---: |"]
    return "\n".join(head + rows)


def timed(run: Callable[[], Figure]) -> Figure:
    """Run a promise and note how long it took."""
    began = time.perf_counter()
    figure = run()
    figure.seconds = time.perf_counter() - began
    return figure


# ---- parts of a run ----

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
