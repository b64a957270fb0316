"""Composite: the layers of a document painted into one picture, bottom to top.

Pure numpy: no files, no windows. W3C Compositing and Blending Level 1 in 8-bit sRGB: straight
alpha in, premultiplied inside, straight alpha out, ties rounded half up. Export, thumbnails and
the saved merged picture all use this one.

Shapes: h w rows and columns of one tile.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from app.document.alpha import blocks_of
from app.document.document import Document
from app.document.geometry import Rect
from app.document.layer import Layer, window

# Tiles of this side keep all intermediate arrays in the processor's cache, and many of them are
# hidden below something opaque or transparent all over.
_TILE = 256
# Above this many pixels it is worth a second thread.
_THREADS_FROM = 512 * 512
_MAX_THREADS = 4
# float32 sums of many layers miss an exact half by less than this, in units of one 8-bit level.
_TIE_GUARD = 1.0 / 2048

Blend = Callable[[np.ndarray, np.ndarray], np.ndarray]


def composite(source: Document | Iterable[Layer], rect: Rect | None = None) -> np.ndarray:
    """Paint visible layers with pixels, bottom to top.

    Args:
        source: a document, or layers bottom first.
        rect: the part of the canvas to paint, canvas pixels; None = the document's canvas, or
            for layers the smallest rectangle that holds them all.

    Returns:
        (height, width, 4) uint8, straight alpha, colour 0 where alpha is 0. A fresh array.

    Raises:
        ValueError: no rect, and no layer to take one from.
    """
    if isinstance(source, Document):
        layers = source.layers
        rect = rect or source.canvas.rect
    else:
        layers = tuple(source)
    shown = [layer for layer in layers if layer.visible and layer.opacity > 0 and layer.has_pixels]
    if rect is None:
        rect = _union(shown)
    out = np.zeros((rect.height, rect.width, 4), np.uint8)
    tiles = [
        Rect(x, y, min(_TILE, rect.right - x), min(_TILE, rect.bottom - y))
        for y in range(rect.y, rect.bottom, _TILE)
        for x in range(rect.x, rect.right, _TILE)
    ]

    def paint(tile: Rect) -> None:
        _paint_tile(shown, tile, out[window(tile, rect)])

    threads = min(_MAX_THREADS, os.cpu_count() or 1, len(tiles))
    if threads < 2 or rect.area * len(shown) < _THREADS_FROM:
        for tile in tiles:
            paint(tile)
    else:  # numpy lets go of the interpreter while it computes
        with ThreadPoolExecutor(threads, thread_name_prefix="layerloom-composite") as pool:
            list(pool.map(paint, tiles))
    return out


def _union(layers: list[Layer]) -> Rect:
    if not layers:
        raise ValueError("composite needs a rect when there is no layer with pixels")
    rect = layers[0].rect
    for layer in layers[1:]:
        rect = rect.united(layer.rect)
    return rect


def _paint_tile(layers: list[Layer], tile: Rect, out: np.ndarray) -> None:
    """Paint one tile into `out`, (h, w, 4) uint8."""
    # Planes instead of pixels: with the channel in front every inner loop runs over a whole row,
    # which is several times faster than over three neighbours.
    ground: np.ndarray | None = None  # (4, h, w) premultiplied red, green, blue and alpha, 0 to 255
    for layer, part in _needed(layers, tile):
        assert layer.pixels is not None
        source = layer.pixels[window(part, layer.rect)]
        if ground is None:
            ground = np.zeros((4, tile.height, tile.width), np.float32)
        rows, columns = window(part, tile)
        _paint(source, layer.opacity, BLENDS.get(layer.blend), ground[:, rows, columns])
    if ground is not None:
        _finish(ground, out)


def _needed(layers: list[Layer], tile: Rect) -> list[tuple[Layer, Rect]]:
    """What has to be painted in a tile, bottom to top, with the part that lies in it.

    Nothing below a layer that covers the tile with opaque normal pixels, and nothing that is
    transparent there: the result is the same to the last bit.
    """
    found = []
    for layer in reversed(layers):
        part = layer.rect.intersect(tile)
        if part is None or layer.image is None:
            continue
        least, most = blocks_of(layer.image).range_in(*window(part, layer.rect))
        if most == 0:
            continue
        found.append((layer, part))
        hides = least == 255 and part == tile and layer.opacity == 1 and layer.blend not in BLENDS
        if hides:
            break
    found.reverse()
    return found


def _paint(source: np.ndarray, opacity: float, blend: Blend | None, ground: np.ndarray) -> None:
    """Paint `source`, (h, w, 4) uint8, over `ground`, (4, h, w), in place."""
    paint = source.transpose(2, 0, 1).astype(np.float32, order="C")  # (4, h, w)
    cover = paint[3] * np.float32(opacity / 255.0)  # (h, w), 0 to 1
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


def _finish(ground: np.ndarray, out: np.ndarray) -> None:
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


def _hard_light(backdrop: np.ndarray, source: np.ndarray) -> np.ndarray:
    doubled = 2.0 * source
    screened = doubled - 1.0
    return np.where(source <= 0.5, backdrop * doubled, backdrop + screened - backdrop * screened)


def _overlay(backdrop: np.ndarray, source: np.ndarray) -> np.ndarray:
    return _hard_light(source, backdrop)


def _color_dodge(backdrop: np.ndarray, source: np.ndarray) -> np.ndarray:
    quotient = np.divide(backdrop, 1.0 - source, out=np.ones_like(backdrop), where=source < 1.0)
    return np.where(backdrop <= 0.0, np.float32(0.0), np.minimum(quotient, 1.0))


def _color_burn(backdrop: np.ndarray, source: np.ndarray) -> np.ndarray:
    quotient = np.divide(1.0 - backdrop, source, out=np.ones_like(backdrop), where=source > 0.0)
    return np.where(backdrop >= 1.0, np.float32(1.0), 1.0 - np.minimum(quotient, 1.0))


def _soft_light(backdrop: np.ndarray, source: np.ndarray) -> np.ndarray:
    cubic = ((16.0 * backdrop - 12.0) * backdrop + 4.0) * backdrop
    lifted = np.where(backdrop <= 0.25, cubic, np.sqrt(backdrop))
    doubled = 2.0 * source - 1.0
    darker = backdrop + doubled * backdrop * (1.0 - backdrop)
    return np.where(source <= 0.5, darker, backdrop + doubled * (lifted - backdrop))


def _screen(backdrop: np.ndarray, source: np.ndarray) -> np.ndarray:
    return backdrop + source - backdrop * source


def _difference(backdrop: np.ndarray, source: np.ndarray) -> np.ndarray:
    return np.abs(backdrop - source)


def _add(backdrop: np.ndarray, source: np.ndarray) -> np.ndarray:
    return np.minimum(backdrop + source, 1.0)


# B(backdrop, source) on straight colours of 0 to 1. "normal" and every name that is not here
# paint the source as it is.
BLENDS: dict[str, Blend] = {
    "multiply": np.multiply,
    "screen": _screen,
    "overlay": _overlay,
    "darken": np.minimum,
    "lighten": np.maximum,
    "color-dodge": _color_dodge,
    "color-burn": _color_burn,
    "hard-light": _hard_light,
    "soft-light": _soft_light,
    "difference": _difference,
    "add": _add,
}
BLEND_MODES: tuple[str, ...] = ("normal", *BLENDS)
