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


def reduce(premultiplied: np.ndarray, factor: int) -> np.ndarray:
    """Average blocks of factor x factor pixels; edges are repeated to whole blocks of a token.

    Args:
        premultiplied: (h, w, 4) float32.
    """
    h, w = premultiplied.shape[:2]
    padded = np.pad(premultiplied, ((0, -h % factor), (0, -w % factor), (0, 0)), mode="edge")
    blocks = padded.reshape(padded.shape[0] // factor, factor, padded.shape[1] // factor, factor, 4)
    return np.ascontiguousarray(blocks.mean(axis=(1, 3)))


def enlarge(premultiplied: np.ndarray, factor: int) -> np.ndarray:
    """Bicubic enlargement of (h, w, 4) float32 premultiplied pixels, channel by channel."""
    h, w = premultiplied.shape[:2]
    size = (w * factor, h * factor)
    channels = [
        np.asarray(Image.fromarray(premultiplied[..., c]).resize(size, Image.Resampling.BICUBIC))
        for c in range(4)
    ]
    result = np.stack(channels, axis=-1).clip(0, 1)
    result[..., :3] = np.minimum(result[..., :3], result[..., 3:])
    return result
