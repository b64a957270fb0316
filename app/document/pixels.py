"""Pixels: an immutable picture that exists once in memory however many layers show it.

Also pictures at another size. Independent of layers, files and model.
"""

from __future__ import annotations

import hashlib
import threading
from weakref import WeakValueDictionary

import numpy as np
from PIL import Image

_lock = threading.Lock()
_stored: WeakValueDictionary[str, Pixels] = WeakValueDictionary()


def clean_rgba(array: np.ndarray) -> np.ndarray:
    """A fresh, read-only copy with the colour 0,0,0 wherever alpha is 0.

    Args:
        array: (h, w, 4) uint8, straight alpha, at least one pixel.

    Raises:
        ValueError: another shape or type; names what it got.
    """
    if array.ndim != 3 or array.shape[2] != 4 or array.dtype != np.uint8 or array.size == 0:
        raise ValueError(f"pixels must be (h, w, 4) uint8, got {array.shape} {array.dtype}")
    pixels = np.array(array, order="C", copy=True)
    # One 32-bit word per pixel is several times faster than a boolean mask over four channels.
    words = pixels.view(np.uint32)[..., 0]
    words *= array[..., 3] != 0
    pixels.flags.writeable = False
    return pixels


def hash_of(array: np.ndarray) -> str:
    """The pixel hash: SHA-256 over width, height (four bytes each, little endian) and bytes."""
    height, width = array.shape[:2]
    digest = hashlib.sha256(width.to_bytes(4, "little") + height.to_bytes(4, "little"))
    digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


class Pixels:
    """A picture that never changes. Made with `Pixels.of`; equal pictures are the same object."""

    __slots__ = ("__weakref__", "array", "hash")

    array: np.ndarray  # (h, w, 4) uint8, straight alpha, colour 0 where alpha is 0, read-only
    hash: str  # the pixel hash, 64 hexadecimal digits

    @classmethod
    def of(cls, array: np.ndarray) -> Pixels:
        """The picture with these pixels; a copy is made, cleaned and stored once by hash.

        Raises:
            ValueError: not (h, w, 4) uint8.
        """
        cleaned = clean_rgba(array)
        key = hash_of(cleaned)
        with _lock:
            known = _stored.get(key)
            if known is None:
                known = cls.__new__(cls)
                known.array = cleaned
                known.hash = key
                _stored[key] = known
        return known

    @property
    def width(self) -> int:
        return int(self.array.shape[1])

    @property
    def height(self) -> int:
        return int(self.array.shape[0])

    @property
    def size(self) -> tuple[int, int]:
        """(width, height)."""
        return self.width, self.height

    def __repr__(self) -> str:
        return f"Pixels({self.width} x {self.height}, {self.hash[:8]})"


def resampled(rgba: np.ndarray, width: int, height: int, *, sharp: bool = False) -> np.ndarray:
    """The picture at another size.

    Args:
        rgba: (h, w, 4) uint8, straight alpha.
        width, height: pixels, at least 1.
        sharp: by Lanczos; else averaged when smaller and linear when larger, without overshoot.

    Returns:
        (height, width, 4) uint8, straight alpha, colour 0 where alpha is 0, read-only.
    """
    # Premultiplied, or colour of transparent pixels bleeds into edges. In floats, because Lanczos
    # overshoots: cut to 8 bits, alpha stops at 255 while colour goes on, and a bright fringe stays.
    planes = rgba.astype(np.float32).transpose(2, 0, 1)  # (4, h, w)
    planes = np.concatenate([planes[:3] * (planes[3] / np.float32(255.0)), planes[3:]])
    method = Image.Resampling.LANCZOS if sharp else Image.Resampling.BILINEAR
    scaled = np.stack(
        [
            np.asarray(Image.fromarray(plane, "F").resize((width, height), method))
            for plane in planes
        ]
    )
    alpha = scaled[3]
    colour = np.divide(scaled[:3] * 255.0, alpha, out=np.zeros_like(scaled[:3]), where=alpha >= 0.5)
    out = np.concatenate([colour, alpha[None]]).transpose(1, 2, 0)
    return clean_rgba(np.floor(out.clip(0, 255) + 0.5).astype(np.uint8))


def fitted(rgba: np.ndarray, width: int, height: int) -> np.ndarray:
    """The picture scaled down to fit into a size, or as it is; (h, w, 4) uint8."""
    scale = min(width / rgba.shape[1], height / rgba.shape[0])
    if scale >= 1:
        return rgba
    sides = (max(1, round(scale * side)) for side in (rgba.shape[1], rgba.shape[0]))
    return resampled(rgba, *sides, sharp=True)
