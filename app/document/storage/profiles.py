"""Colour profiles in PNG files that only say "sRGB" in many bytes: left out before reading.

Krita, GIMP and others write such a profile into every layer. Converting from it would move single
values by rounding, and our own layers would no longer be recognised by their pixels.
"""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from functools import lru_cache

import numpy as np
from PIL import Image, ImageCms

_HEAD = 8
_FRAME = 12  # length, type and checksum of a chunk
_MAX_PROFILE = 4 * 1024**2
# What two programs' tables for the same curve differ by, of 255.
_SAME = 2


def without_srgb_profile(data: bytes) -> bytes:
    """A PNG without its profile if that one is sRGB; else, and for damaged data, as it is."""
    place = _HEAD
    while place + _FRAME <= len(data):
        (length,) = struct.unpack_from(">I", data, place)
        kind = data[place + 4 : place + 8]
        end = place + _FRAME + length
        if kind == b"iCCP" and end <= len(data):
            profile = _unpacked(data[place + 8 : end - 4])
            return data[:place] + data[end:] if profile and is_srgb(profile) else data
        if kind in (b"IDAT", b"IEND"):
            break
        place = end
    return data


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


def _unpacked(chunk: bytes) -> bytes:
    """The profile of an iCCP chunk; b"" when it is damaged or too large."""
    _, _, packed = chunk.partition(b"\0")
    try:
        inflater = zlib.decompressobj()
        profile = inflater.decompress(packed[1:], _MAX_PROFILE)
    except zlib.error:
        return b""
    return b"" if inflater.unconsumed_tail else profile
