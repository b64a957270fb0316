"""Recovery: hands every state of the document to the journal, and offers what a crash left."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtWidgets import QApplication, QWidget

from app.document.errors import UserError
from app.document.storage.errors import StorageError
from app.document.storage.journal import Keeper, Recovered, Unfinished, recover, unfinished
from app.document.storage.journal.recovery import (
    discard,
    finish,
    picture_of,
    save_pictures,
)
from app.session.client import LoopLike
from app.session.jobs import Message
from app.session.pixel_store import UndoPixelStore
from app.ui.actions import Actions
from app.ui.dialogs import file_dialogs, questions
from app.ui.dialogs.recovery_dialog import RecoveryDialog
from app.ui.session import Session
from app.ui.text import tr
from app.ui.wiring.files import FilesWiring

logger = logging.getLogger(__name__)

# Together with the keeper's own delay well below the promised second.
NOTE_DELAY_MS = 150
PICTURE_SIDE = 96


class RecoveryWiring(QObject):
    """Connects document, journal and the recovery dialog.

    Args:
        root: below it the work folders lie; None = nothing is kept or offered.
        former: where they lay before another folder was chosen; offered as well.

    Signals:
        kept_changed(text, tip): whether unsaved changes are in the recovery folder.
    """

    kept_changed = Signal(str, str)

    def __init__(
        self,
        session: Session,
        actions: Actions,
        window: QWidget,
        files: FilesWiring,
        loop: LoopLike,
        root: Path | None,
        former: Sequence[Path] = (),
    ) -> None:
        super().__init__(window)
        self._session = session
        self._window = window
        self._files = files
        self._loop = loop
        self._roots = () if root is None else tuple(dict.fromkeys([root, *former]))
        self._is_kept_on_purpose = False
        self._is_failing = False
        self.dialog: RecoveryDialog | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(NOTE_DELAY_MS)
        self._timer.timeout.connect(self._note)
        actions["recover"].triggered.connect(lambda: self.look(asked=True))
        if root is None:
            actions.set_enabled("recover", tr("no work is kept in this window"))
            return
        session.keeper = Keeper(root, self._on_trouble, on_kept=self._on_kept)
        session.document.events.changed.connect(self._on_changed)
        session.path_changed.connect(self._soon)
        session.undo.changed.connect(self._soon)
        files.work_roots = self._roots
        session.undo.pixel_store = UndoPixelStore(session.pictures.run, root.parent / "undo")

    # ---- keeping ----

    def settle(self) -> None:
        """The window closes: what was saved or discarded is not offered again."""
        self._timer.stop()
        if self._session.keeper is not None and not self._session.is_settled:
            self._session.is_settled = not self._is_kept_on_purpose

    @property
    def keep(self) -> Callable[[Callable[[], None]], None] | None:
        """`keep_for_next_time` where work is kept at all, else None."""
        return None if self._session.keeper is None else self.keep_for_next_time

    def keep_for_next_time(self, then: Callable[[], None]) -> None:
        """Bring the newest state to the disk, then go on; a message when that fails."""
        keeper = self._session.keeper
        if keeper is None:
            return
        self._hand_over()

        def done(is_kept: bool) -> None:
            self._is_kept_on_purpose = is_kept
            if is_kept:
                then()
            else:
                self._tell(
                    tr("The work could not be kept."),
                    tr("Nothing was closed."),
                    tr("Save it, or try again."),
                )

        self._session.files.run(keeper.flush, done, self._failed)

    def _on_changed(self, revision: int) -> None:
        self._soon()

    def _soon(self) -> None:
        if not self._timer.isActive():
            self._timer.start()
            if not self._is_failing:
                self.kept_changed.emit(tr("Keeping…"), tr("Changes go to the recovery folder."))

    def _note(self) -> None:
        if QApplication.mouseButtons() & Qt.MouseButton.LeftButton and not self._window.isHidden():
            self._timer.start()  # nothing is written during a drag
            return
        self._hand_over()

    def _hand_over(self) -> None:
        session = self._session
        if session.keeper is not None:
            session.keeper.note(session.document.contents, session.work_info)

    def _on_trouble(self, error: StorageError | None) -> None:
        """Called on the keeper's thread."""
        try:
            self._loop.call_soon_threadsafe(self._show_trouble, error)
        except RuntimeError:
            logger.debug("trouble after the end: %s", error)

    def _on_kept(self) -> None:
        """Called on the keeper's thread."""
        try:
            self._loop.call_soon_threadsafe(self._show_kept)
        except RuntimeError:
            logger.debug("kept after the end")

    def _show_kept(self) -> None:
        if not self._timer.isActive():
            tip = tr("After a crash the next start offers everything up to now.")
            self.kept_changed.emit(tr("All changes kept"), tip)

    def _show_trouble(self, error: StorageError | None) -> None:
        self._is_failing = error is not None
        if error is not None:
            cause = error.what.partition(": ")[2].rstrip(".")
            self.kept_changed.emit(tr("Not kept: {0}").format(cause), str(error))
        if error is None:
            self._session.note(tr("All changes are kept again."))
        else:
            self._tell(error.what, error.kept, error.advice)

    # ---- recovering ----

    def look(self, asked: bool = False) -> None:
        """Offer what earlier windows left; say so when there is nothing and somebody `asked`."""
        roots = self._roots
        if not roots:
            return

        def done(found: list[Unfinished]) -> None:
            if found:
                self._offer(found)
            elif asked:
                self._session.note(tr("There is no unsaved work to recover."))

        def search() -> list[Unfinished]:
            found = [each for root in roots for each in unfinished(root)]
            return sorted(found, key=lambda each: each.changed_at, reverse=True)

        self._session.files.run(search, done, self._failed)

    def _offer(self, found: list[Unfinished]) -> None:
        if self.dialog is not None:
            self.dialog.close()
        dialog = RecoveryDialog(self._window, found)
        self.dialog = dialog
        dialog.recover_asked.connect(self._recover)
        dialog.discard_asked.connect(self._ask_discard)
        dialog.pictures_asked.connect(self._ask_pictures)
        dialog.finished.connect(self._forget_dialog)
        for each in found:
            self._session.pictures.run(
                partial(picture_of, each.folder, PICTURE_SIDE),
                partial(self._show_picture, each.folder),
                _ignore,
            )
        dialog.open()

    def _forget_dialog(self) -> None:
        self.dialog = None

    def _show_picture(self, folder: Path, picture: object) -> None:
        if self.dialog is not None:
            self.dialog.show_picture(folder, picture)

    def _recover(self, each: Unfinished) -> None:
        def done(found: Recovered) -> None:
            session = self._session
            path = Path(found.info.path) if found.info.path else None
            session.replace(found.contents, tr("Recover"), path, found.info.stamp)
            session.undo.mark_unsaved()  # it is in no file yet
            self._files.choose_tool()
            if found.messages:
                self._tell(" ".join(found.messages), "", "", kind="warning")
            else:
                session.note(tr("Recovered '{0}'.").format(session.name))
            self._hand_over()
            self._session.files.run(partial(self._finish, each, found), _ignore, self._failed)

        def go() -> None:
            self._session.files.run(lambda: recover(each.folder), done, self._failed)

        self._files.when_saved(go)

    def _finish(self, each: Unfinished, found: Recovered) -> None:
        """On the worker: the old folder goes only when the new one has all of it."""
        keeper = self._session.keeper
        if keeper is not None and keeper.flush():
            finish(each.folder, is_damaged=found.is_damaged)

    def _ask_discard(self, each: Unfinished) -> None:
        name = each.name or tr("Untitled")

        def go() -> None:
            self._session.files.run(
                lambda: discard(each.folder), lambda _: self._gone(each), self._failed
            )

        questions.ask_discard(self.dialog or self._window, name, go)

    def _gone(self, each: Unfinished) -> None:
        if self.dialog is not None:
            self.dialog.remove(each)

    def _ask_pictures(self, each: Unfinished) -> None:
        def done(count: int) -> None:
            self._session.note(tr("%n pictures were written.", count))

        def go(target: Path) -> None:
            self._session.files.run(lambda: save_pictures(each.folder, target), done, self._failed)

        parent, title = self.dialog or self._window, tr("Save Pictures")
        file_dialogs.ask_folder(parent, self._session.settings, title, go)

    def _failed(self, error: Exception) -> None:
        if isinstance(error, UserError):
            self._tell(error.what, error.kept, error.advice)
        else:
            logger.error("recovery failed", exc_info=error)
            self._tell(
                tr("The kept work could not be read."), tr("Nothing was changed."), str(error)
            )

    def _tell(self, what: str, kept: str, advice: str, kind: str = "error") -> None:
        message = Message(
            kind="warning" if kind == "warning" else "error", what=what, kept=kept, advice=advice
        )
        self._session.notified.emit(message)


def _ignore(result: object) -> None:
    """For work whose result nobody waits for."""
