"""Writes the settings when they change: a crash takes no recent file and no prompt along."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from PySide6.QtCore import QObject, QTimer

from app.session.settings import Settings, save_settings
from app.ui.session import Session

SOON_MS = 500


class SettingsKeeper(QObject):
    """Looks half a second after a job or another file whether there is something new to write.

    Args:
        path: the settings file.
    """

    def __init__(self, path: Path, settings: Settings, session: Session, parent: QObject) -> None:
        super().__init__(parent)
        self._path, self._settings = path, settings
        self._written = asdict(settings)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(SOON_MS)
        self._timer.timeout.connect(self.save)
        session.path_changed.connect(self._soon)
        session.bridge.job_changed.connect(self._soon)

    def save(self) -> None:
        """Write now what has changed since the last time."""
        now = asdict(self._settings)
        if now != self._written:
            self._written = now
            save_settings(self._path, self._settings)

    def _soon(self, *_: object) -> None:
        if not self._timer.isActive():
            self._timer.start()
