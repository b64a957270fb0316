"""Colour decision: soft predicted colours become flat fills with clean borders.

Every pixel gets one of a few palette colours, as `engine.pixels` decides alpha: each votes for its
nearest entry together with its neighbours, and the votes are enlarged before the decision, so that
borders between fills are as fine as the outline. The label map has exact regions with shared
borders. For looks with flat fills only; each layer by itself; deterministic.

Shapes: h w drawn pixels, H W delivered pixels, K palette colours.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from engine.api import ColourChoice
from engine.pixels import EMPTY_ALPHA, SOLID_ALPHA, fit

CALM = 0.03  # largest step of a pixel inside a fill, summed over the channels
FEWEST = 16  # solid pixels of a layer whose colours are decided
REACH, SIGMA = 2, 0.8  # of the vote, in drawn pixels: taps on each side, and their falloff
FINER = 2  # label cells per side of a delivered pixel, at least
# Slope of an outline, as a share of that which `engine.pixels.decide_alpha` gives: label cells are
# finer than pixels, and an edge of one cell would show as steps.
SOFTNESS = 0.6
STRIP = 2**16  # label cells that are decided at a time: the bound on memory at any size
# Looks whose layers come closer to their art by it; the others have gradients
# (docs/experiments/models.md).
GAIN_BY_FLAT_FILLS = frozenset({"flat", "bold"})


def cleans_colours(choice: ColourChoice, look: str | None, looks: Sequence[str]) -> bool:
    """Whether the colours of a job's foregrounds are decided.

    `look` is named by the prompt; the first of the model's is that of a prompt without a look.
    """
    if choice != "automatic":
        return choice == "on"
    shown = look or (looks[0] if looks else "")
    return shown in GAIN_BY_FLAT_FILLS


@dataclass(frozen=True, slots=True, eq=False)
class DecidedLayer:
    """A layer of flat fills at any size."""

    palette: np.ndarray  # (K, 3) float32 RGB in [0, 1]
    votes: Tensor  # (K, h, w) float32, how much speaks for each entry
    alpha: Tensor  # (h, w) float32, as drawn

    def pixels(self, size: tuple[int, int]) -> np.ndarray:
        """(H, W, 4) uint8 straight, each pixel the mean of its label cells."""
        finer, parts = self.finer(size), []
        for labels, alpha in self._strips(size):
            parts.append(_to_pixels(labels, alpha, self.palette, finer))
        return np.concatenate(parts)

    def finer(self, size: tuple[int, int]) -> int:
        """Label cells per side of a pixel: as fine as the layer is drawn where it is reduced."""
        h, w = self.alpha.shape
        return max(FINER, -(-h // size[0]), -(-w // size[1]))

    def _strips(self, size: tuple[int, int]) -> Iterator[tuple[Tensor, Tensor]]:
        """Labels and decided alpha, (rows, finer W) each, from top to bottom."""
        finer = self.finer(size)
        rows, cols = finer * size[0], finer * size[1]
        h, w = self.alpha.shape
        slope = SOFTNESS * (rows / h * cols / w) ** 0.5 / (SOLID_ALPHA - EMPTY_ALPHA)
        alpha = self.alpha @ _cubic(w, cols).T  # (h, W')
        down = _cubic(h, rows)
        height = self.votes.shape[1]
        votes = F.interpolate(
            self.votes[None], size=(height, cols), mode="bilinear", align_corners=False
        )[0]  # (K, h, W')
        first, share = _between(height, rows)
        step = max(1, STRIP // cols // finer) * finer
        for top in range(0, rows, step):
            strip = slice(top, min(top + step, rows))
            fine = (down[strip] @ alpha).sub_((EMPTY_ALPHA + SOLID_ALPHA) / 2)
            fine = fine.mul_(slope).add_(0.5).clamp_(0, 1)
            above, part = first[strip], share[strip]
            near = votes[:, int(above[0]) : int(above[-1]) + 2]
            above = above - above[0]
            present = near.amax(dim=(1, 2)).nonzero()[:, 0].tolist() or [0]
            scores = ((k, _between_rows(near[k], above, part)) for k in present)
            yield _winners(scores), fine


def decide_colours(premultiplied: np.ndarray) -> DecidedLayer | None:
    """Decide the colours of one layer, (h, w, 4) float premultiplied in [0, 1], as decoded.

    None where too few pixels are solid for a palette.
    """
    planes = torch.from_numpy(np.ascontiguousarray(np.moveaxis(premultiplied, -1, 0), np.float32))
    alpha = planes[3]
    solid = (alpha > SOLID_ALPHA).numpy()
    places = np.flatnonzero(solid)
    if len(places) < FEWEST:
        return None
    straight = (planes[:3] / alpha.clamp(min=1e-3)).clamp_(0, 1)
    colours = straight.flatten(1).numpy()  # (3, h w)
    sampled = places[:: max(1, len(places) // SAMPLES)]
    palette = find_palette(np.ascontiguousarray(colours[:, sampled].T))
    votes = _votes(straight, alpha, palette)
    # The colour of a fill is its pixels' median: means drift towards the colours across a border.
    winners = _winners(enumerate(votes)).numpy()
    inside = solid & (_edge_strength(straight.numpy()) <= CALM)
    for index in range(len(palette)):
        own = np.flatnonzero(inside & (winners == index))
        if len(own):
            palette[index] = np.median(colours[:, own], axis=1)
    return DecidedLayer(palette, votes, alpha)


def fit_flat(premultiplied: np.ndarray, size: tuple[int, int]) -> np.ndarray | None:
    """(h, w, 4) float premultiplied -> (H, W, 4) uint8 straight with decided colours and outlines.

    None where too few pixels are solid for a palette.
    """
    decided = decide_colours(premultiplied)
    return None if decided is None else decided.pixels(size)


def fit_flat_layers(
    layers: Sequence[np.ndarray], sizes: Sequence[tuple[int, int]]
) -> list[np.ndarray]:
    """Several layers as by `fit_flat`; those without a palette as by `engine.pixels.fit`."""
    fitted = []
    for layer, size in zip(layers, sizes, strict=True):
        flat = fit_flat(layer, size)
        fitted.append(fit(layer, size) if flat is None else flat)
    return fitted


def _votes(colours: Tensor, alpha: Tensor, palette: np.ndarray) -> Tensor:
    """(3, h, w), (h, w) and (K, 3) -> (K, h, w) weight of each entry around a place."""
    entries = torch.from_numpy(palette)
    # The nearest entry has the largest of these; what all entries share is left out.
    near = (entries @ colours.flatten(1)).sub_(entries.square().sum(dim=1, keepdim=True) / 2)
    nearest = _winners(enumerate(near.view(-1, *alpha.shape)))
    weight = torch.where(alpha > EMPTY_ALPHA, alpha, 0.0)
    own = torch.zeros(len(palette), *alpha.shape).scatter_(0, nearest.long()[None], weight[None])
    return _blur(own)


def _winners(scores: Iterable[tuple[int, Tensor]]) -> Tensor:
    """Index and (h, w) score of each entry -> (h, w) uint8 index of the largest; first of equals.

    Indices rise. Map by map: `argmax` over the first axis takes ten times as long on a CPU.
    """
    best = winner = None
    for index, score in scores:
        if best is None or winner is None:
            best, winner = score.clone(), torch.full(score.shape, index, dtype=torch.uint8)
            continue
        # Indices rise, so that the larger of two winners is the later one.
        later = (score > best).view(torch.uint8).mul_(index)
        torch.maximum(winner, later, out=winner)
        torch.maximum(best, score, out=best)
    if winner is None:
        raise ValueError("no entry has a score")
    return winner


def _blur(maps: Tensor) -> Tensor:
    """(K, h, w) with a separable Gaussian; outside is nothing."""
    taps = torch.exp(-torch.arange(REACH + 1.0).square() / (2 * SIGMA**2))
    middle, *sides = (taps / (taps.sum() * 2 - 1)).tolist()
    for axis in (-1, -2):
        length = maps.shape[axis]
        total = maps * middle
        for offset, tap in enumerate(sides, start=1):
            if offset >= length:
                break
            part = maps * tap
            total.narrow(axis, offset, length - offset).add_(part.narrow(axis, 0, length - offset))
            total.narrow(axis, 0, length - offset).add_(part.narrow(axis, offset, length - offset))
        maps = total
    return maps


@lru_cache(maxsize=64)
def _cubic(length: int, wanted: int) -> Tensor:
    """(wanted, length) weights of cubic interpolation (Keys, a = -1/2)."""
    at = (torch.arange(wanted) + 0.5) * (length / wanted) - 0.5
    weights = torch.zeros(wanted, length)
    for offset in (-1, 0, 1, 2):
        place = at.floor() + offset
        d = (at - place).abs()
        near = (1.5 * d - 2.5) * d * d + 1
        far = ((-0.5 * d + 2.5) * d - 4) * d + 2
        weight = torch.where(d < 1, near, far)
        weights.scatter_add_(1, place.long().clamp(0, length - 1)[:, None], weight[:, None])
    return weights


def _between(length: int, wanted: int) -> tuple[Tensor, Tensor]:
    """Linear interpolation: (wanted,) first of two places, and (wanted, 1) the second's share."""
    at = ((torch.arange(wanted) + 0.5) * (length / wanted) - 0.5).clamp(0, length - 1)
    first = at.floor().long().clamp(max=max(0, length - 2))
    return first, (at - first)[:, None]


def _between_rows(maps: Tensor, first: Tensor, share: Tensor) -> Tensor:
    second = (first + 1).clamp(max=len(maps) - 1)
    return torch.lerp(maps.index_select(0, first), maps.index_select(0, second), share)


def _to_pixels(labels: Tensor, alpha: Tensor, palette: np.ndarray, finer: int) -> np.ndarray:
    """(finer H, finer W) cells -> (H, W, 4) uint8 straight, each pixel the mean of its cells."""
    cells = [labels.numpy()[y::finer, x::finer] for y in range(finer) for x in range(finer)]
    first, *others = cells
    covered = F.avg_pool2d(alpha[None, None], finer)[0, 0].numpy()
    entries = np.zeros((len(palette), 4), np.uint8)
    entries[:, :3] = np.round(palette * 255)
    packed = entries.view(np.uint32)[:, 0].take(first)  # one value a pixel: faster than four
    pixels = packed.view(np.uint8).reshape(*first.shape, 4)
    pixels[..., 3] = np.round(covered * 255)
    mixed = first != others[0]
    for other in others[1:]:
        mixed |= first != other
    of_alpha = [alpha.numpy()[y::finer, x::finer] for y in range(finer) for x in range(finer)]
    shares = np.stack([share[mixed] for share in of_alpha])  # (finer squared, mixed pixels)
    colours = np.stack([palette[cell[mixed]] for cell in cells])
    mean = (colours * shares[..., None]).sum(axis=0) / np.maximum(shares.sum(axis=0), 1e-4)[:, None]
    pixels[mixed, :3] = np.round(mean.clip(0, 1) * 255)
    packed[pixels[..., 3] == 0] = 0
    return pixels


def _edge_strength(colours: np.ndarray) -> np.ndarray:
    """(3, h, w) -> (h, w) largest step to a neighbour, summed over the channels."""
    strength = np.zeros(colours.shape[1:], np.float32)
    down, across = (np.abs(np.diff(colours, axis=axis)).sum(axis=0) for axis in (1, 2))
    for part, step in (
        (strength[:, 1:], across),
        (strength[:, :-1], across),
        (strength[1:], down),
        (strength[:-1], down),
    ):
        np.maximum(part, step, out=part)
    return strength


MOST_COLOURS = 12  # before entries that look alike are merged
ALIKE = 10.0  # distance in CIELAB below which two entries are one colour
SAMPLES = 2048  # pixels that the palette is found from
ROUNDS = 4  # of k-means: further ones move the centres by less than a level of a byte

_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
_WHITE = np.array([0.95047, 1.0, 1.08883])


def find_palette(colours: np.ndarray) -> np.ndarray:
    """(n, 3) RGB in [0, 1], n over 0 -> (K, 3) float32, most frequent first; no two look alike."""
    sample = colours[:: max(1, len(colours) // SAMPLES)].astype(np.float64)
    centres = _split(sample)
    counts = np.zeros(len(centres))
    for _ in range(ROUNDS):
        # Squared distances in RGB, without what all entries share.
        nearest = ((centres**2).sum(axis=1) - 2 * sample @ centres.T).argmin(axis=1)
        counts = np.bincount(nearest, minlength=len(centres)).astype(np.float64)
        sums = np.stack(
            [np.bincount(nearest, channel, len(centres)) for channel in sample.T], axis=-1
        )
        used = counts > 0
        centres, counts = sums[used] / counts[used, None], counts[used]
    return _merge_alike(centres, counts)


def _split(sample: np.ndarray) -> np.ndarray:
    """(n, 3) -> (K, 3) means of parts, each split off where squared distances summed up most."""
    part = np.zeros(len(sample), np.intp)
    means, errors = np.zeros((MOST_COLOURS, 3)), np.zeros((MOST_COLOURS, 3))
    means[0], errors[0] = _mean_and_error(sample)
    for new in range(1, MOST_COLOURS):
        widest = int(errors.sum(axis=1).argmax())
        channel = int(errors[widest].argmax())
        splits = (part == widest) & (sample[:, channel] > means[widest, channel])
        if not splits.any():
            return means[:new]  # all parts are of one colour
        part[splits] = new
        for index in (widest, new):
            means[index], errors[index] = _mean_and_error(sample[part == index])
    return means


def _mean_and_error(own: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(n, 3) -> (3,) mean and (3,) sum of squared distances from it; faster than `mean`, `var`."""
    mean = np.add.reduce(own) / len(own)
    apart = own - mean
    # Rounded as `var` rounds, so that older records keep their pixels.
    return mean, np.add.reduce(apart * apart) / len(own) * len(own)


def _merge_alike(palette: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Join the two entries that look most alike, with their pixels' mean, while any do."""
    lab = to_lab(palette)
    apart = ((lab[:, None] - lab[None]) ** 2).sum(axis=-1)
    np.fill_diagonal(apart, np.inf)
    while apart.min() < ALIKE**2:
        i, j = divmod(int(apart.argmin()), len(palette))
        both = counts[i] + counts[j]
        palette[i] = (palette[i] * counts[i] + palette[j] * counts[j]) / both
        counts[i], counts[j] = both, 0
        lab[i] = to_lab(palette[i])
        apart[j] = apart[:, j] = np.inf
        to_others = np.where(counts > 0, ((lab - lab[i]) ** 2).sum(axis=-1), np.inf)
        to_others[i] = np.inf
        apart[i] = apart[:, i] = to_others
    order = np.argsort(-counts, kind="stable")
    return palette[order[counts[order] > 0]].astype(np.float32)


def to_lab(rgb: np.ndarray) -> np.ndarray:
    """(..., 3) sRGB in [0, 1] -> CIELAB under D65: L 0 to 100, a and b about -110 to 110."""
    linear = np.where(rgb > 0.04045, ((rgb + 0.055) / 1.055) ** 2.4, rgb / 12.92)
    xyz = linear @ _XYZ.T / _WHITE
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    x, y, z = np.moveaxis(f, -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)
