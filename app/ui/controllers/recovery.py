"""Recovery: hands every state of the document to the journal, and offers what a crash left."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QApplication

from app.document.storage.errors import StorageError
from app.document.storage.journal import Recovered, Unfinished, recover, unfinished
from app.document.storage.journal.recovery import discard, finish, picture_of, save_pictures
from app.session.jobs import Message
from app.ui.actions import Actions
from app.ui.controllers import Controller
from app.ui.controllers.files import FilesController
from app.ui.controllers.view import ViewController
from app.ui.dialogs import file_dialogs, questions
from app.ui.dialogs.recovery_dialog import RecoveryDialog
from app.ui.session import Session
from app.ui.text import tr
from app.ui.views import Views

# Together with the keeper's own delay well below the promised second.
NOTE_DELAY_MS = 150
PICTURE_SIDE = 96


class RecoveryController(Controller):
    """Connects document, journal and the recovery dialog; decides when the window closes."""

    def __init__(
        self,
        session: Session,
        actions: Actions,
        views: Views,
        view: ViewController,
        files: FilesController,
    ) -> None:
        super().__init__(session, actions, views)
        self._view = view
        self._files = files
        self._may_close = False
        self._is_kept_on_purpose = False
        self._is_failing = False
        self.dialog: RecoveryDialog | None = None
        self._timer = QTimer(self, singleShot=True, interval=NOTE_DELAY_MS)
        self._timer.timeout.connect(self._note)
        actions.connect(recover=partial(self.look, asked=True))
        if session.keeper is not None:
            session.kept.connect(self._show_kept)
            session.keeping_failed.connect(self._show_trouble)
            session.document.events.changed.connect(self._soon)
            session.path_changed.connect(self._soon)
            session.undo.changed.connect(self._soon)

    def may_close(self) -> bool:
        """Whether the window may close now; else a question is open, which may close it."""
        if self._may_close or self._session.undo.is_clean:
            return True
        keep = None if self._session.keeper is None else self.keep_for_next_time
        self._files.when_saved(self._close_now, keep=keep)
        return False

    def _close_now(self) -> None:
        self._may_close = True
        self._window.close()

    def settle(self) -> None:
        """The window closes: what was saved or discarded is not offered again."""
        self._timer.stop()
        if self._session.keeper is not None and not self._session.is_settled:
            self._session.is_settled = not self._is_kept_on_purpose

    def keep_for_next_time(self, then: Callable[[], None]) -> None:
        """Bring the newest state to the disk, then go on; a message when that fails."""
        keeper = self._session.keeper
        if keeper is None:
            return
        self._hand_over()

        def done(is_kept: bool) -> None:
            self._is_kept_on_purpose = is_kept
            what, kept = tr("The work could not be kept."), tr("Nothing was closed.")
            if is_kept:
                then()
            else:
                self._session.tell("error", what, kept, tr("Save it, or try again."))

        self._session.files.run(keeper.flush, done, self._failed)

    def _soon(self) -> None:
        if not self._timer.isActive():
            self._timer.start()
            if not self._is_failing:
                self._views.status.show_kept(
                    tr("Keeping…"), tr("Changes go to the recovery folder.")
                )

    def _note(self) -> None:
        if QApplication.mouseButtons() & Qt.MouseButton.LeftButton and not self._window.isHidden():
            self._timer.start()  # nothing is written during a drag
            return
        self._hand_over()

    def _hand_over(self) -> None:
        session = self._session
        if session.keeper is not None:
            session.keeper.note(session.document.contents, session.work_info)

    def _show_kept(self) -> None:
        if not self._timer.isActive():
            tip = tr("After a crash the next start offers everything up to now.")
            self._views.status.show_kept(tr("All changes kept"), tip)

    def _show_trouble(self, error: StorageError | None) -> None:
        self._is_failing = error is not None
        if error is None:
            self._session.note(tr("All changes are kept again."))
        else:
            cause = error.what.partition(": ")[2].rstrip(".")
            self._views.status.show_kept(tr("Not kept: {0}").format(cause), str(error))
            self._session.tell("error", error.what, error.kept, error.advice)

    def look(self, asked: bool = False) -> None:
        """Offer what earlier windows left; say so on request also that there is nothing."""
        roots = self._session.work_roots
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
            self._view.choose_tool()
            if found.messages:
                self._session.tell("warning", " ".join(found.messages))
            else:
                session.note(tr("Recovered '{0}'.").format(session.name))
            self._hand_over()
            self._session.files.run(partial(self._finish, each, found), failed=self._failed)

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
        what, kept = tr("The kept work could not be read."), tr("Nothing was changed.")
        self._session.report(error, Message(kind="error", what=what, kept=kept, advice=str(error)))
