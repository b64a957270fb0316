"""Contours: closed lines around each fill, bottom to top, with sub-pixel positions.

Fills are painted one over the other, so each border shows the edge of the upper fill alone. The
lower fill reaches a little under it; no background can shine through between the two. Where the
lower fill's hidden edge comes near a third fill or the outline it stays half a pixel away from it.

Shapes: H W rows and columns.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from contourpy import contour_generator
from PIL import Image, ImageFilter

from app.document.vectors.fills import Fills

REACH = 2  # pixels by which a fill reaches under the fills above it
_FULL = 0.98
MOST_POINTS = 100_000  # on all contours of a picture; a drawing of 512 pixels has some 10,000
_FRAME = 3  # pixels by which the picture goes on around it, so that shapes reach its very edge
_ROUNDS, _GAIN = 2, 1.2  # of moving contours to where their coverage is right


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


class TooDetailedError(Exception):
    """The contours would have more than `MOST_POINTS` points."""


@dataclass(frozen=True, slots=True, eq=False)
class Contour:
    """One closed line."""

    # (n,) complex x + iy in pixels from the upper left corner of the picture. Holes run the other
    # way round than outlines.
    at: np.ndarray
    # (n,) 1 where fills above cover a point and all that is around it, 0.5 where they cover it next
    # to an edge that is seen, else 0
    hidden: np.ndarray
    is_on_edge: np.ndarray  # (n,) bool points on the edge of the picture


def contours_of(fills: Fills, smallest: float) -> list[list[Contour]]:
    """The contours of each fill, bottom to top.

    Args:
        smallest: area in square pixels below which a contour is left out.

    Raises:
        TooDetailedError: the picture is no drawing but noise or a fine pattern.
    """
    points = 0
    above = np.pad(fills.alpha, _FRAME, mode="edge")
    found: list[list[Contour]] = []
    for fill in range(1, len(fills.palette) + 1):
        own = np.pad(fills.cover(fill), _FRAME, mode="edge")
        above = above - own
        # The lowest fill lies under all others: where three of them meet, too, nothing shines
        # through.
        reach = REACH if found else None
        contours = _contours(own, above, reach, smallest)
        points += sum(len(each.at) for each in contours)
        if points > MOST_POINTS:
            raise TooDetailedError
        found.append(contours)
    return found


def _contours(
    own: np.ndarray, above: np.ndarray, reach: int | None, smallest: float
) -> list[Contour]:
    """Contours of one fill.

    Args:
        own: (H, W) how much of each pixel shows the fill.
        above: (H, W) how much of it shows fills that are painted later.
        reach: pixels by which the fill reaches under those; None = everywhere.
    """
    present = own if reach is not None else own + above
    rows, columns = np.flatnonzero(present.any(axis=1)), np.flatnonzero(present.any(axis=0))
    if not len(rows):
        return []
    height, width = own.shape
    margin = REACH + 2
    top, left = max(0, rows[0] - margin), max(0, columns[0] - margin)
    part = np.s_[top : rows[-1] + margin + 1, left : columns[-1] + margin + 1]
    own, joint = own[part], own[part] + above[part]
    under = _half_inside(joint)
    if reach is not None:
        under *= _grown(own >= 0.5, reach)
    field = np.maximum(own, under)
    found = contour_generator(z=np.pad(field, 1), name="serial").lines(0.5)
    lines = [np.asarray(line) for line in found]
    if sum(len(line) for line in lines) > MOST_POINTS:
        raise TooDetailedError
    kept = []
    for line in lines:
        at = line[:-1] @ (1, 1j) - (0.5 + 0.5j)  # the frame is a pixel wide
        area = _signed_area(at)
        if abs(area) >= smallest and (area > 0 or not _is_filled(at, joint)):
            kept.append(at)
    if not kept:
        return []
    at, ends = _moved(kept, field)
    is_hidden = np.maximum.reduce(_around(own, at)[0]) < 0.5
    is_deep = is_hidden & (np.minimum.reduce(_around(joint, at)[0]) >= _FULL)
    x = at.real + (left - _FRAME)
    y = at.imag + (top - _FRAME)
    right, bottom = width - 2 * _FRAME, height - 2 * _FRAME
    is_on_edge = (x <= 0) | (y <= 0) | (x >= right) | (y >= bottom)
    at = x.clip(0, right) + 1j * y.clip(0, bottom)
    parts = (np.split(each, ends) for each in (at, is_hidden * 0.5 + is_deep * 0.5, is_on_edge))
    return [
        Contour(*each) for each in zip(*parts, strict=True) if abs(_signed_area(each[0])) > 1e-3
    ]


def _signed_area(at: np.ndarray) -> float:
    """Area in square pixels; negative for a hole."""
    return float((at.conj() * np.roll(at, -1)).imag.sum()) / 2


def _is_filled(hole: np.ndarray, joint: np.ndarray) -> bool:
    """Whether fills above cover a hole and all that is around it."""
    x0, y0 = max(int(hole.real.min()) - 1, 0), max(int(hole.imag.min()) - 1, 0)
    x1, y1 = int(hole.real.max()) + 2, int(hole.imag.max()) + 2
    return bool(joint[y0:y1, x0:x1].min() >= 0.999)


def _moved(lines: list[np.ndarray], field: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Contours moved to where they cover of each pixel what the field says.

    Lines through the field at one half are off by up to a tenth of a pixel, and more around small
    things.

    Returns:
        (n,) complex points of all contours; where each but the first starts.
    """
    at = np.concatenate(lines)
    size = np.array([len(each) for each in lines])
    ends = np.cumsum(size)
    following = np.arange(1, len(at) + 1)
    following[ends - 1] = ends - size
    before = np.empty_like(following)
    before[following] = np.arange(len(at))
    for _ in range(_ROUNDS):
        off = field - coverage(at, following, *field.shape)
        along = at[following] - at[before]
        outward = -1j * along / np.maximum(np.abs(along), 1e-9)
        at = at + outward * (_GAIN * _sampled(off, at))
    return at, ends[:-1]


def _sampled(field: np.ndarray, at: np.ndarray) -> np.ndarray:
    """(n,) the field at points between the middles of its pixels; 0 outside."""
    (a, b, c, d), fx, fy = _around(field, at)
    return np.asarray((a + fx * (b - a)) * (1 - fy) + (c + fx * (d - c)) * fy)


def _around(field: np.ndarray, at: np.ndarray) -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
    """The four values around each point, and where it lies between them."""
    height, width = field.shape
    x, y = (at.real + 0.5).clip(0, width + 0.999), (at.imag + 0.5).clip(0, height + 0.999)
    column, row = x.astype(np.int64), y.astype(np.int64)
    flat = np.pad(field, 1).ravel()
    place = row * (width + 2) + column
    return [flat[place + step] for step in (0, 1, width + 2, width + 3)], x - column, y - row


def _half_inside(joint: np.ndarray) -> np.ndarray:
    """(H, W) the coverage of a shape whose edge lies half a pixel inside of that of `joint`."""
    padded = np.pad(joint, 1)
    least = np.minimum(
        np.minimum(padded[:-2, 1:-1], padded[2:, 1:-1]),
        np.minimum(padded[1:-1, :-2], padded[1:-1, 2:]),
    )
    return np.asarray((joint + np.minimum(least, joint)) / 2)


def _grown(mask: np.ndarray, steps: int) -> np.ndarray:
    """The mask with the pixels around it, corners included."""
    grown = Image.fromarray(mask).convert("L").filter(ImageFilter.MaxFilter(2 * steps + 1))
    return np.asarray(grown) > 0
