"""Composite: the layers of a document painted into one picture, bottom to top.

Pure numpy: no files, no windows. W3C Compositing and Blending Level 1 in 8-bit sRGB: straight
alpha in, premultiplied inside, straight alpha out, ties rounded half up. Export, thumbnails and
the saved merged picture all use `composite`; the canvas uses `Compositor`, which repaints only the
tiles that changed.

Shapes: h w rows and columns of one tile.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from weakref import WeakKeyDictionary

import numpy as np

from app.document.blends import BLENDS, Blend
from app.document.geometry import Rect
from app.document.layer import Layer, window
from app.document.pixels import Pixels

BLOCK = 64  # pixels each way, for the bounds of alpha
# Tiles of this side keep all intermediate arrays in the processor's cache, and many of them are
# hidden below something opaque or transparent all over.
_TILE = 256
# Above this many pixels it is worth a second thread.
_THREADS_FROM = 512 * 512
_MAX_THREADS = 4
# float32 sums of many layers miss an exact half by less than this, in units of one 8-bit level.
_TIE_GUARD = 1.0 / 2048
# A canvas of 1024 x 1024 as planes of float32, and half as much again.
_KEPT_BYTES = 24 << 20
# Fewer layers are painted as fast as they are copied.
_WORTH_KEEPING = 3

Needed = list[tuple[Layer, Rect]]  # layers of a tile, bottom to top, with the part to paint
Kept = tuple[Needed, np.ndarray]  # layers, and the ground after them

_lock = threading.Lock()
_blocks: WeakKeyDictionary[Pixels, AlphaBlocks] = WeakKeyDictionary()


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


def composite(layers: Iterable[Layer], rect: Rect) -> np.ndarray:
    """Paint the part `rect` of the canvas: visible layers with pixels, bottom to top.

    Returns:
        (height, width, 4) uint8, straight alpha, colour 0 where alpha is 0. A fresh array.
    """
    shown = shown_layers(layers)
    out = np.zeros((rect.height, rect.width, 4), np.uint8)
    needed = [(tile, needed_in(shown, tile)) for tile in tiles_of(rect)]
    on_threads(
        [
            (area_of(found), partial(_paint_tile, found, tile, out[window(tile, rect)]))
            for tile, found in needed
            if found
        ]
    )
    return out


def shown_layers(layers: Iterable[Layer]) -> list[Layer]:
    return [layer for layer in layers if layer.visible and layer.opacity > 0 and layer.has_pixels]


def tiles_of(rect: Rect) -> list[Rect]:
    return [
        Rect(x, y, min(_TILE, rect.right - x), min(_TILE, rect.bottom - y))
        for y in range(rect.y, rect.bottom, _TILE)
        for x in range(rect.x, rect.right, _TILE)
    ]


def on_threads(work: Sequence[tuple[int, Callable[[], None]]]) -> None:
    """Call the second of each pair, on threads where the first, pixels to paint, are many."""
    threads = min(_MAX_THREADS, os.cpu_count() or 1, len(work))
    if threads < 2 or sum(pixels for pixels, _ in work) < _THREADS_FROM:
        for _, paint in work:
            paint()
    else:  # numpy lets go of the interpreter while it computes
        with ThreadPoolExecutor(threads, thread_name_prefix="layerloom-composite") as pool:
            list(pool.map(lambda item: item[1](), work))


def area_of(needed: Needed) -> int:
    return sum(part.area for _, part in needed)


def empty_ground(tile: Rect) -> np.ndarray:
    """(4, h, w) premultiplied red, green, blue and alpha, 0 to 255.

    Planes instead of pixels: with the channel in front every inner loop runs over a whole row,
    which is several times faster than over three neighbours.
    """
    return np.zeros((4, tile.height, tile.width), np.float32)


def paint_over(ground: np.ndarray, needed: Needed, tile: Rect) -> None:
    """Paint layers over the ground of a tile, in place."""
    room = _Room(tile.area)
    for layer, part in needed:
        assert layer.pixels is not None
        source = layer.pixels[window(part, layer.rect)]
        rows, columns = window(part, tile)
        _paint(source, layer.opacity, BLENDS.get(layer.blend), ground[:, rows, columns], room)


def _paint_tile(needed: Needed, tile: Rect, out: np.ndarray) -> None:
    ground = empty_ground(tile)
    paint_over(ground, needed, tile)
    finish(ground, out)


def needed_in(layers: list[Layer], tile: Rect) -> Needed:
    """What has to be painted in a tile, bottom to top, with the part that lies in it.

    Nothing below a layer that covers the tile with opaque normal pixels, and nothing that is
    transparent there: the result is the same to the last bit.
    """
    found = []
    for layer in reversed(layers):
        part = layer.rect.intersect(tile)
        if part is None or layer.image is None:
            continue
        blocks, place = blocks_of(layer.image), window(part, layer.rect)
        seen = blocks.seen_in(*place)
        if seen is None:
            continue
        rows, columns = seen
        shown = Rect(
            layer.rect.x + columns.start,
            layer.rect.y + rows.start,
            columns.stop - columns.start,
            rows.stop - rows.start,
        )
        found.append((layer, shown))
        least, _ = blocks.range_in(*place)
        hides = least == 255 and part == tile and layer.opacity == 1 and layer.blend not in BLENDS
        if hides:
            break
    found.reverse()
    return found


class _Room:
    """Memory for one layer of a tile at a time.

    Fresh arrays of this size for every layer come from the system and go back to it page by page,
    which takes longer than the painting.
    """

    def __init__(self, pixels: int) -> None:
        self._planes = np.empty(4 * pixels, np.float32)
        self._channel = np.empty(pixels, np.uint32)
        self._cover = np.empty(pixels, np.float32)

    def of(self, h: int, w: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(4, h, w) float32, (h, w) uint32, (h, w) float32; whatever was in them."""
        pixels = h * w
        return (
            self._planes[: 4 * pixels].reshape(4, h, w),
            self._channel[:pixels].reshape(h, w),
            self._cover[:pixels].reshape(h, w),
        )


def _paint(
    source: np.ndarray, opacity: float, blend: Blend | None, ground: np.ndarray, room: _Room
) -> None:
    """Paint `source`, (h, w, 4) uint8, over `ground`, (4, h, w), in place."""
    paint, channel, cover = room.of(*source.shape[:2])
    _to_planes(source, paint, channel)
    np.multiply(paint[3], np.float32(opacity / 255.0), out=cover)  # 0 to 1
    colour = paint[:3]
    if blend is not None:
        # Cs = (1 - ab) x Cs + ab x B(Cb, Cs), both colours straight, 0 to 1.
        below = ground[3]
        backdrop = np.divide(ground[:3], below, out=np.zeros_like(colour), where=below > 0)
        mixed = blend(np.minimum(backdrop, np.float32(1.0)), colour / np.float32(255.0))
        colour += below / np.float32(255.0) * (mixed * np.float32(255.0) - colour)
    paint[3] = 255.0
    paint *= cover
    np.subtract(np.float32(1.0), cover, out=cover)
    ground *= cover
    ground += paint


def _to_planes(source: np.ndarray, planes: np.ndarray, channel: np.ndarray) -> None:
    """(h, w, 4) uint8 into (4, h, w) float32; `channel` (h, w) uint32 is used on the way.

    By shifts of whole pixels: a quarter faster than picking every fourth byte, and this is half of
    what painting a layer takes.
    """
    pixels = source.view("<u4")[..., 0]
    for place in range(4):
        np.right_shift(pixels, 8 * place, out=channel)
        if place < 3:
            np.bitwise_and(channel, 255, out=channel)
        # Signed on the way: processors convert those at once, unsigned ones in pieces.
        np.copyto(planes[place], channel.view(np.int32), casting="unsafe")


def finish(ground: np.ndarray, out: np.ndarray) -> None:
    """Straight 8-bit pixels from premultiplied planes; ties go up."""
    half = np.float32(0.5 + _TIE_GUARD)
    alpha = ground[3]
    level = np.floor(alpha + half)
    colour = np.divide(
        ground[:3] * np.float32(255.0), alpha, out=np.zeros_like(ground[:3]), where=level > 0
    )
    colour += half
    out[..., :3] = (np.minimum(colour, np.float32(255.0)) * (level > 0)).transpose(1, 2, 0)
    out[..., 3] = np.minimum(level, np.float32(255.0))


class Compositor:
    """`composite` for a picture that changes, at the price of what is different.

    Repaints only the tiles that look different. Where the same layer changes again and again, the
    ground below it is kept as painted.

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
