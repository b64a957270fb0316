"""Pictures that come in: PNG, WebP, JPEG, TIFF, BMP, GIF and AVIF as pixels, or what else it is."""

from __future__ import annotations

import io
import re
import struct
import warnings
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from app.document.contents import MAX_SIDE
from app.document.storage.errors import StorageError, not_opened
from app.document.storage.picture_planes import (
    Planes,
    UnsupportedPictureError,
    deep_tiff_size,
    orientation_of,
    planes_of,
    tiff_notes,
    tiff_planes,
)
from app.document.storage.png import has_png_head, png_planes

_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF87a", "a GIF picture"),
    (b"GIF89a", "a GIF picture"),
    (b"BM", "a BMP picture"),
    (b"II*\0", "a TIFF picture"),
    (b"MM\0*", "a TIFF picture"),
    (b"8BPS", "a Photoshop file"),
    (b"gimp xcf", "a GIMP file"),
    (b"%PDF", "a PDF"),
    (b"%!PS", "a PostScript file"),
    (b"\x76\x2f\x31\x01", "an OpenEXR picture"),
    (b"\xff\x0a", "a JPEG XL picture"),
    (b"\0\0\0\x0cJXL ", "a JPEG XL picture"),
    (b"\0\0\0\x0cjP  ", "a JPEG 2000 picture"),
    (b"qoif", "a QOI picture"),
    (b"PK\x03\x04", "a zip archive"),
    (b"PK\x05\x06", "a zip archive"),
    (b"Rar!", "a RAR archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ\0", "an xz archive"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive"),
)
_BRANDS = {b"avif": "an AVIF picture", b"avis": "an AVIF picture", b"heic": "a HEIC picture"}
# Behind a declaration, comments and a document type.
_SVG = re.compile(rb"<(?:\w+:)?svg[\s>/]", re.IGNORECASE)
_HEAD = 4096

PICTURE_FORMATS = ("PNG", "WEBP", "JPEG", "TIFF", "BMP", "GIF", "AVIF")
# What dialogs list; a file under any other name opens by what is in it.
PICTURE_SUFFIXES = tuple(
    ".png .apng .webp .jpg .jpeg .jfif .jpe .tif .tiff .bmp .dib .gif .avif".split()
)
_MAX_BYTES = 512 * 1024**2


def kind_of(data: bytes) -> str:
    """What a file is, by its first 4,096 bytes, such as "a JPEG picture"; "" = unknown."""
    for magic, kind in _MAGIC:
        if data.startswith(magic):
            return kind
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "a WebP picture"
    if data[4:8] == b"ftyp":
        return _BRANDS.get(data[8:12], "a video or HEIF file")
    head = data[:_HEAD].lstrip(b"\xef\xbb\xbf \t\r\n")
    if head.startswith(b"<"):
        return "an SVG drawing" if _SVG.search(head) else "an XML or HTML file"
    return ""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that came in."""

    pixels: np.ndarray  # (h, w, 4) uint8, straight alpha, sRGB, read-only
    notes: tuple[str, ...] = ()  # sentences for the user about what was not read or cannot be seen


def read_picture(path: Path) -> Picture:
    """The first frame of a picture file, upright, in sRGB; StorageError: damaged or too large."""
    try:
        with path.open("rb") as stream:
            data = stream.read(_MAX_BYTES + 1)
    except OSError as error:
        raise not_opened(path, error) from error
    return picture_of(data, path.name)


def picture_of(data: bytes, name: str) -> Picture:
    """A picture in bytes, as `read_picture`; `name` is how messages call it."""
    if len(data) > _MAX_BYTES:
        raise StorageError(
            f"'{name}' is larger than the pictures that this program reads "
            f"({_MAX_BYTES // 1024**2} MB).",
            "Nothing was added.",
            "Scale it down first.",
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of what is checked here already
            planes = _planes(data)
            pixels = planes.to_rgba()
    except StorageError:
        raise
    except UnidentifiedImageError as error:
        raise unknown_picture(data, name) from error
    except Exception as error:  # Pillow raises many kinds for damaged data
        if isinstance(error, UnsupportedPictureError) or "unsupported" in str(error).lower():
            raise StorageError(
                f"'{name}' is not supported: {error}.",
                "Nothing was added and the file is untouched.",
                "Save it as PNG in another program.",
            ) from error
        raise StorageError(
            f"'{name}' is damaged: {error}.", "Nothing was added and the file is untouched."
        ) from error
    notes = tuple(f"'{name}': {note[0].lower()}{note[1:]}" for note in planes.notes)
    if not pixels[..., 3].any():
        notes += (f"Nothing of '{name}' can be seen: all of its pixels are transparent.",)
    return Picture(pixels, notes)


def unknown_picture(data: bytes, name: str) -> StorageError:
    """The refusal of a file that is no picture of a kind that is read; it names the kind found."""
    kind = kind_of(data[:4096])
    if kind == "a zip archive" and b"application/x-krita" in data[:256]:
        kind = "a Krita file"
    found = f": it is {kind}" if kind else ""
    return StorageError(
        f"'{name}' is not a kind of file that Layerloom reads{found}.",
        "Nothing was added and the file is untouched.",
        "Save it as PNG, WebP, JPEG, TIFF, BMP, GIF, AVIF or OpenRaster.",
    )


def _planes(data: bytes) -> Planes:
    if has_png_head(data):
        _check_side(*struct.unpack(">II", data[16:24]))
        return png_planes(data)
    if (size := deep_tiff_size(data)) is not None:
        _check_side(size.width, size.height)
        planes = tiff_planes(data)
        return replace(planes, notes=planes.notes + tiff_notes(data))
    with Image.open(io.BytesIO(data), formats=PICTURE_FORMATS) as image:
        _check_side(*image.size)
        if image.format == "TIFF":
            return _tiff(image, data)
        image.load()
        profile = image.info.get("icc_profile") or b""
        planes = planes_of(image, profile=profile, orientation=orientation_of(image))
        if image.format == "BMP" and planes.alpha is not None and not planes.alpha.any():
            planes = replace(planes, alpha=None)  # most programs leave 0 in a channel without use
        if image.format != "MPO" and getattr(image, "is_animated", False):
            note = "It has more than one frame, and only the first was read."
            planes = replace(planes, notes=(note,))
        return planes


def _check_side(width: int, height: int) -> None:
    if max(width, height) > MAX_SIDE:
        raise StorageError(
            f"The picture is {width:,} × {height:,}; the limit is {MAX_SIDE:,} each way.",
            "Nothing was added.",
            "Scale it down first.",
        )


def _tiff(image: Image.Image, data: bytes) -> Planes:
    profile = image.info.get("icc_profile") or b""
    try:
        image.load()  # this turns it, too
        planes = planes_of(image, profile=profile, orientation=orientation_of(image))
    except (
        Exception
    ):  # a kind that only the other reader reads, or damage: then that reader says so
        planes = tiff_planes(data)
    return replace(planes, notes=planes.notes + tiff_notes(data))
