"""Geometry of drags: rectangles that are drawn, moved to the grid, or resized by a handle.

Plain arithmetic over canvas pixels. Boxes stay on the grid, pictures keep their aspect.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from app.document.geometry import Rect, Size, round_to


@dataclass(frozen=True, slots=True)
class Pointer:
    """The mouse at one moment."""

    x: float  # canvas pixels
    y: float
    slack: float  # canvas pixels that 4 screen pixels are: less is no drag
    shift: bool = False  # modifier keys
    ctrl: bool = False
    alt: bool = False
    space: bool = False  # the space bar is held


@dataclass(frozen=True, slots=True)
class Handle:
    """One drag of a handle."""

    name: str  # compass name, "nw" to "w"
    x: float  # where the pointer is, canvas pixels
    y: float
    shift: bool = False  # boxes: keep the aspect. Pictures: do not
    alt: bool = False  # the middle stays where it is
    # Pictures: edges go to grid lines that are nearer than this many canvas pixels.
    reach: float = 0.0


def resized_box(rect: Rect, drag: Handle, grid: int, canvas: Size) -> Rect:
    """An empty box with one handle at the pointer, on the grid and inside the canvas."""
    keeps = drag.shift and len(drag.name) == 2
    return _dragged(rect, drag, keeps).snapped_nearest(grid, canvas)


def resized_picture(rect: Rect, drag: Handle, grid: int) -> Rect:
    """A layer with pixels with one handle at the pointer; corners keep the aspect."""
    keeps = not drag.shift and len(drag.name) == 2
    caught = replace(drag, x=_caught(drag.x, grid, drag.reach), y=_caught(drag.y, grid, drag.reach))
    return _dragged(rect, caught, keeps)


def _caught(at: float, grid: int, reach: float) -> float:
    line = round_to(round(at), grid)
    return line if abs(line - at) <= reach else at


def _dragged(rect: Rect, drag: Handle, keeps_aspect: bool) -> Rect:
    x0, y0, x1, y1 = rect.to_box()
    x, y = round(drag.x), round(drag.y)
    name = drag.name
    mid_x, mid_y = (x0 + x1) / 2, (y0 + y1) / 2
    width = _length(x, x0, x1, mid_x, "w" in name, "e" in name, drag.alt)
    height = _length(y, y0, y1, mid_y, "n" in name, "s" in name, drag.alt)
    if keeps_aspect:
        # The side that was pulled further decides.
        factor = max(width / rect.width, height / rect.height)
        width = max(1, round(rect.width * factor))
        height = max(1, round(rect.height * factor))
    left, top = x0, y0
    if drag.alt:
        left, top = round(mid_x - width / 2), round(mid_y - height / 2)
    else:
        left = x1 - width if "w" in name else x0
        top = y1 - height if "n" in name else y0
    return Rect(left, top, width, height)


def _length(
    at: int, low: int, high: int, middle: float, is_low: bool, is_high: bool, from_middle: bool
) -> int:
    if not (is_low or is_high):
        return high - low
    if from_middle:
        return max(1, round(2 * abs(at - middle)))
    return max(1, high - at if is_low else at - low)


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


def drawn_rect(start: Pointer, now: Pointer) -> Rect:
    """The rectangle of a drag: Shift = square, Alt = from the centre."""
    dx, dy = now.x - start.x, now.y - start.y
    if now.shift:
        side = max(abs(dx), abs(dy))
        dx, dy = math.copysign(side, dx), math.copysign(side, dy)
    x0, y0 = (start.x - dx, start.y - dy) if now.alt else (start.x, start.y)
    return Rect.from_corners(round(x0), round(y0), round(start.x + dx), round(start.y + dy))


def square_on_grid(start: Pointer, now: Pointer, grid: int, canvas: Size) -> Rect:
    """The square of a drag with Shift, of whole cells; each edge for itself could be one off."""
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
