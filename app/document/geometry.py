"""Sizes and rectangles of the canvas: small frozen values with their own arithmetic.

Whole canvas pixels, y downwards, rectangles end exclusive. Depends neither on layers nor on the
model: the grid step arrives as a number.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

Box = tuple[int, int, int, int]
Side = Literal["left", "right", "top", "bottom", "centre_h", "centre_v"]
Axis = Literal["h", "v"]


def floor_to(value: int, step: int) -> int:
    """The largest multiple of `step` that is not above `value`."""
    return value // step * step


def ceil_to(value: int, step: int) -> int:
    """The smallest multiple of `step` that is not below `value`."""
    return -(-value // step) * step


def round_to(value: int, step: int) -> int:
    """The multiple of `step` nearest to `value`; half-way goes up."""
    return (2 * value + step) // (2 * step) * step


@dataclass(frozen=True, slots=True)
class Size:
    """Width and height in canvas pixels. Raises ValueError: a side is smaller than 1."""

    width: int
    height: int

    def __post_init__(self) -> None:
        if self.width < 1 or self.height < 1:
            raise ValueError(f"a size needs sides of at least 1, got {self.width} x {self.height}")

    @property
    def area(self) -> int:
        return self.width * self.height

    @property
    def rect(self) -> Rect:
        return Rect(0, 0, self.width, self.height)

    def is_multiple_of(self, step: int) -> bool:
        """Whether both sides are whole numbers of grid steps."""
        return self.width % step == 0 and self.height % step == 0

    def rounded_up(self, step: int) -> Size:
        """This size with both sides enlarged to the next multiple of `step`."""
        return Size(ceil_to(self.width, step), ceil_to(self.height, step))


@dataclass(frozen=True, slots=True)
class Rect:
    """A rectangle in canvas pixels; may leave the canvas, is never empty.

    Raises:
        ValueError: width or height is smaller than 1.
    """

    x: int
    y: int
    width: int
    height: int

    def __post_init__(self) -> None:
        if self.width < 1 or self.height < 1:
            raise ValueError(f"a rectangle needs sides of at least 1, got {self}")

    @classmethod
    def from_box(cls, box: Box) -> Rect:
        """From (x0, y0, x1, y1), end exclusive."""
        x0, y0, x1, y1 = box
        return cls(x0, y0, x1 - x0, y1 - y0)

    @classmethod
    def from_corners(cls, x0: int, y0: int, x1: int, y1: int) -> Rect:
        """From two opposite corners in any order; at least one pixel wide and high."""
        left, right = sorted((x0, x1))
        top, bottom = sorted((y0, y1))
        return cls(left, top, max(1, right - left), max(1, bottom - top))

    def to_box(self) -> Box:
        """(x0, y0, x1, y1), end exclusive."""
        return (self.x, self.y, self.right, self.bottom)

    @property
    def right(self) -> int:
        """First column behind the rectangle."""
        return self.x + self.width

    @property
    def bottom(self) -> int:
        """First row below the rectangle."""
        return self.y + self.height

    @property
    def size(self) -> Size:
        return Size(self.width, self.height)

    @property
    def area(self) -> int:
        return self.width * self.height

    @property
    def centre(self) -> tuple[int, int]:
        """The middle, rounded down to whole pixels."""
        return (self.x + self.width // 2, self.y + self.height // 2)

    def translated(self, dx: int, dy: int) -> Rect:
        return Rect(self.x + dx, self.y + dy, self.width, self.height)

    def intersect(self, other: Rect) -> Rect | None:
        """The common part, or None when there is none."""
        x0, y0 = max(self.x, other.x), max(self.y, other.y)
        x1, y1 = min(self.right, other.right), min(self.bottom, other.bottom)
        if x1 <= x0 or y1 <= y0:
            return None
        return Rect(x0, y0, x1 - x0, y1 - y0)

    def united(self, other: Rect) -> Rect:
        """The smallest rectangle that holds both."""
        x0, y0 = min(self.x, other.x), min(self.y, other.y)
        return Rect(x0, y0, max(self.right, other.right) - x0, max(self.bottom, other.bottom) - y0)

    def contains(self, other: Rect) -> bool:
        """Whether `other` lies completely inside."""
        return self.intersect(other) == other

    def contains_point(self, x: int, y: int) -> bool:
        return self.x <= x < self.right and self.y <= y < self.bottom

    def snapped_outward(self, grid: int, canvas: Size) -> Rect:
        """The region of this rectangle: grown to grid lines, then cut to the canvas.

        A rectangle outside the canvas gives the nearest cells along its edge, so that a region is
        never empty.
        """
        x0, x1 = _clamped(floor_to(self.x, grid), ceil_to(self.right, grid), grid, canvas.width)
        y0, y1 = _clamped(floor_to(self.y, grid), ceil_to(self.bottom, grid), grid, canvas.height)
        return Rect(x0, y0, x1 - x0, y1 - y0)

    def snapped_nearest(self, grid: int, canvas: Size) -> Rect:
        """A drawn box: each edge to the nearest grid line, at least one cell, inside the canvas."""
        x0, x1 = _nearest(self.x, self.right, grid)
        y0, y1 = _nearest(self.y, self.bottom, grid)
        x0, x1 = _clamped(x0, x1, grid, canvas.width)
        y0, y1 = _clamped(y0, y1, grid, canvas.height)
        return Rect(x0, y0, x1 - x0, y1 - y0)

    def moved_to_grid(self, grid: int, canvas: Size) -> Rect:
        """An empty box after a move: same size where it fits, nearest cell, inside the canvas.

        The size is taken as it is when it is a multiple of the grid, else grown to one.
        """
        width = min(ceil_to(self.width, grid), canvas.width)
        height = min(ceil_to(self.height, grid), canvas.height)
        x = min(max(0, round_to(self.x, grid)), canvas.width - width)
        y = min(max(0, round_to(self.y, grid)), canvas.height - height)
        return Rect(x, y, width, height)

    def centred_on(self, other: Rect) -> Rect:
        """The same size, with the middle where the middle of `other` is."""
        (own_x, own_y), (x, y) = self.centre, other.centre
        return self.translated(x - own_x, y - own_y)

    def following(self, asked: Rect, now: Rect) -> Rect:
        """Where a result made for `asked` belongs when its layer has meanwhile become `now`.

        Moved only: the result moves along. Resized: its own size comes back, centred on `now`.
        """
        if asked.size == now.size:
            return self.translated(now.x - asked.x, now.y - asked.y)
        (asked_x, asked_y), (now_x, now_y) = asked.centre, now.centre
        return self.translated(now_x - asked_x, now_y - asked_y)


def _nearest(low: int, high: int, grid: int) -> tuple[int, int]:
    start, end = round_to(low, grid), round_to(high, grid)
    if start == end:  # thinner than half a cell: take the cell that holds its middle
        start = floor_to((low + high) // 2, grid)
        end = start + grid
    return start, end


def _clamped(low: int, high: int, grid: int, side: int) -> tuple[int, int]:
    """Cut [low, high) to [0, side), leaving at least one grid cell."""
    cell = min(grid, side)
    low = min(max(low, 0), side - cell)
    high = min(max(high, low + cell), side)
    return low, high


def union(rects: Iterable[Rect]) -> Rect | None:
    """The smallest rectangle that holds all of them; None without any."""
    whole: Rect | None = None
    for rect in rects:
        whole = rect if whole is None else whole.united(rect)
    return whole


def aligned(rects: Mapping[int, Rect], side: Side, canvas: Size) -> dict[int, Rect]:
    """One rectangle to the canvas, several to what they cover together."""
    frame = (union(rects.values()) if len(rects) > 1 else None) or canvas.rect
    return {key: _to(rect, side, frame) for key, rect in rects.items()}


def distributed(rects: Mapping[int, Rect], axis: Axis) -> dict[int, Rect]:
    """Equal gaps between three or more; the outermost two stay where they are."""
    if len(rects) < 3:
        return dict(rects)
    start = {key: rect.x if axis == "h" else rect.y for key, rect in rects.items()}
    length = {key: rect.width if axis == "h" else rect.height for key, rect in rects.items()}
    order = sorted(rects, key=lambda key: (2 * start[key] + length[key], key))
    room = start[order[-1]] + length[order[-1]] - start[order[0]]
    gap = (room - sum(length.values())) / (len(order) - 1)
    result, at = {}, float(start[order[0]])
    for key in order:
        offset = round(at) - start[key]
        result[key] = rects[key].translated(*((offset, 0) if axis == "h" else (0, offset)))
        at += length[key] + gap
    result[order[-1]] = rects[order[-1]]
    return {key: result[key] for key in rects}


def _to(rect: Rect, side: Side, frame: Rect) -> Rect:
    x, y = rect.x, rect.y
    match side:
        case "left":
            x = frame.x
        case "right":
            x = frame.right - rect.width
        case "top":
            y = frame.y
        case "bottom":
            y = frame.bottom - rect.height
        case "centre_h":
            x = frame.x + (frame.width - rect.width) // 2
        case "centre_v":
            y = frame.y + (frame.height - rect.height) // 2
    return Rect(x, y, rect.width, rect.height)
