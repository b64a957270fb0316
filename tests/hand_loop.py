"""An event loop for tests that is turned by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class HandTimer:
    """The result of `call_later`; a cancelled one does not run."""

    is_cancelled = False

    def cancel(self) -> None:
        self.is_cancelled = True


class HandLoop:
    """An event loop that is turned by hand; callable from any thread.

    The clock stands still by default. Delays up to `short_s` end with the turn.
    """

    def __init__(self, clock: Callable[[], float] = lambda: 0.0, *, short_s: float = 0.5) -> None:
        self.clock = clock
        self.short_s = short_s
        self.soon: list[tuple[Callable[..., object], tuple[Any, ...]]] = []
        self.later: list[tuple[float, HandTimer, Callable[..., object], tuple[Any, ...]]] = []

    def call_soon_threadsafe(self, callback: Callable[..., object], *args: Any) -> None:
        self.soon.append((callback, args))

    def call_later(self, delay: float, callback: Callable[..., object], *args: Any) -> HandTimer:
        due = self.clock() + (delay if delay > self.short_s else 0.0)
        timer = HandTimer()
        self.later.append((due, timer, callback, args))
        return timer

    def turn(self) -> None:
        """Run what waits; due timers come at the end."""
        while self.soon:
            callback, args = self.soon.pop(0)
            callback(*args)
        waiting, self.later = self.later, []
        for due, timer, callback, args in waiting:
            if due > self.clock():
                self.later.append((due, timer, callback, args))
            elif not timer.is_cancelled:
                callback(*args)

    def run(self) -> None:
        """Turn until nothing waits that is due."""
        while self.soon or any(due <= self.clock() for due, *_ in self.later):
            self.turn()
