"""What a window at rest costs: events and processor time in each of its states (UI16).

The states are in `states`. Xvfb is a display without a screen, so that a real window system can be
measured anywhere.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QApplication

from app.benchmarks.ui.rows import Row, child
from app.benchmarks.ui.states import PARTS, State, rest

_SCREEN = "2400x1400x24"
_END_LIMIT_S = 5.0


def has_xvfb() -> bool:
    """Whether Xvfb is installed."""
    return shutil.which("Xvfb") is not None


@contextlib.contextmanager
def xvfb() -> Iterator[str]:
    """Run Xvfb; yields its display, such as ":99", once it takes windows.

    Raises:
        FileNotFoundError: it is not installed.
        OSError: it did not start.
    """
    # It chooses a free number itself and writes it when it is ready.
    reading, writing = os.pipe()
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", _SCREEN, "-nolisten", "tcp"]
    try:
        server = subprocess.Popen(
            command,
            pass_fds=(writing,),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    except OSError:
        os.close(reading)
        raise
    finally:
        os.close(writing)
    try:
        with os.fdopen(reading) as answer:
            number = answer.readline().strip()
        if not number:
            raise OSError("Xvfb ended before it had a display")
        yield f":{number}"
    finally:
        server.terminate()
        try:
            server.wait(_END_LIMIT_S)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


# ---- measures ----

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


# ---- rows ----

MOST_CPU = 0.02  # of a core


def idle() -> Iterator[Row]:
    """UI16: each main state offscreen and on xcb; of the dialogs the one that costs most.

    Where there is no Xvfb, xcb has one row that says so.
    """
    for platform in ("offscreen", "xcb") if sys.platform == "linux" else ("offscreen",):
        if platform == "xcb" and not has_xvfb():
            yield Row("UI16", "idle on xcb", "no Xvfb here", "≤ 2 %", None)
            continue
        with ExitStack() as stack:
            environment = {"QT_QPA_PLATFORM": platform}
            if platform == "xcb":
                environment["DISPLAY"] = stack.enter_context(xvfb())
            for state, part in child("idle_window", **environment).items():
                yield _row(f"idle, {state}", platform, part)
            dialogs: Mapping[str, float] = child("idle_dialogs", **environment)
            worst = max(dialogs, key=dialogs.__getitem__)
            what = f"idle, {len(dialogs)} dialogs, most: {worst.removeprefix('dialog ')}"
            yield _row(what, platform, dialogs[worst])


def _row(what: str, platform: str, part: float) -> Row:
    return Row("UI16", f"{what}, {platform}", f"{part:.1%}", "≤ 2 %", part <= MOST_CPU)
