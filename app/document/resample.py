"""Resampling of RGBA pixels, premultiplied, for layers that are shown at another size.

Pure numpy; knows neither layers nor files.
"""

from __future__ import annotations

import math

import numpy as np


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
