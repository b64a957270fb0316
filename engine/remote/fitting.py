"""Sizes that servers are asked for, and pictures fitted into their boxes. Numpy and pillow only."""

from __future__ import annotations

import math

import numpy as np

from engine.api import Box
from engine.pixels import amid, middle, resample, to_bytes, to_premultiplied
from engine.remote.pictures import crop_to_alpha

AREA = 1024 * 1024  # pixels, which present models are trained for
STEP = 16  # of which both sides are multiples
MOST_ASPECT = 3.0  # beyond, models draw two things next to each other


def picture_size(box: Box) -> tuple[int, int]:
    """(width, height) to ask for: the box's proportions, about one megapixel."""
    aspect = (box[2] - box[0]) / (box[3] - box[1])
    aspect = min(MOST_ASPECT, max(1 / MOST_ASPECT, aspect))
    height = math.sqrt(AREA / aspect)
    return _stepped(height * aspect), _stepped(height)


def _stepped(side: float) -> int:
    return STEP * max(1, round(side / STEP))


def fit_cut_out(rgba: np.ndarray, box: Box) -> np.ndarray:
    """(h, w, 4) uint8 -> the box's size: cropped to what is seen, in its own proportions, centred.

    Raises:
        ValueError: nothing is seen in it.
    """
    height, width = box[3] - box[1], box[2] - box[0]
    cut = crop_to_alpha(rgba)
    if not cut[..., 3].any():
        raise ValueError("the picture is empty")
    scale = min(height / cut.shape[0], width / cut.shape[1])
    size = (
        min(height, max(1, round(cut.shape[0] * scale))),
        min(width, max(1, round(cut.shape[1] * scale))),
    )
    return amid(_resized(cut, size), (height, width))


def fit_background(rgba: np.ndarray, canvas: tuple[int, int]) -> np.ndarray:
    """(h, w, 4) uint8 -> opaque, filling the canvas (width, height); what juts out is cut off."""
    width, height = canvas
    scale = max(height / rgba.shape[0], width / rgba.shape[1])
    size = (
        max(height, round(rgba.shape[0] * scale)),
        max(width, round(rgba.shape[1] * scale)),
    )
    filled = middle(_resized(rgba, size), (height, width)).copy()
    filled[..., 3] = 255
    return filled


def _resized(rgba: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(h, w, 4) uint8 straight -> the same as (height, width); the same size stays as it is."""
    if rgba.shape[:2] == size:
        return rgba
    return to_bytes(resample(to_premultiplied(rgba), size))
