"""Pixels at the engine's edge: straight bytes outside, premultiplied floats inside. Numpy only."""

from __future__ import annotations

import numpy as np
from PIL import Image

# Alpha below the first is empty and above the second is solid. A prediction's alpha is mostly how
# sure it is of an outline, and what it is unsure of would show as haze around things and as holes
# in them; between the two remains the width of a pixel, as in the art it learned from.
EMPTY_ALPHA, SOLID_ALPHA = 0.25, 0.75


def to_premultiplied(rgba: np.ndarray) -> np.ndarray:
    """(h, w, 4) uint8 straight -> float32 premultiplied in [0, 1]."""
    pixels = rgba.astype(np.float32) / 255
    pixels[..., :3] *= pixels[..., 3:]
    return pixels


def to_straight(premultiplied: np.ndarray) -> np.ndarray:
    """(h, w, 4) float premultiplied -> uint8 straight; colour is 0 where alpha rounds to 0."""
    alpha = premultiplied[..., 3:]
    rgb = premultiplied[..., :3] / np.maximum(alpha, 1e-4)
    alpha = np.round(((alpha - EMPTY_ALPHA) / (SOLID_ALPHA - EMPTY_ALPHA)).clip(0, 1) * 255)
    rgb = np.where(alpha > 0, np.round(rgb.clip(0, 1) * 255), 0)
    return np.concatenate([rgb, alpha], axis=-1).astype(np.uint8)


def to_opaque(premultiplied: np.ndarray) -> np.ndarray:
    """(h, w, 4) float premultiplied -> uint8 with alpha 255, for the background.

    Where the decoder is unsure of alpha the colour is still the picture's, not black.
    """
    rgb = premultiplied[..., :3] / np.maximum(premultiplied[..., 3:], 0.25)
    rgb = np.round(rgb.clip(0, 1) * 255).astype(np.uint8)
    return np.concatenate([rgb, np.full_like(rgb[..., :1], 255)], axis=-1)


def resample(premultiplied: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(h, w, 4) float32 premultiplied -> (height, width) of `size`, channel by channel.

    Smaller by averages, larger by bicubic interpolation; the same size stays as it is.
    """
    h, w = premultiplied.shape[:2]
    if (h, w) == size:
        return premultiplied
    is_smaller = size[0] <= h and size[1] <= w
    method = Image.Resampling.BOX if is_smaller else Image.Resampling.BICUBIC
    channels = [
        np.asarray(Image.fromarray(np.ascontiguousarray(premultiplied[..., c])).resize(
            (size[1], size[0]), method))
        for c in range(4)
    ]  # fmt: skip
    result = np.stack(channels, axis=-1).clip(0, 1)
    result[..., :3] = np.minimum(result[..., :3], result[..., 3:])
    return result
