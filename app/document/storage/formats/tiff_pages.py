"""TIFF with one page per layer: name, place and pixels, bottom first.

Offsets in TIFF cannot be negative, so pages are cut to the canvas. Knows no compositor.
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image
from PIL.TiffImagePlugin import AppendingTiffWriter, IFDRational, ImageFileDirectory_v2

from app.document.contents import Contents
from app.document.layer import Layer, window
from app.document.storage.atomic import Disk, Stamp, write_bytes
from app.document.storage.errors import StorageError
from app.document.storage.formats.flat import tiff_tags
from app.document.storage.formats.options import ExportOptions, visible_only

_PAGE_NAME, _X_POSITION, _Y_POSITION = 285, 286, 287
_SUBFILE, _PAGE = 254, 2
_ASCII = 2
# Positions are lengths; with this resolution a 72nd of an inch is a pixel.
_PER_INCH = 72


def export_tiff_pages(
    contents: Contents, path: Path, options: ExportOptions, disk: Disk | None = None
) -> Stamp:
    """Every layer with pixels on the canvas as a page.

    Raises:
        StorageError: there is none, or writing failed.
    """
    if not options.hidden:
        contents = visible_only(contents)
    layers = [layer for layer in contents.layers if _part(layer, contents) is not None]
    if not layers:
        raise StorageError(
            "No layer has pixels on the canvas.", "Nothing was exported.", "Generate something."
        )
    stream = io.BytesIO()
    with AppendingTiffWriter(stream, True) as writer:
        for place, layer in enumerate(layers):
            _write_page(writer, layer, contents, is_first=place == 0, options=options)
            writer.newFrame()
        data = stream.getvalue()

    def verify(new: Path) -> None:
        with Image.open(new) as image:
            if getattr(image, "n_frames", 1) != len(layers):
                raise StorageError("The written pages do not read back.")
            for place, layer in enumerate(layers):
                image.seek(place)
                part = _part(layer, contents)
                if part is None or not np.array_equal(np.asarray(image), part):
                    raise StorageError(f"Page {place} does not read back as it is.")

    return write_bytes(path, data, verify=verify, disk=disk)


def _write_page(
    writer: AppendingTiffWriter,
    layer: Layer,
    contents: Contents,
    *,
    is_first: bool,
    options: ExportOptions,
) -> None:
    part = _part(layer, contents)
    assert part is not None  # only such layers were taken
    tags = (
        tiff_tags(contents, with_recipe=options.with_recipe)
        if is_first
        else ImageFileDirectory_v2()
    )
    tags[282] = tags[283] = float(_PER_INCH)
    tags[296] = 2
    tags[_SUBFILE] = _PAGE
    tags.tagtype[_PAGE_NAME] = _ASCII
    tags[_PAGE_NAME] = layer.name.encode()  # TIFF says ASCII; readers of today take UTF-8
    tags[_X_POSITION] = IFDRational(max(0, layer.rect.x), _PER_INCH)
    tags[_Y_POSITION] = IFDRational(max(0, layer.rect.y), _PER_INCH)
    image = Image.fromarray(np.ascontiguousarray(part), "RGBA")
    image.save(writer, "TIFF", compression="tiff_adobe_deflate", tiffinfo=tags)


def _part(layer: Layer, contents: Contents) -> np.ndarray | None:
    """The pixels on the canvas, or None when there are none."""
    common = layer.rect.intersect(contents.canvas.rect)
    if layer.pixels is None or common is None:
        return None
    return layer.pixels[window(common, layer.rect)]
