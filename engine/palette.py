"""The palette of a layer: few colours that stand for all of its own.

The colours are split in two again and again, always where they differ most, and k-means moves the
centres (Linde, Buzo and Gray's algorithm). Entries that look alike are then merged. Deterministic.

Shapes: n pixels, K palette colours.
"""

from __future__ import annotations

import numpy as np

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
        nearest = nearest_entry(sample, centres)
        counts = np.bincount(nearest, minlength=len(centres)).astype(np.float64)
        sums = np.stack(
            [np.bincount(nearest, channel, len(centres)) for channel in sample.T], axis=-1
        )
        used = counts > 0
        centres, counts = sums[used] / counts[used, None], counts[used]
    return _merge_alike(centres, counts)


def nearest_entry(colours: np.ndarray, palette: np.ndarray) -> np.ndarray:
    """(n, 3) and (K, 3) -> (n,) index of the nearest entry in RGB."""
    distance = (palette**2).sum(axis=1) - 2 * colours @ palette.T  # without what all entries share
    return distance.argmin(axis=1)


def _split(sample: np.ndarray) -> np.ndarray:
    """(n, 3) -> (K, 3) means of parts, each split off where squared distances summed up most."""
    part = np.zeros(len(sample), np.intp)
    means, errors = np.zeros((MOST_COLOURS, 3)), np.zeros((MOST_COLOURS, 3))
    means[0], errors[0] = sample.mean(axis=0), sample.var(axis=0) * len(sample)
    for new in range(1, MOST_COLOURS):
        widest = int(errors.sum(axis=1).argmax())
        channel = int(errors[widest].argmax())
        splits = (part == widest) & (sample[:, channel] > means[widest, channel])
        if not splits.any():
            return means[:new]  # all parts are of one colour
        part[splits] = new
        for index in (widest, new):
            own = sample[part == index]
            means[index], errors[index] = own.mean(axis=0), own.var(axis=0) * len(own)
    return means


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
