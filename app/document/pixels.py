"""Pixels: an immutable picture that exists once in memory however many layers show it.

Knows nothing of layers, files or the model.
"""

from __future__ import annotations

import hashlib
import threading
from weakref import WeakValueDictionary

import numpy as np


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
    """A picture that never changes. Made with `Pixels.of`; equal pictures are the same object.

    Attributes:
        array: (h, w, 4) uint8, straight alpha, colour 0 where alpha is 0, read-only.
        hash: the pixel hash, 64 hexadecimal digits.
    """

    __slots__ = ("__weakref__", "array", "hash")

    array: np.ndarray
    hash: str

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

    def __repr__(self) -> str:
        return f"Pixels({self.width} x {self.height}, {self.hash[:8]})"


_lock = threading.Lock()
_stored: WeakValueDictionary[str, Pixels] = WeakValueDictionary()
