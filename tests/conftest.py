"""Fixtures of all tests, and the check that no test leaves threads, timers or widgets behind.

Nothing here imports Qt before a test asks for the window, so that tests of the engine and the
document run without it.
"""

from __future__ import annotations

import asyncio
import gc
import os
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
import engine  # noqa: F401 - before torch: it says how its threads wait

# Some machines keep no compiled modules. The hundreds of processes of the tests would compile every
# module of the program again and again: half a second of each window's start.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

_HERE = ("127.0.0.1", "::1")  # Windows makes its pairs of sockets by connecting to itself
_OFFLINE = str(Path(__file__).with_name("offline"))  # for the processes that tests start
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [_OFFLINE, os.environ.get("PYTHONPATH")]))


@pytest.fixture(scope="session", autouse=True)
def no_clipboard_at_the_end() -> Iterator[None]:
    """Qt's offscreen clipboard lives until after Python is gone.

    What a test copied last would then be destroyed by an interpreter that is not there any more:
    the process ended with a segmentation fault after its last passed test.
    """
    yield
    gui = sys.modules.get("PySide6.QtGui")
    if gui is not None and gui.QGuiApplication.instance() is not None:
        gui.QGuiApplication.clipboard().clear()


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing here reaches another machine; a test in whose course something tries fails."""
    connect, look_up = socket.socket.connect, socket.getaddrinfo

    def connect_here(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            assert address[0] in _HERE, f"a test connects to {address}"
        connect(self, address)

    def look_up_here(host: Any, *args: Any, **kwargs: Any) -> Any:
        assert host in (None, "", "localhost", *_HERE), f"a test looks up {host}"
        return look_up(host, *args, **kwargs)

    monkeypatch.setattr(socket.socket, "connect", connect_here)
    monkeypatch.setattr(socket, "getaddrinfo", look_up_here)


@pytest.fixture
def qloop(qapp: Any) -> Iterator[Any]:
    """A qasync loop; it lives on the Qt events that pytest-qt processes, and is never 'run'."""
    import qasync

    loop = qasync.QEventLoop(qapp)
    asyncio.set_event_loop(loop)
    yield loop
    loop.close()
    asyncio.set_event_loop(None)


@pytest.fixture
def window(qtbot: Any, qloop: Any) -> Iterator[Any]:
    """A shown main window with a FakeEngine (`window.engine`) that is ready."""
    from app.session.settings import Settings
    from app.testing import FakeEngine
    from app.ui.main_window import MainWindow

    engines: list[FakeEngine] = []

    def make(emit: Callable[..., None]) -> FakeEngine:
        engines.append(FakeEngine(emit))
        return engines[-1]

    settings = Settings(theme="dark", first_run_done=True, replace_hint_done=True)
    window: Any = MainWindow(qloop, make, settings)
    window.engines = engines  # the last one is in use
    window.engine = engines[0]
    window.show()
    qtbot.waitExposed(window)
    window.session.bridge.start()
    engines[0].get_ready()
    qtbot.waitUntil(lambda: window.session.bridge.state == "ready")
    yield window
    window.session.undo.mark_saved()
    window.close()
    window.session.shutdown()
    window.deleteLater()
    _flush()


@pytest.fixture(autouse=True)
def nothing_left_behind(request: pytest.FixtureRequest) -> Iterator[None]:
    """A test that used the window leaves no thread, timer or top-level widget."""
    uses_qt = "qapp" in request.fixturenames
    before = set(threading.enumerate())
    if uses_qt:
        # What there is now is modules and their tables, 200,000 objects with torch. Collections
        # need not walk through them again: this takes a tenth of a second off every test. Not at
        # the end of a test: its window would be kept with them.
        gc.collect()
        gc.freeze()
    yield
    if not uses_qt:
        return
    from PySide6.QtCore import QTimer
    from PySide6.QtWidgets import QApplication
    from shiboken6 import isValid

    _flush()
    # The next window then starts as the program does, which sets the sheet once, when its widgets
    # are made: below a sheet every change of a parent polishes all children again. This halves the
    # processor time of a window.
    QApplication.instance().setStyleSheet("")
    gc.collect()
    threads = [
        thread.name
        for thread in threading.enumerate()
        if thread not in before and thread.is_alive()
    ]
    assert not threads, f"threads left: {threads}"
    timers = [
        timer
        for timer in gc.get_objects()
        if type(timer) is QTimer and isValid(timer) and timer.isActive()
    ]
    assert not timers, f"timers left: {timers}"
    widgets = [
        f"{type(widget).__name__} {widget.objectName()!r}"
        for widget in QApplication.topLevelWidgets()
        if widget.isVisible()
    ]
    assert not widgets, f"widgets left: {widgets}"


def _flush() -> None:
    """Let deferred deletes happen."""
    from PySide6.QtCore import QCoreApplication, QEvent

    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    QCoreApplication.processEvents()
