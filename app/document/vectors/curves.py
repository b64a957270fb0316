"""Smoothing: contours of many short lines become few Bézier pieces, corners kept.

All contours of a picture are fitted together, one round of arrays after the other: least squares
with given tangents (Schneider, "An algorithm for automatically fitting digitized curves"), pieces
that miss a point by too much are cut there, and neighbours that one piece can replace are joined.

Points are complex numbers x + iy: one product turns, one absolute value measures.

Shapes: N points of all contours, m pieces, k points of all pieces in work.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from app.document.vectors.contours import Contour

_FLATNESS = 0.05  # pixels between a curve and its polygon

# Pixels between the points that a piece is fitted to, and where every detail counts.
SPACING, FINE_SPACING = 0.75, 0.5
HIDDEN_SLACK = 0.7  # pixels by which a curve may miss a point that is painted over
EDGE_SLACK = 0.02  # pixels by which a curve may miss the edge of the picture
_STRAIGHT = 0.5  # of the tolerance, by which a straight line may miss a point
_CORNER = np.radians(45)  # least turn of a corner
_CONCENTRATED = 0.7  # the part of a corner's turn that lies within two points
_REACH = 4  # points on each side that a corner's turn is measured over
_BENT = 0.1  # pixels by which the contour may leave a straight line on each side of a corner
_MOST_MOVED = 0.7  # pixels by which a corner may lie outside its rounded contour
_ROUNDS, _JOINS, _NEWTON = 14, 6, 5
_FEWEST = 16  # points of a contour, however short
_TANGENT = 3  # points on each side that a tangent is taken from


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


@dataclass(slots=True, eq=False)
class _Points:
    """The points of all contours, each closed by its first point once more."""

    at: np.ndarray  # (N,) complex
    slack: np.ndarray  # (N,) pixels by which a curve may miss the point
    # leaving, arriving: (N,) complex, unit tangents forwards, behind and before the point
    leaving: np.ndarray
    arriving: np.ndarray
    # (N,) bool where pieces end whatever happens: at corners, and twice in each contour
    cut: np.ndarray
    # first, last: (contours,) index of each contour's first point, and of its repetition
    first: np.ndarray
    last: np.ndarray


@dataclass(slots=True, eq=False)
class _Fit:
    """Fitted pieces."""

    handles: np.ndarray  # (2, m) complex
    # (m,) the largest distance between a point and the curve, in parts of its slack
    miss: np.ndarray
    worst: np.ndarray  # (m,) index of the point that is missed by most
    straight: np.ndarray  # (m,) bool a straight line is near enough


def smoothed(contours: list[Contour], slack: float, *, fine: bool = False) -> list[Curve]:
    """One curve for each contour.

    Args:
        slack: pixels by which a curve may miss a point that is seen.
        fine: follow every bend; else the trembling of the pixels is evened out first.
    """
    if not contours:
        return []
    points = _prepared(contours, slack, fine)
    bounds = np.flatnonzero(points.cut)
    starts, ends = bounds[:-1], bounds[1:]
    inside = ~np.isin(starts, points.last)
    starts, ends = _cut_up(points, starts[inside], ends[inside])
    for turn in range(_JOINS):
        starts, ends = _joined(points, starts, ends, turn % 2)
    fit = _fitted(points, starts, ends)
    nodes = np.stack([points.at[starts], *fit.handles], axis=1)
    owner = np.searchsorted(points.first, starts, side="right") - 1
    cuts = np.searchsorted(owner, np.arange(1, len(contours)))
    return [
        Curve(np.stack([part.real, part.imag], axis=2), straight)
        for part, straight in zip(np.split(nodes, cuts), np.split(fit.straight, cuts), strict=True)
    ]


class _Rings:
    """Steps from point to point along closed contours that stand one after the other."""

    def __init__(self, count: np.ndarray) -> None:
        self.count = count
        self.first = np.cumsum(count) - count
        self.owner = np.repeat(np.arange(len(count)), count)
        self._place = np.arange(len(self.owner)) - self.first[self.owner]

    def beside(self, step: int) -> np.ndarray:
        """(N,) index of the point that many steps on."""
        return self.first[self.owner] + (self._place + step) % self.count[self.owner]


def _prepared(contours: list[Contour], slack: float, fine: bool) -> _Points:
    """Evenly spaced points with corners, tangents and first cuts."""
    at, (hidden, on_edge), rings = _even(contours, FINE_SPACING if fine else SPACING)
    # A contour that meets the edge of the picture turns there, and runs exactly along it.
    is_on_edge = on_edge > 0.999
    leaves = ~is_on_edge[rings.beside(1)] | ~is_on_edge[rings.beside(-1)]
    corner = _corners(at, rings) | (is_on_edge & leaves)
    at = _sharpened(at, corner, rings)
    if not fine:
        at = _calmed(at, corner, rings)
    leaving, arriving = _tangents(at, corner, rings)
    # Every contour is turned to start at a corner, where it has one, and closed.
    start = rings.first.copy()
    has = np.flatnonzero(corner)
    start[rings.owner[has][::-1]] = has[::-1]
    size = rings.count + 1
    first = np.cumsum(size) - size
    group = np.repeat(np.arange(len(size)), size)
    step = np.arange(size.sum()) - first[group]
    turned = start[group] - rings.first[group] + step
    order = rings.first[group] + turned % rings.count[group]
    cut = corner[order]
    last = first + rings.count
    cut[first] = cut[last] = True
    # A piece that ends where it starts has no chord.
    few = np.add.reduceat(cut.astype(np.int64), first) < 3
    cut[(first + rings.count // 2)[few]] = True
    slacks = slack + (max(HIDDEN_SLACK, slack) - slack) * (hidden > 0.9)
    slacks[is_on_edge] = EDGE_SLACK
    return _Points(at[order], slacks[order], leaving[order], arriving[order], cut, first, last)


def _even(
    contours: list[Contour], spacing: float
) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray], _Rings]:
    """Points at even distances, (N,) complex, and whether they are hidden and on the edge.

    The latter two are (N,) from 0 to 1: points lie between those of the contour.
    """
    closed = np.concatenate([np.append(each.at, each.at[0]) for each in contours])
    flags = tuple(
        np.concatenate([np.append(each, each[0]) for each in every])
        for every in (
            [contour.hidden for contour in contours],
            [contour.is_on_edge for contour in contours],
        )
    )
    sizes = np.array([len(each.at) + 1 for each in contours])
    ends = np.cumsum(sizes)
    step = np.abs(np.diff(closed))
    step[ends[:-1] - 1] = 1.0  # from one contour to the next; nothing lies there
    along = np.concatenate([[0.0], np.cumsum(step)])
    begin = along[ends - sizes]
    length = along[ends - 1] - begin
    rings = _Rings(np.maximum(np.round(length / spacing).astype(np.int64), _FEWEST))
    part = (np.arange(len(rings.owner)) - rings.first[rings.owner]) / rings.count[rings.owner]
    wanted = begin[rings.owner] + length[rings.owner] * part
    hidden, on_edge = (np.interp(wanted, along, each) for each in flags)
    return np.interp(wanted, along, closed), (hidden, on_edge), rings


def _turn(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Angle between directions, 0 to pi."""
    return np.abs(np.angle(after * before.conj()))


def _corners(at: np.ndarray, rings: _Rings) -> np.ndarray:
    """(N,) bool points at which the contour turns sharply and is straight on both sides."""
    wide = _turn(at - at[rings.beside(-_REACH)], at[rings.beside(_REACH)] - at)
    narrow = _turn(at - at[rings.beside(-2)], at[rings.beside(2)] - at)
    is_sharp = (wide > _CORNER) & (narrow > _CONCENTRATED * wide)
    for sign in (1, -1):
        near, far = at[rings.beside(sign * 2)], at[rings.beside(sign * 6)]
        chord = _unit(far - near).conj()
        for step in (3, 4, 5):
            is_sharp &= np.abs(((at[rings.beside(sign * step)] - near) * chord).imag) < _BENT
    score = wide + narrow
    for step in (1, 2, 3):
        is_sharp &= (score > score[rings.beside(step)]) & (score >= score[rings.beside(-step)])
    return np.asarray(is_sharp)


def _sharpened(at: np.ndarray, corner: np.ndarray, rings: _Rings) -> np.ndarray:
    """The points with each corner where the lines on its two sides meet."""
    at = at.copy()
    here = np.flatnonzero(corner)
    before, after = ([rings.beside(sign * step)[here] for step in (1, 2, 5)] for sign in (-1, 1))
    p, q = at[before[1]], at[after[1]]
    d, e = p - at[before[2]], q - at[after[2]]
    cross = (d.conj() * e).imag
    along = ((q - p).conj() * e).imag / np.where(cross == 0, 1, cross)
    met = p + along * d
    is_near = (cross != 0) & (np.abs(met - at[here]) < _MOST_MOVED)
    at[here[is_near]] = met[is_near]
    for side in (before, after):  # the rounding next to the corner goes, too
        at[side[0]] = (at[here] + at[side[1]]) / 2
    return at


def _calmed(at: np.ndarray, corner: np.ndarray, rings: _Rings) -> np.ndarray:
    """The points without the trembling of the pixels; corners and their neighbours stay."""
    before, after = rings.beside(-1), rings.beside(1)
    stays = corner | corner[before] | corner[after]
    return np.where(stays, at, (at[before] + 2 * at + at[after]) / 4)


def _tangents(at: np.ndarray, corner: np.ndarray, rings: _Rings) -> tuple[np.ndarray, np.ndarray]:
    """(N,) unit tangents behind and before each point; they differ at corners alone."""
    ahead, back = np.zeros(len(at), np.int64), np.zeros(len(at), np.int64)
    for sign, room in ((1, ahead), (-1, back)):
        is_free = np.ones(len(at), bool)
        for step in range(1, _TANGENT + 1):
            room += is_free
            is_free = is_free & ~corner[rings.beside(sign * step)]
    every = np.arange(len(at))
    table = np.stack([rings.beside(step) for step in range(-_TANGENT, _TANGENT + 1)])
    low, high = table[_TANGENT - back, every], table[_TANGENT + ahead, every]
    leaving = at[high] - at[np.where(corner, every, low)]
    arriving = at[np.where(corner, every, high)] - at[low]
    return _unit(leaving), _unit(arriving)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return np.asarray(vectors / np.maximum(np.abs(vectors), 1e-9))


Cuts = tuple[np.ndarray, np.ndarray]


def _cut_up(points: _Points, starts: np.ndarray, ends: np.ndarray) -> Cuts:
    """Cut pieces at their farthest points until all are near enough."""
    done_starts, done_ends = [], []
    for _ in range(_ROUNDS):
        fit = _fitted(points, starts, ends)
        is_done = (fit.miss <= 1) | (ends - starts < 3)
        done_starts.append(starts[is_done])
        done_ends.append(ends[is_done])
        starts, ends, worst = (each[~is_done] for each in (starts, ends, fit.worst))
        if not len(starts):
            break
        middle = worst.clip(starts + 1, ends - 1)
        starts, ends = np.concatenate([starts, middle]), np.concatenate([middle, ends])
    all_starts = np.concatenate([*done_starts, starts])
    order = np.argsort(all_starts)
    return all_starts[order], np.concatenate([*done_ends, ends])[order]


def _joined(points: _Points, starts: np.ndarray, ends: np.ndarray, odd: int) -> Cuts:
    """Join pairs of neighbours, the even or the odd ones, that one piece can replace."""
    left = np.arange(odd, len(starts) - 1, 2)
    left = left[(ends[left] == starts[left + 1]) & ~points.cut[ends[left]]]
    if not len(left):
        return starts, ends
    fit = _fitted(points, starts[left], ends[left + 1])
    left = left[fit.miss <= 1]
    ends = ends.copy()
    ends[left] = ends[left + 1]
    return np.delete(starts, left + 1), np.delete(ends, left + 1)


def _fitted(points: _Points, starts: np.ndarray, ends: np.ndarray) -> _Fit:
    """A piece from each start to its end through the points between them."""
    size = ends - starts + 1
    bounds = np.cumsum(size) - size
    group = np.repeat(np.arange(len(size)), size)
    index = np.arange(len(group)) + (starts - bounds)[group]
    at, slack = points.at[index], points.slack[index]
    step = np.abs(np.diff(at, prepend=at[:1]))
    step[bounds] = 0
    along = np.cumsum(step)
    along -= along[bounds][group]
    length = np.maximum(along[bounds + size - 1], 1e-9)
    u = along / length[group]
    p0, p3 = points.at[starts], points.at[ends]
    tangents = points.leaving[starts], -points.arriving[ends]
    handles = _handles(at, u, group, bounds, (p0, p3, *tangents, length))
    for _ in range(_NEWTON):
        u = _nearest(at, u, group, (p0, *handles, p3))
        handles = _handles(at, u, group, bounds, (p0, p3, *tangents, length))
    apart = np.abs(_point(u, group, (p0, *handles, p3)) - at) / slack
    chord = _unit(p3 - p0)
    bow = np.abs(((at - p0[group]).conj() * chord[group]).imag) / slack
    straight = np.maximum.reduceat(bow, bounds) <= _STRAIGHT
    miss = np.maximum.reduceat(apart, bounds)
    worst = np.minimum.reduceat(np.where(apart >= miss[group], index, len(points.at)), bounds)
    return _Fit(handles, np.where(straight, 0, miss), worst, straight)


Ends = tuple[np.ndarray, ...]


def _handles(
    at: np.ndarray, u: np.ndarray, group: np.ndarray, bounds: np.ndarray, ends: Ends
) -> np.ndarray:
    """(2, m) handles by least squares, along the tangents at both ends.

    Args:
        ends: first points, last points, tangents there, and lengths of the pieces.
    """
    p0, p3, t0, t3, length = ends
    v = 1 - u
    b1, b2 = 3 * u * v * v, 3 * u * u * v
    near = v * v * v + b1
    rest = at - p3[group] - near * (p0 - p3)[group]
    turned0, turned3 = rest * t0.conj()[group], rest * t3.conj()[group]
    # The tangents are units: their products are 1, and one number for each piece.
    both = (t0 * t3.conj()).real
    c00, c11 = np.add.reduceat(b1 * b1, bounds), np.add.reduceat(b2 * b2, bounds)
    c01 = np.add.reduceat(b1 * b2, bounds) * both
    x0 = np.add.reduceat(b1 * turned0.real, bounds)
    x1 = np.add.reduceat(b2 * turned3.real, bounds)
    bottom = c00 * c11 - c01 * c01
    is_bad = np.abs(bottom) <= 1e-9
    safe = np.where(is_bad, 1, bottom)
    chord = np.abs(p3 - p0)
    reaches = []
    for reach in ((x0 * c11 - x1 * c01) / safe, (c00 * x1 - c01 * x0) / safe):
        is_wrong = is_bad | (reach < 0.02 * chord) | (reach > 1.5 * length)
        reaches.append(np.where(is_wrong, chord / 3, reach))
    return np.stack([p0 + reaches[0] * t0, p3 + reaches[1] * t3])


def _point(u: np.ndarray, group: np.ndarray, piece: Ends) -> np.ndarray:
    """(k,) complex, where each piece is at u."""
    p0, p1, p2, p3 = piece
    a, b, c = (p3 - p0 + 3 * (p1 - p2))[group], (3 * (p0 - 2 * p1 + p2))[group], (3 * (p1 - p0))
    return np.asarray(((a * u + b) * u + c[group]) * u + p0[group])


def _nearest(at: np.ndarray, u: np.ndarray, group: np.ndarray, piece: Ends) -> np.ndarray:
    """(k,) u of the nearest points, better by one step of Newton's method."""
    p0, p1, p2, p3 = piece
    a, b, c = (p3 - p0 + 3 * (p1 - p2))[group], (3 * (p0 - 2 * p1 + p2))[group], (3 * (p1 - p0))
    c = c[group]
    off = ((a * u + b) * u + c) * u + p0[group] - at
    slope = (3 * a * u + 2 * b) * u + c
    bend = 6 * a * u + 2 * b
    bottom = slope.real**2 + slope.imag**2 + (off.conj() * bend).real
    step = (off.conj() * slope).real / np.where(bottom > 1e-9, bottom, np.inf)
    return np.asarray((u - step.clip(-0.2, 0.2)).clip(0, 1))
