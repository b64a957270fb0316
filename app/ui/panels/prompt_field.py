"""The prompt field: plain text whose undo is the document's.

A run of typing is one gesture; it ends on focus loss, paste, a caret jump, or when told to.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, QMimeData, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QKeyEvent,
    QKeySequence,
    QTextCharFormat,
    QTextCursor,
)
from PySide6.QtWidgets import QPlainTextEdit, QTextEdit, QWidget

from app.document.contents import MAX_PROMPT
from app.ui.text import tr
from app.ui.theme import CONTROL_HEIGHT, GAP, UNIT, Colours

LINES = 2
LINE_HEIGHT = 6 * UNIT  # of the line with words and progress below the field
_WINDOW_KEYS = (QKeySequence.StandardKey.Undo, QKeySequence.StandardKey.Redo)
_HISTORY = {Qt.Key.Key_Up: 1, Qt.Key.Key_Down: -1}
_ENTERS = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


class PromptField(QPlainTextEdit):
    """Two lines of text, more of them scroll.

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
        self._marked: Sequence[tuple[int, int]] = ()
        self._seen = ""
        self._typed_to = 0
        self.setAccessibleName(tr("Prompt"))
        self.setPlaceholderText(tr("Describe the whole picture: a red balloon and a castle…"))
        self.setToolTip(
            tr("One description for the whole picture, in English. The boxes need no names.")
        )
        self.setUndoRedoEnabled(False)
        self.setTabChangesFocus(True)
        self.document().setDocumentMargin(UNIT)
        self.textChanged.connect(self._on_text_changed)
        self.cursorPositionChanged.connect(self._on_caret)
        self.selectionChanged.connect(self._on_caret)
        self.fit_height()

    def show_text(self, text: str) -> None:
        """Show the document's prompt; the caret stays where it can."""
        if text == self.toPlainText():
            return
        place = self.textCursor().position()
        self._is_loading = True
        self.setPlainText(text)
        self._put_caret(min(place, _units(text)))
        self._is_loading = False
        self._seen, self._typed_to = self.toPlainText(), self.textCursor().position()
        self.end_run()

    def mark_words(self, places: Sequence[tuple[int, int]]) -> None:
        """A dotted underline below the words that the model ignores.

        Args:
            places: start and end of each in the text.
        """
        self._marked = places
        text, marks = self.toPlainText(), []
        for start, end in places:
            mark = QTextEdit.ExtraSelection()
            cursor = QTextCursor(self.document())
            cursor.setPosition(_units(text[:start]))
            cursor.setPosition(_units(text[:end]), QTextCursor.MoveMode.KeepAnchor)
            look = QTextCharFormat()
            look.setUnderlineStyle(QTextCharFormat.UnderlineStyle.DotLine)
            look.setUnderlineColor(self._mark_colour)
            mark.cursor, mark.format = cursor, look
            marks.append(mark)
        self.setExtraSelections(marks)

    def recolour(self, colours: Colours) -> None:
        """Follow the theme."""
        self._mark_colour = QColor(colours.outdated)
        self.mark_words(self._marked)

    def end_run(self) -> None:
        """The next change is another undo step."""
        self._gesture = None

    def insert_word(self, word: str) -> None:
        """Put a word at the caret, or in place of the selection, with spaces around; one step."""
        cursor = self.textCursor()
        text = self.toPlainText().encode("utf-16-le", "surrogatepass")
        before = text[: 2 * cursor.selectionStart()].decode("utf-16-le", "surrogatepass")
        after = text[2 * cursor.selectionEnd() :].decode("utf-16-le", "surrogatepass")
        left = " " if before and not before[-1].isspace() else ""
        right = " " if after and (after[0].isalnum() or after[0] in "([\"'") else ""
        self.end_run()
        cursor.insertText(f"{left}{word}{right}")
        self.setTextCursor(cursor)
        self.end_run()

    def fit_height(self) -> None:
        """Two lines of the present font; with the line below as high as the controls beside."""
        line = self.fontMetrics().lineSpacing()
        beside = 2 * CONTROL_HEIGHT + GAP - LINE_HEIGHT - UNIT
        self.setFixedHeight(max(beside, LINES * line + 4 * UNIT + 2))

    def changeEvent(self, event: QEvent) -> None:
        """Qt override: two lines of another font are higher."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self.fit_height()

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
        """Qt override: Esc keeps the text and leaves."""
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
        super().keyPressEvent(event)

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
        if len(text) > MAX_PROMPT:  # what does not fit never arrives
            text = self._cut(text)
        if text == self._seen:
            return
        self._seen, self._typed_to = text, self.textCursor().position()
        if self._gesture is None:
            self._gesture = self._new_gesture()
        self.edited.emit(text, self._gesture)

    def _cut(self, text: str) -> str:
        """Take out what is too much, from the end of what was just put in."""
        units = text.encode("utf-16-le", "surrogatepass")[: 2 * self.textCursor().position()]
        caret, excess = len(units.decode("utf-16-le", "surrogatepass")), len(text) - MAX_PROMPT
        caret = caret if caret >= excess else len(text)
        text = text[: caret - excess] + text[caret:]
        self._is_loading = True
        self.setPlainText(text)
        self._put_caret(_units(text[: caret - excess]))
        self._is_loading = False
        return text

    def _put_caret(self, position: int) -> None:
        cursor = self.textCursor()
        cursor.setPosition(position)
        self.setTextCursor(cursor)

    def _on_caret(self) -> None:
        """The caret jumps, or text is selected: what comes is another run.

        Qt tells of the caret before or after it tells of the text; typing is neither of both.
        """
        if self._is_loading or self.toPlainText() != self._seen:
            return
        cursor = self.textCursor()
        if cursor.hasSelection() or cursor.position() != self._typed_to:
            self.end_run()


def _units(text: str) -> int:
    """How long Qt takes the text to be: it counts in UTF-16."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
