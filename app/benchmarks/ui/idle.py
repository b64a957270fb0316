"""What a window that rests costs: events and processor time in each of its states (UI16).

Counts and measures; the states are in `states`.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QApplication

from app.benchmarks.ui.states import rest, walk

QUIET_S = 0.15
SETTLE_LIMIT_S = 4.0


class EventCounter(QObject):
    """Counts what Qt delivers in this application, timers included, by kind and receiver."""

    def __init__(self) -> None:
        super().__init__()
        self.kinds: Counter[str] = Counter()
        self.count = 0

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Qt override."""
        self.count += 1
        self.kinds[f"{type(watched).__name__} {event.type().name}"] += 1
        return False

    def clear(self) -> None:
        """From nought again."""
        self.kinds.clear()
        self.count = 0


@dataclass(frozen=True, slots=True)
class Idle:
    """One state of the window, at rest.

    Attributes:
        state: its name.
        is_visible: whether the window, or the dialog, was on the screen.
        events: Qt events a second.
        cpu: processor time of the process, as a part of one core.
        most: the most frequent events, "receiver kind": how many a second.
    """

    state: str
    is_visible: bool
    events: float
    cpu: float
    most: dict[str, float]


def measured(seconds: float, *, counts: bool) -> list[Idle]:
    """Walk through all states and rest in each.

    Args:
        seconds: how long each is watched, once it has settled.
        counts: whether events are counted; that costs processor time itself.
    """
    app = QApplication.instance() or QApplication([])
    counter = EventCounter()
    found = []
    for state, shown in walk():
        app.installEventFilter(counter)
        _settle(counter)
        if not counts:
            app.removeEventFilter(counter)
        counter.clear()
        begun, cpu = time.monotonic(), time.process_time()
        rest(seconds)
        spent, took = time.process_time() - cpu, time.monotonic() - begun
        app.removeEventFilter(counter)
        most = {kind: count / took for kind, count in counter.kinds.most_common(5)}
        found.append(Idle(state, shown.isVisible(), counter.count / took, spent / took, most))
    return found


def _settle(counter: EventCounter) -> None:
    """Until nothing has happened for a moment; what never rests is measured as it is."""
    end = time.monotonic() + SETTLE_LIMIT_S
    while time.monotonic() < end:
        counter.clear()
        rest(QUIET_S)
        if counter.count <= 4:  # the timer that ends the rest, and a caret
            return
