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

from app.settings import Settings
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
        self.gaps = Gaps()

    def __enter__(self) -> WindowDesk:
        return self

    def __exit__(self, *_: object) -> None:
        self.gaps.timer.stop()
        window, self.window = self.window, None
        if window is not None:
            window.session.undo.stack.setClean()
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
        began, waited = time.perf_counter(), waited_s()
        while not is_so():
            self.app.processEvents()
            time.sleep(0.001)
            if time.perf_counter() - began > _PATIENCE_S:
                raise TimeoutError("the window waits for something that does not come")
        return max(0.0, time.perf_counter() - began - (waited_s() - waited))


class Gaps:
    """How long the event loop was not heard of, at most, since `start`.

    What the system made our threads wait for a processor is taken off: on a machine with other work
    it is not the window's doing.
    """

    def __init__(self) -> None:
        self.longest_s = 0.0
        self._last = (0.0, 0.0)
        self.timer = QTimer()
        self.timer.setInterval(TICK_MS)
        self.timer.timeout.connect(self._tick)

    def start(self) -> None:
        """Count from now."""
        self.longest_s = 0.0
        self._last = (time.perf_counter(), waited_s())
        self.timer.start()

    def stop(self) -> float:
        """The longest gap so far, seconds."""
        self._tick()
        self.timer.stop()
        return self.longest_s

    def _tick(self) -> None:
        now = (time.perf_counter(), waited_s())
        gap = now[0] - self._last[0] - (now[1] - self._last[1])
        self.longest_s = max(self.longest_s, gap)
        self._last = now


def waited_s() -> float:
    """Seconds that threads of this process were ready and had no processor; 0 where unknown."""
    total = 0
    try:
        for task in os.scandir("/proc/self/task"):
            total += int(Path(task.path, "schedstat").read_text().split()[1])
    except (OSError, ValueError, IndexError):  # no such account, or a thread that just ended
        return total / 1e9
    return total / 1e9
