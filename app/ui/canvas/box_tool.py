"""Box tool: a drag becomes an empty layer on the grid. No Qt types."""

from __future__ import annotations

import math
from dataclasses import replace

from app.document.commands import AddBox
from app.document.geometry import Rect, Size, round_to
from app.ui.canvas.tools import Host, Pointer, SelectTool, Tool, box_label


def drawn_rect(start: Pointer, now: Pointer) -> Rect:
    """The rectangle of a drag: Shift = square, Alt = from the centre."""
    dx, dy = now.x - start.x, now.y - start.y
    if now.shift:
        side = max(abs(dx), abs(dy))
        dx, dy = math.copysign(side, dx), math.copysign(side, dy)
    x0, y0 = (start.x - dx, start.y - dy) if now.alt else (start.x, start.y)
    return Rect.from_corners(round(x0), round(y0), round(start.x + dx), round(start.y + dy))


def square_on_grid(start: Pointer, now: Pointer, grid: int, canvas: Size) -> Rect:
    """The square of a drag with Shift: whole cells, inside the canvas, as wide as high.

    Each edge snapped for itself could make two equal sides different numbers of cells.
    """
    side = max(grid, round_to(drawn_rect(start, now).width, grid))
    if now.alt:  # around the middle
        side = min(side, canvas.width, canvas.height)
        low = round(start.x - side / 2), round(start.y - side / 2)
        return Rect(*low, side, side).moved_to_grid(grid, canvas)
    right, down = now.x >= start.x, now.y >= start.y
    x, room_x = _corner(start.x, right, grid, canvas.width)
    y, room_y = _corner(start.y, down, grid, canvas.height)
    side = min(side, room_x, room_y)
    return Rect(x if right else x - side, y if down else y - side, side, side)


def _corner(at: float, is_forward: bool, grid: int, length: int) -> tuple[int, int]:
    """The grid line where a square begins on one axis, and the room from there to the edge."""
    line = round_to(round(at), grid)
    if is_forward:
        line = min(max(line, 0), length - grid)
        return line, length - line
    line = min(max(line, grid), length)
    return line, line


class BoxTool(Tool):
    """Drag draws a new box on the grid; a click selects what is not the background.

    A drag may begin and end outside of the canvas: the box is cut to it, because the model paints
    inside the canvas only.

    Handles of the selection work too, inside of it: a press outside draws the next box.

    Space held during the drag moves the box instead.
    """

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self._start: Pointer | None = None
        self._last: Pointer | None = None
        self._resizer = SelectTool(host)
        self._is_resizing = False

    def press(self, at: Pointer) -> None:
        """Begin at the pointer."""
        self._is_resizing = bool(self.host.handle_at(at.x, at.y))
        if self._is_resizing:
            self._resizer.press(at)
        else:
            self._start = self._last = at

    def move(self, at: Pointer) -> None:
        """Show the snapped box and its size."""
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
            self.host.show_draft(rect, box_label(rect))
        else:
            self.host.show_draft(None)

    def release(self, at: Pointer) -> None:
        """Add the box above the selected layer, on top if there is none."""
        if self._is_resizing:
            self._is_resizing = self.is_dragging = False
            self._resizer.release(at)
            return
        start, dragged = self._start, self.is_dragging
        if start is None:
            return
        rect, drawn, touches = self._snapped(at), drawn_rect(start, at), self._touches_canvas(at)
        self._start, self.is_dragging = None, False
        self.host.show_draft(None)
        if dragged and not touches:
            return
        if not dragged:
            # The background is everywhere: a click next to all layers means none of them.
            below = [x for x in self.host.layers_at(at.x, at.y) if not x.is_background]
            self.host.select([x.id for x in below[:1]])
            return
        selected = [
            layer for layer in self.host.document.layers if layer.id in self.host.selected()
        ]
        command = AddBox(rect, above=selected[-1].id if selected else None)
        if self.host.push(command):
            self.host.select([command.layer_id])
            grid, canvas = self.host.document.grid, self.host.document.canvas.rect
            common = drawn.intersect(canvas)
            is_shorter = (
                common is None
                or max(drawn.width - common.width, drawn.height - common.height) >= grid
            )
            self.host.tell_added(command.layer_id, was_cut=is_shorter)

    def cancel(self) -> None:
        """Forget the box."""
        self._resizer.cancel()
        super().cancel()
        self._start = self._last = None
        self._is_resizing = False

    def _touches_canvas(self, at: Pointer) -> bool:
        """A drag may begin and end outside of the canvas; one that never meets it draws nothing."""
        assert self._start is not None
        return drawn_rect(self._start, at).intersect(self.host.document.canvas.rect) is not None

    def _snapped(self, at: Pointer) -> Rect:
        assert self._start is not None
        document = self.host.document
        if at.shift:
            return square_on_grid(self._start, at, document.grid, document.canvas)
        return drawn_rect(self._start, at).snapped_nearest(document.grid, document.canvas)
