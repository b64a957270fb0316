"""Watchdog: whether the engine still shows signs of life, and what one job's steps took.

Knows no thread and no timer: it is told the time with every event.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

QUIET_S = 5.0
QUIET_STEPS = 10
HUNG_S = 60.0
Level = Literal["", "quiet", "hung"]


@dataclass(slots=True)
class Watchdog:
    """Signs of life of one engine.

    Attributes:
        expected_step_s: how long a step should take; None = not known.
    """

    expected_step_s: float | None = None
    _last: float | None = None

    def begin(self, now: float, expected_step_s: float | None) -> None:
        """The engine was asked for something."""
        self.expected_step_s, self._last = expected_step_s, now

    def alive(self, now: float) -> None:
        """An event came."""
        if self._last is not None:
            self._last = now

    def end(self) -> None:
        """Nothing is asked of the engine any more."""
        self._last = None

    def silent_s(self, now: float) -> float:
        """Seconds without an event; 0 when none is expected."""
        return 0.0 if self._last is None else max(0.0, now - self._last)

    def level(self, now: float) -> Level:
        """How worrying the silence is."""
        silent = self.silent_s(now)
        if silent >= HUNG_S:
            return "hung"
        limit = max(QUIET_S, QUIET_STEPS * (self.expected_step_s or 0.0))
        return "quiet" if silent >= limit else ""


@dataclass(slots=True)
class StepTimes:
    """Times of one run's events, monotonic seconds."""

    started: float | None = None
    steps: list[float] = field(default_factory=list)

    def step_seconds(self, total: int) -> list[float]:
        """Seconds of each sampling step but the first; the last of `total` is decoding."""
        at = self.steps[: max(0, total - 1)]
        return [later - earlier for earlier, later in pairwise(at)]

    def start_seconds(self) -> float:
        """From the start to the end of the first step."""
        if self.started is None or not self.steps:
            return 0.0
        return self.steps[0] - self.started

    def decoding_seconds(self, total: int, now: float) -> float:
        """From the last sampling step to now."""
        at = self.steps[: max(0, total - 1)]
        return now - at[-1] if at else 0.0
