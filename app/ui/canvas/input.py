"""Mouse and keys of the canvas."""

from __future__ import annotations

from PySide6.QtCore import QElapsedTimer, QEvent, QObject, QPointF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QGraphicsView

from app.document import Document, Layer, Rect
from app.document.commands import MoveLayers, SetOpacity, SetRect
from app.session.selection import Selection
from app.session.undo import UndoStack
from app.ui.canvas.drag_geometry import Pointer
from app.ui.canvas.navigation import Navigation
from app.ui.canvas.overlay_model import OverlayModel
from app.ui.canvas.tools import BoxTool, SelectTool, Tool, ToolContext

DRAG_SLACK = 4
_CURSORS = {
    "nw": Qt.CursorShape.SizeFDiagCursor,
    "se": Qt.CursorShape.SizeFDiagCursor,
    "ne": Qt.CursorShape.SizeBDiagCursor,
    "sw": Qt.CursorShape.SizeBDiagCursor,
    "n": Qt.CursorShape.SizeVerCursor,
    "s": Qt.CursorShape.SizeVerCursor,
    "e": Qt.CursorShape.SizeHorCursor,
    "w": Qt.CursorShape.SizeHorCursor,
}

ARROWS: dict[int, tuple[int, int]] = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}
COARSE = 10
COARSE_CELLS = 4
TWO_DIGITS_MS = 600


class Mouse(ToolContext):
    """The mouse of one view: it moves the view, or a tool acts."""

    menu_asked = Signal(object, object)  # pointer, event: a right click that ended no drag

    def __init__(
        self,
        view: QGraphicsView,
        selection: Selection,
        undo: UndoStack,
        overlay: OverlayModel,
        navigation: Navigation,
    ) -> None:
        super().__init__(view, selection, undo, overlay)
        self._navigation = navigation
        self._tools: dict[str, Tool] = {"select": SelectTool(self), "box": BoxTool(self)}
        self._tool_name = "select"
        self._is_panning = False
        self._space_is_down = False
        self._pan_from = QPointF()

    @property
    def tool_name(self) -> str:
        """ "select", "box", "hand" or "zoom"."""
        return self._tool_name

    def set_tool(self, name: str) -> None:
        """Change the tool; a drag in progress is undone."""
        self.cancel_drag()
        self._tool_name = name
        self._overlay.handles_reach_out = name != "box"
        self.update_cursor()

    def set_space(self, is_down: bool) -> None:
        """The space bar pans in every tool."""
        self._space_is_down = is_down
        self.update_cursor()

    def cancel_drag(self) -> bool:
        """Undo the drag in progress; False when there is none."""
        tool = self._tools.get(self._tool_name)
        if tool is None or not tool.is_dragging:
            return False
        tool.cancel()
        self._overlay.is_dragging = False
        self.changed.emit()
        return True

    def press(self, event: QMouseEvent) -> None:
        button = event.button()
        is_left = button == Qt.MouseButton.LeftButton
        wants_pan = self._space_is_down or self._tool_name == "hand"
        if button == Qt.MouseButton.MiddleButton or (is_left and wants_pan):
            self._is_panning, self._pan_from = True, event.position()
            self.update_cursor()
        elif is_left and self._tool_name == "zoom":
            out = bool(event.modifiers() & Qt.KeyboardModifier.AltModifier)
            self._navigation.zoom_by(0.5 if out else 2.0, event.position())
        elif is_left:
            self._tools[self._tool_name].press(self._pointer(event))
            self.changed.emit()
        elif button == Qt.MouseButton.RightButton and not self.cancel_drag():
            self.menu_asked.emit(self._pointer(event), event)

    def move(self, event: QMouseEvent) -> None:
        if self._is_panning:
            delta = event.position() - self._pan_from
            self._pan_from = event.position()
            self._navigation.pan_by(delta)
            return
        tool = self._tools.get(self._tool_name)
        if tool is not None and event.buttons() & Qt.MouseButton.LeftButton:
            tool.move(self._pointer(event))
            self._overlay.is_dragging = tool.is_dragging
            self.changed.emit()
        self.update_cursor(event.position())

    def release(self, event: QMouseEvent) -> None:
        if self._is_panning:
            self._is_panning = False
        elif event.button() == Qt.MouseButton.LeftButton and self._tool_name in self._tools:
            self._tools[self._tool_name].release(self._pointer(event))
            self._overlay.is_dragging = False
            self.changed.emit()
        self.update_cursor(event.position())

    def picks(self, event: QMouseEvent) -> bool:
        """Whether a press of this kind selects what is under it, and nothing else."""
        is_plain = event.button() == Qt.MouseButton.LeftButton and not event.modifiers()
        return is_plain and self._tool_name in self._tools and not self._is_panning

    def update_cursor(self, at: QPointF | None = None) -> None:
        """Say with the cursor what a press would do at a viewport point."""
        if self._is_panning:
            shape = Qt.CursorShape.ClosedHandCursor
        elif self._space_is_down or self._tool_name == "hand":
            shape = Qt.CursorShape.OpenHandCursor
        elif at is not None and (
            handle := self._overlay.handle_at(at, self._view.viewportTransform())
        ):
            shape = _CURSORS[handle]
        elif self._tool_name in ("box", "zoom"):
            shape = Qt.CursorShape.CrossCursor
        else:
            shape = Qt.CursorShape.ArrowCursor
        if self._view.viewport().cursor().shape() != shape:
            self._view.viewport().setCursor(shape)

    def _pointer(self, event: QMouseEvent) -> Pointer:
        to_view = self._view.viewportTransform()
        inverted, _ = to_view.inverted()
        at = inverted.map(event.position())
        modifiers = event.modifiers()
        return Pointer(
            at.x(),
            at.y(),
            DRAG_SLACK / to_view.m11(),
            shift=bool(modifiers & Qt.KeyboardModifier.ShiftModifier),
            ctrl=bool(modifiers & Qt.KeyboardModifier.ControlModifier),
            alt=bool(modifiers & Qt.KeyboardModifier.AltModifier),
            space=self._space_is_down,
        )


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
        if self._gesture is None or not event.isAutoRepeat():
            self._gesture = self._undo.new_gesture()
        layers = [layer for layer in self._selection.foregrounds() if not layer.locked]
        if not layers:
            return
        dx, dy = ARROWS[event.key()]
        modifiers = event.modifiers()
        coarse = bool(modifiers & Qt.KeyboardModifier.ShiftModifier)
        if modifiers & Qt.KeyboardModifier.AltModifier:
            if len(layers) == 1:
                self._resize(layers[0], dx, dy, COARSE_CELLS if coarse else 1)
            return
        with_pixels = [layer for layer in layers if layer.has_pixels]
        if with_pixels:  # boxes among them would only jump from cell to cell
            step = COARSE if coarse else 1
        else:
            step = self._document.grid * (COARSE_CELLS if coarse else 1)
        ids = [layer.id for layer in with_pixels or layers]
        self._undo.push(MoveLayers(ids, dx * step, dy * step, gesture=self._gesture))

    def release(self) -> None:
        self._gesture = None

    def _resize(self, layer: Layer, dx: int, dy: int, cells: int) -> None:
        step, unit = self._document.grid * cells, self._document.grid
        if layer.has_pixels:
            step, unit = COARSE if cells > 1 else 1, 1
        width = max(unit, layer.rect.width + dx * step)
        height = max(unit, layer.rect.height + dy * step)
        rect = Rect(layer.rect.x, layer.rect.y, width, height)
        self._undo.push(SetRect(layer.id, rect, gesture=self._gesture))
