"""PNG: bytes from pixels and back, chunks of foreign files, and the bytes kept between saves.

Bytes are the same for the same pixels, with one Pillow and one zlib. Pixels never change, so their
bytes are kept within a budget and encoded once.
"""

from __future__ import annotations

import io
import struct
import threading
import warnings
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from weakref import WeakKeyDictionary

import numpy as np
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from app.document.contents import MAX_SIDE
from app.document.geometry import Size
from app.document.pixels import Pixels
from app.document.storage.picture_planes import Planes, orientation_of, planes_of, scaled

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_SMALL = 6
_FILTER_UP = 2
# 8 bits a channel, RGBA, deflate, the standard filters, not interlaced.
_RGBA_8 = bytes((8, 6, 0, 0, 0))
_SRGB_PERCEPTUAL = b"\x00"
_FRAME = 12  # bytes of length, type and checksum of a chunk
_MAX_PROFILE = 4 * 1024**2
_MAX_EXIF = 1024**2
_GREY, _RGB = 0, 2
_COLOUR_CHANNELS = {0: 1, 2: 3, 4: 1, 6: 3}
# The keywords under which older programs keep EXIF, and with it the orientation.
_EXIF_TEXTS = (b"Raw profile type exif\0", b"XML:com.adobe.xmp\0")
_SAME = 2  # levels of 255 by which two programs' tables for one curve differ
BUDGET_BYTES = 64 * 1024**2  # of encoded pictures that are kept


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
    """The size that a PNG declares; PngError where it is none, or a side is not allowed."""
    if not has_png_head(data):
        raise PngError("not a PNG")
    width, height = struct.unpack(">II", data[16:24])
    if not (1 <= width <= MAX_SIDE and 1 <= height <= MAX_SIDE):
        raise PngError(f"{width:,} × {height:,} pixels; the limit is {MAX_SIDE:,} each way")
    return Size(width, height)


def png_text(data: bytes, keyword: str) -> str:
    """A text chunk of a PNG; "" when there is none; PngError where it is damaged."""
    with _opened(data) as image:
        return str(getattr(image, "text", {}).get(keyword, ""))


def decode_png(data: bytes) -> np.ndarray:
    """(h, w, 4) uint8, straight alpha, colour 0 where alpha is 0, read-only.

    Raises:
        PngError: damaged, or of a size that is not allowed; found before anything is decoded.
    """
    with _opened(data) as image:
        return planes_of(image).to_rgba()


@contextmanager
def _opened(data: bytes) -> Iterator[Image.Image]:
    """The decoded picture, text behind the pixels included; every error becomes a PngError."""
    size = png_size(data)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of what is checked here already
            with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
                if image.size != (size.width, size.height):
                    raise PngError("its size is declared twice")
                image.load()
                yield image
    except PngError:
        raise
    except Exception as error:  # Pillow raises many kinds for damaged data
        raise PngError(str(error) or type(error).__name__) from error


class Encoded:
    """A picture as PNG.

    Attributes:
        data: the bytes; the same for the same pixels.
        is_proved: they were decoded once and gave the pixels back. Comparing bytes is enough then.
    """

    __slots__ = ("data", "is_proved")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.is_proved = False


class EncodedPictures:
    """Encodes each picture once, and keeps so many PNG bytes; the oldest use goes first."""

    def __init__(self, budget_bytes: int = BUDGET_BYTES) -> None:
        self._budget = budget_bytes
        self._lock = threading.Lock()
        self._kept: WeakKeyDictionary[Pixels, Encoded] = WeakKeyDictionary()

    @property
    def kept_bytes(self) -> int:
        """How many PNG bytes are kept now."""
        with self._lock:
            return self._size()

    def png(self, image: Pixels) -> Encoded:
        """The picture as PNG, encoded now or before."""
        with self._lock:
            known = self._kept.pop(image, None)
            if known is not None:
                self._kept[image] = known  # the latest use stands last
                return known
        made = Encoded(encode_png(image.array))
        with self._lock:
            self._kept[image] = made
            for oldest in list(self._kept):
                if self._size() <= self._budget:
                    break
                del self._kept[oldest]
        return made

    def _size(self) -> int:
        return sum(len(each.data) for each in self._kept.values())


encoded_pictures = EncodedPictures()


@dataclass(frozen=True, slots=True)
class _Lean:
    """A PNG without what does not count, and what was taken out of it."""

    data: bytes
    transparent: bytes
    profile: bytes
    frames: int


def png_planes(data: bytes) -> Planes:
    """The still picture of a PNG. Raises Exception: of many kinds, when it is damaged."""
    lean = _lean(data)
    depth, kind = data[24], data[25]
    with Image.open(io.BytesIO(lean.data), formats=("PNG",)) as image:
        image.load()  # in 16 bits as well: the other decoder takes a picture that breaks off
        orientation = orientation_of(image)
        if depth == 16:
            planes = _deep_planes(lean, kind, image.size)
        else:
            planes = planes_of(image)
            if kind == _GREY and lean.transparent:
                planes = replace(planes, alpha=_grey_alpha(planes.colour, lean.transparent, depth))
    notes = (f"It has {lean.frames:,} frames, and only the first was read.",)
    return replace(
        planes,
        profile=lean.profile,
        orientation=orientation,
        notes=notes if lean.frames > 1 else (),
    )


def _deep_planes(lean: _Lean, kind: int, size: tuple[int, int]) -> Planes:
    """16 bits a channel: Pillow keeps 8 of them for colour, and compares tRNS with those."""
    from imagecodecs import png_decode

    values = np.asarray(png_decode(lean.data))
    values = values.reshape(size[1], size[0], -1)
    channels = _COLOUR_CHANNELS[kind]
    colour = values[..., :channels]
    alpha: np.ndarray | None = None
    if values.shape[2] > channels and kind in (4, 6):
        alpha = scaled(values[..., channels], 65535)
    elif lean.transparent and kind in (_GREY, _RGB):
        key = np.frombuffer(lean.transparent[: 2 * channels], ">u2").astype(values.dtype)
        alpha = np.where((colour == key).all(axis=2), 0, 255).astype(np.uint8)
    eight = scaled(colour, 65535)
    picture = eight[..., 0] if channels == 1 else eight
    return Planes(Image.fromarray(np.ascontiguousarray(picture)), alpha)


def _grey_alpha(grey: Image.Image, transparent: bytes, depth: int) -> np.ndarray | None:
    """Alpha of grey of 1 to 8 bits; the chunk counts in the picture's own depth."""
    if len(transparent) < 2:
        return None
    highest = (1 << depth) - 1
    (value,) = struct.unpack(">H", transparent[:2])
    level = (value & highest) * 255 // highest
    return np.where(np.asarray(grey) == level, 0, 255).astype(np.uint8)


def _lean(data: bytes) -> _Lean:
    kept = [_SIGNATURE]
    transparent, profile, frames = b"", b"", 1
    end = len(_SIGNATURE)
    for kind, start, end in _chunks(data):
        body = data[start + 8 : end - 4]
        is_whole = zlib.crc32(data[start + 4 : end - 4]) == int.from_bytes(data[end - 4 : end])
        if kind[0] & 0x20 == 0:  # critical: the decoder checks it
            kept.append(data[start:end])
        elif not is_whole:  # ancillary and damaged: as if it were not there
            continue
        elif kind == b"iCCP":
            profile = profile or _profile_in(body)
        elif kind == b"acTL" and len(body) >= 4:
            (frames,) = struct.unpack(">I", body[:4])
        elif kind == b"tRNS":
            transparent = body
            if data[25] == 3 or (data[25] == _RGB and data[24] == 8):
                kept.append(data[start:end])
        elif kind == b"eXIf" or _is_exif_text(kind, body):
            kept.append(data[start:end])
    kept.append(data[end:])  # a chunk that breaks off: for the decoder's message
    return _Lean(b"".join(kept), transparent, profile, frames)


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Type, begin and end of every whole chunk up to IEND."""
    place = len(_SIGNATURE)
    while place + _FRAME <= len(data):
        (length,) = struct.unpack_from(">I", data, place)
        kind, end = data[place + 4 : place + 8], place + _FRAME + length
        if end > len(data):
            return
        yield kind, place, end
        if kind == b"IEND":
            return
        place = end


def _is_exif_text(kind: bytes, body: bytes) -> bool:
    if kind not in (b"tEXt", b"zTXt", b"iTXt") or not body.startswith(_EXIF_TEXTS):
        return False
    rest = body.partition(b"\0")[2]
    if kind == b"zTXt":
        return bool(_inflated(rest[1:], _MAX_EXIF))
    return len(body) <= _MAX_EXIF and (kind == b"tEXt" or rest[:1] == b"\0")


def _inflated(packed: bytes, limit: int) -> bytes:
    """At most `limit` bytes; b"" when there are more, or they are damaged."""
    try:
        inflater = zlib.decompressobj()
        found = inflater.decompress(packed, limit)
    except zlib.error:
        return b""
    return found if inflater.eof else b""


def without_srgb_profile(data: bytes) -> bytes:
    """A PNG without its profile if that one is sRGB; else, and for damaged data, as it is.

    Krita, GIMP and others write such a profile into every layer. Converting from it would move
    single values by rounding, and our own layers would no longer be recognised by their pixels.
    """
    for kind, start, end in _chunks(data):
        if kind == b"iCCP":
            profile = _profile_in(data[start + 8 : end - 4])
            return data[:start] + data[end:] if profile and is_srgb(profile) else data
        if kind == b"IDAT":
            break
    return data


def _profile_in(body: bytes) -> bytes:
    """The profile of an iCCP chunk; b"" when it is damaged or too large."""
    return _inflated(body.partition(b"\0")[2][1:], _MAX_PROFILE)


@lru_cache(maxsize=16)
def is_srgb(profile: bytes) -> bool:
    """Whether an RGB profile moves no colour by more than rounding."""
    levels = np.linspace(0, 255, 9, dtype=np.uint8)
    grid = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(1, -1, 3)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            converted = ImageCms.profileToProfile(
                Image.fromarray(grid, "RGB"),
                ImageCms.ImageCmsProfile(io.BytesIO(profile)),
                ImageCms.createProfile("sRGB"),
                outputMode="RGB",
            )
    except (ImageCms.PyCMSError, OSError):  # broken, or of other channels: the caller decides
        return False
    moved = np.asarray(converted).astype(int) - grid
    return int(np.abs(moved).max()) <= _SAME
