"""Coverage: how much of each pixel a shape covers, computed as exact areas.

Edges are cut at the lines between pixels. Each piece adds its signed area to its pixel and its
height to all pixels to the right of it; a sum along each row then gives the coverage.
"""

from __future__ import annotations

import numpy as np


def coverage(at: np.ndarray, following: np.ndarray, height: int, width: int) -> np.ndarray:
    """Coverage of a shape with holes; outlines and holes run opposite ways round.

    Args:
        at: (n,) complex corners x + iy in pixels, of all outlines one after the other.
        following: (n,) index of the corner after each.

    Returns:
        (height, width) float32, 0 to 1.
    """
    start, end = _pieces(at, at[following])
    middle = ((start.real + end.real) / 2).clip(0, width)
    column = np.minimum(middle.astype(np.int64), width - 1)
    row = np.floor((start.imag + end.imag) / 2).astype(np.int64)
    is_there = (row >= 0) & (row < height)
    rise, part = (end.imag - start.imag)[is_there], (middle - column)[is_there]
    place = row[is_there] * (width + 1) + column[is_there]
    size = height * (width + 1)
    sums = np.bincount(place, rise * (1 - part), minlength=size)
    sums += np.bincount(place + 1, rise * part, minlength=size)
    rows = sums.reshape(height, width + 1)[:, :width]
    return np.abs(np.cumsum(rows, axis=1)).clip(0, 1).astype(np.float32)


def _pieces(starts: np.ndarray, ends: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Edges cut where they cross whole numbers of x or y: where each piece starts and ends."""
    every = np.arange(len(starts))
    edges, cuts = [every, every], [np.zeros(len(starts)), np.ones(len(starts))]
    for a, b in ((starts.real, ends.real), (starts.imag, ends.imag)):
        low, high = np.floor(np.minimum(a, b)) + 1, np.ceil(np.maximum(a, b)) - 1
        count = np.maximum(high - low + 1, 0).astype(np.int64)
        edge = np.repeat(every, count)
        step = np.arange(len(edge)) - (np.cumsum(count) - count)[edge]
        edges.append(edge)
        cuts.append((low[edge] + step - a[edge]) / (b - a)[edge])
    edge, cut = np.concatenate(edges), np.concatenate(cuts)
    order = np.argsort(edge + cut * (1 - 1e-9))
    edge, cut = edge[order], cut[order]
    is_same = edge[1:] == edge[:-1]
    edge, before, after = edge[1:][is_same], cut[:-1][is_same], cut[1:][is_same]
    run = (ends - starts)[edge]
    return starts[edge] + before * run, starts[edge] + after * run
