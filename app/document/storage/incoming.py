"""Files and clipboard data that come in as layers: pictures, OpenRaster, layers of our own.

Reads only. What is too large, damaged or unknown is refused whole, with a sentence.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from app.document.contents import MAX_SIDE, Contents, new_background
from app.document.errors import DocumentError, LimitError
from app.document.geometry import Rect, Size
from app.document.layer import Candidate, Layer, clean_name, new_layer_id
from app.document.pixels import Pixels, resampled
from app.document.staleness import SOURCE
from app.document.storage.layout import Layout
from app.document.storage.ora.archive import ArchiveReader
from app.document.storage.ora.file import is_ora, load_project, read_ora, write_ora
from app.document.storage.ora.foreign import Opened
from app.document.storage.pictures import read_picture

_NO_NUMBER = 1  # `AddLayers` gives the real one

LAYERS_TYPE = "application/x-layerloom-layers"
_MAX_CLIP_BYTES = 512 * 1024**2


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
    """A picture as a document of its own: a canvas of its size, rounded up to the grid."""
    height, width = pixels.shape[:2]
    canvas = Size(width, height).rounded_up(grid)
    layer = picture_layer(pixels, name, canvas, centre=(width // 2, height // 2), fit=False)
    return Contents(
        canvas=canvas,
        background=new_background(canvas),
        background_on=False,
        foregrounds=(layer,),
        next_number=layer.number + 1,
    )


def box_layer(rect: Rect, name: str, seed: int | None, shows: str = "") -> Layer:
    """A box of a layout as a layer without pixels."""
    return Layer(
        id=new_layer_id(),
        number=_NO_NUMBER,
        name=clean_name(name),
        rect=rect,
        seed=seed,
        shows=shows,
    )


def cascaded(centre: tuple[int, int], place: int, grid: int) -> tuple[int, int]:
    """Where the n-th of several pictures goes: each one grid step further down and right."""
    return (centre[0] + place * grid, centre[1] + place * grid)


def _around(x: int, y: int, width: int, height: int) -> Rect:
    return Rect(x - width // 2, y - height // 2, width, height)


@dataclass(frozen=True, slots=True)
class Incoming:
    """Layers that a file holds, bottom first, and what to tell about them."""

    layers: tuple[Layer, ...]
    messages: tuple[str, ...] = ()


def read_layers(
    path: Path, canvas: Size, grid: int, *, centre: tuple[int, int] | None = None
) -> Incoming:
    """A picture as one layer, or all layers of an OpenRaster.

    Args:
        centre: of a picture, canvas pixels; None = the middle. An OpenRaster keeps its places.

    Raises:
        StorageError: not readable, of an unknown type or too large.
    """
    if _is_project(path):
        opened = load_project(path, grid=grid)
        # All layers as foregrounds: there can be only one background, and it is taken.
        layers = tuple(
            replace(layer, is_background=False)
            for layer in opened.contents.layers
            if layer.has_pixels or not layer.is_background
        )
        return Incoming(layers, opened.messages)
    picture = read_picture(path)
    layer = picture_layer(picture.pixels, path.stem, canvas, centre=centre)
    return Incoming((layer,), picture.notes)


def open_as_document(path: Path, grid: int) -> Opened:
    """A project, or a picture as a new document of its size; errors as `read_layers`."""
    if _is_project(path):
        return load_project(path, grid=grid)
    picture = read_picture(path)
    contents = picture_document(picture.pixels, path.stem, grid)
    height, width = picture.pixels.shape[:2]
    canvas, notes = contents.canvas, picture.notes
    if canvas != Size(width, height):
        notes += (
            f"The canvas is {canvas.width:,} × {canvas.height:,}, larger than the picture "
            f"({width:,} × {height:,}), because its sides are multiples of {grid}.",
        )
    return Opened(contents, notes, None, False)


def layers_to_bytes(contents: Contents, layers: Sequence[Layer]) -> bytes:
    """Layers with everything that belongs to them, for the clipboard."""
    shown = tuple(replace(layer, is_background=False) for layer in layers)
    numbered = tuple(replace(layer, number=number) for number, layer in enumerate(shown, start=1))
    part = Contents(
        canvas=contents.canvas,
        background=new_background(contents.canvas),
        background_on=False,
        foregrounds=numbered,
        next_number=len(numbered) + 1,
    )
    stream = io.BytesIO()
    write_ora(part, stream)
    return stream.getvalue()


def layers_from_bytes(data: bytes) -> tuple[Layer, ...]:
    """What `layers_to_bytes` wrote, maybe in another window. Raises StorageError: it is damaged."""
    with ArchiveReader(io.BytesIO(data[:_MAX_CLIP_BYTES]), "the clipboard") as archive:
        return read_ora(archive).contents.foregrounds


def layers_of_layout(layout: Layout) -> tuple[Layer, ...]:
    """The boxes of a layout as layers without pixels, bottom first."""
    return tuple(box_layer(box.rect, box.name, box.seed, box.shows) for box in layout.boxes)


def _is_project(path: Path) -> bool:
    """Whether to read it as OpenRaster: by its ending, or by what is in it."""
    if is_ora(path):
        return True
    try:
        return any(
            name.rpartition("/")[2] == "stack.xml" for name in zipfile.ZipFile(path).namelist()
        )
    except Exception:  # no zip, or a damaged one, or no file: the reader of pictures says so
        return False
