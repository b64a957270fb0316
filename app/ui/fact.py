"""A fact: a label whose text changes. A reader hears what it is and what it says."""

from __future__ import annotations

from PySide6.QtWidgets import QLabel, QWidget


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
