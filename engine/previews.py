"""Previews: when a rough picture of the targets may be made without delaying the job.

The pipeline asks after each step and reports how long a preview took.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

INTERVAL_S = 1 / 30
PART = 0.05


class PreviewBudget:
    """One run's previews: at most 30 a second, and at most a twentieth of the time so far.

    The first is always made: what it takes is known only afterwards, and the next ones wait until
    it is paid back. A preview is expected to take as long as the slowest one before.

    Args:
        every: each k-th step; 0 = none.
        clock: seconds that never run backwards; the run begins now.
    """

    def __init__(self, every: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._every = every
        self._clock = clock
        self._began = clock()
        self._last: float | None = None
        self._spent_s = 0.0
        self._slowest_s = 0.0

    def allows(self, done: int) -> bool:
        """Whether previews may be made now that `done` steps are."""
        if not self._every or done % self._every:
            return False
        now = self._clock()
        if self._last is not None and now - self._last < INTERVAL_S:
            return False
        return self._spent_s + self._slowest_s <= PART * (now - self._began)

    @contextmanager
    def paying(self) -> Iterator[None]:
        """Around the making of the previews of all targets: its seconds count."""
        self._last = self._clock()
        try:
            yield
        finally:
            took = self._clock() - self._last
            self._spent_s += took
            self._slowest_s = max(self._slowest_s, took)
