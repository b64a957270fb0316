"""Help: the handbook, what the model can do, keys, log folder, licences, about."""

from __future__ import annotations

from collections.abc import Callable
from importlib import metadata

from PySide6.QtCore import QObject, QUrl
from PySide6.QtGui import QDesktopServices, QKeySequence
from PySide6.QtWidgets import QWidget

from app.session.jobs import Message
from app.session.settings import log_path, resources_folder
from app.ui.actions import Actions
from app.ui.dialogs.command_keys import show_keys
from app.ui.dialogs.handbook import PageDialog, handbook, show_text
from app.ui.dialogs.prompt_words import WordListDialog
from app.ui.session import Session
from app.ui.text import number, tr


def first_run_message() -> Message:
    """3.6: shown once, closable. The page with the things says the rest."""
    return Message(
        kind="note",
        what=tr("Draws about 200 things as flat illustrations, offline."),
        kept=tr("No text, people or photos."),
        action="help_model",
    )


class HelpWiring(QObject):
    """Connects the actions of the menu Help.

    Args:
        insert: puts a word into the prompt.
    """

    def __init__(
        self,
        session: Session,
        actions: Actions,
        window: QWidget,
        insert: Callable[[str], None],
    ) -> None:
        super().__init__(window)
        self._session = session
        self._actions = actions
        self._window = window
        self._insert = insert
        self.page: PageDialog | None = None
        self.words: WordListDialog | None = None
        session.bridge.state_changed.connect(self._on_state)
        actions["help"].triggered.connect(self.show_handbook)
        actions["licences"].triggered.connect(self.show_licences)
        actions["help_model"].triggered.connect(self.show_model)
        actions["help_keys"].triggered.connect(self.show_keys)
        actions["open_logs"].triggered.connect(self.open_logs)
        actions["about"].triggered.connect(self.show_about)

    def show_handbook(self) -> None:
        """One page from the first box to the file, with the keys of this user."""
        self._open(PageDialog(self._window, tr("Help"), handbook(self._key_of)))

    def show_licences(self) -> None:
        """Whose art the model learned from; a copy of what the package carries."""
        text = licences_text()
        if not text:
            text = tr("The file THIRD_PARTY_ART.md is missing. Install the package again.")
        self._open(PageDialog(self._window, tr("Art and Licences"), text))

    def show_model(self) -> None:
        """The words that the loaded model draws, next to the work: it blocks nothing."""
        if self.words is None:
            self.words = WordListDialog(self._window, self._insert_word)
            self.words.finished.connect(self._on_words_closed)
            self._show_words()
        self.words.show()
        self.words.raise_()
        self.words.activateWindow()

    def _show_words(self) -> None:
        info = self._session.bridge.info
        if self.words is None or info is None:
            return
        groups = (
            (tr("Things"), info.nouns),
            (tr("Looks"), info.looks),
            (tr("Colours"), info.colours),
            (tr("Backgrounds"), info.backgrounds),
        )
        facts = (info.name, number(info.parameters), info.device)
        self.words.show_words(groups, tr("{0} · {1} parameters · {2}").format(*facts))

    def _insert_word(self, word: str) -> None:
        self._insert(word)
        self._session.note(tr("'{0}' is in the prompt.").format(word))

    def _on_words_closed(self) -> None:
        self.words = None

    def _on_state(self, state: str) -> None:
        self._show_words()

    def show_keys(self) -> None:
        """Every key."""
        show_keys(self._window, self._actions.key_list())

    def open_logs(self) -> None:
        """The folder with the log file."""
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(log_path().parent)))

    def show_about(self) -> None:
        """Name, licence, thanks."""
        text = tr(
            "<p><b>Layerloom</b></p><p>Draw boxes, type one prompt, get a picture in layers.</p>"
            "<p>Apache-2.0. Icons: Lucide (ISC). Help ▸ Art and Licences names those whose art "
            "the model learned from.</p>"
        )
        show_text(self._window, tr("About Layerloom"), text)

    def _open(self, page: PageDialog) -> None:
        self.page = page
        page.open()

    def _key_of(self, name: str) -> str:
        key = self._actions[name].shortcut()
        return key.toString(QKeySequence.SequenceFormat.NativeText)


def licences_text() -> str:
    """`THIRD_PARTY_ART.md` of the checkout or of the installed package; "" where there is none."""
    name = "THIRD_PARTY_ART.md"
    try:
        return (resources_folder().parent / name).read_text(encoding="utf-8")
    except OSError:
        pass
    try:
        return metadata.distribution("layerloom").read_text(f"licenses/{name}") or ""
    except metadata.PackageNotFoundError:
        return ""
