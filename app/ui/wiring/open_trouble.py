"""When a file does not open as it should: offer its backup, its readable layers, its recipes.

Asks first and changes no file. The way out is always a copy where something would be lost.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Protocol

from PySide6.QtWidgets import QWidget

from app.document.storage.errors import StorageError
from app.document.storage.ora.file import (
    SUFFIX,
    WaysOut,
    load_project,
    readable_layers,
    ways_out,
    with_recipes_of,
)
from app.document.storage.ora.foreign import Opened
from app.ui.dialogs import questions
from app.ui.session import Session
from app.ui.text import moment, tr

logger = logging.getLogger(__name__)


class Opens(Protocol):
    """What this needs of the wiring of files."""

    def show_opened(self, path: Path, opened: Opened, *, is_copy: bool = False) -> None: ...
    def report(self, error: Exception) -> None: ...


class OpenTrouble:
    """Asks what to do about a file; `files` then shows what was read."""

    def __init__(self, session: Session, window: QWidget, files: Opens) -> None:
        self._session = session
        self._window = window
        self._files = files

    def offer(self, path: Path, error: Exception) -> None:
        """The file was refused; look for ways out of it in the background.

        Where there are some, a question names the trouble and offers them; else a message does.
        """
        has_ways = path.suffix.lower() == SUFFIX and os.path.isfile(path)
        if not isinstance(error, StorageError) or not has_ways:
            self._files.report(error)
            return

        def failed(other: Exception) -> None:
            logger.warning("no ways out of '%s': %s", path.name, other)
            self._files.report(error)

        self._session.files.run(lambda: ways_out(path), partial(self._ask, path, error), failed)

    def offer_recipes(self, path: Path) -> None:
        """Layers without our data; a backup may still have prompts and candidates."""

        def done(ways: WaysOut) -> None:
            if ways.backup is None:
                return
            questions.ask(
                self._window,
                tr("Recipes lost"),
                tr(
                    "'{0}' has layers but no Layerloom data, because another program saved it."
                ).format(path.name),
                tr("The backup from {0} still has prompts and results.").format(
                    moment(ways.saved_at)
                ),
                [(tr("Restore Them"), partial(self._restore, path, ways.backup))],
                cancel=tr("Layers Only"),
            )

        self._session.files.run(lambda: ways_out(path), done, self._files.report)

    def _ask(self, path: Path, error: StorageError, ways: WaysOut) -> None:
        answers: list[questions.Answer] = []
        if ways.backup is not None:
            text = tr("Open Backup from {0}").format(moment(ways.saved_at))
            answers.append((text, partial(self._open_backup, ways.backup)))
        if ways.layers:
            answers.append((tr("Open as a Copy"), partial(self._open_readable, path)))
        if answers:
            title = tr("File not opened")
            questions.ask(self._window, title, error.what, error.kept, answers)
        else:
            self._files.report(error)

    def _open_backup(self, backup: Path) -> None:
        self._read(backup, lambda: load_project(backup))

    def _open_readable(self, path: Path) -> None:
        self._read(path, lambda: readable_layers(path))

    def _read(self, path: Path, read: Callable[[], Opened]) -> None:
        self._session.files.run(
            read,
            lambda opened: self._files.show_opened(path, opened, is_copy=True),
            self._files.report,
        )

    def _restore(self, path: Path, backup: Path) -> None:
        def done(opened: Opened) -> None:
            self._files.show_opened(path, opened)
            self._session.undo.mark_unsaved()  # the file itself does not have them

        self._session.files.run(lambda: with_recipes_of(path, backup), done, self._files.report)
