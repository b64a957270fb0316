"""Placement: boxes on the grid for a list of nouns, by the rules of where things belong.

Pure arithmetic on numbers and a random generator. Knows no prompts and no pixels.
Sizes are in canvas pixels; boxes (x0, y0, x1, y1) are end exclusive and multiples of `GRID`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.training.concepts import Noun

Box = tuple[int, int, int, int]
Rect = tuple[float, float, float, float]

GRID = 32
MIN_CELLS, MAX_CELLS = 2, 9
MAX_OVERLAP = 0.25  # of the smaller box
SKY_LIMIT = 0.5  # of the height: centres of sky things stay above
GROUND_LIMIT = 0.6  # of the height: bottom edges of ground things stay below
SIDES = {1: 104.0, 2: 148.0, 3: 204.0}  # geometric mean of width and height, four things
GROUND_START = {1: 0.74, 2: 0.68, 3: 0.62}  # large things may stand farther back
DRAWN_SHARE, GROWN_SHARE = 0.2, 0.15
MAX_SPRITE, MIN_SPRITE = 272.0, 34.0
TRIES, ROUNDS = 14, 5


@dataclass(frozen=True, slots=True)
class Placed:
    """A noun with its box, and the rect (x, y, w, h) of its tight sprite inside the box."""

    noun: Noun
    box: Box
    rect: Rect


def typical_side(noun: Noun, count: int) -> float:
    """Usual square root of a sprite's area in a picture of `count` things, in pixels."""
    return SIDES[noun.size] * min(1.3, max(0.5, (4 / max(count, 1)) ** 0.4))


def place_things(
    rng: np.random.Generator,
    canvas: tuple[int, int],
    nouns: Sequence[Noun],
    aspects: Sequence[float],
    size: float = 1.0,
    variety: float = 1.0,
) -> list[Placed]:
    """Find a box for every noun; one that fits nowhere is left out.

    Args:
        size: factor on all usual sizes.
        variety: at 0 every sprite is fitted into a box drawn on the grid, so that the box alone
            says where it stands; at 1 most boxes are snapped around freely placed sprites.
        canvas: (width, height), multiples of the grid, at least 320.
        aspects: width over height of each noun's sprite.

    Returns:
        Bottom to top: what stands lower on the canvas is in front, with some noise.
    """
    wishes = []
    for noun, aspect in zip(nouns, aspects, strict=True):
        side = size * typical_side(noun, len(nouns)) * math.exp(0.25 * rng.standard_normal())
        wishes.append((side, noun, aspect))
    wishes.sort(key=lambda wish: -wish[0])  # large ones first: small ones find gaps
    placed: list[Placed] = []
    for side, noun, aspect in wishes:
        entry = _place(rng, canvas, noun, aspect, side, placed, variety)
        if entry is not None:
            placed.append(entry)
    depth = {id(entry): entry.box[3] + 24 * rng.standard_normal() for entry in placed}
    return sorted(placed, key=lambda entry: depth[id(entry)])


def place_in_rows(
    rng: np.random.Generator,
    canvas: tuple[int, int],
    nouns: Sequence[Noun],
    aspects: Sequence[float],
) -> list[Placed]:
    """Boxes side by side in rows, as on a sticker sheet; what fits into no cell is left out.

    Returns:
        In reading order: row by row from the top, each from the left.
    """
    columns = max(1, round(math.sqrt(len(nouns) * canvas[0] / canvas[1])))
    rows = -(-len(nouns) // columns)
    width, height = canvas[0] // columns, canvas[1] // rows
    placed = []
    for index, (noun, aspect) in enumerate(zip(nouns, aspects, strict=True)):
        row, column = divmod(index, columns)
        gap = int(rng.random() < 0.5)  # in cells, where there is room
        across, down = (max(side // GRID - gap, MIN_CELLS) for side in (width, height))
        w = min(across, width // GRID, MAX_CELLS) * GRID
        h = min(down, height // GRID, MAX_CELLS) * GRID
        if min(w, h) < MIN_CELLS * GRID:
            continue
        x0, y0 = column * width // GRID * GRID, row * height // GRID * GRID
        x, y, rect_w, rect_h = fit_rect((w, h), aspect, noun.band)
        placed.append(Placed(noun, (x0, y0, x0 + w, y0 + h), (x0 + x, y0 + y, rect_w, rect_h)))
    return placed


def _place(
    rng: np.random.Generator,
    canvas: tuple[int, int],
    noun: Noun,
    aspect: float,
    side: float,
    placed: Sequence[Placed],
    variety: float,
) -> Placed | None:
    """Try places at random, then smaller sizes."""
    for _ in range(ROUNDS):
        for _ in range(TRIES):
            if rng.random() >= variety * (1 - DRAWN_SHARE):
                box, rect = _drawn_box(rng, canvas, noun, aspect, side)
            else:
                box, rect = _tight_box(rng, canvas, noun, aspect, side)
                if rng.random() < GROWN_SHARE:
                    box = _grown(rng, box)
            if _fits(canvas, noun, box) and not any(_overlaps(box, other.box) for other in placed):
                return Placed(noun, box, rect)
        side *= 0.8
    return None


def _tight_box(
    rng: np.random.Generator, canvas: tuple[int, int], noun: Noun, aspect: float, side: float
) -> tuple[Box, Rect]:
    """A sprite anywhere in its band, and its box: the sprite snapped outward to the grid."""
    root = math.sqrt(aspect)
    scale = min(1.0, MAX_SPRITE / (side * max(root, 1 / root)))
    scale = max(scale, MIN_SPRITE / (side * min(root, 1 / root)))
    w = min(side * scale * root, canvas[0] - 1.0)
    h = w / aspect
    x = rng.random() * (canvas[0] - w)
    y = _draw_top(rng, canvas[1], noun, h)
    x0, x1 = _snap(x, x + w, canvas[0])
    y0, y1 = _snap(y, y + h, canvas[1])
    return (x0, y0, x1, y1), (x, y, w, h)


def _drawn_box(
    rng: np.random.Generator, canvas: tuple[int, int], noun: Noun, aspect: float, side: float
) -> tuple[Box, Rect]:
    """A box as a user might draw it, and the sprite fitted into it."""
    root = 2 ** (rng.random() - 0.5)
    w = min(max(round(side * 1.1 * root / GRID), MIN_CELLS), MAX_CELLS) * GRID
    h = min(max(round(side * 1.1 / root / GRID), MIN_CELLS), MAX_CELLS) * GRID
    x0 = int(rng.random() * ((canvas[0] - w) // GRID + 1)) * GRID
    y0 = round(_draw_top(rng, canvas[1], noun, h) / GRID) * GRID
    x, y, width, height = fit_rect((w, h), aspect, noun.band)
    return (x0, y0, x0 + w, y0 + h), (x0 + x, y0 + y, width, height)


def fit_rect(frame: tuple[float, float], aspect: float, band: str) -> Rect:
    """The largest (x, y, w, h) of an aspect in a (width, height): amid it, or on its ground."""
    width = min(frame[0], frame[1] * aspect)
    height = width / aspect
    free = frame[1] - height
    return (frame[0] - width) / 2, free if band == "ground" else free / 2, width, height


def _draw_top(rng: np.random.Generator, canvas_height: int, noun: Noun, height: float) -> float:
    """Upper edge of something `height` tall, in the noun's band."""
    if noun.band == "sky":
        low, high = 0.0, SKY_LIMIT * canvas_height - height / 2
    elif noun.band == "ground":
        low = max(GROUND_START[noun.size] * canvas_height - height, 0.0)
        high = canvas_height - height - 2
    else:
        low, high = 0.0, canvas_height - height
    return low + rng.random() * (high - low)


def _snap(low: float, high: float, limit: int) -> tuple[int, int]:
    """Outward to the grid, at least `MIN_CELLS` long, within 0 to `limit`."""
    start = max(int(low // GRID) * GRID, 0)
    stop = min(math.ceil(high / GRID) * GRID, limit)
    while stop - start < MIN_CELLS * GRID:
        if stop < limit:
            stop += GRID
        else:
            start -= GRID
    return start, stop


def _grown(rng: np.random.Generator, box: Box) -> Box:
    """One extra cell on one side; `_fits` judges the result."""
    side = int(rng.random() * 4)
    edges = list(box)
    edges[side] += -GRID if side < 2 else GRID
    return edges[0], edges[1], edges[2], edges[3]


def _fits(canvas: tuple[int, int], noun: Noun, box: Box) -> bool:
    x0, y0, x1, y1 = box
    if x0 < 0 or y0 < 0 or x1 > canvas[0] or y1 > canvas[1]:
        return False
    if max(x1 - x0, y1 - y0) > MAX_CELLS * GRID or min(x1 - x0, y1 - y0) < MIN_CELLS * GRID:
        return False
    if noun.band == "sky":
        return (y0 + y1) / 2 < SKY_LIMIT * canvas[1]
    return noun.band == "any" or y1 > GROUND_LIMIT * canvas[1]


def _overlaps(a: Box, b: Box) -> bool:
    """Whether two boxes share more than `MAX_OVERLAP` of the smaller."""
    w = min(a[2], b[2]) - max(a[0], b[0])
    h = min(a[3], b[3]) - max(a[1], b[1])
    if w <= 0 or h <= 0:
        return False
    smaller = min((a[2] - a[0]) * (a[3] - a[1]), (b[2] - b[0]) * (b[3] - b[1]))
    return w * h > MAX_OVERLAP * smaller
