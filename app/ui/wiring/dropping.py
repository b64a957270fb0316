"""What is dropped on the canvas: pictures where they fall, layouts as boxes."""

from __future__ import annotations

from typing import Protocol

from PySide6.QtCore import QEvent, QMimeData, QObject, QPointF
from PySide6.QtGui import QDragEnterEvent, QDropEvent

from app.ui.canvas.view import CanvasView
from app.ui.mime_data import Offered, can_be_offered, offered_by
from app.ui.panels.layer_rows import MIME_ROWS


class TakesOffers(Protocol):
    """Who adds what was dropped."""

    def take(self, offered: Offered, centre: tuple[int, int] | None = None) -> bool: ...


class Drops(QObject):
    """Watches the canvas for what is dropped on it."""

    def __init__(self, takes: TakesOffers, view: CanvasView) -> None:
        super().__init__(view)
        self._takes = takes
        self._view = view
        view.viewport().setAcceptDrops(True)
        view.viewport().installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Qt override: files and pictures that are dropped on the canvas."""
        if isinstance(event, QDragEnterEvent) and _is_foreign(event.mimeData()):
            event.acceptProposedAction()
            return True
        if event.type() == QEvent.Type.DragMove and isinstance(event, QDropEvent):
            event.acceptProposedAction()
            return True
        if event.type() == QEvent.Type.Drop and isinstance(event, QDropEvent):
            data = event.mimeData()
            if _is_foreign(data) and self.take_dropped(offered_by(data), event.position()):
                event.acceptProposedAction()
            return True
        return super().eventFilter(watched, event)

    def take_dropped(self, offered: Offered, at: QPointF) -> bool:
        """Around a place of the viewport; whether there was something to take or to refuse."""
        inverse, _ = self._view.to_view().inverted()
        place = inverse.map(at)
        return self._takes.take(offered, (round(place.x()), round(place.y())))


def _is_foreign(data: QMimeData) -> bool:
    """Not our own rows: asking for their files would write them."""
    return not data.hasFormat(MIME_ROWS) and can_be_offered(data)
