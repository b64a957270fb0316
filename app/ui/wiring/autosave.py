"""Autosave: saves a picture that has a file some minutes after it was changed, if that is chosen.

Unsaved work is kept for recovery within a second in any case; this writes the file itself. The
timer runs only while there is something to save.
"""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer

from app.ui.session import Session
from app.ui.wiring.files import FilesWiring

_MINUTE_MS = 60_000


class Autosave(QObject):
    """Waits from the first unsaved change on.

    Args:
        files: saves, and says where it failed.
    """

    def __init__(self, session: Session, files: FilesWiring) -> None:
        super().__init__(files)
        self._session = session
        self._files = files
        self.timer = QTimer(self)
        self.timer.setSingleShot(True)
        self.timer.timeout.connect(self._save)
        session.undo.changed.connect(self.refresh)
        session.path_changed.connect(self.refresh)

    def refresh(self) -> None:
        """Start to wait where there is something to save, stop where there is not."""
        session = self._session
        minutes = session.settings.autosave_minutes
        if not minutes or session.path is None or session.undo.is_clean:
            self.timer.stop()
        elif not self.timer.isActive():
            self.timer.start(minutes * _MINUTE_MS)

    def restart(self) -> None:
        """The interval was changed: wait for all of the new one."""
        self.timer.stop()
        self.refresh()

    def _save(self) -> None:
        if self._session.path is not None and not self._session.undo.is_clean:
            self._files.save()
