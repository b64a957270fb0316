"""The prompt field: plain text whose undo is the document's.

A run of typing is one gesture; it ends on focus loss, paste, a caret jump, or when told to.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, QMimeData, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QTextCharFormat,
    QTextCursor,
)
from PySide6.QtWidgets import QPlainTextEdit, QTextEdit, QWidget

from app.document.contents import MAX_PROMPT
from app.ui.text import tr
from app.ui.theme import CONTROL_HEIGHT, GAP, UNIT, Colours

LINES = 3
_WORD = re.compile(r"[\w'-]+")
_WINDOW_KEYS = (QKeySequence.StandardKey.Undo, QKeySequence.StandardKey.Redo)
_HISTORY = {Qt.Key.Key_Up: 1, Qt.Key.Key_Down: -1}
_ENTERS = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
_JUMPS = {
    Qt.Key.Key_Left,
    Qt.Key.Key_Right,
    Qt.Key.Key_Up,
    Qt.Key.Key_Down,
    Qt.Key.Key_Home,
    Qt.Key.Key_End,
}


class PromptField(QPlainTextEdit):
    """Three lines of text.

    Args:
        new_gesture: makes a number for each run of typing.

    Signals:
        edited(text, gesture): the user changed the text.
        left(): Esc was pressed; the text is kept.
        history_asked(step): Alt+Up (1, older) or Alt+Down (-1, newer).
        send_asked(): Shift+Enter.
    """

    edited = Signal(str, int)
    left = Signal()
    history_asked = Signal(int)
    send_asked = Signal()

    def __init__(self, new_gesture: Callable[[], int], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._new_gesture = new_gesture
        self._gesture: int | None = None
        self._is_loading = False
        self._mark_colour = QColor("#F2B84B")
        self.setAccessibleName(tr("Prompt"))
        self.setPlaceholderText(tr("Describe the whole picture: a red balloon and a castle…"))
        self.setToolTip(
            tr("One description for the whole picture, in English. The boxes need no names.")
        )
        self.setUndoRedoEnabled(False)
        self.setTabChangesFocus(True)
        self.document().setDocumentMargin(UNIT)
        self.textChanged.connect(self._on_text_changed)
        self.fit_height()

    def show_text(self, text: str) -> None:
        """Show the document's prompt; the caret stays where it can."""
        if text == self.toPlainText():
            return
        place = self.textCursor().position()
        self._is_loading = True
        self.setPlainText(text)
        self._is_loading = False
        cursor = self.textCursor()
        cursor.setPosition(min(place, len(text)))
        self.setTextCursor(cursor)
        self.end_run()

    def mark_words(self, words: Sequence[str]) -> None:
        """PR2: a dotted underline below the words that the model ignores."""
        unknown = {word.casefold() for word in words}
        marks = []
        for match in _WORD.finditer(self.toPlainText()):
            if match.group().casefold() in unknown:
                mark = QTextEdit.ExtraSelection()
                cursor = QTextCursor(self.document())
                cursor.setPosition(match.start())
                cursor.setPosition(match.end(), QTextCursor.MoveMode.KeepAnchor)
                look = QTextCharFormat()
                look.setUnderlineStyle(QTextCharFormat.UnderlineStyle.DotLine)
                look.setUnderlineColor(self._mark_colour)
                mark.cursor, mark.format = cursor, look
                marks.append(mark)
        self.setExtraSelections(marks)

    def recolour(self, colours: Colours) -> None:
        """Follow the theme."""
        self._mark_colour = QColor(colours.outdated)

    def end_run(self) -> None:
        """The next change is another undo step."""
        self._gesture = None

    def fit_height(self) -> None:
        """Three lines of the present font, and no less than the controls beside it."""
        line = self.fontMetrics().lineSpacing()
        beside = 2 * CONTROL_HEIGHT + GAP
        self.setFixedHeight(max(beside, LINES * line + 4 * UNIT + 2))

    def event(self, event: QEvent) -> bool:
        """Qt override: undo and redo belong to the window, also while typing."""
        if (
            event.type() == QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and any(event.matches(key) for key in _WINDOW_KEYS)
        ):
            event.ignore()
            return False
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Qt override: Esc keeps the text and leaves; a caret key ends the run."""
        if event.key() == Qt.Key.Key_Escape:
            self.left.emit()
            return
        held = event.modifiers()
        if held & Qt.KeyboardModifier.AltModifier and event.key() in _HISTORY:
            self.history_asked.emit(_HISTORY[Qt.Key(event.key())])
            return
        if event.key() in _ENTERS and held & Qt.KeyboardModifier.ShiftModifier:
            self.send_asked.emit()
            return
        if event.key() in _JUMPS:
            self.end_run()
        super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Qt override: the caret jumps."""
        self.end_run()
        super().mousePressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Qt override."""
        self.end_run()
        super().focusOutEvent(event)

    def insertFromMimeData(self, source: QMimeData) -> None:
        """Qt override: a paste is a step of its own, plain text only."""
        self.end_run()
        self.insertPlainText(source.text())
        self.end_run()

    def _on_text_changed(self) -> None:
        if self._is_loading:
            return
        text = self.toPlainText()
        if len(text) > MAX_PROMPT:  # cut while typing: what does not fit never arrives
            self._is_loading = True
            self.setPlainText(text[:MAX_PROMPT])
            self.moveCursor(QTextCursor.MoveOperation.End)
            self._is_loading = False
            text = text[:MAX_PROMPT]
        if self._gesture is None:
            self._gesture = self._new_gesture()
        self.edited.emit(text, self._gesture)
