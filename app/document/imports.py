"""What comes in as layer values: pictures that fit the canvas, boxes of a layout.

Pure values; knows no files. Give the result to `AddLayers`.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from app.document.contents import MAX_SIDE, Contents, new_background
from app.document.errors import DocumentError, LimitError
from app.document.geometry import Rect, Size
from app.document.layer import Candidate, Layer, clean_name, new_layer_id
from app.document.outdated import SOURCE
from app.document.pixels import Pixels
from app.document.resample import resampled

_NO_NUMBER = 1  # `AddLayers` gives the real one


def picture_layer(
    pixels: np.ndarray,
    name: str,
    canvas: Size,
    *,
    centre: tuple[int, int] | None = None,
    fit: bool = True,
) -> Layer:
    """A picture as an imported layer.

    Args:
        pixels: (h, w, 4) uint8, straight alpha.
        name: usually the file's name without its suffix.
        centre: canvas pixels; None = the middle of the canvas.
        fit: scale one that is larger than the canvas down; its own pixels stay as a candidate.

    Raises:
        LimitError: a side is above the limit.
        DocumentError: these are no pixels.
    """
    height, width = pixels.shape[:2]
    if max(width, height) > MAX_SIDE:
        raise LimitError(
            f"The picture is {width:,} × {height:,}; the limit is {MAX_SIDE:,} each way.",
            "Nothing was added.",
            "Scale it down first.",
        )
    try:
        image = Pixels.of(pixels)
    except ValueError as error:
        raise DocumentError(f"The picture cannot be used: {error}.") from error
    x, y = centre or canvas.rect.centre
    layer = Layer(
        id=new_layer_id(),
        number=_NO_NUMBER,
        name=clean_name(name),
        kind="imported",
        rect=_around(x, y, width, height),
        image=image,
    )
    scale = min(canvas.width / width, canvas.height / height)
    if not fit or scale >= 1:
        return layer
    small = max(1, round(width * scale)), max(1, round(height * scale))
    original = Candidate(image, None, layer.rect, "imported")
    return replace(
        layer,
        rect=_around(x, y, *small),
        image=Pixels.of(resampled(image.array, *small)),
        record={SOURCE: image.hash},
        candidates=(original,),
    )


def picture_document(pixels: np.ndarray, name: str, grid: int) -> Contents:
    """A picture as a document of its own: a canvas of its size, rounded up to the grid.

    Raises:
        LimitError, DocumentError: as `picture_layer`.
    """
    height, width = pixels.shape[:2]
    if max(width, height) > MAX_SIDE:
        picture_layer(pixels, name, Size(1, 1))  # says what is wrong
    canvas = Size(width, height).rounded_up(grid)
    layer = picture_layer(pixels, name, canvas, centre=(width // 2, height // 2), fit=False)
    return Contents(
        canvas=canvas,
        grid=grid,
        background=new_background(canvas),
        background_on=False,
        foregrounds=(layer,),
        next_number=layer.number + 1,
    )


def box_layer(rect: Rect, name: str, seed: int | None) -> Layer:
    """A box of a layout as a layer without pixels."""
    return Layer(id=new_layer_id(), number=_NO_NUMBER, name=clean_name(name), rect=rect, seed=seed)


def cascaded(centre: tuple[int, int], place: int, grid: int) -> tuple[int, int]:
    """Where the n-th of several pictures goes: each one grid step further down and right."""
    return (centre[0] + place * grid, centre[1] + place * grid)


def _around(x: int, y: int, width: int, height: int) -> Rect:
    return Rect(x - width // 2, y - height // 2, width, height)
