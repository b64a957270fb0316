"""Arrow keys on the canvas: nudge layers, move and size empty boxes.

All repeats of one key press are one undo step. Knows nothing of the view.
"""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent

from app.document.commands import MoveLayers, SetRect
from app.document.document import Document
from app.document.geometry import Rect
from app.document.layer import Layer
from app.ui.selection import Selection
from app.ui.undo import UndoStack

ARROWS: dict[int, tuple[int, int]] = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}
COARSE = 10
COARSE_CELLS = 4


class Nudger:
    """Turns arrow keys into commands of one gesture per press."""

    def __init__(self, document: Document, selection: Selection, undo: UndoStack) -> None:
        self._document = document
        self._selection = selection
        self._undo = undo
        self._gesture: int | None = None

    def press(self, event: QKeyEvent) -> None:
        """An arrow key went down, or repeats."""
        if self._gesture is None or not event.isAutoRepeat():
            self._gesture = self._undo.new_gesture()
        layers = [layer for layer in self._selection.foregrounds() if not layer.locked]
        if not layers:
            return
        dx, dy = ARROWS[event.key()]
        modifiers = event.modifiers()
        coarse = bool(modifiers & Qt.KeyboardModifier.ShiftModifier)
        if modifiers & Qt.KeyboardModifier.AltModifier:
            self._resize(layers, dx, dy, COARSE_CELLS if coarse else 1)
            return
        with_pixels = [layer for layer in layers if layer.has_pixels]
        if with_pixels:  # boxes among them would only jump from cell to cell
            step = COARSE if coarse else 1
        else:
            step = self._document.grid * (COARSE_CELLS if coarse else 1)
        ids = [layer.id for layer in with_pixels or layers]
        self._undo.push(MoveLayers(ids, dx * step, dy * step, gesture=self._gesture))

    def release(self) -> None:
        """The key came up: the next press is another step."""
        self._gesture = None

    def _resize(self, layers: list[Layer], dx: int, dy: int, cells: int) -> None:
        step = self._document.grid * cells
        for layer in layers:
            if layer.has_pixels or len(layers) != 1:
                continue
            width = max(self._document.grid, layer.rect.width + dx * step)
            height = max(self._document.grid, layer.rect.height + dy * step)
            rect = Rect(layer.rect.x, layer.rect.y, width, height)
            self._undo.push(SetRect(layer.id, rect, gesture=self._gesture))
