"""Keys on the canvas: arrows nudge and size layers, digits set the opacity.

All repeats of one key press are one undo step. Knows nothing of the view.
"""

from __future__ import annotations

from PySide6.QtCore import QElapsedTimer, QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent

from app.document.commands import MoveLayers, SetOpacity, SetRect
from app.document.document import Document
from app.document.geometry import Rect
from app.document.layer import Layer
from app.session.selection import Selection
from app.session.undo import UndoStack

ARROWS: dict[int, tuple[int, int]] = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}
COARSE = 10
COARSE_CELLS = 4
TWO_DIGITS_MS = 600


class OpacityKeys(QObject):
    """Digits set the opacity of the selection: 1-9 = 10-90 %, 0 = 100 %, two in a row = exact.

    An event filter of the canvas and the layer list: matched by the character, so that Shift is
    fine where digits need it.
    """

    def __init__(self, selection: Selection, undo: UndoStack, parent: QObject) -> None:
        super().__init__(parent)
        self._selection = selection
        self._undo = undo
        self._first: str = ""
        self._gesture: int | None = None
        self._since = QElapsedTimer()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Qt override."""
        if event.type() != QEvent.Type.KeyPress or not isinstance(event, QKeyEvent):
            return False
        held = event.modifiers() & (
            Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier
        )
        digit = event.text()
        if held or len(digit) != 1 or digit not in "0123456789" or event.isAutoRepeat():
            return False
        self._type(digit)
        return True

    def _type(self, digit: str) -> None:
        ids = [layer.id for layer in self._selection.layers()]
        if not ids:
            return
        follows = self._first and self._since.elapsed() < TWO_DIGITS_MS
        if follows:
            value, self._first = int(self._first + digit), ""
        else:
            value, self._first = int(digit) * 10 or 100, digit
            self._gesture = self._undo.new_gesture()
        self._since.start()
        self._undo.push(SetOpacity(ids, value / 100, self._gesture))


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
            if len(layers) != 1:
                continue
            unit = self._document.grid
            if layer.has_pixels:
                step, unit = COARSE if cells > 1 else 1, 1
            width = max(unit, layer.rect.width + dx * step)
            height = max(unit, layer.rect.height + dy * step)
            rect = Rect(layer.rect.x, layer.rect.y, width, height)
            self._undo.push(SetRect(layer.id, rect, gesture=self._gesture))
