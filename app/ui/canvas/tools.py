"""Mouse tools as small state machines: one selects, moves and resizes, the other draws boxes.

Plain numbers in, commands out, so that a drag can be read and tested as one story.
Coordinates are canvas pixels; `Pointer.slack` says how many of them 4 screen pixels are.
"""

from __future__ import annotations

import math
from dataclasses import replace

from PySide6.QtCore import QObject, QPointF, Signal
from PySide6.QtWidgets import QGraphicsView

from app.document import Document, Layer, Rect
from app.document.commands import AddBox, DuplicateLayers, MoveLayers, SetRect
from app.session.selection import Selection
from app.session.undo import UndoStack
from app.ui.canvas.drag_geometry import (
    Handle,
    Pointer,
    drawn_rect,
    resized_box,
    resized_picture,
    snapped,
    square_on_grid,
)
from app.ui.canvas.overlay_model import Draft, DraftKind, OverlayModel

# Lines catch from 6 screen pixels on; `Pointer.slack` is 4 of them.
SNAP_SLACKS = 1.5


class ToolContext(QObject):
    """What the tools act on, and the rectangle that follows the mouse."""

    # layer_id, was_cut: a box was drawn; whether the canvas's edge cut it.
    box_added = Signal(int, bool)
    changed = Signal()  # the overlay may look different
    drawing_changed = Signal()  # a rectangle begins or ends to be drawn

    def __init__(
        self, view: QGraphicsView, selection: Selection, undo: UndoStack, overlay: OverlayModel
    ) -> None:
        super().__init__(view)
        self.scene = overlay.scene
        self.document = overlay.scene.document
        self.selection = selection
        self.undo = undo
        self.snaps = True  # dragged layers stop at grid lines and at the middle of the canvas
        self._overlay = overlay
        self._view = view

    def handle_at(self, x: float, y: float) -> str:
        """The handle under a canvas point, or ""."""
        to_view = self._view.viewportTransform()
        return self._overlay.handle_at(to_view.map(QPointF(x, y)), to_view)

    def show_draft(self, rect: Rect | None, text: str = "", kind: DraftKind = "drawn") -> None:
        """Show a rectangle that is being dragged; None ends it."""
        was_drawing = self._overlay.draft is not None
        if rect is None and not was_drawing:
            return
        self._overlay.draft = None if rect is None else Draft(rect, text, kind)
        self.changed.emit()
        if was_drawing != (rect is not None):
            self.drawing_changed.emit()


class Tool:
    """Base: a press, moves, and a release or a cancel."""

    def __init__(self, context: ToolContext) -> None:
        self.context = context
        self.document = context.document
        self.scene = context.scene
        self.selection = context.selection
        self.undo = context.undo
        self.is_dragging = False

    def press(self, at: Pointer) -> None:
        """The left button went down."""

    def move(self, at: Pointer) -> None:
        """The mouse moved with the button down."""

    def release(self, at: Pointer) -> None:
        """The button came up."""

    def cancel(self) -> None:
        self.is_dragging = False
        self.scene.show_moved({})
        self.context.show_draft(None)


def box_label(rect: Rect) -> str:
    """The label of a box that is drawn or resized: "192 × 128"."""
    return f"{rect.width} × {rect.height}"


class SelectTool(Tool):
    """Click picks, drag moves, handles resize, drag on nothing is a marquee."""

    def __init__(self, context: ToolContext) -> None:
        super().__init__(context)
        self._start: Pointer | None = None
        self._mode = ""
        self._layers: list[Layer] = []
        self._below: list[Layer] = []
        self._grabbed: Layer | None = None
        self._before: frozenset[int] = frozenset()
        self._handle = ""
        self._offset = (0, 0)
        self._rect: Rect | None = None

    def press(self, at: Pointer) -> None:
        self._start, self._mode, self._offset, self._rect = at, "", (0, 0), None
        self._before = self.selection.ids
        self._handle = self.context.handle_at(at.x, at.y)
        if self._handle:
            (layer_id,) = self._before
            self._grabbed = self.document.layer(layer_id)
            self._mode = "resize"
            return
        self._below = self.scene.layers_at(at.x, at.y)
        self._grabbed = self._below[0] if self._below else None
        if at.ctrl or at.shift:  # what is selected already goes before what lies above it
            held = [layer for layer in self._below if layer.id in self._before]
            self._grabbed = held[0] if held else self._grabbed
        if self._grabbed is None or self._grabbed.is_background:
            self._mode = "marquee"
            return
        self._mode = "move"
        # With a key held, a click means something else than a drag: wait for which it is.
        if self._grabbed.id not in self._before and not (at.ctrl or at.shift):
            self.selection.set([self._grabbed.id])

    def move(self, at: Pointer) -> None:
        start = self._start
        if start is None:
            return
        if not self.is_dragging:
            if math.hypot(at.x - start.x, at.y - start.y) < start.slack:
                return
            self.is_dragging = True
            if self._mode == "move":
                if self._grabbed is not None and self._grabbed.id not in self._before:
                    added = self._before if at.shift else frozenset()
                    self.selection.set(added | {self._grabbed.id})
                chosen = map(self.document.layer, self.selection.ids)
                self._layers = [x for x in chosen if not (x.is_background or x.locked)]
        if self._mode == "move":
            self._drag_layers(start, at)
        elif self._mode == "resize":
            self._drag_handle(at)
        else:
            rect = Rect.from_corners(round(start.x), round(start.y), round(at.x), round(at.y))
            self.context.show_draft(rect, kind="marquee")
            touched = frozenset(layer.id for layer in self.scene.layers_touching(rect))
            self.selection.set(self._before | touched if at.shift else touched)

    def release(self, at: Pointer) -> None:
        start, dragged = self._start, self.is_dragging
        self._start, self.is_dragging = None, False
        self.scene.show_moved({})
        self.context.show_draft(None)
        if start is None:
            return
        if not dragged:
            self._click(at)
            return
        # A key or a result may have taken layers away during the drag.
        ids = [layer.id for layer in self._layers if self.document.has_layer(layer.id)]
        if self._mode == "move" and ids and self._offset != (0, 0):
            if at.alt:
                copies = DuplicateLayers(ids, offset=self._offset)
                if self.undo.push(copies):
                    self.selection.set(copies.new_ids)
            else:
                self.undo.push(MoveLayers(ids, *self._offset))
        elif self._mode == "resize" and self._grabbed is not None and self._rect is not None:
            if not self.document.has_layer(self._grabbed.id):
                return
            self.undo.push(SetRect(self._grabbed.id, self._rect))

    def cancel(self) -> None:
        super().cancel()
        if self._start is not None:
            self._start = None
            self.selection.set(self._before)

    def _click(self, at: Pointer) -> None:
        if self._mode == "resize" or self._grabbed is None:
            if self._mode == "marquee" and not at.shift:
                self.selection.set([])
        elif at.shift:
            self.selection.set(self._before ^ {self._below[0].id})
        elif at.ctrl:
            self.selection.set([_next_below(self._below, self._before).id])
        else:
            self.selection.set([self._grabbed.id])

    def _drag_layers(self, start: Pointer, at: Pointer) -> None:
        document = self.document
        if not self._layers:
            return
        dx, dy = round(at.x - start.x), round(at.y - start.y)
        if at.shift:  # along one axis
            dx, dy = (dx, 0) if abs(dx) >= abs(dy) else (0, dy)
        grabbed = next((layer for layer in self._layers if layer is self._grabbed), self._layers[0])
        if self.context.snaps and not at.ctrl:
            # An axis that was not moved keeps its place, also one off the grid.
            rect, step, canvas = grabbed.rect, document.grid, document.canvas
            # An empty box goes from cell to cell anyway, and what is dragged with it as well.
            reach = at.slack * SNAP_SLACKS if grabbed.has_pixels else math.inf
            dx = snapped(rect.x, rect.width, dx, step, canvas.width, reach) if dx else 0
            dy = snapped(rect.y, rect.height, dy, step, canvas.height, reach) if dy else 0
        self._offset = (dx, dy)
        rects = {layer.id: moved(layer, dx, dy, document) for layer in self._layers}
        self.scene.show_moved(rects, copies=at.alt)

    def _drag_handle(self, at: Pointer) -> None:
        layer = self._grabbed
        if layer is None:
            return
        document = self.document
        reach = at.slack * SNAP_SLACKS if self.context.snaps and not at.ctrl else 0.0
        drag = Handle(self._handle, at.x, at.y, at.shift, at.alt, reach)
        if layer.has_pixels:
            self._rect = resized_picture(layer.rect, drag, document.grid)
        else:
            self._rect = resized_box(layer.rect, drag, document.grid, document.canvas)
        self.scene.show_moved({layer.id: self._rect})
        self.context.show_draft(self._rect, box_label(self._rect), "resized")


def moved(layer: Layer, dx: int, dy: int, document: Document) -> Rect:
    """Where a layer comes to lie: empty boxes stay on the grid and inside."""
    rect = layer.rect.translated(dx, dy)
    return rect if layer.has_pixels else rect.moved_to_grid(document.grid, document.canvas)


def _next_below(stack: list[Layer], selected: frozenset[int]) -> Layer:
    """The layer under the selected one at this point; from the lowest, the topmost again."""
    for place, layer in enumerate(stack):
        if layer.id in selected:
            return stack[(place + 1) % len(stack)]
    return stack[0]


class BoxTool(Tool):
    """Drag draws a new box on the grid; a click selects what is not the background.

    A drag may begin and end outside of the canvas: the box is cut to it, because the model paints
    inside the canvas only.

    Handles of the selection work too, inside of it: a press outside draws the next box.

    Space held during the drag moves the box instead.
    """

    def __init__(self, context: ToolContext) -> None:
        super().__init__(context)
        self._start: Pointer | None = None
        self._last: Pointer | None = None
        self._resizer = SelectTool(context)
        self._is_resizing = False

    def press(self, at: Pointer) -> None:
        self._is_resizing = bool(self.context.handle_at(at.x, at.y))
        if self._is_resizing:
            self._resizer.press(at)
        else:
            self._start = self._last = at

    def move(self, at: Pointer) -> None:
        if self._is_resizing:
            self._resizer.move(at)
            self.is_dragging = self._resizer.is_dragging
            return
        if self._start is None:
            return
        if at.space and self._last is not None:  # the box goes with the mouse as it is
            dx, dy = at.x - self._last.x, at.y - self._last.y
            self._start = replace(self._start, x=self._start.x + dx, y=self._start.y + dy)
        self._last = at
        if math.hypot(at.x - self._start.x, at.y - self._start.y) >= self._start.slack:
            self.is_dragging = True
        if self.is_dragging and self._touches_canvas(at):
            rect = self._snapped(at)
            self.context.show_draft(rect, box_label(rect))
        else:
            self.context.show_draft(None)

    def release(self, at: Pointer) -> None:
        if self._is_resizing:
            self._is_resizing = self.is_dragging = False
            self._resizer.release(at)
            return
        start, dragged = self._start, self.is_dragging
        if start is None:
            return
        rect, drawn, touches = self._snapped(at), drawn_rect(start, at), self._touches_canvas(at)
        self._start, self.is_dragging = None, False
        self.context.show_draft(None)
        if dragged and not touches:
            return
        if not dragged:
            # The background is everywhere: a click next to all layers means none of them.
            below = [x for x in self.scene.layers_at(at.x, at.y) if not x.is_background]
            self.selection.set([x.id for x in below[:1]])
            return
        top = self.selection.top()
        command = AddBox(rect, above=top.id if top else None)
        if self.undo.push(command):
            self.selection.set([command.layer_id])
            grid, canvas = self.document.grid, self.document.canvas.rect
            common = drawn.intersect(canvas)
            is_shorter = (
                common is None
                or max(drawn.width - common.width, drawn.height - common.height) >= grid
            )
            self.context.box_added.emit(command.layer_id, is_shorter)

    def cancel(self) -> None:
        self._resizer.cancel()
        super().cancel()
        self._start = self._last = None
        self._is_resizing = False

    def _touches_canvas(self, at: Pointer) -> bool:
        """A drag may begin and end outside of the canvas; one that never meets it draws nothing."""
        assert self._start is not None
        return drawn_rect(self._start, at).intersect(self.document.canvas.rect) is not None

    def _snapped(self, at: Pointer) -> Rect:
        assert self._start is not None
        document = self.document
        if at.shift:
            return square_on_grid(self._start, at, document.grid, document.canvas)
        return drawn_rect(self._start, at).snapped_nearest(document.grid, document.canvas)
