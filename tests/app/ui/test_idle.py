"""An idle program idles: Qt events are counted in every state of the window, on two platforms.

The walks run in processes of their own, all at the same time: a window that rests needs no time.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtWidgets import QApplication, QDialog, QLabel, QVBoxLayout, QWidget

from app.benchmarks.ui.idle import has_xvfb, xvfb
from app.benchmarks.ui.states import PARTS, State, rest

PLATFORMS = ("offscreen", "xcb") if sys.platform == "linux" else ("offscreen",)
LIMIT_S = 300
MOST_EVENTS = 20  # a second
QUIET_S = 0.1
# Until a state has settled: seconds that the process computes, and on the clock. On a busy machine
# the first say how far it came.
SETTLE_WORK_S = 3.0
SETTLE_LIMIT_S = 30.0
OF_A_REST = 4  # events that the timer of a rest makes itself
COUNT = """
import json, sys
from tests.app.ui.test_idle import counted
print(json.dumps(counted(sys.argv[1], float(sys.argv[2]))))
"""
# Qt's own dialogs, under the name of their class.
# Seconds; dialogs are many.
WATCHED = {"window": 0.5, "dialogs": 0.25}
QT_DIALOGS = {"QMessageBox", "QFileDialog", "QColorDialog", "QDialog"}


class EventCounter(QObject):
    """Counts what Qt delivers in this application, timers included, by receiver and kind."""

    def __init__(self) -> None:
        super().__init__()
        self.kinds: Counter[str] = Counter()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Qt override."""
        self.kinds[f"{type(watched).__name__} {event.type().name}"] += 1
        return False


def counted(part: str, seconds: float) -> list[dict[str, Any]]:
    """Count the events of each state of a part, a blinking caret aside.

    Main states are watched for `seconds` once they have settled, others half as long.
    """
    app = QApplication([])
    app.setCursorFlashTime(0)
    counter = EventCounter()
    found = []
    with tempfile.TemporaryDirectory(prefix="layerloom-idle-") as folder:
        for state in PARTS[part](Path(folder)):
            app.installEventFilter(counter)
            watch_s = seconds if state.is_main else seconds / 2
            end, work = time.monotonic() + SETTLE_LIMIT_S, time.process_time() + SETTLE_WORK_S
            idle = watched(state, counter, watch_s)
            while idle["events"] > MOST_EVENTS:  # not settled yet
                if time.monotonic() >= end or time.process_time() >= work:
                    break
                idle = watched(state, counter, watch_s)
            app.removeEventFilter(counter)
            found.append(idle)
    return found


def watched(state: State, counter: EventCounter, seconds: float) -> dict[str, Any]:
    """Events a second of the state as it is now."""
    rest(QUIET_S)  # what the last step led to
    counter.kinds.clear()
    begun = time.monotonic()
    rest(seconds)
    took = time.monotonic() - begun
    events = max(0, counter.kinds.total() - OF_A_REST) / took
    most = {kind: round(count / took, 1) for kind, count in counter.kinds.most_common(5)}
    kind = type(state.top).__name__
    return {"state": state.name, "kind": kind, "events": events, "most": most}


@pytest.fixture(scope="module")
def walks() -> Iterator[dict[tuple[str, str], list[dict[str, Any]]]]:
    """What was counted, by platform and part of the states."""
    with ExitStack() as stack:
        children = {}
        for platform in PLATFORMS:
            environment = {**os.environ, "QT_QPA_PLATFORM": platform}
            if platform == "xcb":
                assert has_xvfb(), "Xvfb is missing: ./dev test installs it (Debian: xvfb)"
                environment["DISPLAY"] = stack.enter_context(xvfb())
            for part in PARTS:
                child = subprocess.Popen(
                    [sys.executable, "-P", "-c", COUNT, part, str(WATCHED[part])],
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                    env=environment,
                )
                stack.callback(child.kill)
                children[platform, part] = child
        found = {}
        for key, child in children.items():
            out, errors = child.communicate(timeout=LIMIT_S)
            assert child.returncode == 0, f"{key}: {errors}"
            found[key] = json.loads(out.splitlines()[-1])
        yield found


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("part", list(PARTS))
def test_a_settled_window_rests(walks: Any, platform: str, part: str) -> None:
    """At most 20 events a second in each state, a blinking caret aside."""
    busy = [each for each in walks[platform, part] if each["events"] > MOST_EVENTS]
    assert not busy, "\n".join(
        f"{each['state']}: {each['events']:.0f} events a second, {each['most']}" for each in busy
    )


@pytest.mark.parametrize("platform", PLATFORMS)
def test_every_state_is_visited(walks: Any, platform: str) -> None:
    """The states that matter most, and every dialog that the program has."""
    names = {each["state"] for each in walks[platform, "window"]}
    wanted = "empty|boxes drawn|finished picture|candidates shown|comparing|minimised|hidden"
    wanted += "|panel of things|layout suggested|page of the picture"
    assert set(wanted.split("|")) <= names
    assert any(name.startswith("loading") for name in names)
    seen = {each["kind"] for each in walks[platform, "dialogs"]}
    ours = {kind.__name__ for kind in subclasses(QDialog) if kind.__module__.startswith("app.ui")}
    assert len(ours) > 5
    assert ours <= seen, f"never opened: {sorted(ours - seen)}"
    assert seen >= QT_DIALOGS


def subclasses(kind: type) -> Iterator[type]:
    """All of them, however deep."""
    for each in kind.__subclasses__():
        yield each
        yield from subclasses(each)


class Restless(QWidget):
    """Answers each LayoutRequest with the next one, as the card of an empty canvas once did."""

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.LayoutRequest:
            self.layout().invalidate()
        return super().event(event)


def test_what_never_rests_is_counted(qapp: Any, qtbot: Any) -> None:
    """The counter sees a handler that triggers its own event, and a timer that goes on."""
    widget = Restless()
    qtbot.addWidget(widget)
    QVBoxLayout(widget).addWidget(QLabel("text"))
    widget.show()
    timer, counter = QTimer(widget), EventCounter()
    timer.start(10)
    qapp.installEventFilter(counter)
    rest(0.3)
    timer.stop()
    assert counter.kinds["Restless LayoutRequest"] > 100
    assert counter.kinds["QTimer Timer"] > 10
    widget.hide()
    rest(0.1)
    counter.kinds.clear()
    rest(0.1)
    qapp.removeEventFilter(counter)
    assert counter.kinds["Restless LayoutRequest"] == 0
    assert counter.kinds["QTimer Timer"] <= 1  # the one that ends the rest
