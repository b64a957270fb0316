"""The canvas widget: zoom, pan, mouse and keys; draws background and overlay.

Turns mouse events into `Pointer`s for the tools and keeps no document state of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QResizeEvent,
    QTransform,
    QWheelEvent,
)
from PySide6.QtWidgets import QFrame, QGraphicsView, QWidget

from app.document.commands import Command
from app.document.document import Document
from app.document.geometry import Rect
from app.document.layer import Layer
from app.ui.canvas import overlay
from app.ui.canvas.decor import Decor, Draft
from app.ui.canvas.keys import ARROWS, Nudger
from app.ui.canvas.navigation import Navigation
from app.ui.canvas.scene import CanvasScene
from app.ui.canvas.tools import BoxTool, Pointer, SelectTool, Tool, box_label
from app.ui.selection import Selection
from app.ui.text import tr
from app.ui.theme import Colours
from app.ui.undo import UndoStack

DRAG_SLACK = 4
_NOT_KEYPAD = ~Qt.KeyboardModifier.KeypadModifier
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


class CanvasView(QGraphicsView):
    """Shows the scene; the host of the mouse tools.

    Signals:
        pointer_moved(x, y): canvas pixels under the mouse; -1, -1 when it left.
        zoom_changed(factor): screen pixels (device) per picture pixel.
        escape_pressed(): nothing was being dragged.
        enter_pressed(): take what is shown.
        before_held(held): C is down, or came up.
        drawing_changed(): a rectangle begins or ends to be drawn.
        stack_menu_asked(layers, at): Ctrl+right click; the layers there, topmost first.
        menu_asked(at): a right click on a layer, which is selected now, or on nothing.
    """

    pointer_moved = Signal(int, int)
    zoom_changed = Signal(float)
    escape_pressed = Signal()
    enter_pressed = Signal()
    before_held = Signal(bool)
    menu_asked = Signal(QPoint)
    stack_menu_asked = Signal(object, QPoint)
    drawing_changed = Signal()

    def __init__(
        self,
        scene: CanvasScene,
        selection: Selection,
        undo: UndoStack,
        colours: Colours,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(scene, parent)
        self.document: Document = scene.document
        self.canvas_scene = scene
        self.navigation = Navigation(self, self.document, self.zoom_changed.emit)
        self.decor = Decor(scene, selection, colours)
        self._selection = selection
        self._undo = undo
        self._nudger = Nudger(self.document, selection, undo)
        self._tools: dict[str, Tool] = {"select": SelectTool(self), "box": BoxTool(self)}
        self._tool_name = "select"
        self._is_panning = False
        self._space_is_down = False
        self._shows_focus = False
        self._pan_from = QPointF()
        self.snaps = True
        self.describe: Callable[[Rect, int | None], str] | None = None
        self.setObjectName("canvasView")
        self.setAccessibleName(tr("Canvas"))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setViewportUpdateMode(QGraphicsView.ViewportUpdateMode.FullViewportUpdate)
        self.setTransformationAnchor(QGraphicsView.ViewportAnchor.NoAnchor)
        self.setResizeAnchor(QGraphicsView.ViewportAnchor.NoAnchor)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scene.changed_on_screen.connect(self._refresh)
        selection.changed.connect(self._refresh)
        self._refresh()

    # ---- state ----

    @property
    def tool_name(self) -> str:
        """ "select", "box", "hand" or "zoom"."""
        return self._tool_name

    def set_tool(self, name: str) -> None:
        """Change the tool; a drag in progress is undone."""
        self.cancel_drag()
        self._tool_name = name
        self._update_cursor()

    def set_colours(self, colours: Colours) -> None:
        """Follow the theme."""
        self.decor.colours = colours
        self._refresh()

    def set_running(self, layer_ids: Collection[int]) -> None:
        """Which layers a job is making."""
        self.decor.running = frozenset(layer_ids)
        self._refresh()

    def cancel_drag(self) -> bool:
        """Undo the drag in progress.

        Returns:
            whether there was one.
        """
        tool = self._tools.get(self._tool_name)
        if tool is None or not tool.is_dragging:
            return False
        tool.cancel()
        self.decor.is_dragging = False
        self._refresh()
        return True

    def to_view(self) -> QTransform:
        """Canvas pixels to viewport pixels."""
        return self.viewportTransform()

    # ---- host of the tools ----

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
        return self.canvas_scene.layers_at(x, y)

    def layers_touching(self, rect: Rect) -> list[Layer]:
        """Layers that a marquee touches."""
        return self.canvas_scene.layers_touching(rect)

    def handle_at(self, x: float, y: float) -> str:
        """The handle under a canvas point."""
        return self.decor.handle_at(self.to_view().map(QPointF(x, y)), self.to_view())

    def describe_box(self, rect: Rect, layer_id: int | None) -> str:
        """The live label of a box; whoever knows what it costs sets `describe`."""
        if self.describe is None:
            return box_label(rect, self.document.grid)
        return self.describe(rect, layer_id)

    def show_moved(self, rects: dict[int, Rect]) -> None:
        """Show layers elsewhere while they are dragged."""
        self.canvas_scene.show_moved(rects)

    def show_draft(self, rect: Rect | None, text: str = "", *, is_box: bool = True) -> None:
        """Show a rectangle that is being dragged; None ends it."""
        was_drawing = self.decor.draft is not None
        self.decor.draft = None if rect is None else Draft(rect, text, is_box)
        self._refresh()
        if was_drawing != (rect is not None):
            self.drawing_changed.emit()

    # ---- painting ----

    def drawBackground(self, painter: QPainter, rect: QRectF | object) -> None:
        """Qt override: surround and checkerboard, in screen pixels."""
        painter.save()
        painter.resetTransform()
        ratio = self.devicePixelRatioF()
        self.decor.paint_ground(painter, self.to_view(), QRectF(self.viewport().rect()), ratio)
        painter.restore()

    def drawForeground(self, painter: QPainter, rect: QRectF | object) -> None:
        """Qt override: outlines, handles, labels and the focus ring, in screen pixels."""
        viewport = QRectF(self.viewport().rect())
        painter.save()
        painter.resetTransform()
        self.decor.paint(painter, self.to_view(), viewport, self.font())
        if self._shows_focus and self.hasFocus():
            overlay.focus_ring(painter, viewport, self.decor.colours)
        painter.restore()

    def sizeHint(self) -> QSize:
        """Qt override."""
        return QSize(720, 560)

    # ---- mouse ----

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Qt override."""
        button = event.button()
        wants_pan = self._space_is_down or self._tool_name == "hand"
        if button == Qt.MouseButton.MiddleButton or (
            button == Qt.MouseButton.LeftButton and wants_pan
        ):
            self._is_panning, self._pan_from = True, event.position()
            self._update_cursor()
        elif button == Qt.MouseButton.LeftButton and self._tool_name == "zoom":
            out = bool(event.modifiers() & Qt.KeyboardModifier.AltModifier)
            self.navigation.zoom_by(0.5 if out else 2.0, event.position())
        elif button == Qt.MouseButton.LeftButton:
            self._tools[self._tool_name].press(self._pointer(event))
            self._refresh()
        elif button == Qt.MouseButton.RightButton and not self.cancel_drag():
            self._ask_for_menu(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Qt override."""
        at = self.mapToScene(event.position().toPoint())
        self.pointer_moved.emit(int(at.x() // 1), int(at.y() // 1))
        if self._is_panning:
            delta = event.position() - self._pan_from
            self._pan_from = event.position()
            self.navigation.pan_by(delta)
            return
        tool = self._tools.get(self._tool_name)
        if tool is not None and event.buttons() & Qt.MouseButton.LeftButton:
            tool.move(self._pointer(event))
            self.decor.is_dragging = tool.is_dragging
            self._refresh()
        self._update_cursor(event.position())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Qt override."""
        if self._is_panning:
            self._is_panning = False
        elif event.button() == Qt.MouseButton.LeftButton and self._tool_name in self._tools:
            self._tools[self._tool_name].release(self._pointer(event))
            self.decor.is_dragging = False
            self._refresh()
        self._update_cursor(event.position())

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Qt override: a fast second click is a click."""
        self.mousePressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Qt override: who comes by key sees where the focus is."""
        self._shows_focus = event.reason() in (
            Qt.FocusReason.TabFocusReason,
            Qt.FocusReason.BacktabFocusReason,
        )
        super().focusInEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        """Qt override."""
        self.pointer_moved.emit(-1, -1)
        super().leaveEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Qt override: wheel scrolls, Shift sideways, Ctrl zooms at the pointer."""
        self.navigation.wheel(event)
        event.accept()

    # ---- keys ----

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Qt override: space, arrows and the Esc ladder; all other keys are actions."""
        key = event.key()
        if key == Qt.Key.Key_Space:
            self._space_is_down = True
            self._update_cursor()
        elif key == Qt.Key.Key_Escape:
            if not self.cancel_drag():
                self.escape_pressed.emit()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not event.modifiers() & _NOT_KEYPAD:
            self.enter_pressed.emit()
        elif key == Qt.Key.Key_C and not event.modifiers():
            self.before_held.emit(True)
        elif key in ARROWS:
            self._nudger.press(event)
        else:
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        """Qt override."""
        if event.isAutoRepeat():
            return
        if event.key() == Qt.Key.Key_Space:
            self._space_is_down = False
            self._update_cursor()
        elif event.key() == Qt.Key.Key_C:
            self.before_held.emit(False)
        elif event.key() in ARROWS:
            self._nudger.release()
        else:
            super().keyReleaseEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Qt override: until somebody zooms, the whole canvas stays in view."""
        super().resizeEvent(event)
        self.navigation.on_resized()

    # ---- inside ----

    def _pointer(self, event: QMouseEvent) -> Pointer:
        inverted, _ = self.to_view().inverted()
        at = inverted.map(event.position())
        modifiers = event.modifiers()
        return Pointer(
            at.x(),
            at.y(),
            DRAG_SLACK / self.to_view().m11(),
            shift=bool(modifiers & Qt.KeyboardModifier.ShiftModifier),
            ctrl=bool(modifiers & Qt.KeyboardModifier.ControlModifier),
            alt=bool(modifiers & Qt.KeyboardModifier.AltModifier),
        )

    def _ask_for_menu(self, event: QMouseEvent) -> None:
        at = self._pointer(event)
        layers = self.layers_at(at.x, at.y)
        if at.ctrl:
            self.stack_menu_asked.emit(layers, event.globalPosition().toPoint())
            return
        if layers and layers[0].id not in self._selection:
            self.select([layers[0].id])
        elif not layers:
            self.select([])
        self.menu_asked.emit(event.globalPosition().toPoint())

    def _update_cursor(self, at: QPointF | None = None) -> None:
        if self._is_panning:
            shape = Qt.CursorShape.ClosedHandCursor
        elif self._space_is_down or self._tool_name == "hand":
            shape = Qt.CursorShape.OpenHandCursor
        elif at is not None and (handle := self.decor.handle_at(at, self.to_view())):
            shape = _CURSORS[handle]
        elif self._tool_name in ("box", "zoom"):
            shape = Qt.CursorShape.CrossCursor
        else:
            shape = Qt.CursorShape.ArrowCursor
        self.viewport().setCursor(shape)

    def _refresh(self) -> None:
        self.viewport().update()
        selected = "; ".join(_spoken(layer) for layer in self._selection.layers())
        selected = selected or tr("nothing")
        canvas = self.document.canvas
        self.setAccessibleDescription(
            tr("Canvas {0} × {1}, {2} layers. Selected: {3}.").format(
                canvas.width, canvas.height, len(self.document.layers), selected
            )
        )


def _spoken(layer: Layer) -> str:
    """A layer as the canvas's description names it."""
    rect = layer.rect
    place = tr("{0}, {1} × {2} at {3}, {4}").format(
        layer.name, rect.width, rect.height, rect.x, rect.y
    )
    return place + ", " + (tr("visible") if layer.visible else tr("hidden"))
