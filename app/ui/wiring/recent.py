"""File > Open Recent: projects that were opened or saved, newest first; gone ones are grey."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu

from app.session.settings import remember_file
from app.ui.actions import Actions
from app.ui.session import Session
from app.ui.text import tr


class RecentWiring(QObject):
    """Fills the menu whenever it opens.

    Args:
        open_path: opens a file, after the question about unsaved changes.
    """

    def __init__(
        self,
        session: Session,
        actions: Actions,
        menu: QMenu,
        open_path: Callable[[Path], None],
    ) -> None:
        super().__init__(menu)
        self._session = session
        self._actions = actions
        self._menu = menu
        self._open_path = open_path
        menu.setToolTipsVisible(True)
        menu.aboutToShow.connect(self.fill)
        menu.aboutToShow.connect(self.check)
        actions["clear_recent"].triggered.connect(self.clear)
        session.path_changed.connect(self._on_path)
        self.fill()

    def fill(self) -> None:
        """One entry per file."""
        self._menu.clear()
        entries = [self._entry(Path(name)) for name in self._session.settings.recent]
        if not entries:
            self._menu.addAction(tr("No files yet")).setEnabled(False)
        self._menu.addSeparator()
        self._menu.addAction(self._actions["clear_recent"])
        self._actions.set_enabled(
            "clear_recent", "" if entries else tr("there are no recent files")
        )

    def check(self) -> None:
        """Grey those that are gone, asked off the UI thread: a network drive may take long."""
        paths = [Path(name) for name in self._session.settings.recent]
        self._session.pictures.run(
            lambda: [path for path in paths if not os.path.isfile(path)], self._grey, _ignore
        )

    def clear(self) -> None:
        """Forget all of them; the files stay."""
        self._session.settings.recent = []
        self.fill()

    def _entry(self, path: Path) -> QAction:
        # The name of a file may hold an ampersand, which is no mnemonic.
        entry = self._menu.addAction(path.name.replace("&", "&&"))
        entry.setData(str(path))
        entry.setToolTip(str(path))
        entry.triggered.connect(lambda: self._open_path(path))
        return entry

    def _grey(self, missing: list[Path]) -> None:
        gone = {str(path) for path in missing}
        for entry in self._menu.actions():
            if entry.data() in gone:
                entry.setEnabled(False)
                entry.setText(tr("{0} (not there)").format(entry.text()))
                entry.setToolTip(
                    tr("'{0}' is not there any more: moved, renamed or deleted.").format(
                        entry.data()
                    )
                )

    def _on_path(self) -> None:
        source = self._session.source
        path = self._session.path or (source.path if source is not None else None)
        if path is not None:
            remember_file(self._session.settings, path)
            self.fill()


def _ignore(_: object) -> None:
    """For a failure that nobody needs to hear of."""
