"""Shapes of layers: which picture they are made from, and how it lies on the canvas.

A layer that was resized keeps the pixels that it was resampled from; its shapes are made from
those, so that they are as sharp at the new size.
"""

from __future__ import annotations

from app.document.commands.candidates import original_of
from app.document.layer import Layer
from app.document.pixels import Pixels
from app.document.vectors.tracing import Traced, Vectors, traced, traced_before

_IMPORTED = Traced(None, "it was imported")
_EMPTY = Traced(None, "it has no pixels")


def source_of(layer: Layer, *, imported: bool = False) -> Pixels | None:
    """The picture that a layer's shapes are made from.

    None for boxes without pixels, and for imported pictures unless they are wanted: those are
    shown as they came.
    """
    if layer.image is None or (layer.kind == "imported" and not imported):
        return None
    original = original_of(layer)
    return layer.image if original is None else original.image


def layer_shapes(layer: Layer, *, gradients: bool = False, imported: bool = False) -> Traced:
    """The shapes of a layer, or why it has none. Takes a moment for a picture that is new.

    Args:
        gradients: trace a layer without flat fills, too, in steps of colour.
        imported: trace an imported layer, too.
    """
    source = source_of(layer, imported=imported)
    if source is None:
        return _EMPTY if layer.image is None else _IMPORTED
    return traced(source, gradients=gradients)


def known_shapes(layer: Layer) -> Traced | None:
    """As `layer_shapes`, but None where the answer would take a moment."""
    source = source_of(layer)
    return layer_shapes(layer) if source is None else traced_before(source)


def scale_of(layer: Layer, vectors: Vectors) -> tuple[float, float]:
    """Canvas pixels for one unit of the shapes, across and down."""
    return layer.rect.width / vectors.width, layer.rect.height / vectors.height
