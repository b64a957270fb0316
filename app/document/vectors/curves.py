"""Curves: closed cubic Bézier curves, and their polygons at any scale.

Shapes: m pieces of a curve.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_FLATNESS = 0.05  # pixels between a curve and its polygon


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """One closed curve.

    Attributes:
        nodes: (m, 3, 2) float64 x and y in pixels: where each piece starts, and its two handles.
            A piece ends where the next one starts, the last one where the first one starts.
        straight: (m,) bool pieces that are straight lines; their handles count for nothing.
    """

    nodes: np.ndarray
    straight: np.ndarray

    def polygon(self, scale: float | tuple[float, float] = 1.0) -> np.ndarray:
        """(n, 2) points along the curve, so many times as large, or across and down apart."""
        start, first, second = (self.nodes[:, k] * np.asarray(scale) for k in range(3))
        end = np.roll(start, -1, axis=0)
        bend = np.maximum(
            np.abs(start - 2 * first + second).sum(axis=1),
            np.abs(first - 2 * second + end).sum(axis=1),
        )
        count = np.ceil(np.sqrt(0.75 * bend / _FLATNESS)).astype(np.int64).clip(1, 400)
        count[self.straight] = 1
        piece = np.repeat(np.arange(len(count)), count)
        step = np.arange(len(piece)) - np.repeat(np.cumsum(count) - count, count)
        t = (step / count[piece])[:, None]
        return np.asarray(
            (1 - t) ** 3 * start[piece]
            + 3 * (1 - t) ** 2 * t * first[piece]
            + 3 * (1 - t) * t**2 * second[piece]
            + t**3 * end[piece]
        )


def polygons(
    curves: Sequence[Curve], scale: float | tuple[float, float] = 1.0
) -> tuple[np.ndarray, np.ndarray]:
    """Several curves as one set of points, for `coverage`.

    Returns:
        (n,) complex x + iy; (n,) index of the point after each.
    """
    if not curves:
        return np.zeros(0, complex), np.zeros(0, np.int64)
    every = [curve.polygon(scale) for curve in curves]
    size = np.array([len(each) for each in every])
    ends = np.cumsum(size)
    following = np.arange(1, ends[-1] + 1)
    following[ends - 1] = ends - size
    points = np.concatenate(every)
    return points[:, 0] + 1j * points[:, 1], following
