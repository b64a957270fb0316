"""Dialogs that fill the prompt: earlier prompts, and the words that the model draws."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, QObject, QSize, Qt
from PySide6.QtGui import QFont, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import (
    QDialog,
    QLineEdit,
    QListView,
    QListWidget,
    QListWidgetItem,
    QWidget,
)

from app.ui.text import tr
from app.ui.theme import CONTROL_HEIGHT, GAP, MARGIN
from app.ui.widgets.buttons import close_only
from app.ui.widgets.forms import dialog_column, named, note, quiet_label

Group = tuple[str, Sequence[str]]
_IS_WORD = Qt.ItemDataRole.UserRole
_ENTERS = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
_CELL = 28
_SIZE = QSize(600, 520)


class HistoryDialog(QDialog):
    """A list, newest first."""

    def __init__(
        self, parent: QWidget, prompts: Sequence[str], take: Callable[[str], None]
    ) -> None:
        super().__init__(parent)
        self._take = take
        self.list = named(QListWidget(), tr("Prompts, newest first"))
        self.list.setWordWrap(True)
        self.list.addItems(list(prompts))
        self.list.setCurrentRow(0)
        layout = dialog_column(self, tr("Prompt History"))
        layout.addWidget(self.list)
        self.list.setVisible(bool(prompts))
        if not prompts:
            empty = quiet_label(tr("Prompts you generate with appear here."))
            empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
            layout.addWidget(empty)
        self.resize(480, 360)
        self.list.itemActivated.connect(lambda item: self._choose(item.text()))
        self.list.itemDoubleClicked.connect(lambda item: self._choose(item.text()))

    def _choose(self, prompt: str) -> None:
        self.close()
        take, self._take = self._take, lambda text: None  # a double click activates as well
        take(prompt)


class WordGrid(QListWidget):
    """Words in columns; the headings between them have a line of their own."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName(tr("Words that the model draws"))
        self.setFlow(QListView.Flow.LeftToRight)
        self.setWrapping(True)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setMovement(QListView.Movement.Static)
        self.setVerticalScrollMode(QListWidget.ScrollMode.ScrollPerPixel)
        # A bar that comes and goes would change the width, and with it the number of lines.
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    def show_groups(self, groups: Sequence[Group]) -> None:
        """Fill the grid; groups without words are left out."""
        self.clear()
        metrics = self.fontMetrics()
        words = [word for _, part in groups for word in part]
        widest = max((metrics.horizontalAdvance(word) for word in words), default=0)
        height = max(_CELL, metrics.height() + GAP)
        bold = QFont(self.font())
        bold.setBold(True)
        for title, part in groups:
            if not part:
                continue
            heading = QListWidgetItem(title)
            heading.setFlags(Qt.ItemFlag.ItemIsEnabled)  # read, not chosen
            heading.setFont(bold)
            heading.setSizeHint(QSize(self._line_width(), height))
            heading.setData(_IS_WORD, False)
            self.addItem(heading)
            for word in part:
                item = QListWidgetItem(word)
                item.setSizeHint(QSize(widest + 2 * MARGIN, height))
                item.setData(_IS_WORD, True)
                item.setToolTip(tr("Puts '{0}' into the prompt.").format(word))
                self.addItem(item)

    def words(self) -> list[str]:
        items = [self.item(row) for row in range(self.count())]
        return [item.text() for item in items if is_word(item)]

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Qt override: headings are as wide as the grid."""
        super().resizeEvent(event)
        width = self._line_width()
        for row in range(self.count()):
            item = self.item(row)
            if not is_word(item) and item.sizeHint().width() != width:
                item.setSizeHint(QSize(width, item.sizeHint().height()))

    def _line_width(self) -> int:
        return max(1, self.viewport().width() - 2)


def is_word(item: QListWidgetItem | None) -> bool:
    return item is not None and bool(item.data(_IS_WORD))


class WordListDialog(QDialog):
    """Search, groups, and what the model is."""

    def __init__(self, parent: QWidget, insert: Callable[[str], None]) -> None:
        super().__init__(parent)
        self._insert = insert
        self._groups: Sequence[Group] = ()
        self.field = named(QLineEdit(), tr("Search the words"), height=CONTROL_HEIGHT)
        self.field.setPlaceholderText(tr("Search"))
        self.field.setClearButtonEnabled(True)
        self.grid = WordGrid()
        self.none, self.model = note(), note()
        intro = tr(
            "The model draws these words as flat or glossy illustrations. It draws no text, "
            "people or photos. Click a word to put it into the prompt."
        )
        layout = dialog_column(self, tr("Words the Model Draws"), spacing=GAP)
        for part in (note(intro), self.field, self.none):
            layout.addWidget(part)
        layout.addWidget(self.grid, 1)
        layout.addWidget(self.model)
        layout.addWidget(close_only(self))
        self.resize(_SIZE)
        self.field.textChanged.connect(self._search)
        self.field.installEventFilter(self)
        self.grid.installEventFilter(self)
        self.grid.itemClicked.connect(self._take)
        self.show_words((), "")
        self.field.setFocus()

    def show_words(self, groups: Sequence[Group], model: str) -> None:
        """The words of the loaded model, none while it loads, and what the model is."""
        self._groups = groups
        self.model.setText(model)
        self._search(self.field.text())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Qt override: Enter takes the marked word, in the field the first one found."""
        if event.type() != QEvent.Type.KeyPress or not isinstance(event, QKeyEvent):
            return False
        if watched is self.field and event.key() == Qt.Key.Key_Down:
            self.grid.setFocus()
            return True
        if event.key() in _ENTERS:
            self._take(self.grid.currentItem())
            return True
        return False

    def _search(self, typed: str) -> None:
        """Words that begin with what was typed come first, then those that have it elsewhere."""
        part = typed.strip().casefold()
        found: list[Group] = []
        for title, words in self._groups:
            fitting = [word for word in words if part in word.casefold()]
            fitting.sort(key=lambda word: (not word.casefold().startswith(part), word.casefold()))
            found.append((title, fitting))
        self.grid.show_groups(found)
        first = [row for row in range(self.grid.count()) if is_word(self.grid.item(row))][:1]
        if first:
            self.grid.setCurrentRow(first[0])
        self.grid.setVisible(bool(first))
        self.none.setVisible(not first)
        self.none.setText(
            tr("The model draws no word with '{0}'.").format(typed.strip())
            if self._groups
            else tr("The words appear here once the model is loaded.")
        )

    def _take(self, item: QListWidgetItem | None) -> None:
        if item is not None and is_word(item):
            self._insert(item.text())
