"""What a handle does to a rectangle: boxes on the grid, pictures with their aspect.

Plain arithmetic over canvas pixels; knows no mouse and no layer.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from app.document.geometry import Rect, Size, round_to


@dataclass(frozen=True, slots=True)
class Handle:
    """One drag of a handle.

    Attributes:
        name: compass name, "nw" to "w".
        x, y: where the pointer is, canvas pixels.
        shift: boxes: keep the aspect. Pictures: do not.
        alt: the middle stays where it is.
        reach: pictures: edges go to grid lines that are nearer than this many canvas pixels.
    """

    name: str
    x: float
    y: float
    shift: bool = False
    alt: bool = False
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
