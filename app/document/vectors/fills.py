"""Flat fills: which colours fill a picture, and which of them each pixel shows.

A picture of flat fills has few colours that cover areas. All other pixels lie on borders: they
mix two fills, or a fill and nothing. The shares of the mixture tell where in the pixel the
border runs.

Shapes: H W rows and columns, K fills, n pixels on borders.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

MOST_FILLS = 64
SOLID = 250  # alpha from which a pixel's colour counts as a fill's own
_WINDOW = 2  # pixels on each side in which a mixture's fills are looked for
_NEAR = 6  # fills that are tried per pixel
_CHUNK = 8192  # pixels that are resolved at a time
_FAR_OFF = 14.0  # distance in RGB from which a mixture does not explain a pixel
_ROUNDS = 2  # of looking for fills that are nowhere two pixels wide
_MOST_MIXED = 0.6  # of the visible pixels; more of them on borders are no flat fills
_ALIKE = 40.0  # distance in RGB up to which a fringe takes the colour of what it lies along

_SAMPLES = 8192  # pixels that the colours are chosen from
_GRADIENT_CHUNK = 16384  # pixels that are looked at together


@dataclass(frozen=True, slots=True, eq=False)
class Fills:
    """A picture as fills."""

    palette: np.ndarray  # (K, 3) uint8 RGB, from the largest fill to the smallest
    # (H, W) uint8 the fill of a pixel, counted from 1; 0 where the picture is empty
    first: np.ndarray
    # (H, W) uint8 the other fill of a pixel on a border; else the same as `first`
    second: np.ndarray
    # (H, W) float32 how much of the coloured part of the pixel is `first`, 0 to 1
    share: np.ndarray
    alpha: np.ndarray  # (H, W) float32 0 to 1

    def cover(self, fill: int) -> np.ndarray:
        """(H, W) float32 how much of each pixel shows this fill (counted from 1), 0 to 1."""
        part = self.share * (self.first == fill) + (1 - self.share) * (self.second == fill)
        # A pixel of one fill has it twice: as first with its share, as second with the rest.
        return np.asarray(part * self.alpha, np.float32)

    def nearest(self) -> np.ndarray:
        """(H, W, 4) float32 premultiplied, each pixel in the colour of its larger share."""
        main = np.where(self.share >= 0.5, self.first, self.second)
        colours = np.concatenate([np.zeros((1, 3)), self.palette]).astype(np.float32) / 255
        alpha = self.alpha[..., None]
        return np.concatenate([colours[main] * alpha, alpha], axis=-1)


def find_fills(rgba: np.ndarray) -> Fills | None:
    """The fills of a picture.

    Args:
        rgba: (H, W, 4) uint8, straight alpha.

    Returns:
        None where colours fill no areas; then this is no picture of flat fills.
    """
    codes = _codes(rgba)
    palette = _area_colours(codes)
    if not len(palette):
        palette = _frequent(codes[codes >= 0])[:1]
        if not len(palette):
            return None
    labels, mixed = _labels(rgba, codes, palette)
    if mixed.sum() > _MOST_MIXED * (rgba[..., 3] > 0).sum():
        return None
    for _ in range(_ROUNDS):
        found = _resolve(rgba, labels, mixed, palette)
        missed = codes[mixed][found[3] > _FAR_OFF]
        more = _frequent(missed[missed >= 0], at_least=2)[: MOST_FILLS - len(palette)]
        if not len(more):
            break
        palette = np.concatenate([palette, more])
        labels, mixed = _labels(rgba, codes, palette)
    else:
        found = _resolve(rgba, labels, mixed, palette)
    first, second = labels.copy(), labels.copy()
    share = np.ones(labels.shape, np.float32)
    first[mixed], second[mixed], share[mixed] = found[:3]
    return _ordered(rgba, _rgb(palette), first, second, share)


def _codes(rgba: np.ndarray) -> np.ndarray:
    """(H, W) int32 one number per colour; -1 where a pixel is not solid."""
    codes = rgba[..., 0].astype(np.int32) << 16
    codes |= rgba[..., 1].astype(np.int32) << 8
    codes |= rgba[..., 2]
    codes[rgba[..., 3] < SOLID] = -1
    return codes


def _area_colours(codes: np.ndarray) -> np.ndarray:
    """(k,) codes of colours that fill two by two pixels somewhere, most frequent first."""
    across = codes[:, 1:] == codes[:, :-1]
    down = codes[1:, :-1] == codes[:-1, :-1]
    block = across[1:] & across[:-1] & down
    corner = codes[:-1, :-1][block]
    return _frequent(corner[corner >= 0])[:MOST_FILLS]


def _frequent(codes: np.ndarray, at_least: int = 1) -> np.ndarray:
    """The different codes, most frequent first."""
    values, counts = np.unique(codes, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    return values[order][counts[order] >= at_least]


def _rgb(codes: np.ndarray) -> np.ndarray:
    """(k,) codes -> (k, 3) float32, 0 to 255."""
    return np.stack([codes >> 16, codes >> 8 & 255, codes & 255], axis=-1).astype(np.float32)


def _labels(
    rgba: np.ndarray, codes: np.ndarray, palette: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Pixels that show one fill, and the others.

    Returns:
        (H, W) uint8 label, 0 for none; (H, W) bool pixels that are to be resolved.
    """
    order = np.argsort(palette)
    place = np.searchsorted(palette, codes, sorter=order).clip(max=len(palette) - 1)
    label = order[place]
    labels = np.where(palette[label] == codes, label + 1, 0).astype(np.uint8)
    return labels, (labels == 0) & (rgba[..., 3] > 0)


Resolved = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def _resolve(
    rgba: np.ndarray, labels: np.ndarray, mixed: np.ndarray, palette: np.ndarray
) -> Resolved:
    """The two fills that explain each mixed pixel best, of those around it.

    Returns:
        (n,) first, (n,) second, counted from 1; (n,) share of the first; (n,) distance in RGB
        between pixel and mixture.
    """
    rows, columns = np.nonzero(mixed)
    padded = np.pad(labels, _WINDOW)
    colours = _rgb(palette)
    parts = []
    for start in range(0, len(rows), _CHUNK):
        part = slice(start, start + _CHUNK)
        near = _near(padded, rows[part], columns[part], len(palette))
        seen = rgba[rows[part], columns[part], :3].astype(np.float32)
        parts.append(_best_mixture(seen, near, colours))
    if not parts:
        empty = np.zeros(0, np.float32)
        return empty.astype(np.uint8), empty.astype(np.uint8), empty, empty
    first, second, share, apart = (np.concatenate(each) for each in zip(*parts))
    return first, second, share, apart


def _near(padded: np.ndarray, rows: np.ndarray, columns: np.ndarray, count: int) -> np.ndarray:
    """(n, NEAR) fills around each pixel, those of the next neighbours first.

    Where there are fewer, the nearest is repeated; where there is none, the largest fills stand.
    """
    weight = np.zeros((len(rows), count + 1), np.float32)
    every = np.arange(len(rows))
    for down in range(2 * _WINDOW + 1):
        for across in range(2 * _WINDOW + 1):
            distance = max(abs(down - _WINDOW), abs(across - _WINDOW))
            weight[every, padded[rows + down, columns + across]] += 100.0 if distance == 1 else 1.0
    weight[:, 0] = 0
    several = min(_NEAR, count)
    near = np.argsort(-weight[:, 1:], axis=1, kind="stable")[:, :several]
    there = np.take_along_axis(weight[:, 1:], near, axis=1) > 0
    none = ~there[:, 0]
    filled = np.where(there, near, near[:, :1])
    filled[none] = near[none]
    return filled


def _best_mixture(seen: np.ndarray, near: np.ndarray, colours: np.ndarray) -> Resolved:
    """As `_resolve`, for some pixels with the fills that may be in them."""
    count = near.shape[1]
    best = np.full(len(seen), np.inf, np.float32)
    first, second = near[:, 0].copy(), near[:, 0].copy()
    share = np.ones(len(seen), np.float32)
    for i in range(count):
        a = colours[near[:, i]]
        for j in range(i, count):
            b = colours[near[:, j]]
            line = a - b
            length = (line**2).sum(axis=1)
            along = ((seen - b) * line).sum(axis=1) / np.maximum(length, 1e-6)
            t = np.where(length > 0, along, 1).clip(0, 1)
            # Mixtures of fills further away must explain the pixel clearly better.
            apart = ((b + t[:, None] * line - seen) ** 2).sum(axis=1) + 4.0 * (i + j)
            better = apart < best
            best[better] = apart[better]
            first[better], second[better] = near[better, i], near[better, j]
            share[better] = t[better]
    return first + 1, second + 1, share, np.sqrt(best)


def _ordered(
    rgba: np.ndarray, palette: np.ndarray, first: np.ndarray, second: np.ndarray, share: np.ndarray
) -> Fills:
    """The fills from the largest to the smallest, so that small ones are painted last.

    Args:
        palette: (K, 3) float32 RGB, 0 to 255.
        first, second, share: (H, W) as in `Fills`, counted in the order of this palette.
    """
    area = np.bincount(first.ravel(), minlength=len(palette) + 1)[1:]
    order = np.argsort(-area, kind="stable")
    place = np.zeros(len(palette) + 1, np.uint8)
    place[order + 1] = np.arange(1, len(palette) + 1)
    return Fills(
        palette=np.round(palette[order]).astype(np.uint8),
        first=place[first],
        second=place[second],
        share=share,
        alpha=rgba[..., 3].astype(np.float32) / 255,
    )


def without_fringes(fills: Fills) -> Fills:
    """The same picture with lines of a pixel's width joined to a wide fill that looks alike.

    Such fringes run along borders; as shapes of their own they would be many short dashes.
    """
    main = np.where(fills.share >= 0.5, fills.first, fills.second)
    wide = np.where(_is_wide(main), main, 0)
    rows, columns = np.nonzero((main > 0) & (wide == 0))
    own = main[rows, columns]
    colours = np.concatenate([np.zeros((1, 3)), fills.palette.astype(np.float64)])
    apart = np.linalg.norm(colours[:, None] - colours[None], axis=-1)
    apart[:, 0] = np.inf
    padded = np.pad(wide, 1)
    around = np.stack([padded[rows + y, columns + x] for y in range(3) for x in range(3)])
    place = apart[own, around].argmin(axis=0)
    nearest = around[place, np.arange(len(own))]
    is_alike = apart[own, nearest] <= _ALIKE
    rows, columns, own, nearest = (each[is_alike] for each in (rows, columns, own, nearest))
    first, second = fills.first.copy(), fills.second.copy()
    for labels in (first, second):
        there = labels[rows, columns]
        labels[rows, columns] = np.where(there == own, nearest, there)
    return replace(fills, first=first, second=second)


def _is_wide(labels: np.ndarray) -> np.ndarray:
    """(H, W) bool pixels in a block of two by two of one label, 0 not counted."""
    is_wide = np.zeros(labels.shape, bool)
    across = labels[:, 1:] == labels[:, :-1]
    block = across[1:] & across[:-1] & (labels[1:, 1:] == labels[:-1, 1:]) & (labels[1:, 1:] > 0)
    for rows in (slice(1, None), slice(None, -1)):
        for columns in (slice(1, None), slice(None, -1)):
            is_wide[rows, columns] |= block
    return is_wide


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
    for start in range(0, len(seen), _GRADIENT_CHUNK):
        part = seen[start : start + _GRADIENT_CHUNK]
        first[part], second[part], share[part] = _between(flat[part], palette)
    first, second, share = (each.reshape(height, width) for each in (first, second, share))
    return _ordered(rgba, palette, first, second, share)


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
