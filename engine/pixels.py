"""Pixels at the engine's edge: straight bytes outside, premultiplied floats inside. Numpy only."""

from __future__ import annotations

import numpy as np
from PIL import Image

# Alpha below the first is empty and above the second is solid. A prediction's alpha is mostly how
# sure it is of an outline, and what it is unsure of would show as haze around things and as holes
# in them; between the two remains the width of a pixel, as in the art it learned from.
EMPTY_ALPHA, SOLID_ALPHA = 0.25, 0.75
# Tokens come in whole numbers and boxes do not: up to this much longer or shorter one way, a thing
# still looks like itself; beyond, it keeps its proportions and some of the box stays empty.
MOST_STRETCH = 1.1


def to_premultiplied(rgba: np.ndarray) -> np.ndarray:
    """(h, w, 4) uint8 straight -> float32 premultiplied in [0, 1]."""
    pixels = rgba.astype(np.float32) / 255
    pixels[..., :3] *= pixels[..., 3:]
    return pixels


def decide_alpha(premultiplied: np.ndarray, enlarged: float = 1.0) -> np.ndarray:
    """(h, w, 4) float premultiplied -> the same with every outline decided.

    Args:
        enlarged: how many times longer the sides are than those that were drawn, 1 upwards; what is
            left of an edge would be that much wider, too.
    """
    alpha = premultiplied[..., 3:]
    middle = (EMPTY_ALPHA + SOLID_ALPHA) / 2
    decided = ((alpha - middle) * (enlarged / (SOLID_ALPHA - EMPTY_ALPHA)) + 0.5).clip(0, 1)
    rgb = premultiplied[..., :3] / np.maximum(alpha, 1e-4)
    return np.concatenate([rgb.clip(0, 1) * decided, decided], axis=-1)


def to_bytes(premultiplied: np.ndarray) -> np.ndarray:
    """(h, w, 4) float premultiplied -> uint8 straight; colour is 0 where alpha rounds to 0."""
    rgb = premultiplied[..., :3] / np.maximum(premultiplied[..., 3:], 1e-4)
    alpha = np.round(premultiplied[..., 3:] * 255)
    rgb = np.where(alpha > 0, np.round(rgb.clip(0, 1) * 255), 0)
    return np.concatenate([rgb, alpha], axis=-1).astype(np.uint8)


def to_straight(premultiplied: np.ndarray) -> np.ndarray:
    """(h, w, 4) float premultiplied -> uint8 straight, outlines decided."""
    return to_bytes(decide_alpha(premultiplied))


def fit(premultiplied: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(h, w, 4) float premultiplied -> uint8 straight of (height, width) `size`, as delivered.

    Outlines are decided where they are finest: before they are reduced, so that averages make their
    edges smooth, and after they are enlarged, so that these stay a pixel wide.
    """
    h, w = premultiplied.shape[:2]
    enlarged = (size[0] / h * size[1] / w) ** 0.5
    if enlarged < 1:
        return to_bytes(resample(decide_alpha(premultiplied), size))
    return to_bytes(decide_alpha(resample(premultiplied, size), enlarged))


def deliver(
    premultiplied: np.ndarray, frame: tuple[float, float], size: tuple[int, int]
) -> np.ndarray:
    """As `fit`, but the thing keeps its proportions, give or take `MOST_STRETCH`.

    Args:
        frame: (height, width) in pixels of the middle part that stands for the box.
        size: (height, width) of the box. What the frame leaves of it, half on each side, is empty.
    """
    cut = middle(premultiplied, (round(frame[0]), round(frame[1])))
    return amid(fit(cut, inner_size(frame, size)), size)


def inner_size(frame: tuple[float, float], size: tuple[int, int]) -> tuple[int, int]:
    """(height, width) that a thing of this `frame` takes in a box of this `size`; see `deliver`."""
    scale = min(size[0] / frame[0], size[1] / frame[1]) * MOST_STRETCH
    return min(size[0], round(frame[0] * scale)), min(size[1], round(frame[1] * scale))


def middle(pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The part of (h, w, 4) pixels that has this size and lies in their middle; a view."""
    top, left = (pixels.shape[0] - size[0]) // 2, (pixels.shape[1] - size[1]) // 2
    return pixels[top : top + size[0], left : left + size[1]]


def amid(pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(h, w, 4) uint8 -> the same in the middle of an empty layer of this size."""
    if pixels.shape[:2] == size:
        return pixels
    layer = np.zeros((*size, 4), np.uint8)
    height, width = pixels.shape[:2]
    middle(layer, (height, width))[:] = pixels
    return layer


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
