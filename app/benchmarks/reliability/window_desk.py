"""A real window for promises: gaps of its event loop are measured, nothing is judged here."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import qasync
from PySide6.QtCore import QEvent, QTimer
from PySide6.QtWidgets import QApplication

from app.benchmarks.reliability.waiting import OwnTime
from app.session.settings import Settings
from app.ui.main_window import MainWindow

TICK_MS = 10
_PATIENCE_S = 600.0


class WindowDesk:
    """One open window. Use as a context manager.

    Args:
        make_engine: see `MainWindow`.
        work_root: see `MainWindow`.
    """

    def __init__(self, make_engine: Callable[..., Any], work_root: Path | None = None) -> None:
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
        app = QApplication.instance() or QApplication([])
        assert isinstance(app, QApplication)
        self.app = app
        self.loop = qasync.QEventLoop(app)
        asyncio.set_event_loop(self.loop)
        settings = Settings(theme="dark", first_run_done=True)
        self.window: MainWindow | None = MainWindow(
            self.loop, make_engine, settings, work_root=work_root
        )
        self.window.show()
        self.time = OwnTime()
        self.gaps = Gaps()

    def __enter__(self) -> WindowDesk:
        return self

    def __exit__(self, *_: object) -> None:
        self.gaps.timer.stop()
        window, self.window = self.window, None
        if window is not None:
            window.session.undo.mark_saved()
            window.close()
            window.session.shutdown()
            window.deleteLater()
        self.app.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        self.app.processEvents()
        self.loop.close()
        asyncio.set_event_loop(None)

    def until(self, is_so: Callable[[], bool]) -> float:
        """Handle events until it is so; seconds that took, waiting for a processor left out.

        Raises:
            TimeoutError: it never was.
        """
        began, limit = self.time.now(), time.monotonic() + _PATIENCE_S
        while not is_so():
            self.app.processEvents()
            time.sleep(0.001)
            if time.monotonic() > limit:
                raise TimeoutError("the window waits for something that does not come")
        return max(0.0, self.time.now() - began)


class Gaps:
    """How long the event loop was not heard of, at most, since `start`.

    What the system made our threads wait for a processor is taken off: on a machine with other work
    it is not the window's doing. Since threads wait side by side that may take off too much, so
    what the window's thread itself computed counts in any case.
    """

    def __init__(self) -> None:
        self.longest_s = 0.0
        self._time = OwnTime()
        self._last = (0.0, 0.0)
        self.timer = QTimer()
        self.timer.setInterval(TICK_MS)
        self.timer.timeout.connect(self._tick)

    def start(self) -> None:
        """Count from now."""
        self.longest_s = 0.0
        self._last = (self._time.now(), time.thread_time())
        self.timer.start()

    def stop(self) -> float:
        """The longest gap so far, seconds."""
        self._tick()
        self.timer.stop()
        return self.longest_s

    def _tick(self) -> None:
        now = (self._time.now(), time.thread_time())
        gaps = (after - before for after, before in zip(now, self._last))
        self.longest_s = max(self.longest_s, *gaps)
        self._last = now
