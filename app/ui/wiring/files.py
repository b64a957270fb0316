"""Files: New, Open, Save. All reading and writing is off the UI thread."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from app.document.contents import Contents, new_contents
from app.document.errors import UserError
from app.document.geometry import Size
from app.document.storage.atomic import Stamp, remove_leftovers
from app.document.storage.errors import ChangedOnDiskError, StorageError
from app.document.storage.incoming import open_as_document
from app.document.storage.journal.recovery import in_use
from app.document.storage.layout import contents_of, read_layout
from app.document.storage.names import numbered_copy
from app.document.storage.ora.file import SUFFIX, save_project
from app.document.storage.ora.foreign import Opened
from app.document.storage.pictures import PICTURE_SUFFIXES
from app.session.jobs import Message
from app.session.settings import chosen_canvas
from app.ui.actions import Actions
from app.ui.dialogs import file_dialogs, questions
from app.ui.dialogs.canvas_size import NewDialog, trained_sizes
from app.ui.dialogs.examples import ExamplesDialog
from app.ui.dialogs.questions import OtherName
from app.ui.session import Session, Source, first_settings
from app.ui.text import moment, tr
from app.ui.wiring.open_trouble import OpenTrouble
from app.ui.wiring.resuming import Resuming

logger = logging.getLogger(__name__)


class OpenElsewhereError(StorageError):
    """The file is open in another window."""


class FilesWiring(QObject):
    """Connects the actions of the menu File."""

    def __init__(
        self,
        session: Session,
        actions: Actions,
        window: QWidget,
        resuming: Resuming,
    ) -> None:
        super().__init__(window)
        self._session = session
        self._window = window
        self._resuming = resuming
        self._is_writing = False
        self._waiting: list[Callable[[], None]] = []
        self.work_roots: tuple[Path, ...] = ()
        self._trouble = OpenTrouble(session, window, self)
        self._saving = OtherName(session, window)
        actions["examples"].triggered.connect(self.show_examples)
        actions["new"].triggered.connect(self.new)
        actions["open"].triggered.connect(self.open)
        actions["save"].triggered.connect(lambda: self.save())
        actions["save_as"].triggered.connect(lambda: self.save_as())
        actions["quit"].triggered.connect(window.close)

    # ---- new and open ----

    def new(self) -> None:
        """Ask for unsaved changes, then for a size."""

        def ask() -> None:
            sizes, multiple = trained_sizes(self._session.bridge.info)
            now = chosen_canvas(self._session.settings)
            NewDialog(self._window, sizes, multiple, self._start_new, now).open()

        self.when_saved(ask)

    def open(self) -> None:
        """Ask which file, then for unsaved changes."""

        def ask() -> None:
            file_dialogs.ask_open(
                self._window, self._session.settings, tr("Open"), _open_kinds(), self.open_path
            )

        self.when_saved(ask)

    def open_recent(self, path: Path) -> None:
        """A file whose name is known, after the question about unsaved changes."""
        self.when_saved(lambda: self.open_path(path))

    def open_path(self, path: Path) -> None:
        """Read a project, or a picture as a new one, and show it in one undo step."""
        grid, keeper, roots = self._grid(), self._session.keeper, self.work_roots
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
                self.report(error)
            else:
                self._trouble.offer(path, error)

        self._session.note(tr("Opening '{0}'…").format(path.name))
        self._session.files.run(read, lambda opened: self.show_opened(path, opened), failed)

    def show_opened(self, path: Path, opened: Opened, *, is_copy: bool = False) -> None:
        """What was read becomes the document.

        Args:
            is_copy: not under the file's name: something of it is missing, so a save must not
                replace it.
        """
        session = self._session
        is_ora = path.suffix.lower() == SUFFIX
        is_file = is_ora and not is_copy and not opened.lost
        text = tr("Open '{0}'").format(path.name)
        source = Source(path, opened.lost) if is_ora and not is_file else None
        own = path if is_file else None
        session.replace(opened.contents, text, own, opened.stamp if is_file else None, source)
        self._resuming.show(opened.view)
        self._resuming.choose_tool()
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
            message = Message(kind="warning", what=" ".join(opened.messages), kept=kept)
            session.notified.emit(message)
        if is_ora and not is_copy and not opened.is_project:
            self._trouble.offer_recipes(path)

    def choose_tool(self) -> None:
        """The tool for the document that is there now."""
        self._resuming.choose_tool()

    def show_examples(self) -> None:
        """Finished pictures and layouts to choose from."""
        ExamplesDialog(self._window, self.open_example).open()

    def open_example(self, path: Path) -> None:
        """A layout with a prompt, or a finished picture, as a new document."""
        session, grid = self._session, self._grid()
        canvas = session.document.canvas

        def read() -> Contents:
            if path.suffix == SUFFIX:
                return open_as_document(path, grid).contents
            return contents_of(read_layout(path, canvas=canvas, grid=grid), grid)

        def done(contents: Contents) -> None:
            session.replace(contents, tr("Open Example"), None)
            self._resuming.choose_tool()

        self.when_saved(lambda: session.files.run(read, done, self.report))

    # ---- save and export ----

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
        """Ask for a name and write."""
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
        """Save to `path` in the background; one that is asked for meanwhile waits its turn.

        Args:
            then: called after success.
            is_known: the file is ours: refuse when another program wrote it meanwhile.
        """
        if self._is_writing:
            self._waiting.append(lambda: self.write(path, then, is_known=is_known))
            return
        self._is_writing = True
        session = self._session
        contents, sitting = session.document.contents, session.sitting
        expected = session.stamp if is_known else None
        view = self._resuming.now()

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
                self.report(error)
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

    def when_saved(
        self,
        then: Callable[[], None],
        keep: Callable[[Callable[[], None]], None] | None = None,
    ) -> None:
        """Go on at once, or after the question about unsaved changes was answered.

        Args:
            keep: offered as another answer: keep the work for the next start, then go on.
        """
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

    # ---- inside ----

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

    def report(self, error: Exception) -> None:
        """Show what went wrong with a file."""
        if isinstance(error, UserError):
            message = Message(kind="error", what=error.what, kept=error.kept, advice=error.advice)
        else:
            logger.error("file work failed", exc_info=error)
            message = Message(
                kind="error",
                what=tr("The file operation failed."),
                kept=tr("Your work is still open."),
                advice=tr("Try again, or choose another place."),
                details=f"{type(error).__name__}: {error}",
            )
        self._session.notified.emit(message)

    def _start_new(self, size: Size, background: bool = True) -> None:
        grid = self._grid()
        contents = new_contents(
            size.rounded_up(grid),
            grid,
            background=background,
            settings=first_settings(self._session.settings),
        )
        self._session.replace(contents, tr("New Picture"), None)
        self._resuming.start()

    def _grid(self) -> int:
        info = self._session.bridge.info
        return info.token_px if info else self._session.document.grid

    def _suggested(self, suffix: str) -> str:
        session = self._session
        if session.path is None and session.source is not None:
            return str(numbered_copy(session.source.path).with_suffix(suffix))
        path = session.path or file_dialogs.start_folder(session.settings) / tr("Untitled")
        return str(path.with_suffix(suffix))


def _open_kinds() -> str:
    """What the dialog of Open lists."""
    pictures = " ".join(f"*{suffix}" for suffix in PICTURE_SUFFIXES)
    kinds = (
        tr("Projects and pictures ({0})").format(f"*{SUFFIX} {pictures}"),
        tr("OpenRaster and its backups (*.ora *.ora~)"),
        tr("Pictures ({0})").format(pictures),
    )
    return ";;".join(kinds)
