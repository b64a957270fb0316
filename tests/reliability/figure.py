"""What a run of a promise found, and long runs in parts, whose figures add up.

A part that dies or hangs is a failure that names its seeds, not the end of the run. A run that was
cut short goes on where it was: parts that are in the log without a failure are not run again.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass, field
from pathlib import Path

MAX_SHOWN = 20


@dataclass(slots=True)
class Figure:
    """The result of one promise, or of a part of its runs."""

    promise: str
    unit: str  # what `runs` counts
    runs: int = 0
    # one line each, with the seed that repeats it
    failures: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)  # numbers that add up, by what was counted
    # the highest of measured values; the name has a place for the number, as in "most lost {:.0f}
    # ms"
    peaks: dict[str, float] = field(default_factory=dict)
    # what else is to be said, such as why nothing was run
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0  # how long it took, all processes together

    @property
    def is_kept(self) -> bool:
        """Nothing failed, and something was run or there is a note that says why not."""
        return not self.failures and (self.runs > 0 or bool(self.notes))

    @property
    def facts(self) -> list[str]:
        counted = [f"{number:,} {name}" for name, number in self.counts.items()]
        return [*counted, *(name.format(value) for name, value in self.peaks.items()), *self.notes]

    def fail(self, text: str) -> None:
        self.failures.append(text)

    def count(self, name: str, number: int = 1) -> None:
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

    def lines(self) -> list[str]:
        """The figure as text, one line and the failures below it."""
        facts = "".join(f", {fact}" for fact in self.facts)
        first = f"{self.promise}: {self.runs:,} {self.unit}, {self.state}{facts}"
        failures = [f"  {text}" for text in self.failures[:MAX_SHOWN]]
        return [f"{first} ({self.seconds:.0f} s)", *failures]

    @property
    def state(self) -> str:
        """ "kept", or how many failed."""
        if self.is_kept:
            return "kept" if self.runs else "skipped"
        return f"{len(self.failures):,} FAILED" if self.failures else "nothing ran"


def table(figures: Iterable[Figure]) -> str:
    rows = [
        f"| {each.promise} | {each.runs:,} {each.unit} | {each.state} | "
        f"{'; '.join(each.facts)} | {each.seconds:,.0f} |"
        for each in figures
    ]
    head = ["| promise | runs | result | measured | seconds |", "| --- | --- | --- | --- | ---: |"]
    return "\n".join(head + rows)


# ---- parts of a run ----


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
    parts: Iterable[Part], run: Run, *, jobs: int = 1, log: Path | None = None
) -> Iterator[tuple[Part, Figure]]:
    """Run the parts, `jobs` at once, and give each with its figure in the order in which they end.

    Results are appended to `log`, one line of JSON each, and taken from there when they are there.
    """
    known = _read(log)
    waiting = []
    for part in parts:
        if part.key in known:
            yield part, known[part.key]
        else:
            waiting.append(part)

    def timed(part: Part) -> Figure:
        began = time.perf_counter()
        figure = run(part)
        figure.seconds = time.perf_counter() - began
        return figure

    with ThreadPoolExecutor(jobs) as pool:
        running = {pool.submit(timed, part): part for part in waiting}
        try:
            for done in as_completed(running):
                part, figure = running[done], done.result()
                if log is not None:
                    with log.open("a", encoding="utf-8") as stream:
                        values = {"part": part.key, "figure": asdict(figure)}
                        stream.write(json.dumps(values) + "\n")
                yield part, figure
        finally:
            pool.shutdown(cancel_futures=True)


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


def in_process(command: Sequence[str], part: Part, limit_s: float) -> Figure:
    """The figure that a process prints as a line of JSON; one that dies or hangs is a failure."""
    figure = Figure(part.name, "parts")
    seeds = f"seeds {part.seed} to {part.seed + part.count - 1}"
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=limit_s
        )
    except subprocess.TimeoutExpired:
        figure.fail(f"{seeds}: hangs")
        return figure
    if done.returncode:
        said = "".join(done.stderr.strip().splitlines()[-1:])
        figure.fail(f"{seeds}: the process died ({done.returncode}): {said}")
        return figure
    return Figure(**json.loads(done.stdout.splitlines()[-1]))
