"""Dialogs: all open without blocking the event loop and answer by a function.

Know neither the document nor files; they ask, others act.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QMessageBox,
    QPushButton,
    QStyle,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.ui.list_rows import ListRows
from app.ui.message_boxes import widen
from app.ui.tables import ReadingTable
from app.ui.text import tr
from app.ui.theme import CONTROL_HEIGHT, GAP, ICON_SMALL, MARGIN
from app.ui.theme.icons import pixmap


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


class Choice(QComboBox):
    """A combo box whose arrow is drawn in the text colour: a styled one would have none."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        # Fusion's own delegate paints the row under the pointer in the colour of the field.
        self.setItemDelegate(ListRows(self))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Qt override."""
        super().paintEvent(event)
        painter = QPainter(self)
        colour = self.palette().text().color().name()
        sign = pixmap("chevron-down", colour, ICON_SMALL, self.devicePixelRatioF())
        left, top = self.width() - ICON_SMALL - GAP, (self.height() - ICON_SMALL) // 2
        place = QRect(left, top, ICON_SMALL, ICON_SMALL)
        place = QStyle.visualRect(self.layoutDirection(), self.rect(), place)
        painter.drawPixmap(place.topLeft(), sign)
        painter.end()


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
