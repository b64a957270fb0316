"""Fields: numbers and drop-down lists.

Number fields are as wide as their longest text in every font, and no wider: Qt's own hint leaves
room for buttons that the style sheet removes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import cast

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPalette, QValidator, QWheelEvent
from PySide6.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QSpinBox,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
)

from app.ui.theme import GAP, ICON_SMALL, UNIT
from app.ui.theme.icons import pixmap

_SEPARATORS = re.compile("[.,\u066b]")
_BEFORE = UNIT + 2
_AROUND = _BEFORE + 4 * UNIT  # with the frame, and the caret behind the last digit
_SEPARATOR = "separator"  # what `QComboBox.insertSeparator` writes into its row


class _Fitting:
    """What both kinds of field share; before Qt's class in the list of bases."""

    def __init__(self) -> None:
        super().__init__()
        self._field.lineEdit().setTextMargins(_BEFORE, 0, 0, 0)

    @property
    def _field(self) -> QSpinBox:
        return cast(QSpinBox, self)  # or one with a point, which answers the same questions

    def sizeHint(self) -> QSize:
        return self.minimumSizeHint()

    def minimumSizeHint(self) -> QSize:
        field = self._field
        ends = [
            field.prefix() + field.textFromValue(end) + field.suffix()
            for end in (field.minimum(), field.maximum())
        ]
        metrics = field.fontMetrics()
        texts = (*ends, field.specialValueText())  # the last one stands for none
        widest = max(metrics.horizontalAdvance(text) for text in texts)
        own: QSize = super().minimumSizeHint()  # type: ignore[misc]
        return QSize(widest + _AROUND, own.height())

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Qt override: pages scroll below a field that has not the focus."""
        if self._field.hasFocus():
            super().wheelEvent(event)  # type: ignore[misc]
        else:
            event.ignore()


class NumberField(_Fitting, QSpinBox):
    """Whole numbers. The wheel turns it only while it has the focus."""


class DecimalField(_Fitting, QDoubleSpinBox):
    """Numbers with a part behind the point or comma; otherwise as `NumberField`.

    Point and comma both separate the decimals, whatever the locale: Qt would leave out the one
    that groups thousands, so that "1.5" became 15. Numbers of a thousand and more have no group.
    """

    def __init__(self) -> None:
        super().__init__()
        self.setGroupSeparatorShown(False)

    def validate(self, text: str, position: int) -> tuple[QValidator.State, str, int]:
        """Qt override: the typed text with the locale's own separator."""
        return super().validate(self._localised(text), position)

    def valueFromText(self, text: str) -> float:
        return super().valueFromText(self._localised(text))

    def _localised(self, text: str) -> str:
        if text == self.specialValueText():  # words, not a number
            return text
        return _SEPARATORS.sub(self.locale().decimalPoint(), text)


class ListRows(QStyledItemDelegate):
    """Draws what `QComboBox.insertSeparator` adds as a line; Qt's general delegate does not."""

    def sizeHint(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        hint = super().sizeHint(option, index)
        return QSize(hint.width(), GAP + 1) if _is_separator(index) else hint

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        if _is_separator(index):
            rect = option.rect
            line = option.palette.color(QPalette.ColorRole.Mid)
            painter.fillRect(rect.left(), rect.center().y(), rect.width(), 1, line)
            return
        # The colour of the row shows which one is meant; a frame in it is one line too many.
        option.state &= ~QStyle.StateFlag.State_HasFocus
        super().paint(painter, option, index)


def _is_separator(index: QModelIndex | QPersistentModelIndex) -> bool:
    return index.data(Qt.ItemDataRole.AccessibleDescriptionRole) == _SEPARATOR


class DropDown(QComboBox):
    """A combo box whose arrow is drawn in the text colour: a styled one would have none."""

    def __init__(self, name: str = "", items: Iterable[tuple[str, object]] = ()) -> None:
        super().__init__()
        # Fusion's own delegate paints the row under the pointer in the colour of the field.
        self.setItemDelegate(ListRows(self))
        self.setAccessibleName(name)
        for text, value in items:
            self.addItem(text, value)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        painter = QPainter(self)
        colour = self.palette().text().color().name()
        sign = pixmap("chevron-down", colour, ICON_SMALL, self.devicePixelRatioF())
        left, top = self.width() - ICON_SMALL - GAP, (self.height() - ICON_SMALL) // 2
        place = QRect(left, top, ICON_SMALL, ICON_SMALL)
        place = QStyle.visualRect(self.layoutDirection(), self.rect(), place)
        painter.drawPixmap(place.topLeft(), sign)
        painter.end()
