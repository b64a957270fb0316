"""Fields of the prompt bar: the prompt, the number of results, the seed.

The prompt is plain text whose undo is the document's. A run of typing is one gesture; it ends when
the focus leaves, with a paste, with a jump of the caret, or by `end_run`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, QMimeData, QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import (
    QAction,
    QColor,
    QContextMenuEvent,
    QFocusEvent,
    QHelpEvent,
    QKeyEvent,
    QKeySequence,
    QRegularExpressionValidator,
    QTextCharFormat,
    QTextCursor,
)
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QSizePolicy,
    QTextEdit,
    QToolTip,
    QWidget,
)

from app.document.contents import MAX_PROMPT, MAX_VARIATIONS, Settings
from app.document.layer import MAX_SEED
from app.ui.panels.prompt_line import Mark
from app.ui.text import number, tr
from app.ui.theme import CONTROL_HEIGHT, GAP, UNIT, Colours
from app.ui.theme.icons import icon
from app.ui.widgets.fields import NumberField
from app.ui.widgets.forms import fill, named

LINES = 2
LINE_HEIGHT = 6 * UNIT  # of the line with words and progress below the field
_WINDOW_KEYS = (QKeySequence.StandardKey.Undo, QKeySequence.StandardKey.Redo)
_HISTORY = {Qt.Key.Key_Up: 1, Qt.Key.Key_Down: -1}
_ENTERS = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


class PromptField(QPlainTextEdit):
    """Two lines of text, more of them scroll; `new_gesture` counts the runs of typing."""

    edited = Signal(str, int)  # text, gesture: the user changed the text
    was_cut = Signal(int)  # so many characters were not taken in: the text has its full length
    left = Signal()  # Esc was pressed; the text is kept
    history_asked = Signal(int)  # step: Alt+Up (1, older) or Alt+Down (-1, newer)
    send_asked = Signal()  # Shift+Enter

    def __init__(self, new_gesture: Callable[[], int]) -> None:
        super().__init__()
        self._new_gesture = new_gesture
        self._gesture: int | None = None
        self._is_loading = False
        self._mark_colour = QColor("#F2B84B")
        self._marked: Sequence[Mark] = ()
        self._seen = ""
        self._typed_to = 0
        tip = tr("One description for the whole picture, in English. The boxes need no names.")
        named(self, tr("Prompt"), tip)
        self.setPlaceholderText(tr("Describe the whole picture: a red balloon and a castle…"))
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

    def mark_words(self, marked: Sequence[Mark]) -> None:
        """A wavy underline below words that are not drawn as typed."""
        self._marked = marked
        text, marks = self.toPlainText(), []
        for start, end in ((each.start, each.end) for each in marked):
            mark = QTextEdit.ExtraSelection()
            cursor = QTextCursor(self.document())
            cursor.setPosition(_units(text[:start]))
            cursor.setPosition(_units(text[:end]), QTextCursor.MoveMode.KeepAnchor)
            look = QTextCharFormat()
            look.setUnderlineStyle(QTextCharFormat.UnderlineStyle.WaveUnderline)
            look.setUnderlineColor(self._mark_colour)
            mark.cursor, mark.format = cursor, look
            marks.append(mark)
        self.setExtraSelections(marks)

    def recolour(self, colours: Colours) -> None:
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
        """Two lines of the present font; with the line below as high as the controls next to it."""
        line = self.fontMetrics().lineSpacing()
        controls = 2 * CONTROL_HEIGHT + GAP - LINE_HEIGHT - UNIT
        self.setFixedHeight(max(controls, LINES * line + 4 * UNIT + 2))

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
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            mark = self._mark_at(self.cursorForPosition(event.pos()).position())
            if mark is not None:
                QToolTip.showText(event.globalPos(), mark.tip, self)
                return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Qt override: Esc keeps the text and leaves."""
        if event.key() == Qt.Key.Key_Escape:
            self.left.emit()
            return
        if event.key() == Qt.Key.Key_Tab and self._better_at_caret() is not None:
            self.replace_mark(self._better_at_caret())
            return
        held = event.modifiers()
        if held & Qt.KeyboardModifier.AltModifier and event.key() in _HISTORY:
            self.history_asked.emit(_HISTORY[Qt.Key(event.key())])
            return
        if event.key() in _ENTERS and held & Qt.KeyboardModifier.ShiftModifier:
            self.send_asked.emit()
            return
        super().keyPressEvent(event)

    def focusNextPrevChild(self, next_one: bool) -> bool:
        """Qt override: Tab takes the better word where the caret is at a marked one."""
        if next_one and self._better_at_caret() is not None:
            return False
        return super().focusNextPrevChild(next_one)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Qt override: the better word first, as in a spell checker."""
        menu = self.createStandardContextMenu()
        mark = self._mark_at(self.cursorForPosition(event.pos()).position())
        if mark is not None:
            first = menu.actions()[0]
            text = tr("Replace with '{0}'").format(mark.better) if mark.better else mark.tip
            action = QAction(text, menu)
            action.setEnabled(bool(mark.better))
            action.triggered.connect(lambda: self.replace_mark(mark))
            menu.insertAction(first, action)
            menu.insertSeparator(first)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(event.globalPos())

    def replace_mark(self, mark: Mark | None) -> None:
        """Write the better word in place of a marked one; one undo step."""
        if mark is None or not mark.better:
            return
        text = self.toPlainText()
        cursor = self.textCursor()
        cursor.setPosition(_units(text[: mark.start]))
        cursor.setPosition(_units(text[: mark.end]), QTextCursor.MoveMode.KeepAnchor)
        self.end_run()
        cursor.insertText(mark.better)
        self.setTextCursor(cursor)
        self.end_run()

    def _mark_at(self, position: int) -> Mark | None:
        """The marked word at a place of the text, counted as Qt does."""
        text = self.toPlainText()
        for mark in self._marked:
            if _units(text[: mark.start]) <= position <= _units(text[: mark.end]):
                return mark
        return None

    def _better_at_caret(self) -> Mark | None:
        mark = self._mark_at(self.textCursor().position())
        return mark if mark is not None and mark.better else None

    def focusOutEvent(self, event: QFocusEvent) -> None:
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
        if len(text) > MAX_PROMPT:
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
        self.was_cut.emit(excess)
        return text

    def _put_caret(self, position: int) -> None:
        cursor = self.textCursor()
        cursor.setPosition(position)
        self.setTextCursor(cursor)

    def _on_caret(self) -> None:
        """The caret jumps, or text is selected, which typing never does: another run of typing."""
        if self._is_loading or self.toPlainText() != self._seen:
            return
        cursor = self.textCursor()
        if cursor.hasSelection() or cursor.position() != self._typed_to:
            self.end_run()


def _units(text: str) -> int:
    """How long Qt takes the text to be: it counts in UTF-16."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


class ResultsField(NumberField):
    """A number from 1 to `MAX_VARIATIONS`, with the word that says of what.

    Enter takes the number, Esc brings back the one from before; both leave the field, so that the
    canvas's keys work again.
    """

    left = Signal()  # Enter or Esc was pressed

    def __init__(self) -> None:
        super().__init__()
        self._before = 1
        self.setRange(1, MAX_VARIATIONS)
        tip = tr("How many results one job makes; with more than one they wait in the strip.")
        named(self, tr("Results per job"), tip)
        self.valueChanged.connect(self._say_of_what)
        self._say_of_what(1)

    def minimumSizeHint(self) -> QSize:
        """Qt override: as wide for one result as for many, so that nothing next to it moves."""
        hint = super().minimumSizeHint()
        measure = self.fontMetrics().horizontalAdvance
        widest = max(measure(_words(count)) for count in range(1, MAX_VARIATIONS + 1))
        now = max(measure(number(end) + self.suffix()) for end in (1, MAX_VARIATIONS))
        return QSize(hint.width() + max(0, widest - now), hint.height())

    def focusInEvent(self, event: QFocusEvent) -> None:
        self._before = self.value()
        super().focusInEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
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


def parse_seed(text: str) -> int | None:
    """A seed from what somebody typed: 0 to 4294967295; None if it is none."""
    digits = text.strip()
    if not digits.isdecimal() or int(digits) > MAX_SEED:
        return None
    return int(digits)


def icon_gap(text: str) -> str:
    """The text a little away from the icon before it; style sheets cannot say how far."""
    return f" {text}"


def seed_validator(parent: QWidget) -> QRegularExpressionValidator:
    return QRegularExpressionValidator(r"\d{0,10}", parent)


class SeedControl(QWidget):
    """A toggle "New result each time", mode "random", and a field for the "fixed" number."""

    changed = Signal(str, object)

    def __init__(self) -> None:
        super().__init__()
        self._seed = 0
        tip = tr("Choose whether each job gives a new result or the same result again.")
        self.mode = named(QPushButton(), tr("Seed mode"), tip, line=CONTROL_HEIGHT)
        self.mode.setText(icon_gap(tr("New result each time")))
        self.mode.setCheckable(True)
        self.mode.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        tip = tr("A whole number up to 4294967295. The same seed gives the same result.")
        self.field = named(QLineEdit(), tr("Picture seed"), tip, line=CONTROL_HEIGHT)
        self.field.setValidator(seed_validator(self.field))
        self.field.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._fit_width()
        fill(QHBoxLayout(self), self.mode, (self.field, 1))
        self.mode.toggled.connect(
            lambda fixed: self.changed.emit("fixed" if fixed else "random", self._seed)
        )
        self.field.editingFinished.connect(self._on_field)

    def show_settings(self, settings: Settings) -> None:
        fixed = settings.seed_mode == "fixed"
        self._seed = settings.seed
        with QSignalBlocker(self.mode):
            self.mode.setChecked(fixed)
        self.mode.setText(icon_gap(tr("Same result") if fixed else tr("New result each time")))
        self.field.setVisible(fixed)
        self.field.setText(str(settings.seed) if fixed else "")

    def recolour(self, colours: Colours) -> None:
        self.mode.setIcon(icon("dices", colours))

    def changeEvent(self, event: QEvent) -> None:
        """Qt override: another font, another width."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange and hasattr(self, "field"):
            self._fit_width()

    def _fit_width(self) -> None:
        """Every seed is seen to its last digit."""
        digits = self.field.fontMetrics().horizontalAdvance(str(MAX_SEED))
        self.field.setMinimumWidth(digits + 6 * UNIT)

    def _on_field(self) -> None:
        seed = parse_seed(self.field.text())
        if seed is None:
            self.field.setText(str(self._seed))
        elif seed != self._seed:
            self.changed.emit("fixed", seed)
