"""Pictures and groups of pictures painted into one picture, groups apart from what is below them.

The general formula of W3C Compositing and Blending Level 1: a blend function and a Porter-Duff
operator for each piece. What a document cannot hold (groups, masks) becomes pixels here; all else
is painted by `composite`, with the same blend functions. Pure numpy: no files, no windows.

Shapes: h w rows and columns of one tile; planes are (4, h, w) premultiplied, 0 to 1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from app.document.blends import BLENDS
from app.document.composite import finish, on_threads, tiles_of
from app.document.geometry import Rect
from app.document.layer import window
from app.document.pixels import Pixels

Factor = Callable[[np.ndarray], np.ndarray | float]


def _all(alpha: np.ndarray) -> float:
    return 1.0


def _none(alpha: np.ndarray) -> float:
    return 0.0


def _inside(alpha: np.ndarray) -> np.ndarray:
    return alpha.copy()  # the planes that it belongs to are changed in place


def _outside(alpha: np.ndarray) -> np.ndarray:
    return np.float32(1.0) - alpha


# Operator -> how much stays of the source, given the backdrop's alpha, and of the backdrop, given
# the source's. Every other name is painted over, with its blend function if it has one.
OPERATORS: dict[str, tuple[Factor, Factor]] = {
    "svg:clear": (_none, _none),
    "svg:src": (_all, _none),
    "svg:dst": (_none, _all),
    "svg:dst-over": (_outside, _all),
    "svg:src-in": (_inside, _none),
    "svg:dst-in": (_none, _inside),
    "svg:src-out": (_outside, _none),
    "svg:dst-out": (_none, _outside),
    "svg:src-atop": (_inside, _outside),
    "svg:dst-atop": (_outside, _inside),
    "svg:xor": (_outside, _outside),
}
_OVER = (_all, _outside)
# With nothing to paint they still change what is below.
_WITHOUT_SOURCE = frozenset(
    name for name, (_, backdrop) in OPERATORS.items() if backdrop in (_none, _inside)
)


@dataclass(frozen=True, slots=True)
class Placed:
    """A picture at its place on the canvas."""

    image: Pixels
    rect: Rect


@dataclass(frozen=True, slots=True)
class Piece:
    """A picture, or a group that is painted apart, and how it meets what is below it.

    Attributes:
        content: a picture, or pieces, bottom first.
        opacity: 0 to 1.
        blend: a name of `BLENDS` or `OPERATORS`; every other paints as "normal".
    """

    content: Placed | tuple[Piece, ...]
    opacity: float = 1.0
    blend: str = "normal"


def bounds(pieces: Sequence[Piece]) -> Rect | None:
    """The smallest rectangle that holds all pictures, or None without any."""
    rects = list(_rects(pieces))
    if not rects:
        return None
    whole = rects[0]
    for rect in rects[1:]:
        whole = whole.united(rect)
    return whole


def painted(pieces: Sequence[Piece], rect: Rect) -> np.ndarray:
    """Paint pieces on nothing, bottom first.

    Args:
        rect: the part to paint, canvas pixels.

    Returns:
        (height, width, 4) uint8, straight alpha, colour 0 where alpha is 0. A fresh array.
    """
    out = np.zeros((rect.height, rect.width, 4), np.uint8)
    inside = [tile for tile in tiles_of(rect) if _touches(pieces, tile)]
    on_threads(
        [
            (tile.area, partial(_paint_tile, pieces, tile, out[window(tile, rect)]))
            for tile in inside
        ]
    )
    return out


def _rects(pieces: Sequence[Piece]) -> Iterator[Rect]:
    for piece in pieces:
        if isinstance(piece.content, Placed):
            yield piece.content.rect
        else:
            yield from _rects(piece.content)


def _touches(pieces: Sequence[Piece], tile: Rect) -> bool:
    return any(rect.intersect(tile) is not None for rect in _rects(pieces))


def _paint_tile(pieces: Sequence[Piece], tile: Rect, out: np.ndarray) -> None:
    ground = _ground(pieces, tile)
    ground *= np.float32(255.0)
    finish(ground, out)


def _ground(pieces: Sequence[Piece], tile: Rect) -> np.ndarray:
    ground = np.zeros((4, tile.height, tile.width), np.float32)
    for piece in pieces:
        is_there = _touches((piece,), tile)
        if is_there or piece.blend in _WITHOUT_SOURCE:
            source = _source(piece, tile)
            if piece.opacity < 1:
                source *= np.float32(piece.opacity)
            _meet(ground, source, piece.blend)
    return ground


def _source(piece: Piece, tile: Rect) -> np.ndarray:
    """What a piece has in a tile, before its opacity; a fresh array."""
    if not isinstance(piece.content, Placed):
        return _ground(piece.content, tile)
    placed = piece.content
    planes = np.zeros((4, tile.height, tile.width), np.float32)
    part = placed.rect.intersect(tile)
    if part is not None:
        pixels = placed.image.array[window(part, placed.rect)]
        values = pixels.transpose(2, 0, 1).astype(np.float32) / np.float32(255.0)
        values[:3] *= values[3]
        planes[(slice(None), *window(part, tile))] = values
    return planes


def _meet(ground: np.ndarray, source: np.ndarray, blend: str) -> None:
    """Paint the source onto the ground, in place; both are changed."""
    below, above = ground[3], source[3]
    mix = BLENDS.get(blend)
    if mix is not None and below.any():
        backdrop, colour = _straight(ground), _straight(source)
        # as x Cs = (1 - ab) x as x Cs + as x ab x B(Cb, Cs)
        source[:3] += above * below * (mix(backdrop, colour) - colour)
    of_source, of_ground = OPERATORS.get(blend, _OVER)
    kept = of_ground(above)  # before the source changes
    if of_source is not _all:
        source *= of_source(below)
    ground *= kept
    ground += source


def _straight(planes: np.ndarray) -> np.ndarray:
    alpha = planes[3]
    colour = np.divide(planes[:3], alpha, out=np.zeros_like(planes[:3]), where=alpha > 0)
    return np.minimum(colour, np.float32(1.0))
