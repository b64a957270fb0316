"""Commands and their keys: Find Command, the list of keys, and the key editor."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QKeySequenceEdit,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QTableWidget,
    QVBoxLayout,
    QWidget,
)

from app.session.settings import Settings
from app.ui.actions import Actions
from app.ui.key_presets import PRESETS, conflicts, keys_for
from app.ui.text import tr
from app.ui.theme import CONTROL_HEIGHT, GAP, MARGIN, UNIT
from app.ui.widgets.buttons import text_button
from app.ui.widgets.fields import DropDown
from app.ui.widgets.forms import ReadingTable, dialog_column, enable, fill, named, note

_NAME = Qt.ItemDataRole.UserRole
_NATIVE = QKeySequence.SequenceFormat.NativeText


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

    def __init__(self, parent: QWidget, actions: Actions) -> None:
        super().__init__(parent)
        self._actions = actions
        self.field = named(QLineEdit(), tr("Part of a command's name"), height=CONTROL_HEIGHT)
        self.field.setPlaceholderText(tr("What do you want to do?"))
        self.list = named(QListWidget(), tr("Commands"))
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.reason = note()
        layout = dialog_column(self, tr("Find Command"), spacing=GAP)
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
            native = keys[0].toString(_NATIVE) if keys else ""
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


class KeyEditor(QWidget):
    """A table of actions and keys; changes `keys` and `key_preset`, then calls `changed`."""

    def __init__(self, settings: Settings, actions: Actions, changed: Callable[[], None]) -> None:
        super().__init__()
        self._settings = settings
        self._actions = actions
        self._changed = changed
        self._names = [name for name, _, _ in actions.titles()]
        self.preset = DropDown(tr("Preset"), [(name, None) for name in PRESETS])
        self.preset.setMinimumHeight(CONTROL_HEIGHT)
        self.preset.view().setAccessibleName(tr("Presets"))
        self.preset.setCurrentText(settings.key_preset)
        self.search = named(QLineEdit(), tr("Search"), height=CONTROL_HEIGHT)
        self.search.setPlaceholderText(tr("Search actions and keys"))
        self.table = ReadingTable(
            tr("Actions and their keys"),
            [tr("Action"), tr("Keys")],
            selects=QTableWidget.SelectionMode.SingleSelection,
        )
        self.field = named(QKeySequenceEdit(), tr("New key"), height=CONTROL_HEIGHT)
        self.field.setMaximumSequenceLength(1)
        for part in self.field.findChildren(QLineEdit):
            named(part, tr("New key"), height=CONTROL_HEIGHT)
        self.assign = text_button(tr("Assign"), self._on_assign)
        self.remove = text_button(tr("Remove"), lambda: self._set(self.name, []))
        self.reset = text_button(tr("Reset"), self._on_reset)
        self.reset_all = text_button(tr("Reset All"), self._on_reset_all)
        self.note = QLabel()
        self.note.setObjectName("warning")
        self.note.setWordWrap(True)
        self._lay_out()
        self.preset.activated.connect(self._on_preset)
        self.search.textChanged.connect(self._filter)
        self.table.currentCellChanged.connect(lambda *_: self._on_row())
        self.field.keySequenceChanged.connect(lambda _: self._check())
        self.refresh()

    def refresh(self) -> None:
        keys = keys_for(self._settings.key_preset, self._settings.keys)
        rows = []
        for name, title, _ in self._actions.titles():
            native = (QKeySequence(key).toString(_NATIVE) for key in keys[name])
            rows.append((title + " *" * (name in self._settings.keys), ", ".join(native)))
        self.table.show_rows(rows)
        self._filter(self.search.text())
        self._on_row()

    def select(self, name: str) -> None:
        self.table.setCurrentCell(self._names.index(name), 0)

    @property
    def name(self) -> str:
        """The action of the current row, or ""."""
        row = self.table.currentRow()
        return self._names[row] if row >= 0 else ""

    def _on_row(self) -> None:
        chosen = bool(self.name)
        self.field.clear()
        nothing = "" if chosen else tr("no action is selected")
        enable(self.field, tr("Press the new key for the action."), nothing)
        enable(self.remove, tr("Removes the action's keys."), nothing)
        changed = self.name in self._settings.keys
        enable(
            self.reset,
            tr("Restores the key of the preset."),
            "" if changed else tr("it has the key of the preset"),
        )
        self._check()

    def _check(self) -> None:
        """Name the action that has the typed key already."""
        sequence = self.field.keySequence().toString()
        owner = self._owner_of(sequence)
        why_not = "" if self.name and sequence else tr("no key was pressed")
        if owner:
            why_not = tr("another action has this key")
        enable(self.assign, tr("Assigns the key to the action."), why_not)
        self.note.setText("")
        if owner:
            title = {name: title for name, title, _ in self._actions.titles()}[owner]
            self.note.setText(
                tr("{0} belongs to '{1}'. Remove it there first.").format(
                    self.field.keySequence().toString(_NATIVE), title
                )
            )

    def _owner_of(self, sequence: str) -> str:
        if not (sequence and self.name):
            return ""
        keys = keys_for(self._settings.key_preset, self._settings.keys)
        keys[self.name] = (*(key for key in keys[self.name] if key != sequence), sequence)
        names = conflicts(keys).get(sequence, [])
        return next((name for name in names if name != self.name), "")

    def _on_assign(self) -> None:
        name, sequence = self.name, self.field.keySequence().toString()
        keys = keys_for(self._settings.key_preset, self._settings.keys)[name]
        self._set(name, [sequence, *(key for key in keys if key != sequence)])

    def _on_reset(self) -> None:
        self._settings.keys.pop(self.name, None)
        self._apply()

    def _on_reset_all(self) -> None:
        self._settings.keys.clear()
        self._apply()

    def _on_preset(self) -> None:
        self._settings.key_preset = self.preset.currentText()
        self._apply()
        self._warn()

    def _set(self, name: str, keys: list[str]) -> None:
        self._settings.keys[name] = keys
        self._apply()

    def _apply(self) -> None:
        self._changed()
        self.refresh()

    def _warn(self) -> None:
        """The user's own keys may meet those of another preset."""
        found = conflicts(keys_for(self._settings.key_preset, self._settings.keys))
        if found:
            self.note.setText(
                tr("Used twice: {0}. Reset one of the actions.").format(", ".join(sorted(found)))
            )

    def _filter(self, text: str) -> None:
        words = text.casefold().split()
        for row in range(self.table.rowCount()):
            items = (self.table.item(row, 0), self.table.item(row, 1))
            line = " ".join(item.text() for item in items if item is not None).casefold()
            self.table.setRowHidden(row, not all(word in line for word in words))

    def _lay_out(self) -> None:
        top = fill(QHBoxLayout(), (self.preset, 1), (self.search, 2))
        buttons = (self.assign, self.remove, self.reset, self.reset_all)
        bottom = fill(QHBoxLayout(), (self.field, 1), *buttons)
        margins = (MARGIN, MARGIN, MARGIN, MARGIN)
        fill(QVBoxLayout(self), top, (self.table, 1), bottom, self.note, margins=margins)
        self.note.setMinimumHeight(5 * UNIT)


def show_keys(parent: QWidget, keys: Sequence[tuple[str, str]]) -> QDialog:
    dialog = QDialog(parent)
    table = ReadingTable(tr("Keys"), [tr("Action"), tr("Keys")])
    table.show_rows(keys)
    dialog_column(dialog, tr("Keyboard Shortcuts")).addWidget(table)
    dialog.resize(520, 560)
    dialog.open()
    return dialog
