"""What a window that rests costs: events and processor time in each of its states (UI16).

Counts and measures; the states are in `states`.
"""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QApplication

from app.benchmarks.ui.states import PARTS, State, rest

MOST_EVENTS = 20  # a second
WATCH_S = 0.5
QUIET_S = 0.1
# Until a state has settled: seconds that the process computes, and on the clock. On a busy machine
# the first say how far it came.
SETTLE_WORK_S = 3.0
SETTLE_LIMIT_S = 30.0
_OF_A_REST = 4  # events that the timer of a rest makes itself


class EventCounter(QObject):
    """Counts what Qt delivers in this application, timers included, by receiver and kind."""

    def __init__(self) -> None:
        super().__init__()
        self.kinds: Counter[str] = Counter()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Qt override."""
        self.kinds[f"{type(watched).__name__} {event.type().name}"] += 1
        return False


@dataclass(frozen=True, slots=True)
class Idle:
    """One state of the window, at rest.

    Attributes:
        state: its name.
        kind: class of the window or the dialog that is on top.
        events: Qt events a second; 0 where they were not counted.
        cpu: processor time of the process, as a part of one core.
        most: the most frequent events, "receiver kind": how many a second.
    """

    state: str
    kind: str
    events: float
    cpu: float
    most: dict[str, float]


def counted(part: str, seconds: float = WATCH_S) -> list[Idle]:
    """Count the events of each state, a blinking caret aside.

    Args:
        part: of the states, a name in `states.PARTS`.
        seconds: how long a main state is watched, once it has settled; others half as long.
    """
    app = _application()
    blinks = app.cursorFlashTime()
    app.setCursorFlashTime(0)
    counter = EventCounter()
    found = []
    try:
        with tempfile.TemporaryDirectory(prefix="layerloom-idle-") as folder:
            for state in PARTS[part](Path(folder)):
                app.installEventFilter(counter)
                watch_s = seconds if state.is_main else seconds / 2
                end, work = time.monotonic() + SETTLE_LIMIT_S, time.process_time() + SETTLE_WORK_S
                idle = _watched(state, counter, watch_s)
                while idle.events > MOST_EVENTS:  # not settled yet
                    if time.monotonic() >= end or time.process_time() >= work:
                        break
                    idle = _watched(state, counter, watch_s)
                app.removeEventFilter(counter)
                found.append(idle)
    finally:
        app.setCursorFlashTime(blinks)
    return found


def measured(part: str, seconds: float) -> list[Idle]:
    """Measure the processor time of each main state, a blinking caret included.

    Args:
        part: of the states, a name in `states.PARTS`.
        seconds: how long each state is watched, after as long for settling.
    """
    _application()
    found = []
    with tempfile.TemporaryDirectory(prefix="layerloom-idle-") as folder:
        for state in PARTS[part](Path(folder)):
            if state.is_main:
                rest(seconds)
                found.append(_watched(state, EventCounter(), seconds))
    return found


def _watched(state: State, counter: EventCounter, seconds: float) -> Idle:
    """The state now, for some seconds."""
    rest(QUIET_S)  # what the last step led to
    counter.kinds.clear()
    begun, cpu = time.monotonic(), time.process_time()
    rest(seconds)
    spent, took = time.process_time() - cpu, time.monotonic() - begun
    events = max(0, counter.kinds.total() - _OF_A_REST) / took
    most = {kind: round(count / took, 1) for kind, count in counter.kinds.most_common(5)}
    return Idle(state.name, type(state.top).__name__, events, spent / took, most)


def _application() -> QApplication:
    app = QApplication.instance() or QApplication([])
    assert isinstance(app, QApplication)
    return app
