"""Opacity and blend mode: bar, keys and menu become commands on the selection."""

from __future__ import annotations

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from app.document.blends import BLEND_MODES
from app.document.commands import SetBlend, SetOpacity
from app.ui.actions import Actions
from app.ui.canvas.input import OpacityKeys
from app.ui.panels.layer_list import LooksBar
from app.ui.session import Session
from app.ui.text import tr

MENU_PERCENTS = tuple(range(100, 0, -10))


class LooksWiring(QObject):
    """Connects the bar above the layer list.

    Args:
        typed_on: widgets on which digits set the opacity.
    """

    def __init__(
        self, session: Session, actions: Actions, bar: LooksBar, typed_on: tuple[QWidget, ...]
    ) -> None:
        super().__init__(bar)
        self._session = session
        self._actions = actions
        self._bar = bar
        self._digits = OpacityKeys(session.selection, session.undo, self)
        for widget in typed_on:
            widget.installEventFilter(self._digits)
        bar.blend_chosen.connect(self.set_blend)
        bar.opacity_chosen.connect(self._set_opacity)
        actions["blend_next"].triggered.connect(lambda: self.step_blend(1))
        actions["blend_previous"].triggered.connect(lambda: self.step_blend(-1))
        for mode in BLEND_MODES:
            actions[f"blend_{mode}"].triggered.connect(lambda _=False, m=mode: self.set_blend(m))
        for percent in MENU_PERCENTS:
            actions[f"opacity_{percent}"].triggered.connect(
                lambda _=False, p=percent: self._set_opacity(p, session.undo.new_gesture())
            )
        session.selection.changed.connect(self.refresh)
        session.document.events.changed.connect(self._on_changed)
        self.refresh()

    def refresh(self) -> None:
        """Show the selection's looks; say why they cannot change."""
        layers = self._session.selection.layers()
        self._bar.show_layers(layers)
        reason = "" if layers else tr("no layer is selected")
        locked = self._session.document.locked_name(layers)
        if locked:
            reason = tr("'{0}' is locked").format(locked)
        for name in ("blend_next", "blend_previous"):
            self._actions.set_enabled(name, reason)
        top = layers[-1] if layers else None
        for mode in BLEND_MODES:
            self._actions.set_enabled(f"blend_{mode}", reason)
            self._actions[f"blend_{mode}"].setChecked(top is not None and top.blend == mode)
        for percent in MENU_PERCENTS:
            self._actions.set_enabled(f"opacity_{percent}", reason)
            has_it = top is not None and round(top.opacity * 100) == percent
            self._actions[f"opacity_{percent}"].setChecked(has_it)

    def set_blend(self, mode: str) -> None:
        """One mode for all selected layers."""
        if ids := self._ids():
            self._session.push(SetBlend(ids, mode))
        self.refresh()  # also where nothing changed: a menu's tick stands for the layer

    def step_blend(self, step: int) -> None:
        """The next mode in the list, counted from the topmost selected layer's."""
        top = self._session.selection.top()
        if top is not None:
            place = BLEND_MODES.index(top.blend) if top.blend in BLEND_MODES else 0
            self.set_blend(BLEND_MODES[(place + step) % len(BLEND_MODES)])

    def _set_opacity(self, percent: int, gesture: int) -> None:
        if ids := self._ids():
            self._session.push(SetOpacity(ids, percent / 100, gesture))
        self.refresh()

    def _ids(self) -> list[int]:
        return [layer.id for layer in self._session.selection.layers()]

    def _on_changed(self, revision: int) -> None:
        self.refresh()
