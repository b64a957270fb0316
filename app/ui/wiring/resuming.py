"""How a file was looked at when it was saved: told to the file, and shown again when it opens."""

from __future__ import annotations

from PySide6.QtCore import QPointF

from app.document.storage.project_format import View
from app.ui.canvas.view import CanvasView
from app.ui.session import Session

_ZOOM_DIGITS = 4


class Resuming:
    """Zoom, place and selection of one window."""

    def __init__(self, session: Session, view: CanvasView) -> None:
        self._session = session
        self._view = view

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
