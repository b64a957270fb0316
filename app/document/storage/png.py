"""PNG bytes from pixels and back, and pictures of other kinds coming in.

Knows nothing of layers or documents. Bytes are the same for the same pixels, with one Pillow and
one zlib.
"""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError
from PIL.PngImagePlugin import PngInfo

from app.document.contents import MAX_SIDE
from app.document.geometry import Size
from app.document.pixels import clean_rgba
from app.document.storage.errors import StorageError, not_opened
from app.document.storage.kinds import kind_of
from app.document.storage.picture_exif import orientation_of
from app.document.storage.picture_planes import Planes, planes_of
from app.document.storage.picture_png import png_planes
from app.document.storage.picture_tiff import (
    UnsupportedPictureError,
    deep_tiff_size,
    tiff_notes,
    tiff_planes,
)

PICTURE_FORMATS = ("PNG", "WEBP", "JPEG", "TIFF", "BMP", "GIF", "AVIF")
# What dialogs list; a file under any other name opens by what is in it.
PICTURE_SUFFIXES = tuple(
    ".png .apng .webp .jpg .jpeg .jfif .jpe .tif .tiff .bmp .dib .gif .avif".split()
)

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_SMALL = 6
_MAX_BYTES = 512 * 1024**2
_FILTER_UP = 2
# 8 bits a channel, RGBA, deflate, the standard filters, not interlaced.
_RGBA_8 = bytes((8, 6, 0, 0, 0))
_SRGB_PERCEPTUAL = b"\x00"


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that came in.

    Attributes:
        pixels: (h, w, 4) uint8, straight alpha, sRGB, read-only.
        notes: sentences for the user about what was not read or cannot be seen.
    """

    pixels: np.ndarray
    notes: tuple[str, ...] = ()


class PngError(ValueError):
    """The bytes are no readable PNG of an allowed size; the text says why."""


def encode_png(
    pixels: np.ndarray, *, texts: Mapping[str, str] | None = None, small: bool = False
) -> bytes:
    """Pixels as an 8-bit, non-interlaced RGBA PNG with an sRGB chunk and no profile.

    Args:
        pixels: (h, w, 4) uint8, straight alpha.
        texts: keyword to text, written as UTF-8 text chunks in this order.
        small: take more time for fewer bytes.
    """
    if not small and not texts:
        return _encode_fast(pixels)
    info = PngInfo()
    info.add(b"sRGB", _SRGB_PERCEPTUAL)
    for key, text in (texts or {}).items():
        info.add_itxt(key, text)
    stream = io.BytesIO()
    image = Image.fromarray(np.ascontiguousarray(pixels), "RGBA")
    image.save(stream, "PNG", pnginfo=info, compress_level=_SMALL)
    return stream.getvalue()


def _encode_fast(pixels: np.ndarray) -> bytes:
    """Every row as its difference to the row above, run lengths only.

    Two to four times faster than Pillow's fastest level and smaller than it; zlib lets go of the
    interpreter meanwhile, so the window does not stop.
    """
    height, width = pixels.shape[:2]
    flat = np.ascontiguousarray(pixels).reshape(height, 4 * width)
    rows = np.empty((height, 1 + 4 * width), np.uint8)
    rows[:, 0] = _FILTER_UP
    rows[0, 1:] = flat[0]
    np.subtract(flat[1:], flat[:-1], out=rows[1:, 1:])
    packer = zlib.compressobj(1, zlib.DEFLATED, zlib.MAX_WBITS, zlib.DEF_MEM_LEVEL, zlib.Z_RLE)
    chunks = (
        (b"IHDR", struct.pack(">II", width, height) + _RGBA_8),
        (b"sRGB", _SRGB_PERCEPTUAL),
        (b"IDAT", packer.compress(rows.data) + packer.flush()),
        (b"IEND", b""),
    )
    return _SIGNATURE + b"".join(_chunk(kind, data) for kind, data in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    check = zlib.crc32(data, zlib.crc32(kind))
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)


def has_png_head(data: bytes) -> bool:
    """Whether the bytes begin as a PNG does that declares its size."""
    return len(data) >= 33 and data.startswith(_SIGNATURE) and data[12:16] == b"IHDR"


def png_size(data: bytes) -> Size:
    """The size that a PNG declares; nothing is decoded.

    Raises:
        PngError: not a PNG, or a side is 0 or above the limit.
    """
    if not has_png_head(data):
        raise PngError("not a PNG")
    width, height = struct.unpack(">II", data[16:24])
    if not (1 <= width <= MAX_SIDE and 1 <= height <= MAX_SIDE):
        raise PngError(f"{width:,} × {height:,} pixels; the limit is {MAX_SIDE:,} each way")
    return Size(width, height)


def png_text(data: bytes, keyword: str) -> str:
    """A text chunk of a PNG; "" when there is none.

    Raises:
        PngError: damaged, or of a size that is not allowed.
    """
    png_size(data)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
                image.load()  # text may stand behind the pixels
                return str(getattr(image, "text", {}).get(keyword, ""))
    except Exception as error:  # Pillow raises many kinds for damaged data
        raise PngError(str(error) or type(error).__name__) from error


def decode_png(data: bytes) -> np.ndarray:
    """(h, w, 4) uint8, straight alpha, colour 0 where alpha is 0, read-only.

    Raises:
        PngError: damaged, or of a size that is not allowed; found before anything is decoded.
    """
    size = png_size(data)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of what is checked here already
            with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
                if image.size != (size.width, size.height):
                    raise PngError("its size is declared twice")
                image.load()
                return planes_of(image).to_rgba()
    except PngError:
        raise
    except Exception as error:  # Pillow raises many kinds for damaged data
        raise PngError(str(error) or type(error).__name__) from error


def read_picture(path: Path) -> Picture:
    """A picture file as pixels: first frame, turned as EXIF says, converted to sRGB.

    Args:
        path: PNG, WebP, JPEG, TIFF, BMP, GIF or AVIF.

    Returns:
        its pixels, (h, w, 4) uint8, straight alpha, read-only, and notes for the user.

    Raises:
        StorageError: not readable, damaged, or larger than the limit.
    """
    return picture_of(picture_bytes(path), path.name)


def picture_bytes(path: Path) -> bytes:
    """The bytes of a picture file, up to one above the limit; raises StorageError."""
    try:
        with path.open("rb") as stream:
            data = stream.read(_MAX_BYTES + 1)
    except OSError as error:
        raise not_opened(path, error) from error
    return data


def read_picture_bytes(data: bytes, name: str) -> np.ndarray:
    """The pixels of a picture in bytes; `name` is how messages call it."""
    return picture_of(data, name).pixels


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
    except Exception:  # a kind that only the other reader knows, or damage: then that one says so
        planes = tiff_planes(data)
    return replace(planes, notes=planes.notes + tiff_notes(data))


def fitted(pixels: np.ndarray, size: Size) -> np.ndarray:
    """The pixels scaled down to fit into `size`, or as they are; (h, w, 4) uint8."""
    height, width = pixels.shape[:2]
    scale = min(size.width / width, size.height / height)
    if scale >= 1:
        return pixels
    return resized(pixels, Size(max(1, round(width * scale)), max(1, round(height * scale))))


def resized(pixels: np.ndarray, size: Size) -> np.ndarray:
    """The pixels resampled (Lanczos, premultiplied) to `size`; (h, w, 4) uint8, read-only."""
    # Premultiplied, or colour from transparent pixels bleeds into edges; and in floats, because
    # Lanczos overshoots at edges: cut to 8 bit, alpha stops at 255 while colour goes on, and a
    # bright fringe remains.
    planes = pixels.astype(np.float32).transpose(2, 0, 1)  # (4, h, w)
    planes = np.concatenate([planes[:3] * (planes[3] / 255.0), planes[3:]])
    scaled = np.stack(
        [
            np.asarray(
                Image.fromarray(np.ascontiguousarray(plane), "F").resize(
                    (size.width, size.height), Image.Resampling.LANCZOS
                )
            )
            for plane in planes
        ]
    )
    alpha = scaled[3]
    colour = np.divide(scaled[:3] * 255.0, alpha, out=np.zeros_like(scaled[:3]), where=alpha >= 0.5)
    rgba = np.concatenate([colour, alpha[None]]).transpose(1, 2, 0)
    return clean_rgba(np.floor(rgba.clip(0, 255) + 0.5).astype(np.uint8))
