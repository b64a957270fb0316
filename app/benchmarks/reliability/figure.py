"""What a run of a promise found: numbers to print, and failures with the seed to repeat them.

Figures of parts of a run add up, so that parts may run in processes of their own and be kept.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
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
