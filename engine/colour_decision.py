"""Colour decision: soft predicted colours become flat fills with clean borders.

A prediction's colours are off by a little everywhere, which shows as blotches in areas that the
art fills with one colour. Here every pixel gets one of a few palette colours, as `engine.pixels`
decides alpha: k-means finds the palette, entries that look alike are merged, every pixel votes for
its nearest entry with its neighbours, and the votes are enlarged before the decision, so that
borders between fills are as fine as the outline.

The result is also the layer's label map: exact regions with shared borders, from which vector
shapes can be made. For styles with flat fills only; gradients would become bands.

Shapes: h w drawn pixels, H W delivered pixels, K palette colours.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from engine.pixels import EMPTY_ALPHA, SOLID_ALPHA, to_bytes

MOST_COLOURS = 16  # before entries that look alike are merged
ALIKE = 9.0  # distance in CIELAB below which two entries are one colour
CALM = 0.03  # largest step of a pixel inside a fill, summed over the channels
SAMPLES = 2048  # solid pixels that the palette is found from
FEWEST = 16  # solid pixels of a layer whose colours are decided
FINER = 2  # label cells per side of a delivered pixel
REACH, SIGMA = 2, 0.8  # of the vote, in drawn pixels: taps on each side, and their falloff

_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
_WHITE = np.array([0.95047, 1.0, 1.08883])


@dataclass(frozen=True, slots=True, eq=False)
class DecidedLayer:
    """A layer of flat fills.

    Attributes:
        labels: (FINER H, FINER W) uint8 index into the palette, also where the layer is empty.
        palette: (K, 3) float32 RGB in [0, 1].
        alpha: (FINER H, FINER W) float32 in [0, 1], decided.
    """

    labels: np.ndarray
    palette: np.ndarray
    alpha: np.ndarray

    def pixels(self) -> np.ndarray:
        """(H, W, 4) float32 premultiplied, each the mean of its label cells."""
        rows, cols = (side // FINER for side in self.labels.shape)
        fine = np.empty((*self.labels.shape, 4), np.float32)
        fine[..., :3] = self.palette[self.labels] * self.alpha[..., None]
        fine[..., 3] = self.alpha
        return fine.reshape(rows, FINER, cols, FINER, 4).mean(axis=(1, 3))


def decide_colours(premultiplied: np.ndarray, size: tuple[int, int]) -> DecidedLayer | None:
    """Decide the colours of one layer. Deterministic.

    Args:
        premultiplied: (h, w, 4) float in [0, 1], as decoded.
        size: (H, W) to be delivered.

    Returns:
        None where too few pixels are solid for a palette.
    """
    alpha = premultiplied[..., 3]
    colours = (premultiplied[..., :3] / np.maximum(alpha[..., None], 1e-3)).clip(0, 1)
    solid = alpha > SOLID_ALPHA
    if solid.sum() < FEWEST:
        return None
    palette = find_palette(colours[solid])
    votes = _votes(_nearest(colours, palette), np.where(alpha > EMPTY_ALPHA, alpha, 0), palette)
    # The colour of a fill is its pixels' median: means drift towards the colours across a border.
    inside = solid & (_edge_strength(colours) <= CALM)
    winners = _winners(votes)
    for index in range(len(palette)):
        own = colours[inside & (winners == index)]
        if len(own):
            palette[index] = np.median(own, axis=0)
    fine = FINER * size[0], FINER * size[1]
    votes = F.interpolate(votes[None], size=fine, mode="bilinear", align_corners=False)[0]
    return DecidedLayer(_winners(votes), palette, _fine_alpha(alpha, fine))


def fit_flat(premultiplied: np.ndarray, size: tuple[int, int]) -> np.ndarray | None:
    """(h, w, 4) float premultiplied -> (H, W, 4) uint8 straight with decided colours and outlines.

    None where too few pixels are solid for a palette.
    """
    decided = decide_colours(premultiplied, size)
    return None if decided is None else to_bytes(decided.pixels())


def find_palette(colours: np.ndarray) -> np.ndarray:
    """(n, 3) RGB in [0, 1] -> (K, 3) float32, most frequent first; no two look alike."""
    sample = colours[:: max(1, len(colours) // SAMPLES)]
    picture = Image.fromarray(np.round(sample[None] * 255).astype(np.uint8))
    index = np.asarray(picture.quantize(MOST_COLOURS, Image.Quantize.MEDIANCUT, kmeans=1))[0]
    counts = np.bincount(index).astype(np.float64)
    sums = np.stack([np.bincount(index, sample[:, c]) for c in range(3)], axis=-1)
    used = counts > 0
    return _merge_alike(sums[used] / counts[used, None], counts[used])


def _merge_alike(palette: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Join the two entries that look most alike, with their pixels' mean, while any do."""
    while len(palette) > 1:
        lab = to_lab(palette)
        apart = np.linalg.norm(lab[:, None] - lab[None], axis=-1)
        np.fill_diagonal(apart, np.inf)
        i, j = np.unravel_index(apart.argmin(), apart.shape)
        if apart[i, j] >= ALIKE:
            break
        palette[i] = np.average(palette[[i, j]], axis=0, weights=counts[[i, j]])
        counts[i] += counts[j]
        palette, counts = np.delete(palette, j, axis=0), np.delete(counts, j)
    return palette[np.argsort(-counts, kind="stable")].astype(np.float32)


def to_lab(rgb: np.ndarray) -> np.ndarray:
    """(..., 3) sRGB in [0, 1] -> CIELAB under D65: L 0 to 100, a and b about -110 to 110."""
    linear = np.where(rgb > 0.04045, ((rgb + 0.055) / 1.055) ** 2.4, rgb / 12.92)
    xyz = linear @ _XYZ.T / _WHITE
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    x, y, z = np.moveaxis(f, -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def _nearest(colours: np.ndarray, palette: np.ndarray) -> np.ndarray:
    """(h, w, 3) and (K, 3) -> (h, w) index of the nearest entry in RGB."""
    flat = colours.reshape(-1, 3).astype(np.float32)
    distance = (palette**2).sum(axis=1) - 2 * flat @ palette.T  # without what all entries share
    return distance.argmin(axis=1).reshape(colours.shape[:2])


def _edge_strength(colours: np.ndarray) -> np.ndarray:
    """(h, w, 3) -> (h, w) largest step to a neighbour, summed over the channels."""
    strength = np.zeros(colours.shape[:2], np.float32)
    across, down = (np.abs(np.diff(colours, axis=axis)).sum(axis=-1) for axis in (1, 0))
    for part, step in (
        (strength[:, 1:], across), (strength[:, :-1], across),
        (strength[1:], down), (strength[:-1], down),
    ):  # fmt: skip
        np.maximum(part, step, out=part)
    return strength


def _votes(nearest: np.ndarray, weight: np.ndarray, palette: np.ndarray) -> Tensor:
    """(h, w) entries and their weights -> (K, h, w) weight of each entry around a pixel."""
    own = nearest[None] == np.arange(len(palette))[:, None, None]
    return _blur(torch.from_numpy(own * weight.astype(np.float32)))


def _winners(votes: Tensor) -> np.ndarray:
    """(K, h, w) -> (h, w) uint8 index of the largest; the first of equals.

    Map by map: `argmax` over the first axis takes ten times as long on a CPU.
    """
    best, winner = votes[0].numpy().copy(), np.zeros(votes.shape[1:], np.uint8)
    for index, votes_of in enumerate(votes.numpy()[1:], start=1):
        better = votes_of > best
        np.copyto(best, votes_of, where=better)
        winner[better] = index
    return winner


def _blur(maps: Tensor) -> Tensor:
    """(K, h, w) with a separable Gaussian; outside is nothing."""
    taps = torch.exp(-torch.arange(-REACH, REACH + 1.0).square() / (2 * SIGMA**2))
    taps = taps / taps.sum()
    maps = F.conv2d(maps[:, None], taps.view(1, 1, 1, -1), padding=(0, REACH))
    return F.conv2d(maps, taps.view(1, 1, -1, 1), padding=(REACH, 0))[:, 0]


def _fine_alpha(alpha: np.ndarray, fine: tuple[int, int]) -> np.ndarray:
    """(h, w) -> (H', W') decided, an edge about one label cell wide."""
    h, w = alpha.shape
    enlarged = max(1.0, (fine[0] / h * fine[1] / w) ** 0.5)
    larger = Image.fromarray(np.ascontiguousarray(alpha, np.float32)).resize(
        (fine[1], fine[0]), Image.Resampling.BICUBIC
    )
    middle = (EMPTY_ALPHA + SOLID_ALPHA) / 2
    sharper = (np.asarray(larger) - middle) * (enlarged / (SOLID_ALPHA - EMPTY_ALPHA))
    return (sharper + 0.5).clip(0, 1)
