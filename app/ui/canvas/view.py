"""The canvas widget: zoom, pan, mouse and keys; draws background and overlay."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtCore import QEvent, QPoint, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QResizeEvent,
    QTransform,
    QWheelEvent,
)
from PySide6.QtWidgets import QFrame, QGraphicsView

from app.document.layer import Layer
from app.session.selection import Selection
from app.session.undo import UndoStack
from app.ui.canvas import overlay_painter as overlay
from app.ui.canvas.drag_geometry import Pointer
from app.ui.canvas.input import ARROWS, Mouse, Nudger
from app.ui.canvas.navigation import Navigation
from app.ui.canvas.overlay_model import OverlayModel
from app.ui.canvas.scene import CanvasScene
from app.ui.panels.layer_state import state_of
from app.ui.text import tr
from app.ui.theme import Colours

_NOT_KEYPAD = ~Qt.KeyboardModifier.KeypadModifier


class CanvasView(QGraphicsView):
    """Shows the scene, and gives events to mouse and keys."""

    pointer_moved = Signal(int, int)  # x, y: canvas pixels under the mouse; -1, -1 when it left
    zoom_changed = Signal(float)  # factor: screen pixels (device) per picture pixel
    escape_pressed = Signal()  # nothing was being dragged
    enter_pressed = Signal()  # take what is shown
    before_held = Signal(bool)  # held: C is down, or came up
    # at: a right click on a layer, which is selected now, or on nothing; or the Menu key, which is
    # about what is selected.
    menu_asked = Signal(QPoint)
    stack_menu_asked = Signal(QPoint)  # at: Ctrl+right click
    layer_opened = Signal()  # a double click on a layer, which is selected now

    def __init__(
        self,
        scene: CanvasScene,
        selection: Selection,
        undo: UndoStack,
        colours: Colours,
        box_hint: Callable[[Layer], str],
        end_room: Callable[[], int],
    ) -> None:
        super().__init__(scene)
        self.document = scene.document
        self.canvas_scene = scene
        self.navigation = Navigation(self, self.document, self.zoom_changed.emit, end_room)
        self.decor = OverlayModel(scene, selection, colours, box_hint)
        self._selection = selection
        self._nudger = Nudger(self.document, selection, undo)
        self.mouse = Mouse(self, selection, undo, self.decor, self.navigation)
        self._shows_focus = False
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
        self.mouse.changed.connect(self._refresh)
        self.mouse.menu_asked.connect(self._ask_for_menu)
        scene.changed_on_screen.connect(self._refresh)
        selection.changed.connect(self._refresh)
        self.document.events.prompt_changed.connect(self._describe)  # a layer may be outdated
        self._refresh()

    def set_colours(self, colours: Colours) -> None:
        self.decor.colours = colours
        self._refresh()

    def set_running(self, words: Mapping[int, str]) -> None:
        self.decor.running = words
        self._refresh()

    def to_view(self) -> QTransform:
        return self.viewportTransform()

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
        return QSize(720, 560)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.mouse.press(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        at = self.mapToScene(event.position().toPoint())
        self.pointer_moved.emit(int(at.x() // 1), int(at.y() // 1))
        self.mouse.move(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self.mouse.release(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Qt override: a fast second click is a click, and opens what it picked."""
        self.mousePressEvent(event)
        if self.mouse.picks(event) and len(self._selection):
            self.layer_opened.emit()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Qt override: after the Tab key the focus shows."""
        self._shows_focus = event.reason() in (
            Qt.FocusReason.TabFocusReason,
            Qt.FocusReason.BacktabFocusReason,
        )
        super().focusInEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        self.pointer_moved.emit(-1, -1)
        super().leaveEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Qt override: zoom at the pointer, or scroll."""
        self.navigation.wheel(event)
        event.accept()

    def viewportEvent(self, event: QEvent) -> bool:
        """Qt override: two fingers on a touchpad zoom."""
        return self.navigation.pinch(event) or super().viewportEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Qt override: the Menu key and Shift+F10; the mouse has asked already."""
        if event.reason() == QContextMenuEvent.Reason.Keyboard:
            top = self._selection.top()
            rect = self.document.canvas.rect if top is None else top.rect
            place = self.mapFromScene(*rect.centre)
            if not self.viewport().rect().contains(place):
                place = self.viewport().rect().center()
            self.menu_asked.emit(self.viewport().mapToGlobal(place))
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Qt override: space, arrows and the Esc ladder; all other keys are actions."""
        key = event.key()
        if key == Qt.Key.Key_Space:
            self.mouse.set_space(True)
        elif key == Qt.Key.Key_Escape:
            if not self.mouse.cancel_drag():
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
        if event.isAutoRepeat():
            return
        if event.key() == Qt.Key.Key_Space:
            self.mouse.set_space(False)
        elif event.key() == Qt.Key.Key_C:
            self.before_held.emit(False)
        elif event.key() in ARROWS:
            self._nudger.release()
        else:
            super().keyReleaseEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Qt override: until the user zooms, the whole canvas stays in view."""
        super().resizeEvent(event)
        self.navigation.on_resized()

    def _ask_for_menu(self, at: Pointer, event: QMouseEvent) -> None:
        layers = self.canvas_scene.layers_at(at.x, at.y)
        if at.ctrl:
            self.stack_menu_asked.emit(event.globalPosition().toPoint())
            return
        # As for a drag the background is bare canvas here, unless it is what is selected:
        # it lies everywhere, and the canvas's own menu could never be reached.
        if layers and layers[0].id not in self._selection:
            on_canvas = layers[0].is_background
            self._selection.set([] if on_canvas else [layers[0].id])
        elif not layers:
            self._selection.clear()
        self.menu_asked.emit(event.globalPosition().toPoint())

    def _refresh(self) -> None:
        self.viewport().update()
        if not self.decor.is_dragging:  # a screen reader reads the end of a drag only
            self._describe()

    def _describe(self) -> None:
        selected = "; ".join(self._spoken(layer) for layer in self._selection.layers())
        selected = selected or tr("nothing")
        canvas = self.document.canvas
        self.setAccessibleDescription(
            tr("Canvas {0} × {1}, {2} layers. Selected: {3}.").format(
                canvas.width, canvas.height, len(self.document.layers), selected
            )
        )

    def _spoken(self, layer: Layer) -> str:
        rect = layer.rect
        place = tr("{0}, {1} × {2} at {3}, {4}").format(
            self.document.name_of(layer), rect.width, rect.height, rect.x, rect.y
        )
        seen = tr("visible") if layer.visible else tr("hidden")
        state = state_of(layer, self.document, self.decor.running)
        return ", ".join((place, seen, state.text))
