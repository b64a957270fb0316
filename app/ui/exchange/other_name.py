"""Saving a document that came from a file with more in it: that file is not replaced unasked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QWidget

from app.ui.exchange import questions
from app.ui.session import Session, Source
from app.ui.text import tr


class OtherName:
    """Asks before a file is written over that holds what the document does not."""

    def __init__(self, session: Session, window: QWidget) -> None:
        self._session = session
        self._window = window

    def ask_other_name(self, source: Source, save_as: Callable[[], None]) -> None:
        """Save was asked for, and there is no file that it may write."""
        questions.ask(
            self._window,
            tr("Save under another name"),
            tr("'{0}' contains parts that this program cannot save.").format(source.path.name),
            " ".join(source.lost)
            + " "
            + tr("Save under another name; the original file does not change."),
            [(tr("Save As…"), save_as)],
        )

    def check(self, path: Path, write: Callable[[], None], another: Callable[[], None]) -> None:
        """Write, unless the path is the very file that the document came from; then ask.

        Args:
            another: asks for another path.
        """
        source = self._session.source
        if source is None or not _is_same(path, source.path):
            write()
            return
        reasons = source.lost or (tr("Parts of it could not be read."),)
        questions.ask(
            self._window,
            tr("Replace the file"),
            tr("Replace '{0}'? It contains parts that this program cannot save.").format(path.name),
            " ".join((*reasons, tr("The old file is kept next to it as a backup."))),
            [(tr("Another Name…"), another), (tr("Replace"), write)],
        )


def _is_same(a: Path, b: Path) -> bool:
    try:
        return a.samefile(b)
    except OSError:
        return a.absolute() == b.absolute()
