"""Questions about files: none blocks the event loop, each answers by a function.

Esc, Cancel and closing a question never do anything.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox, QPushButton, QWidget

from app.ui.message_boxes import widen
from app.ui.text import tr
from app.ui.theme import CONTROL_HEIGHT

Answer = tuple[str, Callable[[], None]]


def ask(
    parent: QWidget,
    title: str,
    text: str,
    details: str,
    answers: Sequence[Answer],
    *,
    cancel: str = "",
    default_is_cancel: bool = False,
) -> QMessageBox:
    """A question with one button per answer and one that does nothing.

    Args:
        answers: text of the button and what it does; the first one is the suggested one.
        cancel: text of the button that does nothing; "" = "Cancel".
        default_is_cancel: Enter does nothing: for answers that lose something.
    """
    box = QMessageBox(parent)
    box.setIcon(QMessageBox.Icon.NoIcon)
    box.setWindowTitle(title)
    box.setText(text)
    box.setInformativeText(details)
    role = QMessageBox.ButtonRole.AcceptRole
    acts: list[tuple[QPushButton, Callable[[], None]]] = [
        (box.addButton(name, role), act) for name, act in answers
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
