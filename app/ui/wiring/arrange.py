"""Align and Distribute: menu and keys become one command on the selection."""

from __future__ import annotations

from typing import cast, get_args

from PySide6.QtCore import QObject

from app.document.commands import SetRects
from app.document.geometry import Axis, Rect, Side, aligned, distributed
from app.document.layer import Layer
from app.ui.actions import Actions
from app.ui.session import Session
from app.ui.text import tr


class ArrangeWiring(QObject):
    """Connects the actions of Layer > Align."""

    def __init__(self, session: Session, actions: Actions, parent: QObject) -> None:
        super().__init__(parent)
        self._session = session
        self._actions = actions
        for side in get_args(Side):
            actions[f"align_{side}"].triggered.connect(lambda _=False, s=side: self.align(s))
        for axis in get_args(Axis):
            actions[f"distribute_{axis}"].triggered.connect(
                lambda _=False, a=axis: self.distribute(a)
            )
        session.selection.changed.connect(self.refresh)
        session.document.events.changed.connect(self._on_changed)
        self.refresh()

    def refresh(self) -> None:
        """Enable what the selection allows."""
        layers = self._session.selection.foregrounds()
        reason = "" if layers else tr("no layer is selected")
        locked = self._session.document.locked_name(layers)
        if locked:
            reason = tr("'{0}' is locked").format(locked)
        for side in get_args(Side):
            self._actions.set_enabled(f"align_{side}", reason)
        few = reason or ("" if len(layers) > 2 else tr("three or more layers must be selected"))
        for axis in get_args(Axis):
            self._actions.set_enabled(f"distribute_{axis}", few)

    def align(self, side: str) -> None:
        """One layer to the canvas, several to what they cover."""
        canvas = self._session.document.canvas
        self._push(aligned(_rects(self._chosen()), cast(Side, side), canvas), "Align")

    def distribute(self, axis: str) -> None:
        """Equal gaps."""
        self._push(distributed(_rects(self._chosen()), cast(Axis, axis)), "Distribute")

    def _chosen(self) -> list[Layer]:
        return self._session.selection.foregrounds()

    def _push(self, rects: dict[int, Rect], verb: str) -> None:
        if rects:
            self._session.push(SetRects(self._on_grid(rects), verb))

    def _on_grid(self, rects: dict[int, Rect]) -> dict[int, Rect]:
        """Empty boxes go to the nearest cell: snapped outward they would grow."""
        document = self._session.document
        return {
            key: rect
            if document.layer(key).has_pixels
            else rect.moved_to_grid(document.grid, document.canvas)
            for key, rect in rects.items()
        }

    def _on_changed(self, revision: int) -> None:
        self.refresh()


def _rects(layers: list[Layer]) -> dict[int, Rect]:
    return {layer.id: layer.rect for layer in layers}
