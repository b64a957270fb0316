"""Pixels: an immutable picture that exists once in memory however many layers show it.

Independent of layers, files and model.
"""

from __future__ import annotations

import hashlib
import math
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


def resampled(rgba: np.ndarray, width: int, height: int) -> np.ndarray:
    """The picture at another size: averaged when smaller, linear when larger.

    Args:
        rgba: (h, w, 4) uint8, straight alpha.
        width, height: pixels, at least 1.

    Returns:
        (height, width, 4) uint8, straight alpha, colour 0 where alpha is 0. A fresh array.
    """
    # Premultiplied: colour that nobody sees must not bleed into what is seen.
    planes = rgba.astype(np.float32)
    planes[..., :3] *= planes[..., 3:] / np.float32(255.0)
    planes = _along(planes, height)
    planes = _along(planes.transpose(1, 0, 2), width).transpose(1, 0, 2)
    alpha = planes[..., 3:]
    out = np.empty((height, width, 4), np.uint8)
    level = np.floor(alpha + np.float32(0.5))
    colour = np.divide(
        planes[..., :3] * np.float32(255.0),
        alpha,
        out=np.zeros_like(planes[..., :3]),
        where=level > 0,
    )
    out[..., :3] = np.minimum(np.floor(colour + np.float32(0.5)), 255.0)
    out[..., 3:] = np.minimum(level, 255.0)
    return out


def _along(planes: np.ndarray, size: int) -> np.ndarray:
    """Resample the first axis to `size` entries with a triangle as wide as one result pixel."""
    length = planes.shape[0]
    if size == length:
        return planes
    scale = length / size
    reach = max(1.0, scale)
    middles = (np.arange(size) + 0.5) * scale - 0.5
    first = np.floor(middles - reach).astype(int) + 1
    taps = math.ceil(2 * reach)
    weights = []
    for tap in range(taps):
        weights.append(np.maximum(0.0, 1.0 - np.abs(first + tap - middles) / reach))
    total = np.sum(weights, axis=0)
    out = np.zeros((size, *planes.shape[1:]), np.float32)
    for tap, weight in enumerate(weights):
        rows = np.clip(first + tap, 0, length - 1)  # the edge goes on outside
        out += planes[rows] * (weight / total).astype(np.float32)[:, None, None]
    return out
