"""Gradients as fills: a picture without flat fills, painted with a few colours.

Each pixel lies between the two colours that are nearest to it; where it is half-way, the border
between their fills runs. The borders of a gradient then are smooth lines across it.

Shapes: H W rows and columns, K colours, n pixels of a part.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

from app.document.vectors.fills import Fills

_SAMPLES = 8192  # pixels that the colours are chosen from
_CHUNK = 16384  # pixels that are looked at together


def gradient_fills(rgba: np.ndarray, colours: int) -> Fills:
    """The fills of a picture in so many colours.

    Args:
        rgba: (H, W, 4) uint8, straight alpha, not empty.
        colours: 2 to 255.
    """
    calm = _blurred(rgba)
    palette = _chosen(rgba, colours)
    height, width = rgba.shape[:2]
    first, second = (np.zeros(height * width, np.uint8) for _ in range(2))
    share = np.ones(height * width, np.float32)
    seen = np.flatnonzero(rgba[..., 3].ravel())
    flat = calm.reshape(-1, 3)
    for start in range(0, len(seen), _CHUNK):
        part = seen[start : start + _CHUNK]
        first[part], second[part], share[part] = _between(flat[part], palette)
    shape = (height, width)
    area = np.bincount(first, minlength=len(palette) + 1)[1:]
    order = np.argsort(-area, kind="stable")
    place = np.zeros(len(palette) + 1, np.uint8)
    place[order + 1] = np.arange(1, len(palette) + 1)
    return Fills(
        palette=np.round(palette[order]).astype(np.uint8),
        first=place[first].reshape(shape),
        second=place[second].reshape(shape),
        share=share.reshape(shape),
        alpha=rgba[..., 3].astype(np.float32) / 255,
    )


def _between(seen: np.ndarray, palette: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(n, 3) colours -> the nearest two of the palette, counted from 1, and the first's share."""
    if len(palette) == 1:
        only = np.ones(len(seen), np.uint8)
        return only, only, np.ones(len(seen), np.float32)
    distance = (palette**2).sum(axis=1) - 2 * seen @ palette.T
    nearest = np.argpartition(distance, 1, axis=1)[:, :2]
    order = np.argsort(np.take_along_axis(distance, nearest, axis=1), axis=1)
    first, second = np.take_along_axis(nearest, order, axis=1).T
    line = palette[first] - palette[second]
    length = np.maximum((line**2).sum(axis=1), 1e-6)
    share = (((seen - palette[second]) * line).sum(axis=1) / length).clip(0.5, 1)
    return first + 1, second + 1, share


def _chosen(rgba: np.ndarray, colours: int) -> np.ndarray:
    """(K, 3) float32 colours that stand for all, by median cut of a sample."""
    solid = rgba.reshape(-1, 4)
    solid = solid[solid[:, 3] >= 128] if (rgba[..., 3] >= 128).any() else solid[solid[:, 3] > 0]
    sample = solid[:: max(1, len(solid) // _SAMPLES), :3]
    picture = Image.fromarray(np.ascontiguousarray(sample[None]))
    index = np.asarray(picture.quantize(colours, Image.Quantize.MEDIANCUT, kmeans=1))[0]
    counts = np.bincount(index)
    sums = np.stack([np.bincount(index, sample[:, c].astype(float)) for c in range(3)], axis=-1)
    return np.asarray(sums[counts > 0] / counts[counts > 0, None], np.float32)


def _blurred(rgba: np.ndarray) -> np.ndarray:
    """(H, W, 3) float32 straight colours, the mean over three by three pixels, by alpha."""
    weighted = rgba.astype(np.float32)
    weighted[..., :3] *= weighted[..., 3:] / 255
    for axis in (0, 1):
        sides = [(0, 0)] * 3
        sides[axis] = (1, 1)
        padded = np.pad(weighted, sides)
        ahead, back = [slice(None)] * 3, [slice(None)] * 3
        ahead[axis], back[axis] = slice(2, None), slice(None, -2)
        weighted = weighted + padded[tuple(ahead)] + padded[tuple(back)]
    return np.asarray(weighted[..., :3] * (255 / np.maximum(weighted[..., 3:], 1e-3)))
