"""Fields for numbers, as wide as their longest text in every font, and no wider.

Qt's own hint leaves room for buttons that the style sheet takes away.
"""

from __future__ import annotations

import re
from typing import cast

from PySide6.QtCore import QSize
from PySide6.QtGui import QValidator, QWheelEvent
from PySide6.QtWidgets import QDoubleSpinBox, QSpinBox

from app.ui.theme import UNIT

_SEPARATORS = re.compile("[.,\u066b]")
_BEFORE = UNIT + 2
_AROUND = _BEFORE + 4 * UNIT  # with the frame, and the caret behind the last digit


class _Fitting:
    """What both kinds of field share; before Qt's class in the list of bases."""

    def __init__(self) -> None:
        super().__init__()
        self._field.lineEdit().setTextMargins(_BEFORE, 0, 0, 0)

    @property
    def _field(self) -> QSpinBox:
        return cast(QSpinBox, self)  # or one with a point, which answers the same questions

    def sizeHint(self) -> QSize:
        """Qt override."""
        return self.minimumSizeHint()

    def minimumSizeHint(self) -> QSize:
        """Qt override."""
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
        """Qt override."""
        return super().valueFromText(self._localised(text))

    def _localised(self, text: str) -> str:
        if text == self.specialValueText():  # words, not a number
            return text
        return _SEPARATORS.sub(self.locale().decimalPoint(), text)
