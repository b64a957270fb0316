"""Results field of the prompt bar: how many results one job makes, in words ("4 results")."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent

from app.document.contents import MAX_VARIATIONS
from app.ui.text import number, tr
from app.ui.widgets.fields import NumberField


class ResultsField(NumberField):
    """A number from 1 to `MAX_VARIATIONS`, with the word that says of what.

    Enter takes the number, Esc brings back the one from before; both leave the field, so that the
    canvas's keys work again.

    Signals:
        left(): Enter or Esc was pressed.
    """

    left = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._before = 1
        self.setRange(1, MAX_VARIATIONS)
        self.setAccessibleName(tr("Results per job"))
        self.setToolTip(
            tr("How many results one job makes; with more than one they wait in the strip.")
        )
        self.valueChanged.connect(self._say_of_what)
        self._say_of_what(1)

    def minimumSizeHint(self) -> QSize:
        """Qt override: as wide for one result as for many, so that nothing beside it moves."""
        hint = super().minimumSizeHint()
        measure = self.fontMetrics().horizontalAdvance
        widest = max(measure(_words(count)) for count in range(1, MAX_VARIATIONS + 1))
        now = max(measure(number(end) + self.suffix()) for end in (1, MAX_VARIATIONS))
        return QSize(hint.width() + max(0, widest - now), hint.height())

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Qt override."""
        self._before = self.value()
        super().focusInEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Qt override."""
        key = event.key()
        if key == Qt.Key.Key_Escape:
            self.setValue(self._before)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not event.modifiers() & _COMMANDS:
            self.interpretText()
        else:
            super().keyPressEvent(event)
            return
        self.left.emit()

    def _say_of_what(self, count: int) -> None:
        self.setSuffix(_words(count)[len(number(count)) :])


_COMMANDS = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.MetaModifier


def _words(count: int) -> str:
    return tr("1 result") if count == 1 else tr("{0} results").format(number(count))
