"""Find Command: every action by a part of its name; Enter runs it."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QDialog, QLabel, QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout
from PySide6.QtWidgets import QWidget as Widget

from app.ui.actions import Actions
from app.ui.text import tr
from app.ui.theme import CONTROL_HEIGHT, GAP, MARGIN

_NAME = Qt.ItemDataRole.UserRole


def rank(words: str, title: str, tip: str) -> int:
    """How well a command fits what was typed, smaller is better; -1 = not at all."""
    typed, name = words.casefold().split(), title.casefold()
    if all(word in name for word in typed):
        starts = sum(any(part.startswith(word) for part in name.split()) for word in typed)
        return 100 - 10 * starts + min(9, len(name) // 8)
    if all(word in f"{name} {tip.casefold()}" for word in typed):
        return 200
    return -1


class FindDialog(QDialog):
    """A field and the commands that fit; disabled ones say why."""

    def __init__(self, parent: Widget, actions: Actions) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Find Command"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._actions = actions
        self.field = QLineEdit()
        self.field.setMinimumHeight(CONTROL_HEIGHT)
        self.field.setPlaceholderText(tr("What do you want to do?"))
        self.field.setAccessibleName(tr("Part of a command's name"))
        self.list = QListWidget()
        self.list.setAccessibleName(tr("Commands"))
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.reason = QLabel()
        self.reason.setObjectName("secondary")
        self.reason.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(MARGIN, MARGIN, MARGIN, MARGIN)
        layout.setSpacing(GAP)
        layout.addWidget(self.field)
        layout.addWidget(self.list, 1)
        layout.addWidget(self.reason)
        self.resize(480, 420)
        self.field.textChanged.connect(self._fill)
        self.field.installEventFilter(self)
        self.list.itemClicked.connect(self._run)
        self.list.currentItemChanged.connect(self._on_current)
        self._fill("")

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Qt override: the field keeps the keyboard, arrows move in the list."""
        if event.type() != QEvent.Type.KeyPress or not isinstance(event, QKeyEvent):
            return False
        step = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}.get(Qt.Key(event.key()), 0)
        if step and self.list.count():
            row = (self.list.currentRow() + step) % self.list.count()
            self.list.setCurrentRow(row)
            return True
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if self.list.currentItem() is not None:
                self._run(self.list.currentItem())
            return True
        return False

    def _fill(self, typed: str) -> None:
        found = []
        for place, (name, title, tip) in enumerate(self._actions.titles()):
            order = rank(typed, title, tip) if typed.strip() else 0
            if order >= 0 and name != "find_command":
                found.append((order, place, name, title))
        self.list.clear()
        for _, _, name, title in sorted(found):
            keys = self._actions[name].shortcuts()
            native = keys[0].toString(QKeySequence.SequenceFormat.NativeText) if keys else ""
            item = QListWidgetItem(f"{title}   ({native})" if native else title)
            item.setData(_NAME, name)
            if not self._actions[name].isEnabled():
                item.setForeground(self.palette().placeholderText())
            self.list.addItem(item)
        self.list.setCurrentRow(0)
        if not found:
            self.reason.setText(tr("No command has these words."))

    def _on_current(self, item: QListWidgetItem | None) -> None:
        if item is not None:
            self.reason.setText(self._actions.plain_tip(item.data(_NAME)))

    def _run(self, item: QListWidgetItem) -> None:
        action = self._actions[item.data(_NAME)]
        if action.isEnabled():
            self.close()
            action.trigger()
