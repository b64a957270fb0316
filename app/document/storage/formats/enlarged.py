"""Pictures at a larger scale: shapes are painted at that scale, pixels are resampled."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from app.document.composite import composite, shown_layers
from app.document.geometry import Rect, Size
from app.document.layer import Layer, window
from app.document.pixels import Pixels
from app.document.storage.png import resized
from app.document.vectors.of_layers import layer_shapes, scale_of
from app.document.vectors.tracing import painted_bytes


def enlarged_composite(layers: Iterable[Layer], rect: Rect, scale: int) -> np.ndarray:
    """The layers' composite, `scale` times as large.

    Without shapes the composite itself is resampled; else each layer by itself, so that edges of
    shapes stay sharp.

    Returns:
        (scale x height, scale x width, 4) uint8, straight alpha.
    """
    shown = [layer for layer in shown_layers(layers) if layer.rect.intersect(rect)]
    if not any(layer_shapes(layer).vectors for layer in shown):
        return resized(composite(shown, rect), Size(rect.width * scale, rect.height * scale))
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
        pixels = resized(layer.pixels[window(part, layer.rect)], larger.size)
    else:
        across, down = scale_of(layer, vectors)
        corner = scale * (part.x - layer.rect.x), scale * (part.y - layer.rect.y)
        pixels = painted_bytes(
            vectors.shapes, larger.height, larger.width, (scale * across, scale * down), corner
        )
    return replace(layer, rect=larger, image=Pixels.of(pixels))
