"""Alpha blocks: the least and the most alpha in each block of a picture, computed once.

The compositor asks them what it need not paint. Pure; pictures never change.
"""

from __future__ import annotations

import threading
from weakref import WeakKeyDictionary

import numpy as np

from app.document.pixels import Pixels

BLOCK = 64


class AlphaBlocks:
    """Least and most alpha per block of 64 x 64 pixels, counted from the upper left corner."""

    __slots__ = ("_least", "_most")

    def __init__(self, rgba: np.ndarray) -> None:
        alpha = rgba[..., 3]
        rows = np.arange(0, alpha.shape[0], BLOCK)
        columns = np.arange(0, alpha.shape[1], BLOCK)
        least = np.minimum.reduceat(alpha, rows, axis=0)
        most = np.maximum.reduceat(alpha, rows, axis=0)
        self._least = np.minimum.reduceat(least, columns, axis=1)
        self._most = np.maximum.reduceat(most, columns, axis=1)

    def range_in(self, rows: slice, columns: slice) -> tuple[int, int]:
        """Bounds of the alpha in a part: never too narrow, maybe too wide."""
        part = (
            slice(rows.start // BLOCK, -(-rows.stop // BLOCK)),
            slice(columns.start // BLOCK, -(-columns.stop // BLOCK)),
        )
        return int(self._least[part].min()), int(self._most[part].max())

    def seen_in(self, rows: slice, columns: slice) -> tuple[slice, slice] | None:
        """The part of a part that may show anything, in whole blocks; None where nothing does."""
        top, left = rows.start // BLOCK, columns.start // BLOCK
        seen = self._most[top : -(-rows.stop // BLOCK), left : -(-columns.stop // BLOCK)] > 0
        down, across = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
        if not len(down):
            return None
        return (
            slice(
                max(rows.start, (top + int(down[0])) * BLOCK),
                min(rows.stop, (top + int(down[-1]) + 1) * BLOCK),
            ),
            slice(
                max(columns.start, (left + int(across[0])) * BLOCK),
                min(columns.stop, (left + int(across[-1]) + 1) * BLOCK),
            ),
        )


def blocks_of(image: Pixels) -> AlphaBlocks:
    """The blocks of a picture; kept for as long as the picture lives."""
    with _lock:
        known = _blocks.get(image)
    if known is None:
        known = AlphaBlocks(image.array)
        with _lock:
            _blocks[image] = known
    return known


_lock = threading.Lock()
_blocks: WeakKeyDictionary[Pixels, AlphaBlocks] = WeakKeyDictionary()
