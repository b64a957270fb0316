"""Dialogs: all open without blocking the event loop and answer by a function.

Know neither the document nor files; they ask, others act.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QMessageBox,
    QPushButton,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.ui.message_boxes import widen
from app.ui.text import tr
from app.ui.theme import CONTROL_HEIGHT, MARGIN
from app.ui.widgets.forms import ReadingTable


def ask_unsaved(
    parent: QWidget,
    name: str,
    save: Callable[[], None],
    discard: Callable[[], None],
    keep: Callable[[], None] | None = None,
) -> QMessageBox:
    """Ask before unsaved changes go out of sight. Cancel, Esc and closing the dialog do nothing.

    Args:
        keep: what "Keep for Next Time" does; None = the window stays open, so that undo still
            brings the changes back, and it is not offered.
    """
    box = QMessageBox(parent)
    box.setIcon(QMessageBox.Icon.NoIcon)
    box.setWindowTitle(tr("Save Changes"))
    box.setText(tr("Save your changes to '{0}'?").format(name))
    box.setInformativeText(
        tr("If you discard them, Undo still brings this picture back until the window is closed.")
        if keep is None
        else tr("If you discard them, they are lost.")
    )
    save_button = box.addButton(tr("Save"), QMessageBox.ButtonRole.AcceptRole)
    buttons: list[QPushButton] = [save_button]
    keep_button = None
    if keep is not None:
        keep_button = box.addButton(tr("Keep for Next Time"), QMessageBox.ButtonRole.ActionRole)
        buttons.append(keep_button)
    discard_button = box.addButton(tr("Discard"), QMessageBox.ButtonRole.DestructiveRole)
    cancel_button = box.addButton(tr("Cancel"), QMessageBox.ButtonRole.RejectRole)
    for button in (*buttons, discard_button, cancel_button):
        button.setAccessibleName(button.text())
        button.setMinimumHeight(CONTROL_HEIGHT)
    box.setDefaultButton(save_button)
    box.setEscapeButton(cancel_button)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    widen(box)

    def finished() -> None:
        if box.clickedButton() is save_button:
            save()
        elif keep is not None and box.clickedButton() is keep_button:
            keep()
        elif box.clickedButton() is discard_button:
            discard()

    box.finished.connect(finished)
    box.open()
    return box


def show_keys(parent: QWidget, keys: Sequence[tuple[str, str]]) -> QDialog:
    """Every action and its keys."""
    dialog = QDialog(parent)
    dialog.setWindowTitle(tr("Keyboard Shortcuts"))
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    table = ReadingTable(tr("Keys"), [tr("Action"), tr("Keys")])
    table.setRowCount(len(keys))
    for row, (text, key) in enumerate(keys):
        table.setItem(row, 0, QTableWidgetItem(text))
        table.setItem(row, 1, QTableWidgetItem(key))
    layout = QVBoxLayout(dialog)
    layout.setContentsMargins(MARGIN, MARGIN, MARGIN, MARGIN)
    layout.addWidget(table)
    dialog.resize(520, 560)
    dialog.open()
    return dialog


def show_text(parent: QWidget, title: str, text: str) -> QMessageBox:
    """A text with one button; `text` may hold simple HTML."""
    box = QMessageBox(parent)
    box.setWindowTitle(title)
    box.setTextFormat(Qt.TextFormat.RichText)
    box.setText(text)
    close = box.addButton(tr("Close"), QMessageBox.ButtonRole.AcceptRole)
    close.setAccessibleName(close.text())
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    widen(box)
    box.open()
    return box
