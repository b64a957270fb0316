"""Every QAction of the program, made from the table. Nothing here says what they do.

Scope "canvas": the key fires only while the canvas or the layer list has the focus, so that
letters never fire during typing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QWidget

from app.ui.action_table import SPECS, ActionSpec
from app.ui.app_state import AppState, StateStore
from app.ui.text import tr
from app.ui.theme import Colours
from app.ui.theme.icons import icon


class Actions:
    """All actions by name; they follow the state, and reading one brings it up to date first."""

    def __init__(self, parent: QWidget, store: StateStore) -> None:
        self._store = store
        self._actions: dict[str, QAction] = {}
        self._specs = {spec.name: spec for spec in SPECS}
        self._groups: dict[str, QActionGroup] = {}
        self._reasons: dict[str, str] = {}
        for spec in SPECS:
            action = QAction(tr(spec.text), parent)
            action.setObjectName(spec.name)
            action.setCheckable(spec.checkable)
            action.setIconVisibleInMenu(False)  # some with, some without would be restless
            action.setShortcuts([QKeySequence(key) for key in spec.keys])
            if spec.scope == "canvas":
                action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            else:
                parent.addAction(action)
            if spec.group:
                group = self._groups.setdefault(spec.group, QActionGroup(parent))
                group.addAction(action)
            if spec.checked_when is not None:
                # A click turns the tick over, and the state may stay as it is: it decides again.
                action.triggered.connect(lambda: store.mark())
            self._actions[spec.name] = action
        self._follow(store.state)
        for name in self._actions.keys() - self._reasons.keys():
            self._write_tip(name)
        store.changed.connect(self._follow)

    def __getitem__(self, name: str) -> QAction:
        self._store.flush()
        return self._actions[name]

    def __iter__(self) -> Iterator[QAction]:
        self._store.flush()
        return iter(self._actions.values())

    def connect(self, **slots: Callable[[], object]) -> None:
        """Call a function whenever the action of that name is triggered."""
        for name, slot in slots.items():
            self._actions[name].triggered.connect(lambda _=False, s=slot: s())

    def spec(self, name: str) -> ActionSpec:
        return self._specs[name]

    def install_canvas_keys(self, *widgets: QWidget) -> None:
        """Let the canvas-scoped keys fire while one of these widgets has the focus."""
        for spec in SPECS:
            if spec.scope == "canvas":
                for widget in widgets:
                    widget.addAction(self._actions[spec.name])

    def recolour(self, colours: Colours) -> None:
        for spec in SPECS:
            if spec.icon:
                self._actions[spec.name].setIcon(icon(spec.icon, colours))

    def set_keys(self, keys: Mapping[str, Sequence[str]]) -> None:
        """Give the actions other keys; the tooltips follow."""
        for name, sequences in keys.items():
            wanted = [QKeySequence(key) for key in sequences]
            if wanted != self._actions[name].shortcuts():
                self._actions[name].setShortcuts(wanted)
                self._write_tip(name)

    def titles(self) -> list[tuple[str, str, str]]:
        """(name, title, one sentence) of every action, in menu order."""
        return [(spec.name, spec_title(spec), tr(spec.tip)) for spec in SPECS]

    def plain_tip(self, name: str) -> str:
        """The sentence of an action, and if it is disabled the reason."""
        self._store.flush()
        reason = self._reasons.get(name, "")
        text = tr(self._specs[name].tip)
        return text if not reason else text + " " + tr("Disabled: {0}.").format(reason)

    def key_list(self) -> list[tuple[str, str]]:
        """(what it does, its keys) of every action that has a key, in menu order."""
        return [
            (
                spec_title(spec),
                ", ".join(
                    key.toString(QKeySequence.SequenceFormat.NativeText)
                    for key in self._actions[spec.name].shortcuts()
                ),
            )
            for spec in SPECS
            if self._actions[spec.name].shortcuts()
        ]

    def _follow(self, state: AppState) -> None:
        """Apply the rules; Qt leaves an action alone that is so already."""
        for spec in SPECS:
            action = self._actions[spec.name]
            if spec.checked_when is not None:
                action.setChecked(spec.checked_when(state))
            if spec.title_when is not None:
                action.setText(spec.title_when(state))
            if spec.enabled_when is not None:
                reason = spec.enabled_when(state)
                if reason != self._reasons.get(spec.name, ""):
                    self._reasons[spec.name] = reason
                    action.setEnabled(not reason)
                    self._write_tip(spec.name)
                if spec.when_needed:
                    action.setVisible(not reason)

    def _write_tip(self, name: str) -> None:
        action, spec = self._actions[name], self._specs[name]
        title = spec_title(spec)
        if keys := action.shortcuts():
            native = keys[0].toString(QKeySequence.SequenceFormat.NativeText)
            title = f"{title} ({native})"
        lines = [f"<b>{title}</b>", tr(spec.tip)]
        if reason := self._reasons.get(name, ""):
            lines.append(f"<i>{tr('Disabled: {0}.').format(reason)}</i>")
        action.setToolTip("<p style='white-space:pre-wrap'>" + "<br>".join(lines) + "</p>")
        action.setStatusTip("")


def plain(text: str) -> str:
    """Menu text without mnemonic and dots."""
    return text.replace("&", "").rstrip("…")


def spec_title(spec: ActionSpec) -> str:
    """What tooltips and the list of keys call an action."""
    return tr(spec.title) if spec.title else plain(tr(spec.text))
