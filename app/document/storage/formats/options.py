"""What can be chosen for an export. Each format reads the few that mean something to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from app.document.composite import composite
from app.document.contents import MAX_SIDE, Contents, new_background
from app.document.geometry import Rect
from app.document.layer import Layer
from app.document.storage.errors import StorageError

Colour = tuple[int, int, int]
Check = Callable[[Path], None]
WHITE: Colour = (255, 255, 255)
SCALES = (1, 2, 4)
HTML_FILES = (".html", ".htm")  # endings of a web page in one file


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportOptions:
    """Choices of one export."""

    rect: Rect | None = None  # the part of the canvas, canvas pixels; None = all of it
    layer_id: int | None = None  # one layer alone, as its pixels are; None = the composite
    scale: int = 1  # 1, 2 or 4; layers of flat fills as shapes, others by Lanczos, premultiplied
    # put the picture over this colour (red, green, blue); None = keep transparency. JPEG has none
    # and takes white.
    over: Colour | None = None
    with_recipe: bool = True  # write prompt, seeds and records into the file. Names of layers stay.
    quality: int | None = None  # JPEG and WebP, 1 to 100; None = WebP without loss, JPEG 92
    hidden: bool = True  # formats with layers: write hidden layers too, as hidden
    # False: leave the background layer out; what it filled is transparent
    with_background: bool = True
    canvas_sized: bool = False  # ZIP, folder: every layer as large as the canvas
    pages: bool = False  # TIFF: one page per layer instead of the composite
    parallax: bool = False  # HTML: layers shift a little while the pointer crosses the picture
    # SVG, PDF: the background as shapes even if it has gradients or was imported; else it is a
    # picture, unless it was generated with flat fills
    vector_background: bool = False
    # what a manifest says besides the layers
    facts: Mapping[str, Any] = field(default_factory=dict, hash=False)


class Made(NamedTuple):
    """An export in one file, and what raises where the written file is not what it should be."""

    data: bytes
    check: Check | None = None  # None = compare the bytes


def asked_layer(contents: Contents, options: ExportOptions) -> Layer | None:
    """The one layer that is exported alone; None = all. Raises StorageError: it has no pixels."""
    if options.layer_id is None:
        return None
    layer = contents.layer(options.layer_id)
    if layer.has_pixels:
        return layer
    raise StorageError(
        f"'{layer.name}' has no pixels yet.", "Nothing was exported.", "Generate it first."
    )


def flat_pixels(contents: Contents, options: ExportOptions) -> np.ndarray:
    """The picture of a flat format, (h, w, 4) uint8, straight; StorageError: too large or empty."""
    layer = asked_layer(contents, options)
    rect = layer.rect if layer is not None else options.rect or contents.canvas.rect
    width, height = rect.width * options.scale, rect.height * options.scale
    if options.scale != 1 and max(width, height) > MAX_SIDE:
        raise StorageError(
            f"The picture would be {width:,} × {height:,}; the limit is {MAX_SIDE:,} each way.",
            "Nothing was exported.",
            "Choose a smaller scale.",
        )
    pixels = _chosen(contents, layer, rect, options.scale)
    return pixels if options.over is None else over_colour(pixels, options.over)


def _chosen(contents: Contents, layer: Layer | None, rect: Rect, scale: int) -> np.ndarray:
    """One layer alone as its pixels are, or the composite."""
    if scale == 1:
        alone = None if layer is None else layer.pixels
        return composite(contents.layers, rect) if alone is None else alone
    # The tracer is loaded by those alone who need shapes.
    from app.document.storage.formats.shapes import enlarged_composite, enlarged_layer

    if layer is not None:
        return enlarged_layer(layer, scale)
    return enlarged_composite(contents.layers, rect, scale)


def over_colour(pixels: np.ndarray, colour: Colour) -> np.ndarray:
    """The picture over one colour, opaque, ties rounded half up; (h, w, 4) uint8."""
    alpha = pixels[..., 3:].astype(np.uint32)
    ground = np.array(colour, np.uint32)
    mixed = (pixels[..., :3] * alpha + ground * (255 - alpha)) * 2 + 255
    opaque = np.full(pixels.shape, 255, np.uint8)
    opaque[..., :3] = (mixed // 510).astype(np.uint8)
    return opaque


def visible_only(contents: Contents) -> Contents:
    """The contents without hidden layers, for exports that leave them out.

    A background that is hidden or off loses its pixels and candidates too: a project file would
    keep them.
    """
    is_seen = contents.background_on and contents.background.visible
    shown = contents if is_seen else without_background(contents)
    return replace(shown, foregrounds=tuple(layer for layer in shown.foregrounds if layer.visible))


def without_background(contents: Contents) -> Contents:
    """The contents with the background off, and without its pixels, which a project would keep."""
    gone = replace(new_background(contents.canvas), id=contents.background.id)
    return replace(contents, background=gone, background_on=False)
