"""How a document is met: as its file was looked at, with the tool for what comes next."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPointF

from app.document.storage.ora.project import View
from app.ui.actions import Actions
from app.ui.canvas.view import CanvasView
from app.ui.session import Session

_ZOOM_DIGITS = 4


class Resuming:
    """Zoom, place, selection, tool and focus of one window."""

    def __init__(self, session: Session, actions: Actions, view: CanvasView) -> None:
        self._session = session
        self._actions = actions
        self._view = view

    def start(self) -> None:
        """A new picture begins as the first one does: the prompt waits for words, a drag draws."""
        self._actions["tool_box"].trigger()
        self._actions["focus_prompt"].trigger()

    def choose_tool(self) -> None:
        """A finished picture is there to be changed, a layout to be drawn."""
        is_finished = any(layer.has_pixels for layer in self._session.document.layers)
        self._actions["tool_select" if is_finished else "tool_box"].trigger()

    def through(self, step: Callable[[], object]) -> None:
        """Undo or redo; where that brings another document, or the empty one, its tool as well."""
        before = self._session.sitting, self._is_empty()
        step()
        if (self._session.sitting, self._is_empty()) != before:
            self.choose_tool()

    def _is_empty(self) -> bool:
        contents = self._session.document.contents
        return not contents.foregrounds and not contents.background.has_pixels

    def now(self) -> View:
        """How the document is looked at."""
        navigation = self._view.navigation
        centre = navigation.centre.toPoint()
        return View(
            zoom=None if navigation.follows_fit else round(navigation.zoom, _ZOOM_DIGITS),
            centre=(centre.x(), centre.y()),
            selected=tuple(layer.number for layer in self._session.selection.layers()),
        )

    def show(self, view: View | None) -> None:
        """Look at the document so; None = at all of it."""
        if view is None:
            return
        selected = [
            layer.id for layer in self._session.document.layers if layer.number in view.selected
        ]
        self._session.selection.set(selected)
        if view.zoom is not None:
            self._view.navigation.look_at(QPointF(*view.centre), view.zoom)
