"""PNG pictures of other programs: every colour type and depth, whatever their metadata is like.

Chunks that do not change what is seen are left out before decoding, so that none of them can make a
good picture unreadable or expand without a limit.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from app.document.storage.picture_exif import orientation_of
from app.document.storage.picture_planes import Planes, planes_of, scaled

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_FRAME = 12  # length, type and checksum of a chunk
_MAX_PROFILE = 4 * 1024**2
_MAX_EXIF = 1024**2
_GREY, _RGB = 0, 2
_COLOUR_CHANNELS = {0: 1, 2: 3, 4: 1, 6: 3}
# The keywords under which older programs keep EXIF, and with it the orientation.
_EXIF_TEXTS = (b"Raw profile type exif\0", b"XML:com.adobe.xmp\0")


@dataclass(frozen=True, slots=True)
class _Lean:
    """A PNG without what does not count, and what was taken out of it."""

    data: bytes
    transparent: bytes
    profile: bytes
    frames: int


def png_planes(data: bytes) -> Planes:
    """The still picture of a PNG.

    Raises:
        Exception: of many kinds, when it is damaged.
    """
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
    kept = [SIGNATURE]
    transparent, profile, frames = b"", b"", 1
    end = len(SIGNATURE)
    for kind, start, end in _chunks(data):
        body = data[start + 8 : end - 4]
        is_whole = zlib.crc32(data[start + 4 : end - 4]) == int.from_bytes(data[end - 4 : end])
        if kind[0] & 0x20 == 0:  # critical: the decoder checks it
            kept.append(data[start:end])
        elif not is_whole:  # ancillary and damaged: as if it were not there
            continue
        elif kind == b"iCCP":
            profile = profile or _inflated(body.partition(b"\0")[2][1:], _MAX_PROFILE)
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
    place = len(SIGNATURE)
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
