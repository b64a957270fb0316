"""Align and distribute: where rectangles go, as plain arithmetic.

Knows no layer and no command.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from app.document.geometry import Rect, Size

Side = Literal["left", "right", "top", "bottom", "centre_h", "centre_v"]
Axis = Literal["h", "v"]


def aligned(rects: Mapping[int, Rect], side: Side, canvas: Size) -> dict[int, Rect]:
    """One rectangle to the canvas, several to what they cover together."""
    if not rects:
        return {}
    frame = canvas.rect
    if len(rects) > 1:
        first, *rest = rects.values()
        frame = first
        for rect in rest:
            frame = frame.united(rect)
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
