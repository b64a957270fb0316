"""Files: New, Open, Save, the list of recent files, and autosave.

All reading and writing is off the UI thread. What could be lost is asked about first.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, QTimer
from PySide6.QtGui import QAction

from app.document import Contents, Size, new_contents
from app.document.storage.atomic import Stamp, remove_leftovers
from app.document.storage.errors import ChangedOnDiskError, StorageError
from app.document.storage.incoming import open_as_document
from app.document.storage.journal.recovery import in_use
from app.document.storage.layout import contents_of, read_layout
from app.document.storage.names import numbered_copy
from app.document.storage.ora.file import (
    SUFFIX,
    WaysOut,
    load_project,
    readable_layers,
    save_project,
    ways_out,
    with_recipes_of,
)
from app.document.storage.ora.foreign import Opened
from app.document.storage.pictures import PICTURE_SUFFIXES
from app.session.settings import chosen_canvas, remember_file
from app.ui.actions import Actions
from app.ui.app_state import StateStore
from app.ui.controllers import Controller
from app.ui.controllers.view import ViewController
from app.ui.dialogs import file_dialogs, questions
from app.ui.dialogs.canvas_size import NewDialog, trained_sizes
from app.ui.dialogs.examples import ExamplesDialog
from app.ui.dialogs.questions import OtherName
from app.ui.session import Session, SourceFile, first_settings
from app.ui.text import moment, tr
from app.ui.views import Views

logger = logging.getLogger(__name__)

_MINUTE_MS = 60_000


class OpenElsewhereError(StorageError):
    """The file is open in another window."""


class FilesController(Controller):
    """Connects the actions of the menu File that are about the document itself."""

    def __init__(
        self, session: Session, actions: Actions, views: Views, view: ViewController
    ) -> None:
        super().__init__(session, actions, views)
        self._view = view
        self._is_writing = False
        self._waiting: list[Callable[[], None]] = []
        self._saving = OtherName(session, views)
        actions.connect(
            examples=lambda: ExamplesDialog(self._window, self.open_example).open(),
            new=self.new,
            open=self.open,
            save=self.save,
            save_as=self.save_as,
            revert=self.revert,
            quit=views.close,
        )

    # ---- new and open ----

    def new(self) -> None:
        def ask() -> None:
            sizes, multiple = trained_sizes(self._session.bridge.info)
            now = chosen_canvas(self._session.settings)
            NewDialog(self._window, sizes, multiple, self._start_new, now).open()

        self.when_saved(ask)

    def open(self) -> None:
        def ask() -> None:
            file_dialogs.ask_open(
                self._window, self._session.settings, tr("Open"), _open_kinds(), self.open_path
            )

        self.when_saved(ask)

    def open_path(self, path: Path) -> None:
        """Read a project, or a picture as a new one, and show it in one undo step."""
        grid, keeper, roots = self._grid(), self._session.keeper, self._session.work_roots
        own = keeper.folder if keeper else None

        def read() -> Opened:
            if any(in_use(root, path, own) for root in roots):
                raise OpenElsewhereError(
                    tr("'{0}' is open in another window.").format(path.name),
                    tr("It was not opened again."),
                    tr("Go to that window, or open a copy of the file."),
                )
            opened = open_as_document(path, grid)
            remove_leftovers(path)
            return opened

        def failed(error: Exception) -> None:
            self._session.note("")  # it does not go on opening; what happened is said once, below
            if isinstance(error, OpenElsewhereError):  # the file itself is all right
                self._session.report(error)
            else:
                self._offer_ways_out(path, error)

        self._session.note(tr("Opening '{0}'…").format(path.name))
        self._session.files.run(read, lambda opened: self.show_opened(path, opened), failed)

    def show_opened(self, path: Path, opened: Opened, *, is_copy: bool = False) -> None:
        """What was read becomes the document; a copy has no name: a save replaces nothing."""
        session = self._session
        is_ora = path.suffix.lower() == SUFFIX
        is_file = is_ora and not is_copy and not opened.lost
        text = tr("Open '{0}'").format(path.name)
        source = SourceFile(path, opened.lost) if is_ora and not is_file else None
        own = path if is_file else None
        session.replace(opened.contents, text, own, opened.stamp if is_file else None, source)
        self._view.show_view(opened.view)
        self._view.choose_tool()
        if not is_file:
            session.undo.mark_unsaved()  # it is in no file of ours yet
        session.settings.last_folder = str(path.parent)
        session.note(tr("Opened '{0}'.").format(path.name))
        if opened.messages:
            kept = (
                tr("Save asks for another name, so that '{0}' does not change.").format(path.name)
                if opened.lost
                else ""
            )
            session.tell("warning", " ".join(opened.messages), kept)
        if is_ora and not is_copy and not opened.is_project:
            self._offer_recipes(path)

    def open_example(self, path: Path) -> None:
        """A layout with a prompt, or a finished picture, as a new document."""
        session, grid = self._session, self._grid()
        canvas = session.document.canvas

        def read() -> Contents:
            if path.suffix == SUFFIX:
                return open_as_document(path, grid).contents
            return contents_of(read_layout(path, canvas=canvas, grid=grid))

        def done(contents: Contents) -> None:
            session.replace(contents, tr("Open Example"), None)
            self._view.choose_tool()

        self.when_saved(lambda: session.work(read, done))

    # ---- files that do not open as they should ----

    def _offer_ways_out(self, path: Path, error: Exception) -> None:
        """The file was refused: a question offers ways that are found, else a message."""
        has_ways = path.suffix.lower() == SUFFIX and os.path.isfile(path)
        if not isinstance(error, StorageError) or not has_ways:
            self._session.report(error)
            return

        def failed(other: Exception) -> None:
            logger.warning("no ways out of '%s': %s", path.name, other)
            self._session.report(error)

        self._session.files.run(
            lambda: ways_out(path), partial(self._ask_way_out, path, error), failed
        )

    def _offer_recipes(self, path: Path) -> None:
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

        self._session.work(lambda: ways_out(path), done)

    def _ask_way_out(self, path: Path, error: StorageError, ways: WaysOut) -> None:
        answers: list[questions.Answer] = []
        if ways.backup is not None:
            text = tr("Open Backup from {0}").format(moment(ways.saved_at))
            read = partial(load_project, ways.backup)
            answers.append((text, partial(self._open_copy, ways.backup, read)))
        if ways.layers:
            answers.append(
                (
                    tr("Open as a Copy"),
                    partial(self._open_copy, path, partial(readable_layers, path)),
                )
            )
        if answers:
            title = tr("File not opened")
            questions.ask(self._window, title, error.what, error.kept, answers)
        else:
            self._session.report(error)

    def _open_copy(self, path: Path, read: Callable[[], Opened]) -> None:
        self._session.files.run(
            read, lambda opened: self.show_opened(path, opened, is_copy=True), self._session.report
        )

    def _restore(self, path: Path, backup: Path) -> None:
        def done(opened: Opened) -> None:
            self.show_opened(path, opened)
            self._session.undo.mark_unsaved()  # the file itself does not have them

        self._session.work(lambda: with_recipes_of(path, backup), done)

    # ---- save ----

    def save(self, then: Callable[[], None] | None = None) -> None:
        """Write to the known file, or ask for one; `then` follows only after success."""
        source = self._session.source
        if self._session.path is None and source is not None and source.lost:
            self._saving.ask_other_name(source, lambda: self.save_as(then))
        elif self._session.path is None:
            self.save_as(then)
        else:
            self.write(self._session.path, then, is_known=True)

    def save_as(self, then: Callable[[], None] | None = None) -> None:
        suggested = self._suggested(".ora")
        kind = tr("OpenRaster (*.ora)")

        def done(path: Path) -> None:
            self._saving.check(
                path, lambda: self.write(path, then), another=lambda: self.save_as(then)
            )

        settings = self._session.settings
        title = tr("Save As")
        file_dialogs.ask_save(self._window, settings, title, suggested, kind, "ora", done)

    def write(
        self, path: Path, then: Callable[[], None] | None = None, *, is_known: bool = False
    ) -> None:
        """Save in the background, one by one; not over a known file that somebody changed."""
        if self._is_writing:
            self._waiting.append(lambda: self.write(path, then, is_known=is_known))
            return
        self._is_writing = True
        session = self._session
        contents, sitting = session.document.contents, session.sitting
        expected = session.stamp if is_known else None
        view = self._view.view_now()

        def done(stamp: Stamp) -> None:
            if session.sitting == sitting:  # else another document is open by now
                session.saved(path, stamp, contents)
            session.settings.last_folder = str(path.parent)
            session.note(tr("Saved '{0}'.").format(path.name))
            self._next_write()
            if then is not None:
                then()

        def failed(error: Exception) -> None:
            if isinstance(error, ChangedOnDiskError):
                self._ask_overwrite(path, error.changed_at, then)
            else:
                self._session.report(error)
            self._next_write()

        # Without a backup only over what this window wrote itself.
        has_backup = session.settings.keep_backup or not is_known
        session.files.run(
            lambda: save_project(
                contents, path, view=view, keep_backup=has_backup, expected=expected
            ),
            done,
            failed,
        )

    def revert(self) -> None:
        """The file as it was saved last; one undo step."""
        path = self._session.path
        if path is None:
            return
        if self._session.undo.is_clean:
            self._session.note(tr("Nothing was changed since the picture was saved."))
            return
        questions.ask(
            self._window,
            tr("Revert to Saved"),
            tr("Go back to '{0}' as it was saved?").format(path.name),
            tr("Undo brings the current picture back."),
            [(tr("Revert"), partial(self.open_path, path))],
        )

    def when_saved(
        self, then: Callable[[], None], keep: Callable[[Callable[[], None]], None] | None = None
    ) -> None:
        """Go on, maybe after the question about unsaved changes; `keep` is an answer."""
        session = self._session
        if session.undo.is_clean:
            then()
            return

        questions.ask_unsaved(
            self._window,
            session.name,
            save=lambda: self.save(then),
            discard=then,
            keep=None if keep is None else lambda: keep(then),
        )

    def _ask_overwrite(
        self, path: Path, changed_at: float, then: Callable[[], None] | None
    ) -> None:
        """Another program wrote the file since it was opened or saved."""
        questions.ask(
            self._window,
            tr("File changed"),
            tr("'{0}' was changed by another program at {1}. Nothing was overwritten.").format(
                path.name, moment(changed_at)
            ),
            tr("Save under another name, or overwrite it: the other version is kept as backup."),
            [
                (tr("Save As…"), lambda: self.save_as(then)),
                (tr("Overwrite"), lambda: self.write(path, then)),
            ],
        )

    def _next_write(self) -> None:
        self._is_writing = False
        if self._waiting:
            self._waiting.pop(0)()

    def _start_new(self, size: Size, background: bool = True) -> None:
        grid = self._grid()
        contents = new_contents(
            size.rounded_up(grid),
            grid,
            background=background,
            settings=first_settings(self._session.settings),
        )
        self._session.replace(contents, tr("New Picture"), None)
        self._view.start_new()

    def _grid(self) -> int:
        info = self._session.bridge.info
        return info.token_px if info else self._session.document.grid

    def _suggested(self, suffix: str) -> str:
        session = self._session
        if session.path is None and session.source is not None:
            return str(numbered_copy(session.source.path).with_suffix(suffix))
        path = session.path or file_dialogs.start_folder(session.settings) / tr("Untitled")
        return str(path.with_suffix(suffix))


class RecentFiles(Controller):
    """Fills the menu Open Recent whenever it opens: newest first; gone files are grey."""

    def __init__(
        self,
        session: Session,
        store: StateStore,
        actions: Actions,
        views: Views,
        files: FilesController,
    ) -> None:
        super().__init__(session, actions, views)
        self._store = store
        self._menu = views.live.recent
        self._files = files
        self._menu.setToolTipsVisible(True)
        self._menu.aboutToShow.connect(self.fill)
        self._menu.aboutToShow.connect(self.check)
        actions.connect(clear_recent=self.clear)
        session.path_changed.connect(self._on_path)
        self.fill()

    def fill(self) -> None:
        self._menu.clear()
        entries = [self._entry(Path(name)) for name in self._session.settings.recent]
        if not entries:
            self._menu.addAction(tr("No files yet")).setEnabled(False)
        self._menu.addSeparator()
        self._menu.addAction(self._actions["clear_recent"])

    def check(self) -> None:
        """Grey those that are gone, asked off the UI thread: a network drive may take long."""
        paths = [Path(name) for name in self._session.settings.recent]
        self._session.pictures.run(
            lambda: [path for path in paths if not os.path.isfile(path)], self._grey
        )

    def clear(self) -> None:
        """Forget all of them; the files stay."""
        self._session.settings.recent = []
        self._store.mark("facts")
        self.fill()

    def _entry(self, path: Path) -> QAction:
        # The name of a file may hold an ampersand, which is no mnemonic.
        entry = self._menu.addAction(path.name.replace("&", "&&"))
        entry.setData(str(path))
        entry.setToolTip(str(path))
        entry.triggered.connect(lambda: self._files.when_saved(lambda: self._files.open_path(path)))
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


class Autosave(QObject):
    """Saves a picture that has a file some minutes after it was changed, if that is chosen.

    Unsaved work is kept for recovery within a second in any case; this writes the file itself. The
    timer runs only while there is something to save.
    """

    def __init__(self, session: Session, files: FilesController) -> None:
        super().__init__(files)
        self._session = session
        self._files = files
        self.timer = QTimer(self, singleShot=True)
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


def _open_kinds() -> str:
    """What the dialog of Open lists."""
    pictures = " ".join(f"*{suffix}" for suffix in PICTURE_SUFFIXES)
    kinds = (
        tr("Projects and pictures ({0})").format(f"*{SUFFIX} {pictures}"),
        tr("OpenRaster and its backups (*.ora *.ora~)"),
        tr("Pictures ({0})").format(pictures),
    )
    return ";;".join(kinds)
