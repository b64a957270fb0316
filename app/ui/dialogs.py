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
    QLabel,
    QMessageBox,
    QPushButton,
    QSpinBox,
    QStyle,
    QStyledItemDelegate,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.document.contents import MAX_SIDE
from app.document.geometry import Size
from app.ui.canvas_sizes import presets
from app.ui.dialog_buttons import accept_or_cancel
from app.ui.forms import field_name, form_layout
from app.ui.icons import pixmap
from app.ui.message_boxes import widen
from app.ui.tables import ReadingTable
from app.ui.text import tr
from app.ui.theme import CONTROL_HEIGHT, GAP, ICON_SMALL, MARGIN, UNIT


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
        self.setItemDelegate(QStyledItemDelegate(self))

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


class NewDialog(QDialog):
    """Canvas size of a new picture, or of the present one.

    Args:
        trained: sizes that the model was trained for, offered first.
        multiple: both sides are multiples of it.
        done: called with the chosen size.
        title, verb: what the window and its button say; None = those of a new picture.
        now: the size to begin with; None = the first one.
    """

    def __init__(
        self,
        parent: QWidget,
        trained: Sequence[Size],
        multiple: int,
        done: Callable[[Size], None],
        *,
        title: str | None = None,
        verb: str | None = None,
        now: Size | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(title or tr("New Picture"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._presets = presets(trained, multiple)
        self._multiple = multiple
        self._done = done
        self.preset = Choice()
        self.preset.setAccessibleName(tr("Preset"))
        self.preset.setMinimumHeight(CONTROL_HEIGHT)
        for place, each in enumerate(self._presets):
            if not each.is_trained and place and self._presets[place - 1].is_trained:
                self.preset.insertSeparator(self.preset.count())
            self.preset.addItem(each.text, each.size)
        self.preset.addItem(tr("Custom size"), None)
        self.width_field = self._side(tr("Width"))
        self.height_field = self._side(tr("Height"))
        self.warning = QLabel()
        self.warning.setObjectName("warning")
        self.warning.setWordWrap(True)
        form = form_layout()
        form.addRow(field_name(tr("Size")), self.preset)
        form.addRow(field_name(tr("Width")), self.width_field)
        form.addRow(field_name(tr("Height")), self.height_field)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2 * MARGIN, 2 * MARGIN, 2 * MARGIN, MARGIN)
        layout.setSpacing(MARGIN)
        layout.addLayout(form)
        layout.addWidget(self.warning)
        layout.addWidget(accept_or_cancel(self, QPushButton(verb or tr("Create"))))
        self.setMinimumWidth(360)
        self.preset.currentIndexChanged.connect(self._on_preset)
        for field in (self.width_field, self.height_field):
            field.valueChanged.connect(self._on_side)
            field.editingFinished.connect(self._show_chosen)
        self._on_preset()
        if now is not None:
            self.width_field.setValue(now.width)
            self.height_field.setValue(now.height)

    @property
    def size_chosen(self) -> Size:
        """The size, on the grid."""
        step = self._multiple
        width, height = self.width_field.value(), self.height_field.value()
        return Size(max(step, width // step * step), max(step, height // step * step))

    def accept(self) -> None:
        """Qt override."""
        super().accept()
        self._done(self.size_chosen)

    def _on_preset(self) -> None:
        size = self.preset.currentData()
        if size is not None:
            self.width_field.setValue(size.width)
            self.height_field.setValue(size.height)
        self._on_side()

    def _show_chosen(self) -> None:
        """A typed size off the grid shows what will be made of it."""
        size = self.size_chosen
        self.width_field.setValue(size.width)
        self.height_field.setValue(size.height)

    def _on_side(self) -> None:
        size = self.size_chosen
        known = next((each for each in self._presets if each.size == size), None)
        place = self.preset.count() - 1
        if known is not None:
            place = self.preset.findText(known.text)
        self.preset.blockSignals(True)
        self.preset.setCurrentIndex(place)
        self.preset.blockSignals(False)
        is_trained = known is not None and known.is_trained
        self.warning.setText(
            "" if is_trained else tr("The model was not trained for this size. It may look worse.")
        )

    def _side(self, name: str) -> QSpinBox:
        field = QSpinBox()
        field.setRange(self._multiple, MAX_SIDE // self._multiple * self._multiple)
        field.setSingleStep(self._multiple)
        field.setMinimumHeight(CONTROL_HEIGHT)
        field.setAccessibleName(name)
        field.setSuffix(" px")
        field.lineEdit().setTextMargins(UNIT + 2, 0, 0, 0)
        return field


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
