"""Compositor: `composite` for a picture that changes, at the price of what is different.

Painted anew are only the tiles that look different, and of those only from the lowest layer on that
changed, where the same layer is changed again and again: what lies below it is kept as painted.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

import numpy as np

from app.document.composite import (
    Needed,
    area_of,
    empty_ground,
    finish,
    needed_in,
    on_threads,
    paint_over,
    shown_layers,
    tiles_of,
)
from app.document.geometry import Rect
from app.document.layer import Layer, window

# A canvas of 1024 x 1024 as planes of float32, and half as much again.
_KEPT_BYTES = 24 << 20
# Fewer layers are painted as fast as they are copied.
_WORTH_KEEPING = 3

Kept = tuple[Needed, np.ndarray]  # layers, and the ground after them


class Compositor:
    """Keeps the last picture, what was painted in each tile, and grounds below what changes.

    Not for several threads at a time.
    """

    def __init__(self) -> None:
        self._rect: Rect | None = None
        self._out = np.zeros((0, 0, 4), np.uint8)
        self._painted: dict[Rect, Needed] = {}
        self._kept: dict[Rect, Kept] = {}

    @property
    def kept_bytes(self) -> int:
        """Memory of what lies below changing layers."""
        return sum(ground.nbytes for _, ground in self._kept.values())

    def composite(self, layers: Iterable[Layer], rect: Rect) -> np.ndarray:
        """The same bytes as the function of this name.

        Returns:
            (height, width, 4) uint8, straight alpha; borrowed until the next call.
        """
        shown = shown_layers(layers)
        if rect != self._rect:
            self._rect, self._painted, self._kept = rect, {}, {}
            self._out = np.zeros((rect.height, rect.width, 4), np.uint8)
        needed = {tile: needed_in(shown, tile) for tile in tiles_of(rect)}
        before, self._painted = self._painted, {}  # of a picture left half painted nothing is known
        work, room = [], _KEPT_BYTES - self.kept_bytes
        for tile, found in needed.items():
            same = _same(found, before.get(tile, []))
            if same == len(found) == len(before.get(tile, [])):
                continue
            if not found:
                self._out[window(tile, rect)] = 0
                continue
            below, ground = self._start(tile, found)
            keeps = same if same >= _WORTH_KEEPING and same > below else 0
            if keeps and below == 0:  # a place of its own
                keeps = keeps if room >= ground.nbytes else 0
                room -= ground.nbytes if keeps else 0
            work.append(
                (
                    area_of(found[below:]),
                    partial(self._paint, tile, found, below, ground, keeps, rect),
                )
            )
        on_threads(work)
        self._painted = needed
        return self._out

    def _start(self, tile: Rect, found: Needed) -> tuple[int, np.ndarray]:
        """How many of the layers are painted already, and the ground after them, to paint on."""
        kept = self._kept.get(tile)
        if kept is not None:
            if _same(kept[0], found) == len(kept[0]):
                return len(kept[0]), kept[1].copy()
            del self._kept[tile]
        return 0, empty_ground(tile)

    def _paint(
        self, tile: Rect, found: Needed, below: int, ground: np.ndarray, keeps: int, rect: Rect
    ) -> None:
        if keeps:
            paint_over(ground, found[below:keeps], tile)
            self._kept[tile] = found[:keeps], ground.copy()
            below = keeps
        paint_over(ground, found[below:], tile)
        finish(ground, self._out[window(tile, rect)])


def _same(one: Needed, other: Needed) -> int:
    """How many layers from the bottom on paint the same pixels."""
    count = 0
    for (a, part), (b, place) in zip(one, other, strict=False):
        if (a.image, a.rect, a.opacity, a.blend, part) != (
            b.image, b.rect, b.opacity, b.blend, place,
        ):  # fmt: skip
            break
        count += 1
    return count
