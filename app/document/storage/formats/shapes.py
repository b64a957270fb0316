"""Layers as vector shapes: for formats that can hold them, and for pictures at a larger scale."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np

from app.document.blends import BLENDS
from app.document.composite import composite, shown_layers
from app.document.contents import Contents
from app.document.geometry import Rect
from app.document.layer import Layer, window
from app.document.pixels import Pixels, resampled
from app.document.storage.formats.options import ExportOptions, asked_layer
from app.document.vectors.tracing import Traced, layer_shapes, painted_bytes, scale_of
from app.document.words import shown_name


def mix_blend_mode(blend: str) -> str:
    """The value of `mix-blend-mode`; "" for normal and for modes of other programs."""
    return ("plus-lighter" if blend == "add" else blend) if blend in BLENDS else ""


def short_number(value: float, places: int) -> str:
    """A number with at most so many decimal places."""
    return f"{value:.{places}f}".rstrip("0").rstrip(".")


def written_layers(contents: Contents, options: ExportOptions) -> list[Layer]:
    """The layers with pixels that an export writes, bottom first; StorageError: it has none."""
    alone = asked_layer(contents, options)
    if alone is not None:
        return [alone]
    return [
        layer for layer in contents.layers if layer.has_pixels and (layer.visible or options.hidden)
    ]


def shapes_of(layer: Layer, options: ExportOptions) -> Traced:
    """The shapes of a layer with pixels, or why it goes out as a picture.

    A layer with gradients is traced where that is like its pixels; the background only where
    it is asked for, even if it was imported.
    """
    if layer.is_background:
        wanted = options.vector_background
        return layer_shapes(layer, gradients=wanted, imported=wanted)
    return layer_shapes(layer, gradients=True)


def say_pictures(contents: Contents, options: ExportOptions) -> str:
    """A sentence about the layers that were written as pictures; "" if there are none."""
    reasons = list(_pictures(written_layers(contents, options), options))
    return f"Written as pictures: {'; '.join(reasons)}." if reasons else ""


def _pictures(layers: list[Layer], options: ExportOptions) -> Iterator[str]:
    for layer in layers:
        found = shapes_of(layer, options)
        if found.vectors is None:
            yield f"'{shown_name(layer)}' ({found.reason})"


def enlarged_composite(layers: Iterable[Layer], rect: Rect, scale: int) -> np.ndarray:
    """The layers' composite, `scale` times as large.

    Without shapes the composite itself is resampled; else each layer by itself, so that edges of
    shapes stay sharp.

    Returns:
        (scale x height, scale x width, 4) uint8, straight alpha.
    """
    shown = [layer for layer in shown_layers(layers) if layer.rect.intersect(rect)]
    if not any(layer_shapes(layer).vectors for layer in shown):
        size = (rect.width * scale, rect.height * scale)
        return resampled(composite(shown, rect), *size, sharp=True)
    return composite([_enlarged(layer, rect, scale) for layer in shown], _times(rect, scale))


def enlarged_layer(layer: Layer, scale: int) -> np.ndarray:
    """The pixels of a layer that has some, `scale` times as large; uint8, straight alpha."""
    image = _enlarged(layer, layer.rect, scale).pixels
    assert image is not None  # it was just made
    return image


def _times(rect: Rect, scale: int) -> Rect:
    return Rect(*(scale * each for each in (rect.x, rect.y, rect.width, rect.height)))


def _enlarged(layer: Layer, rect: Rect, scale: int) -> Layer:
    """The part of a layer inside of `rect`, at the scale."""
    part = layer.rect.intersect(rect)
    assert part is not None and layer.pixels is not None  # only such layers are taken
    larger = _times(part, scale)
    vectors = layer_shapes(layer).vectors
    if vectors is None:
        pixels = layer.pixels[window(part, layer.rect)]
        pixels = resampled(pixels, larger.width, larger.height, sharp=True)
    else:
        across, down = scale_of(layer, vectors)
        corner = scale * (part.x - layer.rect.x), scale * (part.y - layer.rect.y)
        pixels = painted_bytes(
            vectors.shapes, larger.height, larger.width, (scale * across, scale * down), corner
        )
    return replace(layer, rect=larger, image=Pixels.of(pixels))
