"""Fields for numbers, as wide as their longest text in every font, and no wider.

Qt's own hint leaves room for buttons that the style sheet takes away.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QDoubleSpinBox, QSpinBox

from app.ui.theme import UNIT

_BEFORE = UNIT + 2
_AROUND = _BEFORE + 4 * UNIT  # with the frame, and the caret behind the last digit


class NumberField(QSpinBox):
    """Whole numbers. The wheel turns it only while it has the focus: pages scroll below it."""

    def __init__(self) -> None:
        super().__init__()
        self.lineEdit().setTextMargins(_BEFORE, 0, 0, 0)

    def sizeHint(self) -> QSize:
        """Qt override."""
        return self.minimumSizeHint()

    def minimumSizeHint(self) -> QSize:
        """Qt override."""
        ends = [
            self.prefix() + self.textFromValue(end) + self.suffix()
            for end in (self.minimum(), self.maximum())
        ]
        return QSize(_widest(self, ends) + _AROUND, super().minimumSizeHint().height())

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Qt override."""
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


class DecimalField(QDoubleSpinBox):
    """Numbers with a part behind the point; otherwise as `NumberField`."""

    def __init__(self) -> None:
        super().__init__()
        self.lineEdit().setTextMargins(_BEFORE, 0, 0, 0)

    def sizeHint(self) -> QSize:
        """Qt override."""
        return self.minimumSizeHint()

    def minimumSizeHint(self) -> QSize:
        """Qt override."""
        ends = [
            self.prefix() + self.textFromValue(end) + self.suffix()
            for end in (self.minimum(), self.maximum())
        ]
        return QSize(_widest(self, ends) + _AROUND, super().minimumSizeHint().height())

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Qt override."""
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


def _widest(field: QSpinBox | QDoubleSpinBox, ends: Sequence[str]) -> int:
    """Of the texts at both ends, and of the one that stands for none."""
    metrics = field.fontMetrics()
    return max(metrics.horizontalAdvance(text) for text in (*ends, field.specialValueText()))
