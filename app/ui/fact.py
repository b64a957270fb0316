"""A fact: a label whose text changes. A reader hears what it is and what it says."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget


class Fact(QLabel):
    """A name that is not shown, and a text that is.

    An accessible name alone would take the text's place: readers would hear "Engine" for ever, and
    never "Ready".
    """

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._name = name
        self.setAccessibleName(name)

    def setText(self, text: str) -> None:
        """Qt override."""
        super().setText(text)
        self.say(text)

    def say(self, text: str) -> None:
        """What a reader hears, where less of it is shown."""
        self.setAccessibleName(f"{self._name}: {text}" if text else self._name)

    def clear(self) -> None:
        """Qt override."""
        self.setText("")


class ShortFact(Fact):
    """A fact that may be long, such as one with a name in it.

    Takes no more room than there is, and ends in dots where that is too little; the tip has it all.
    """

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(name, parent)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def setText(self, text: str) -> None:
        """Qt override."""
        super().setText(text)
        self.setToolTip(text)

    def shown(self) -> str:
        """The text as it is drawn."""
        room = self.contentsRect().width()
        return self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, room)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Qt override."""
        painter = QPainter(self)
        painter.setPen(self.palette().color(self.foregroundRole()))
        painter.drawText(self.contentsRect(), self.alignment(), self.shown())
        painter.end()
