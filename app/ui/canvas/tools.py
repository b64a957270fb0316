"""Mouse tools as small state machines: what they share, and the one that selects and moves.

Plain numbers in, commands out; no Qt types, so that a drag can be read and tested as one story.
Coordinates are canvas pixels; `Pointer.slack` says how many of them 4 screen pixels are.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

from app.document.commands import Command, DuplicateLayers, MoveLayers, SetRect
from app.document.document import Document
from app.document.geometry import Rect, round_to
from app.document.layer import Layer
from app.ui.canvas.draft import DraftKind
from app.ui.canvas.resizing import Handle, resized_box, resized_picture

# Lines catch from 6 screen pixels on; `Pointer.slack` is 4 of them.
SNAP_SLACKS = 1.5


@dataclass(frozen=True, slots=True)
class Pointer:
    """The mouse at one moment.

    Attributes:
        x, y: canvas pixels.
        slack: canvas pixels that 4 screen pixels are: less is no drag.
        shift, ctrl, alt: modifier keys.
        space: the space bar is held.
    """

    x: float
    y: float
    slack: float
    shift: bool = False
    ctrl: bool = False
    alt: bool = False
    space: bool = False


class Host(Protocol):
    """What a tool may ask of the canvas."""

    document: Document

    @property
    def snaps(self) -> bool: ...
    def push(self, command: Command) -> bool: ...
    def selected(self) -> frozenset[int]: ...
    def select(self, ids: Collection[int]) -> None: ...
    def layers_at(self, x: float, y: float) -> list[Layer]: ...
    def layers_touching(self, rect: Rect) -> list[Layer]: ...
    def handle_at(self, x: float, y: float) -> str: ...
    def show_moved(self, rects: dict[int, Rect], *, copies: bool = False) -> None: ...
    def tell_added(self, layer_id: int, *, was_cut: bool) -> None: ...
    def show_draft(self, rect: Rect | None, text: str = "", kind: DraftKind = "drawn") -> None: ...


class Tool:
    """Base: a press, moves, and a release or a cancel."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.is_dragging = False

    def press(self, at: Pointer) -> None:
        """The left button went down."""

    def move(self, at: Pointer) -> None:
        """The mouse moved with the button down."""

    def release(self, at: Pointer) -> None:
        """The button came up."""

    def cancel(self) -> None:
        """Restore everything as it was before the press; no undo step."""
        self.is_dragging = False
        self.host.show_moved({})
        self.host.show_draft(None)


def box_label(rect: Rect) -> str:
    """The label of a box that is drawn or resized: "192 × 128"."""
    return f"{rect.width} × {rect.height}"


class SelectTool(Tool):
    """Click picks, drag moves, handles resize, drag on nothing is a marquee."""

    def __init__(self, host: Host) -> None:
        super().__init__(host)
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
        """Decide what a drag would do, and pick."""
        self._start, self._mode, self._offset, self._rect = at, "", (0, 0), None
        self._before = self.host.selected()
        self._handle = self.host.handle_at(at.x, at.y)
        if self._handle:
            (layer_id,) = self._before
            self._grabbed = self.host.document.layer(layer_id)
            self._mode = "resize"
            return
        self._below = self.host.layers_at(at.x, at.y)
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
            self.host.select([self._grabbed.id])

    def move(self, at: Pointer) -> None:
        """Follow the mouse."""
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
                    self.host.select(added | {self._grabbed.id})
                self._layers = [
                    self.host.document.layer(layer_id) for layer_id in self.host.selected()
                ]
                self._layers = [
                    layer for layer in self._layers if not (layer.is_background or layer.locked)
                ]
        if self._mode == "move":
            self._drag_layers(start, at)
        elif self._mode == "resize":
            self._drag_handle(at)
        else:
            rect = Rect.from_corners(round(start.x), round(start.y), round(at.x), round(at.y))
            self.host.show_draft(rect, kind="marquee")
            touched = frozenset(layer.id for layer in self.host.layers_touching(rect))
            self.host.select(self._before | touched if at.shift else touched)

    def release(self, at: Pointer) -> None:
        """One drag, one step."""
        start, dragged = self._start, self.is_dragging
        self._start, self.is_dragging = None, False
        self.host.show_moved({})
        self.host.show_draft(None)
        if start is None:
            return
        if not dragged:
            self._click(at)
            return
        # A key or a result may have taken layers away during the drag.
        ids = [layer.id for layer in self._layers if self.host.document.has_layer(layer.id)]
        if self._mode == "move" and ids and self._offset != (0, 0):
            if at.alt:
                copies = DuplicateLayers(ids, offset=self._offset)
                if self.host.push(copies):
                    self.host.select(copies.new_ids)
            else:
                self.host.push(MoveLayers(ids, *self._offset))
        elif self._mode == "resize" and self._grabbed is not None and self._rect is not None:
            self._resize(self._grabbed.id, self._rect)

    def cancel(self) -> None:
        """Put back selection and places."""
        super().cancel()
        if self._start is not None:
            self._start = None
            self.host.select(self._before)

    def _resize(self, layer_id: int, rect: Rect) -> None:
        if self.host.document.has_layer(layer_id):
            self.host.push(SetRect(layer_id, rect))

    def _click(self, at: Pointer) -> None:
        if self._mode == "resize" or self._grabbed is None:
            if self._mode == "marquee" and not at.shift:
                self.host.select([])
        elif at.shift:
            self.host.select(self._before ^ {self._below[0].id})
        elif at.ctrl:
            self.host.select([_next_below(self._below, self._before).id])
        else:
            self.host.select([self._grabbed.id])

    def _drag_layers(self, start: Pointer, at: Pointer) -> None:
        document = self.host.document
        if not self._layers:
            return
        dx, dy = round(at.x - start.x), round(at.y - start.y)
        if at.shift:  # along one axis
            dx, dy = (dx, 0) if abs(dx) >= abs(dy) else (0, dy)
        grabbed = next((layer for layer in self._layers if layer is self._grabbed), self._layers[0])
        if self.host.snaps and not at.ctrl:
            # An axis that was not moved keeps its place, also one off the grid.
            rect, step, canvas = grabbed.rect, document.grid, document.canvas
            # An empty box goes from cell to cell anyway, and what is dragged with it as well.
            reach = at.slack * SNAP_SLACKS if grabbed.has_pixels else math.inf
            dx = snapped(rect.x, rect.width, dx, step, canvas.width, reach) if dx else 0
            dy = snapped(rect.y, rect.height, dy, step, canvas.height, reach) if dy else 0
        self._offset = (dx, dy)
        rects = {layer.id: moved(layer, dx, dy, document) for layer in self._layers}
        self.host.show_moved(rects, copies=at.alt)

    def _drag_handle(self, at: Pointer) -> None:
        layer = self._grabbed
        if layer is None:
            return
        document = self.host.document
        reach = at.slack * SNAP_SLACKS if self.host.snaps and not at.ctrl else 0.0
        drag = Handle(self._handle, at.x, at.y, at.shift, at.alt, reach)
        if layer.has_pixels:
            self._rect = resized_picture(layer.rect, drag, document.grid)
        else:
            self._rect = resized_box(layer.rect, drag, document.grid, document.canvas)
        self.host.show_moved({layer.id: self._rect})
        self.host.show_draft(self._rect, box_label(self._rect), "resized")


def snapped(start: int, length: int, delta: int, step: int, side: int, reach: float) -> int:
    """How far a layer goes: an edge to a grid line, or its middle onto the canvas's middle.

    The canvas's edges are grid lines. The nearest of the three ways is taken, if one is near.

    Args:
        start, length: the layer on this axis, canvas pixels.
        delta: how far the mouse went.
        step: of the grid.
        side: of the canvas.
        reach: what is farther away than this many canvas pixels does not catch; infinite = the
            first edge always goes to a grid line.
    """
    low, high = start + delta, start + delta + length
    to_line = round_to(low, step) - low
    if math.isinf(reach):
        return delta + to_line
    ways = (to_line, round_to(high, step) - high, (side - length) // 2 - low)
    nearest = min(ways, key=abs)
    return delta + nearest if abs(nearest) <= reach else delta


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
