"""Which layers go out as shapes and which as pictures, for all formats that can hold both."""

from __future__ import annotations

from collections.abc import Iterator

from app.document.contents import Contents
from app.document.layer import Layer
from app.document.storage.errors import StorageError
from app.document.storage.formats.options import ExportOptions
from app.document.vectors.of_layers import layer_shapes
from app.document.vectors.tracing import Traced
from app.document.words import shown_name


def written_layers(contents: Contents, options: ExportOptions) -> list[Layer]:
    """The layers with pixels that an export writes, bottom first.

    Raises:
        StorageError: one layer is asked for, and it has no pixels.
    """
    if options.layer_id is not None:
        layer = contents.layer(options.layer_id)
        if not layer.has_pixels:
            raise StorageError(
                f"'{layer.name}' has no pixels yet.", "Nothing was exported.", "Generate it first."
            )
        return [layer]
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
