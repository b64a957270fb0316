"""Window state: where panels and window were, and when the settings are written."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from PySide6.QtCore import QByteArray, QEvent, QObject, QSize, Qt, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDockWidget, QMainWindow

from app.session.settings import Settings, save_settings
from app.ui.session import Session
from app.ui.theme import MIN_WINDOW

SOON_MS = 500


class WindowState(QObject):
    """Of one window, whose panels must be in their first places when this is made."""

    def __init__(self, window: QMainWindow, settings: Settings) -> None:
        super().__init__(window)
        self._window = window
        self._settings = settings
        self._first = window.saveState()
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Qt override: with large fonts and long words the parts need more than 900 x 600."""
        if event.type() == QEvent.Type.LayoutRequest:
            needed = QSize(*MIN_WINDOW).expandedTo(self._window.minimumSizeHint())
            screen = self._window.screen().availableSize()
            least = needed.boundedTo(screen.expandedTo(QSize(*MIN_WINDOW)))
            if least != self._window.minimumSize():
                self._window.setMinimumSize(least)
        return False

    def restore(self) -> None:
        """As the window was closed the last time."""
        if self._settings.window_geometry:
            self._window.restoreGeometry(_bytes(self._settings.window_geometry))
        if self._settings.window_state:
            self._window.restoreState(_bytes(self._settings.window_state), self._direction)
        self._show_docks()
        self.bring_back_panels()

    def reset(self) -> None:
        """View > Reset Layout: as at the first start."""
        self._window.restoreState(self._first)
        self._show_docks()

    def save(self) -> None:
        self._settings.window_geometry = _hex(self._window.saveGeometry())
        self._settings.window_state = _hex(self._window.saveState(self._direction))

    @property
    def _direction(self) -> int:
        """Qt keeps it with the state and refuses another: mirrored windows get the first layout,
        and so do states of versions without the panel of things."""
        return 2 + int(self._window.layoutDirection() == Qt.LayoutDirection.RightToLeft)

    def bring_back_panels(self) -> None:
        """A floating panel that no screen shows goes back to its place."""
        screens = [screen.availableGeometry() for screen in QGuiApplication.screens()]
        for dock in self._window.findChildren(QDockWidget):
            seen = any(screen.intersects(dock.frameGeometry()) for screen in screens)
            if dock.isFloating() and not seen:
                dock.setFloating(False)

    def _show_docks(self) -> None:
        for dock in self._window.findChildren(QDockWidget):
            dock.show()


def _hex(data: QByteArray) -> str:
    return bytes(data.data()).hex()


def _bytes(text: str) -> QByteArray:
    return QByteArray.fromHex(text.encode())


class SettingsKeeper(QObject):
    """Looks half a second after a job, a file or an engine whether there is something to write."""

    def __init__(self, path: Path, settings: Settings, session: Session, parent: QObject) -> None:
        super().__init__(parent)
        self._path, self._settings = path, settings
        self._written = asdict(settings)
        self._timer = QTimer(self, singleShot=True, interval=SOON_MS)
        self._timer.timeout.connect(self.save)
        session.path_changed.connect(self._soon)
        session.bridge.job_changed.connect(self._soon)
        session.servers.connections.changed.connect(self._soon)

    def save(self) -> None:
        now = asdict(self._settings)
        if now != self._written:
            self._written = now
            save_settings(self._path, self._settings)

    def _soon(self, *_: object) -> None:
        if not self._timer.isActive():
            self._timer.start()
