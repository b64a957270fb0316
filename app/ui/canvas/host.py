"""Host of the mouse tools: what they may see and do, on a real document, scene and selection."""

from __future__ import annotations

from collections.abc import Callable, Collection

from PySide6.QtCore import QObject, QPointF, Signal
from PySide6.QtGui import QTransform

from app.document.commands import Command
from app.document.document import Document
from app.document.geometry import Rect
from app.document.layer import Layer
from app.session.selection import Selection
from app.session.undo import UndoStack
from app.ui.canvas.decor import Decor
from app.ui.canvas.draft import Draft, DraftKind
from app.ui.canvas.scene import CanvasScene


class ToolHost(QObject):
    """See `tools.Host`.

    Args:
        to_view: gives the map from canvas pixels to viewport pixels.

    Attributes:
        snaps: dragged layers stop at grid lines and at the middle of the canvas.

    Signals:
        box_added(layer_id, was_cut): a box was drawn; whether the canvas's edge cut it.
        changed(): the overlay looks different.
        drawing_changed(): a rectangle begins or ends to be drawn.
    """

    box_added = Signal(int, bool)
    changed = Signal()
    drawing_changed = Signal()

    def __init__(
        self,
        scene: CanvasScene,
        selection: Selection,
        undo: UndoStack,
        decor: Decor,
        to_view: Callable[[], QTransform],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.document: Document = scene.document
        self.snaps = True
        self._scene = scene
        self._selection = selection
        self._undo = undo
        self._decor = decor
        self._to_view = to_view

    def push(self, command: Command) -> bool:
        """Do a command as one undo step."""
        return self._undo.push(command)

    def selected(self) -> frozenset[int]:
        """Ids of the selected layers."""
        return self._selection.ids

    def select(self, ids: Collection[int]) -> None:
        """Select exactly these."""
        self._selection.set(ids)

    def layers_at(self, x: float, y: float) -> list[Layer]:
        """Layers under a canvas point, best pick first."""
        return self._scene.layers_at(x, y)

    def layers_touching(self, rect: Rect) -> list[Layer]:
        """Layers that a marquee touches."""
        return self._scene.layers_touching(rect)

    def handle_at(self, x: float, y: float) -> str:
        """The handle under a canvas point, or ""."""
        to_view = self._to_view()
        return self._decor.handle_at(to_view.map(QPointF(x, y)), to_view)

    def show_moved(self, rects: dict[int, Rect], *, copies: bool = False) -> None:
        """Show layers, or copies of them, elsewhere while they are dragged."""
        self._scene.show_moved(rects, copies=copies)

    def tell_added(self, layer_id: int, *, was_cut: bool) -> None:
        """A box was drawn."""
        self.box_added.emit(layer_id, was_cut)

    def show_draft(self, rect: Rect | None, text: str = "", kind: DraftKind = "drawn") -> None:
        """Show a rectangle that is being dragged; None ends it."""
        was_drawing = self._decor.draft is not None
        if rect is None and not was_drawing:
            return
        self._decor.draft = None if rect is None else Draft(rect, text, kind)
        self.changed.emit()
        if was_drawing != (rect is not None):
            self.drawing_changed.emit()
