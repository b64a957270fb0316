"""Pictures without layers: PNG, WebP, JPEG and TIFF, with the recipe where it is wanted.

Each with a check that it reads back. TIFF also with one page per layer.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from app.document.contents import Contents
from app.document.layer import window
from app.document.storage.errors import StorageError
from app.document.storage.formats.options import (
    WHITE,
    Check,
    ExportOptions,
    Made,
    flat_pixels,
    over_colour,
)
from app.document.storage.png import encode_png
from app.document.storage.recipe import png_texts, recipe_text, xmp_of
from app.document.words import shown_name

JPEG_QUALITY = 92
_EXIF_DESCRIPTION, _EXIF_SOFTWARE = 0x010E, 0x0131
_PER_INCH = 72  # pixels, in a TIFF
_STRIP_BYTES = 1024 * 1024
_PAGE_NAME, _X_POSITION, _Y_POSITION, _XMP = 285, 286, 287, 700
_BYTE, _ASCII, _RATIONAL = 1, 2, 5
_PAGE_OF_SEVERAL = 2


def png(contents: Contents, options: ExportOptions) -> Made:
    """PNG, RGBA, with the recipe in a text chunk."""
    pixels = flat_pixels(contents, options)
    texts = png_texts(contents, with_recipe=options.with_recipe)
    return Made(encode_png(pixels, texts=texts, small=True), _reads_as(pixels))


def webp(contents: Contents, options: ExportOptions) -> Made:
    """WebP without loss, or with the quality that is asked for."""
    pixels = flat_pixels(contents, options)
    is_exact = options.quality is None
    settings: dict[str, Any] = {"lossless": is_exact, "method": 4, "exact": True}
    settings |= {} if is_exact else {"quality": options.quality}
    data = _saved(pixels, "WEBP", _about(contents, options), **settings)
    return Made(data, _reads_as(pixels if is_exact else None))


def jpeg(contents: Contents, options: ExportOptions) -> Made:
    """JPEG over a colour, no chroma subsampling."""
    pixels = over_colour(flat_pixels(contents, options), options.over or WHITE)
    settings = {"quality": options.quality or JPEG_QUALITY, "subsampling": 0, "optimize": True}
    data = _saved(pixels[..., :3], "JPEG", _about(contents, options), **settings)
    return Made(data, _reads_as(None))


def tiff(contents: Contents, options: ExportOptions) -> Made:
    """TIFF, RGBA, deflate; one picture, or on request a page for each layer."""
    recipe = recipe_text(contents, ascii_only=True) if options.with_recipe else ""
    xmp = xmp_of(contents, with_recipe=False)
    if options.pages:
        return _tiff_pages(contents, recipe, xmp)
    pixels = flat_pixels(contents, options)
    return Made(tiff_file([Page(pixels, description=recipe, xmp=xmp)]), _reads_as(pixels))


def _reads_as(pixels: np.ndarray | None) -> Check:
    """A check that a file decodes, and to these (h, w, 4) uint8 pixels; None = with loss."""

    def check(new: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of sizes that are within our limit
            with Image.open(new) as image:
                found = np.asarray(image.convert("RGBA"))
        if pixels is not None and not np.array_equal(found, pixels):
            raise StorageError("The written picture does not read back as it is.")

    return check


def _about(contents: Contents, options: ExportOptions) -> Mapping[str, Any]:
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


# ---- TIFF ----


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a TIFF."""

    pixels: np.ndarray  # (h, w, 4) uint8, straight alpha
    name: str = ""  # of the page, any Unicode; "" = none
    at: tuple[int, int] = (0, 0)  # x and y of the page on the canvas, pixels, not negative
    description: str = ""  # ASCII text; "" = none
    xmp: str = ""  # XML; "" = none

    def tags(self) -> list[tuple[int, int, int | None, object, bool]]:
        """(code, type, count, value, once) of what tifffile has no argument for."""
        # Places are lengths; at 72 to an inch, a 72nd of an inch is a pixel.
        tags: list[tuple[int, int, int | None, object, bool]] = [
            (code, _RATIONAL, 1, (place, _PER_INCH), True)
            for code, place in zip((_X_POSITION, _Y_POSITION), self.at, strict=True)
        ]
        if self.name:  # TIFF says ASCII; readers of today take UTF-8
            tags.append((_PAGE_NAME, _ASCII, None, self.name.replace("\0", "").encode(), True))
        if self.xmp:
            data = self.xmp.encode()
            tags.append((_XMP, _BYTE, len(data), data, True))
        return tags


def tiff_file(pages: Sequence[Page]) -> bytes:
    """The pages in this order, little endian, in strips of deflate with horizontal differences.

    By tifffile, because Pillow's encoder holds the interpreter from the first row to the last: the
    window would stand still for seconds. The same pages give the same bytes.
    """
    from tifffile import TiffWriter  # takes a sixth of a second to import

    stream = io.BytesIO()
    with TiffWriter(stream, byteorder="<") as file:
        for page in pages:
            file.write(
                page.pixels,
                photometric="rgb",
                extrasamples=["unassalpha"],
                compression="adobe_deflate",
                compressionargs={"level": 6},
                predictor=True,
                rowsperstrip=max(1, _STRIP_BYTES // (4 * page.pixels.shape[1])),
                resolution=(_PER_INCH, _PER_INCH),
                resolutionunit="inch",
                software="Layerloom",
                description=page.description or None,
                metadata=None,
                subfiletype=_PAGE_OF_SEVERAL if len(pages) > 1 else 0,
                extratags=page.tags(),
                contiguous=False,
            )
    return stream.getvalue()


def _tiff_pages(contents: Contents, recipe: str, xmp: str) -> Made:
    """Every layer with pixels on the canvas as a page with name and place, bottom first.

    Offsets in TIFF cannot be negative, so pages are cut to the canvas.

    Raises:
        StorageError: there is none.
    """
    pages: list[Page] = []
    for layer in contents.layers:
        common = layer.rect.intersect(contents.canvas.rect)
        if layer.pixels is not None and common is not None:
            pixels = layer.pixels[window(common, layer.rect)]
            about = ("", "") if pages else (recipe, xmp)
            pages.append(Page(pixels, shown_name(layer), (common.x, common.y), *about))
    if not pages:
        raise StorageError(
            "No layer has pixels on the canvas.", "Nothing was exported.", "Generate something."
        )

    def check(new: Path) -> None:
        with Image.open(new) as image:
            if getattr(image, "n_frames", 1) != len(pages):
                raise StorageError("The written pages do not read back.")
            for place, page in enumerate(pages):
                image.seek(place)
                if not np.array_equal(np.asarray(image), page.pixels):
                    raise StorageError(f"Page {place} does not read back as it is.")

    return Made(tiff_file(pages), check)
