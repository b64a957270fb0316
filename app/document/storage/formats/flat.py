"""Pictures without layers: PNG, WebP, JPEG and TIFF, with the recipe where it is wanted.

Written atomically and read back before they get their name. TIFF also with one page per layer.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from app.document.contents import Contents
from app.document.layer import Layer, window
from app.document.storage.atomic import Disk, Stamp, write_bytes
from app.document.storage.errors import StorageError
from app.document.storage.formats.options import (
    WHITE,
    ExportOptions,
    flat_pixels,
    over_colour,
    visible_only,
)
from app.document.storage.formats.tiff_file import Page, tiff_file
from app.document.storage.png import encode_png
from app.document.storage.recipe import png_texts, recipe_text, xmp_of
from app.document.words import shown_name

JPEG_QUALITY = 92
_EXIF_DESCRIPTION, _EXIF_SOFTWARE = 0x010E, 0x0131


def export_png_with(
    contents: Contents, path: Path, options: ExportOptions, disk: Disk | None = None
) -> Stamp:
    """PNG, RGBA; `layerloom recipe` reads its recipe back."""
    pixels = flat_pixels(contents, options)
    texts = png_texts(contents, with_recipe=options.with_recipe)
    return write_picture(path, encode_png(pixels, texts=texts, small=True), pixels, disk=disk)


def export_webp(
    contents: Contents, path: Path, options: ExportOptions, disk: Disk | None = None
) -> Stamp:
    """WebP without loss, or with the quality that is asked for."""
    pixels = flat_pixels(contents, options)
    settings: dict[str, Any] = {"lossless": options.quality is None, "method": 4, "exact": True}
    if options.quality is not None:
        settings["quality"] = options.quality
    data = _saved(pixels, "WEBP", _about(contents, options), **settings)
    return write_picture(path, data, pixels if options.quality is None else None, disk=disk)


def export_jpeg(
    contents: Contents, path: Path, options: ExportOptions, disk: Disk | None = None
) -> Stamp:
    """JPEG over a colour, no chroma subsampling."""
    pixels = over_colour(flat_pixels(contents, options), options.over or WHITE)
    data = _saved(
        pixels[..., :3],
        "JPEG",
        _about(contents, options),
        quality=options.quality or JPEG_QUALITY,
        subsampling=0,
        optimize=True,
    )
    return write_picture(path, data, None, disk=disk)


def export_tiff(
    contents: Contents, path: Path, options: ExportOptions, disk: Disk | None = None
) -> Stamp:
    """TIFF, RGBA, deflate; the recipe stands in ImageDescription."""
    pixels = flat_pixels(contents, options)
    page = Page(
        pixels=pixels,
        description=recipe_text(contents, ascii_only=True) if options.with_recipe else "",
        xmp=xmp_of(contents, with_recipe=False),
    )
    return write_picture(path, tiff_file([page]), pixels, disk=disk)


def write_picture(
    path: Path, data: bytes, pixels: np.ndarray | None, *, disk: Disk | None = None
) -> Stamp:
    """Write the bytes of a picture atomically.

    Args:
        pixels: what must read back, (h, w, 4) uint8; None for formats with loss, of which only
            decoding is checked.

    Raises:
        StorageError: it failed; a file that stood there is unchanged.
    """

    def verify(new: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of sizes that are within our limit
            with Image.open(new) as image:
                found = np.asarray(image.convert("RGBA"))
        if pixels is not None and not np.array_equal(found, pixels):
            raise StorageError("The written picture does not read back as it is.")

    return write_bytes(path, data, verify=verify, disk=disk)


def _about(contents: Contents, options: ExportOptions) -> Mapping[str, Any]:
    """EXIF and XMP for WebP and JPEG."""
    exif = Image.Exif()
    exif[_EXIF_SOFTWARE] = "Layerloom"
    if options.with_recipe and contents.prompt.isascii():
        exif[_EXIF_DESCRIPTION] = contents.prompt  # EXIF text is ASCII; XMP has every prompt
    about: dict[str, Any] = {"exif": exif}
    xmp = xmp_of(contents, with_recipe=options.with_recipe)
    if xmp:
        about["xmp"] = xmp.encode()
    return about


def _saved(pixels: np.ndarray, kind: str, about: Mapping[str, Any], **settings: Any) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(stream, kind, **about, **settings)
    return stream.getvalue()


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
