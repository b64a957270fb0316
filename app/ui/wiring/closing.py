"""Closing the window: ask about unsaved changes, settle what is kept, stop the jobs, then go."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QWidget

from app.ui.session import Session
from app.ui.window_state import WindowState
from app.ui.wiring.files import FilesWiring
from app.ui.wiring.recovery import RecoveryWiring


class Closing:
    """Decides on each try to close, without blocking the event loop.

    Args:
        closed: called once, when the window goes; the engine still has to be ended.
    """

    def __init__(
        self,
        session: Session,
        window: QWidget,
        files: FilesWiring,
        recovery: RecoveryWiring,
        state: WindowState,
        closed: Callable[[], None],
    ) -> None:
        self._session = session
        self._window = window
        self._files = files
        self._recovery = recovery
        self._state = state
        self._closed = closed
        self._may_close = False
        self._is_closed = False

    def try_to(self, event: QCloseEvent) -> None:
        """Accept, or ask first and come back."""
        if not (self._may_close or self._session.undo.is_clean):
            event.ignore()
            self._files.when_saved(self._close_now, keep=self._recovery.keep)
            return
        event.accept()
        if not self._is_closed:
            self._is_closed = True
            self._recovery.settle()
            self._state.save()
            self._session.bridge.stop_all()
            self._closed()

    def _close_now(self) -> None:
        self._may_close = True
        self._window.close()
