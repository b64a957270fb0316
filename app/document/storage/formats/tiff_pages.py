"""TIFF with one page per layer: name, place and pixels, bottom first.

Offsets in TIFF cannot be negative, so pages are cut to the canvas. Knows no compositor.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from app.document.contents import Contents
from app.document.layer import Layer, window
from app.document.storage.atomic import Disk, Stamp, write_bytes
from app.document.storage.errors import StorageError
from app.document.storage.formats.options import ExportOptions, visible_only
from app.document.storage.formats.tiff_file import Page, tiff_file
from app.document.storage.recipe import recipe_text, xmp_of
from app.document.words import shown_name


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
    pages = []
    for place, layer in enumerate(layers):
        part = _part(layer, contents)
        assert part is not None  # only such layers were taken
        with_recipe = options.with_recipe and place == 0
        pages.append(
            Page(
                pixels=part,
                name=shown_name(layer),
                x=max(0, layer.rect.x),
                y=max(0, layer.rect.y),
                description=recipe_text(contents, ascii_only=True) if with_recipe else "",
                xmp=xmp_of(contents, with_recipe=False) if place == 0 else "",
            )
        )
    data = tiff_file(pages)

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


def _part(layer: Layer, contents: Contents) -> np.ndarray | None:
    """The pixels on the canvas, or None when there are none."""
    common = layer.rect.intersect(contents.canvas.rect)
    if layer.pixels is None or common is None:
        return None
    return layer.pixels[window(common, layer.rect)]
