"""What a run of a promise found: a number to print, and failures with the seed to repeat them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

MAX_SHOWN = 20


@dataclass(slots=True)
class Figure:
    """The result of one promise.

    Attributes:
        promise: its id and name.
        unit: what was counted.
        runs: how many of them.
        failures: one line each, with the seed that repeats it.
        facts: measured values worth printing.
        seconds: how long it took.
    """

    promise: str
    unit: str
    runs: int = 0
    failures: list[str] = field(default_factory=list)
    facts: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def is_kept(self) -> bool:
        return self.runs > 0 and not self.failures

    def fail(self, text: str) -> None:
        """One more failure; the text names the seed."""
        self.failures.append(text)

    def lines(self) -> list[str]:
        """The figure as text, one line and the failures below it."""
        state = "kept" if self.is_kept else f"{len(self.failures)} FAILED"
        facts = "".join(f", {fact}" for fact in self.facts)
        first = f"{self.promise}: {self.runs:,} {self.unit}, {state}{facts} ({self.seconds:.0f} s)"
        return [first, *(f"  {text}" for text in self.failures[:MAX_SHOWN])]


def timed(run: Callable[[], Figure]) -> Figure:
    """Run a promise and note how long it took."""
    began = time.perf_counter()
    figure = run()
    figure.seconds = time.perf_counter() - began
    return figure
