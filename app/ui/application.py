"""Starts the window: log, crash reports, event loop, engine; stops them in reverse.

Called by the command line; uses no widget but the main window.
"""

from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import gc
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

import qasync
from PySide6.QtCore import QSocketNotifier
from PySide6.QtWidgets import QApplication

from app.session.client import engine_factory, lower_engine_priority
from app.session.jobs import Message
from app.session.settings import (
    APP_NAME,
    ledger_path,
    load_settings,
    log_path,
    save_settings,
    settings_path,
    work_path,
)
from app.ui.main_window import MainWindow
from app.ui.session import MakeEngine
from app.ui.text import tr
from app.ui.theme import DARK
from app.ui.theme.icons import icon
from app.ui.window_state import SettingsKeeper

logger = logging.getLogger(__name__)

NO_DISPLAY = 2
ENGINE_TIMEOUT_S = 10.0
LOG_BYTES = 1_000_000


def run_gui(open_path: Path | None, make_engine: MakeEngine | None = None) -> int:
    """Open the window and stay until it is closed; 2 where there is no display, else 0."""
    if not has_display():
        sys.stderr.write(
            "Layerloom needs a display for its window and found none; "
            "without one, use: layerloom generate --help\n"
        )
        return NO_DISPLAY
    start_log(log_path())
    settings_file = settings_path()
    settings, trouble = load_settings(settings_file)
    app = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(app, QApplication)
    app.setApplicationName(APP_NAME)
    app.setApplicationDisplayName(APP_NAME)
    app.setDesktopFileName(APP_NAME.lower())
    app.setQuitOnLastWindowClosed(False)
    app.setWindowIcon(icon("layers", DARK, colour=DARK.accent))
    loop = qasync.QEventLoop(app)
    asyncio.set_event_loop(loop)
    engine = make_engine or engine_factory(settings.threads, cache_mb=settings.cache_mb)
    window = MainWindow(loop, engine, settings, work_root=work_path(settings))
    window.session.servers.ledger = ledger_path()
    install_hooks(loop, window.show_message)
    keeper = SettingsKeeper(settings_file, settings, window.session, window)
    window.dialogs.settings_left.connect(keeper.save)
    interrupt = Interrupt(window.close)
    if trouble:
        window.status.say(trouble)
    with loop:
        ended_well = loop.run_until_complete(_live(window, open_path))
    interrupt.restore()
    save_settings(settings_file, settings)
    if not ended_well:
        # torch aborts the process when the interpreter ends while one of its operations runs.
        logger.warning("the engine did not end in time")
        logging.shutdown()
        os._exit(0)
    window.deleteLater()
    app.processEvents()
    return 0


async def _live(window: MainWindow, open_path: Path | None) -> bool:
    """From the first paint to the end of the engine; True when that ended by itself."""
    closed = asyncio.Event()
    window.closed.connect(closed.set)
    window.show()
    tend_engine(window)
    window.session.start_engine()
    window.recovery.look()
    if open_path is not None:
        window.files.open_path(open_path)
    await closed.wait()
    # Off the UI thread: a join here would block the very events that the engine waits for.
    shutdown = window.session.shutdown
    return await asyncio.get_running_loop().run_in_executor(None, shutdown, ENGINE_TIMEOUT_S)


def tend_engine(window: MainWindow) -> None:
    """Do for the engine what only a program needs: what was learnt, priority, collections."""
    bridge, settings = window.session.bridge, window.settings
    bridge.pace.saved = settings.costs
    bridge.pace.measures = True

    def give_way(state: str) -> None:
        # First thing on a new thread: the threads that torch starts later inherit it.
        if state == "loading" and settings.low_priority:
            lower_engine_priority()

    frozen: list[bool] = []

    def keep_collections_short(state: str) -> None:
        # torch brings 140,000 objects that stay. A collection that walks through them lasts 110 ms
        # (measured), in which no thread runs, the window's neither. From here on it walks through
        # what came later. Once: what is dropped after this is not to be kept as well.
        if state == "ready" and not frozen and not bridge.is_remote:
            frozen.append(True)
            gc.freeze()

    bridge.state_changed.connect(give_way)
    bridge.state_changed.connect(keep_collections_short)


class Interrupt:
    """Ctrl+C closes the window, a second one ends at once. A socket wakes Qt's loop for it."""

    def __init__(self, close: Callable[[], object]) -> None:
        self._close = close
        self._reader, self._writer = socket.socketpair()
        for end in (self._reader, self._writer):
            end.setblocking(False)
        self._notifier = QSocketNotifier(self._reader.fileno(), QSocketNotifier.Type.Read)
        self._notifier.activated.connect(self._drain)
        self._former = signal.signal(signal.SIGINT, self._on_signal)
        self._former_fd = signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)

    def restore(self) -> None:
        signal.set_wakeup_fd(self._former_fd)
        signal.signal(signal.SIGINT, self._former)
        self._notifier.setEnabled(False)
        self._reader.close()
        self._writer.close()

    def _drain(self) -> None:
        with contextlib.suppress(OSError):
            self._reader.recv(64)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        self._close()


def has_display() -> bool:
    """Whether Qt will find something to draw on."""
    if sys.platform != "linux":
        return True
    names = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    return any(os.environ.get(name) for name in names)


def start_log(path: Path) -> None:
    """Crashes of native code to stderr, everything else to the log file."""
    if sys.stderr is not None and not faulthandler.is_enabled():
        faulthandler.enable()
    root = logging.getLogger()
    root.setLevel(logging.INFO)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handler = RotatingFileHandler(path, maxBytes=LOG_BYTES, backupCount=1, encoding="utf-8")
    except OSError:
        return  # a window without a log is better than none
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root.addHandler(handler)


def install_hooks(loop: asyncio.AbstractEventLoop, show: Callable[[Message], None]) -> None:
    """An uncaught exception, on any thread, is logged and shown once."""
    seen: set[str] = set()

    def report(error: BaseException) -> None:
        text = f"{type(error).__name__}: {error}"
        logger.error("unhandled: %s", text, exc_info=error)
        if text not in seen:
            seen.add(text)
            loop.call_soon_threadsafe(show, unhandled_message(text))

    def on_exception(
        kind: type[BaseException], error: BaseException, traceback: TracebackType | None
    ) -> None:
        if issubclass(kind, KeyboardInterrupt):
            loop.call_soon_threadsafe(loop.stop)
        else:
            report(error)

    def on_loop(_: object, context: dict[str, Any]) -> None:
        error = context.get("exception")
        report(error if error is not None else RuntimeError(context.get("message", "")))

    def on_thread(args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None:
            report(args.exc_value)

    sys.excepthook = on_exception
    threading.excepthook = on_thread
    loop.set_exception_handler(on_loop)


def unhandled_message(details: str) -> Message:
    """What the user reads when the program itself made a mistake."""
    return Message(
        kind="error",
        what=tr("Something in the program went wrong."),
        kept=tr("Your picture is still open."),
        advice=tr("Save it now (Ctrl+S); the details are in the log, see Help."),
        details=details,
    )
