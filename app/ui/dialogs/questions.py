"""Questions: none blocks the event loop, each answers by a function.

Esc, Cancel and closing a question never do anything.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QApplication,
    QGridLayout,
    QMessageBox,
    QPushButton,
    QSizePolicy,
    QSpacerItem,
    QWidget,
)

from app.ui.session import Session, SourceFile
from app.ui.text import tr
from app.ui.theme import CONTROL_HEIGHT

# Icon and buttons of a title bar, and the name of the program that Qt adds to the title.
_BESIDE_TITLE = 160
Answer = tuple[str, Callable[[], None]]


def widen(box: QMessageBox) -> None:
    """Make the box as wide as its title needs; a minimum width alone has no effect on it."""
    layout = box.layout()
    title = f"{box.windowTitle()} — {QApplication.applicationDisplayName()}"
    width = box.fontMetrics().horizontalAdvance(title) + _BESIDE_TITLE
    if isinstance(layout, QGridLayout):
        policy = QSizePolicy.Policy
        spacer = QSpacerItem(width, 0, policy.Minimum, policy.Fixed)
        layout.addItem(spacer, layout.rowCount(), 0, 1, layout.columnCount())


def ask(
    parent: QWidget,
    title: str,
    text: str,
    details: str,
    answers: Sequence[Answer],
    *,
    cancel: str = "",
    default_is_cancel: bool = False,
    roles: Sequence[QMessageBox.ButtonRole] = (),
) -> QMessageBox:
    """A question with one button per answer and one that does nothing.

    Args:
        answers: text of the button and what it does; the first one is the suggested one.
        cancel: text of the button that does nothing; "" = "Cancel".
        default_is_cancel: Enter does nothing: for answers that lose something.
        roles: of the answers' buttons, which decide their order on each system; none = accept.
    """
    box = QMessageBox(parent)
    box.setIcon(QMessageBox.Icon.NoIcon)
    box.setWindowTitle(title)
    box.setText(text)
    box.setInformativeText(details)
    roles = roles or [QMessageBox.ButtonRole.AcceptRole] * len(answers)
    acts: list[tuple[QPushButton, Callable[[], None]]] = [
        (box.addButton(name, role), act) for (name, act), role in zip(answers, roles, strict=True)
    ]
    cancel_button = box.addButton(cancel or tr("Cancel"), QMessageBox.ButtonRole.RejectRole)
    for button in (*(button for button, _ in acts), cancel_button):
        button.setAccessibleName(button.text())
        button.setMinimumHeight(CONTROL_HEIGHT)
    box.setDefaultButton(cancel_button if default_is_cancel else acts[0][0])
    box.setEscapeButton(cancel_button)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    widen(box)

    def finished() -> None:
        for button, act in acts:
            if box.clickedButton() is button:
                act()

    box.finished.connect(finished)
    box.open()
    return box


def ask_discard(parent: QWidget, name: str, done: Callable[[], None]) -> QMessageBox:
    """Unsaved work is deleted only after this."""
    return ask(
        parent,
        tr("Discard work"),
        tr("Discard the unsaved work on '{0}' for good?").format(name),
        tr("Its layers and results cannot be restored. Saved files do not change."),
        [(tr("Discard"), done)],
        default_is_cancel=True,
    )


def ask_unsaved(
    parent: QWidget,
    name: str,
    save: Callable[[], None],
    discard: Callable[[], None],
    keep: Callable[[], None] | None = None,
) -> QMessageBox:
    """Ask before unsaved changes go; without `keep` the window stays, and undo brings them back."""
    role = QMessageBox.ButtonRole
    buttons = [(tr("Save"), save, role.AcceptRole)]
    if keep is not None:
        buttons.append((tr("Keep for Next Time"), keep, role.ActionRole))
    buttons.append((tr("Discard"), discard, role.DestructiveRole))
    return ask(
        parent,
        tr("Save Changes"),
        tr("Save your changes to '{0}'?").format(name),
        tr("If you discard them, Undo still brings this picture back until the window is closed.")
        if keep is None
        else tr("If you discard them, they are lost."),
        [(text, act) for text, act, _ in buttons],
        roles=[each for _, _, each in buttons],
    )


class OtherName:
    """Asks before a file is written over that holds what the document does not."""

    def __init__(self, session: Session, window: QWidget) -> None:
        self._session = session
        self._window = window

    def ask_other_name(self, source: SourceFile, save_as: Callable[[], None]) -> None:
        """Save was asked for, and there is no file that it may write."""
        ask(
            self._window,
            tr("Save under another name"),
            tr("'{0}' contains parts that this program cannot save.").format(source.path.name),
            " ".join(source.lost)
            + " "
            + tr("Save under another name; the original file does not change."),
            [(tr("Save As…"), save_as)],
        )

    def check(self, path: Path, write: Callable[[], None], another: Callable[[], None]) -> None:
        """Write, unless the document came from this very file; then ask, for `another` path too."""
        source = self._session.source
        if source is None or not _is_same(path, source.path):
            write()
            return
        reasons = source.lost or (tr("Parts of it could not be read."),)
        ask(
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
