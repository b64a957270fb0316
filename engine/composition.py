"""Composition: boxes for the things of a prompt, in a few layouts.

The rules are those of the scenes that the model is trained on: things of the sky stay in the upper
half, things of the ground stand in the lower part, the large ones farther back, and every thing has
its usual size and proportions. Under water, in space and on a plain colour there is no horizon, and
things may be anywhere. A layout starts from one of a few arrangements; then boxes that
overlap push each other apart inside their bands, and shrink together where there is no room.

Deterministic: the same things, canvas and seed give the same layouts. Neither torch nor Qt.
All lengths are canvas pixels, unless a name ends in "cells".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal, cast

import numpy as np

from engine.api import Box
from engine.prompts.result import PromptCheck, PromptObject
from engine.prompts.tables import rows_of, split
from engine.things import aspect_of

Band = Literal["sky", "ground", "low", "any"]
Arrangement = Literal["scene", "centre", "depth", "corner", "rows"]
ARRANGEMENTS: tuple[Arrangement, ...] = ("scene", "centre", "depth", "corner", "rows")

SIDES = {1: 104.0, 2: 148.0, 3: 204.0}  # of a thing among four, on a canvas of 512 pixels
NAMED_SIZE = {"big": 1.3, "small": 0.7, None: 1.0}
SKY_LIMIT = 0.48  # of the height: centres of sky things stay above
GROUND_LIMIT = 0.64  # of the height: bottom edges of ground things stay below
NO_HORIZON = frozenset({"underwater", "space"})
MARGIN = 0.03  # of each side of the canvas
GAP = 0.03  # between neighbours, of the canvas's longer side
FULL = 0.62  # largest share of the canvas that all boxes together cover
MOST = 50  # things of a layout
CROWD = 4  # things from which on one start per arrangement has to do: the window waits
SEVERAL = 3  # boxes for an unnamed number ("balloons")
ATTEMPTS = 3  # starts of each arrangement; the best one is kept
GOOD = -1.6  # a score from which on no further start is tried
ROUNDS, SHRINK = 6, 0.9  # how often boxes that still overlap shrink, and by how much
PUSHES = 24  # per round


@dataclass(frozen=True, slots=True)
class Traits:
    """What is usual for a thing."""

    # where it belongs; "low" is "any" in a picture with a horizon: not in the sky
    band: Band = "any"
    size: int = 2  # 1 small to 3 large
    aspect: float = 1.0  # width over height


@dataclass(frozen=True, slots=True)
class PlacedThing:
    """A box and the thing that it is for: its noun, and the phrase with its colour."""

    noun: str
    shows: str
    box: Box


@dataclass(frozen=True, slots=True)
class Layout:
    """One suggestion, bottom to top."""

    arrangement: Arrangement
    things: tuple[PlacedThing, ...]


@dataclass(frozen=True, slots=True)
class _Wishes:
    """What is to be placed: names and phrases, and per thing size, band and size class."""

    nouns: tuple[str, ...]
    shows: tuple[str, ...]
    bands: tuple[Band, ...]
    classes: np.ndarray  # (n,) size class of each, 1 to 3
    sides: np.ndarray  # (n, 2) width and height


def suggest_layouts(
    check: PromptCheck,
    canvas: tuple[int, int],  # (width, height), multiples of `step`
    *,
    step: int = 32,  # of which all edges are multiples
    seed: int = 0,
    most: int = MOST,  # how many boxes there may be; further things are left out
) -> tuple[Layout, ...]:
    """A layout per arrangement that suits the things of a prompt, the best first; perhaps none."""
    name = None if check.background is None else check.background.name
    has_horizon = name not in NO_HORIZON and not (name or "").endswith("background")
    wishes = _wishes(_listed(check.objects, most), canvas, has_horizon=has_horizon)
    count = len(wishes.nouns)
    if not count:
        return ()
    arrangements = ARRANGEMENTS if count > 2 else ("scene", "corner", "depth")
    is_crowd = count > CROWD
    if count > 2 * CROWD:
        arrangements = ("scene", "depth", "corner", "rows")
    found = []
    for index, arrangement in enumerate(arrangements):
        tries = []
        for attempt in range(1 if arrangement == "rows" or is_crowd else ATTEMPTS):
            rng = np.random.default_rng([seed, index, attempt])
            tries.append(_place(wishes, canvas, step, arrangement, rng))
            if tries[-1][0] > GOOD:
                break
        found.append((arrangement, max(tries, key=lambda each: each[0])[1]))
    # An arrangement that leaves a thing outside its band is no choice where others do not.
    strays = [_strays(np.array(boxes, float), wishes, canvas) for _, boxes in found]
    found = [each for each, count in zip(found, strays) if count == min(strays)]
    # A sheet of rows is the calmest picture of many things, and the dullest of few.
    crowded = count > 8
    found.sort(key=lambda each: (each[0] == "rows") != crowded)
    unique: dict[tuple[Box, ...], Layout] = {}
    for arrangement, boxes in found:
        unique.setdefault(boxes, _layout(arrangement, wishes, boxes))
    return tuple(unique.values())


def place_one(
    thing: PromptObject, canvas: tuple[int, int], others: Sequence[Box], *, step: int = 32
) -> PlacedThing:
    """A box for one more thing, where it covers the others least."""
    wishes = _wishes([thing] * max(1, min(4, len(others))), canvas)
    size = np.array(_rounded(wishes.sides[0], step, canvas))
    rows, columns = (np.arange(0, canvas[axis] - size[axis] + 1, step) for axis in (1, 0))
    corners = np.stack(np.meshgrid(columns, rows), axis=-1).reshape(-1, 2)
    boxes = np.concatenate([corners, corners + size], axis=1).astype(float)  # every place
    taken = np.array(others, float).reshape(-1, 4)
    cost = _covered(boxes, taken) + 0.3 * _misplaced(boxes, wishes.bands[0], canvas)
    return PlacedThing(thing.noun, wishes.shows[0], _tuples(boxes[[cost.argmin()]])[0])


def suggest_things(
    check: PromptCheck,
    nouns: Sequence[str],  # that the model draws
    canvas: tuple[int, int],
    boxes: Sequence[Box],
    taken: Sequence[str] = (),  # nouns that the picture has already; others come first
) -> tuple[str, ...]:
    """A thing for each box that the prompt leaves empty: of its scenery, and of the box's form.

    Returns:
        one noun per box, all different where there are enough.
    """
    used = {*taken, *(thing.noun for thing in check.objects)}
    fitting = _fitting(check, used)
    costs = {noun: _unfit(noun, boxes, canvas) + 3 * (noun not in fitting) for noun in nouns}
    found: list[str] = []
    for place in range(len(boxes)):
        free = [noun for noun in nouns if noun not in used] or list(nouns)
        here = {noun: float(costs[noun][place]) for noun in free}
        found.append(min(here, key=here.__getitem__))
        used.add(found[-1])
    return tuple(found)


def usual_size(noun: str, canvas: tuple[int, int], *, step: int = 32) -> tuple[int, int]:
    """Width and height of a box for a thing among a few others."""
    thing = PromptObject(noun, noun, ())
    return _rounded(_wishes([thing] * 4, canvas).sides[0], step, canvas)


@cache
def traits_of(noun: str) -> Traits:
    """What is usual for a noun; for an unknown one the middle of everything."""
    for row in rows_of("nouns"):
        if row["name"] == noun:
            return Traits(cast(Band, row["band"]), int(row["size"]), aspect_of(noun))
    return Traits()


@cache
def is_listed(noun: str) -> bool:
    """Whether anything is known of a noun."""
    return any(row["name"] == noun for row in rows_of("nouns"))


# ---- what fits ----


def _fitting(check: PromptCheck, things: Collection[str]) -> frozenset[str]:
    """Nouns that belong to the background, or to the same categories as the things."""
    name = None if check.background is None else check.background.name
    for row in rows_of("backgrounds"):
        if row["name"] == name and row["fits"]:
            return frozenset(split(row["fits"]))
    rows = rows_of("nouns")
    categories = {row["category"] for row in rows if row["name"] in things}
    return frozenset(row["name"] for row in rows if row["category"] in categories)


def _unfit(noun: str, boxes: Sequence[Box], canvas: tuple[int, int]) -> np.ndarray:
    """(n,) how far boxes are from the usual size, proportions and place of a thing."""
    of = traits_of(noun)
    edges = np.array(boxes, float).reshape(-1, 4)
    width, height = (edges[:, 2:] - edges[:, :2]).T
    usual = usual_size(noun, canvas, step=1)
    size = np.abs(np.log(width * height / (usual[0] * usual[1]))) / 2
    aspect = np.abs(np.log(width / height) - math.log(of.aspect))
    where = _misplaced(edges, of.band, canvas) if of.band in ("sky", "ground") else 0.3
    return np.asarray(size + 1.5 * aspect + where)


# ---- what is to be placed ----


def _listed(objects: Sequence[PromptObject], most: int) -> list[PromptObject]:
    """Each thing as often as it is named; an unnamed number ("balloons") is three."""
    return [thing for thing in objects for _ in range(thing.count or SEVERAL)][:most]


def _wishes(
    things: Sequence[PromptObject], canvas: tuple[int, int], *, has_horizon: bool = True
) -> _Wishes:
    traits = [traits_of(thing.noun) for thing in things]
    bands = [of.band for of in traits]
    if not has_horizon or set(bands) == {"any"}:
        bands = ["any"] * len(traits)
    else:
        bands = ["low" if band == "any" else band for band in bands]
    count = max(len(things), 1)
    unit = math.sqrt(canvas[0] * canvas[1]) / 512 * min(1.3, max(0.4, (4 / count) ** 0.4))
    sides = np.empty((len(things), 2))
    for index, (thing, of) in enumerate(zip(things, traits)):
        side = SIDES[of.size] * NAMED_SIZE[thing.size] * unit
        aspect = min(3.0, max(1 / 3, of.aspect))
        sides[index] = side * math.sqrt(aspect), side / math.sqrt(aspect)
    covered = float(sides.prod(axis=1).sum()) / (canvas[0] * canvas[1])
    if covered > FULL:
        sides *= math.sqrt(FULL / covered)
    return _Wishes(
        tuple(thing.noun for thing in things),
        tuple(_phrase(thing) for thing in things),
        tuple(bands),
        np.array([of.size for of in traits]),
        np.minimum(sides, np.array(canvas) * 0.6),
    )


def _phrase(thing: PromptObject) -> str:
    if thing.phrase:
        return thing.phrase
    return f"{thing.colour} {thing.noun}" if thing.colour else thing.noun


# ---- arrangements: (n, 2) centres as shares of the canvas ----


def _spread(count: int, rng: np.random.Generator) -> np.ndarray:
    """(count,) places across the width, the first ones near the lines of thirds."""
    places = (np.arange(count) + 0.5) / max(count, 1)
    places += rng.uniform(-0.25, 0.25, count) / max(count, 1)
    order = np.argsort(np.abs(np.abs(places - 0.5) - 1 / 6) + rng.uniform(0, 0.05, count))
    return places[order].clip(0.05, 0.95)


def _scene(wishes: _Wishes, rng: np.random.Generator) -> np.ndarray:
    """The sky above; on the ground large things behind small ones."""
    centres = np.empty((len(wishes.nouns), 2))
    for is_sky in (True, False):
        own = [i for i, band in enumerate(wishes.bands) if (band == "sky") == is_sky]
        own.sort(key=lambda i: -wishes.sides[i].prod())
        centres[own, 0] = _spread(len(own), rng)
        floats = "any" in wishes.bands
        for i in own:
            back = 0.06 * (wishes.classes[i] - 1)
            y = rng.uniform(0.14, 0.3) if is_sky else 0.76 - back + rng.uniform(-0.03, 0.06)
            centres[i, 1] = rng.uniform(0.3, 0.7) if floats else y
    return centres


def _centre(wishes: _Wishes, rng: np.random.Generator) -> np.ndarray:
    """The largest thing in the middle, the others around it."""
    count = len(wishes.nouns)
    order = np.argsort(-wishes.sides.prod(axis=1), kind="stable")
    angles = rng.uniform(0, 2 * np.pi) + 2 * np.pi * np.arange(count) / max(count - 1, 1)
    centres = np.empty((count, 2))
    centres[order, 0] = 0.5 + 0.34 * np.cos(angles)
    centres[order, 1] = 0.55 + 0.32 * np.sin(angles)
    hero = order[0]
    centres[hero] = 0.5, 0.3 if wishes.bands[hero] == "sky" else 0.6
    return centres


def _depth(wishes: _Wishes, rng: np.random.Generator) -> np.ndarray:
    """Two rows on the ground: large things behind, small ones in front between them."""
    centres = _scene(wishes, rng)
    own = [i for i, band in enumerate(wishes.bands) if band != "sky"]
    own.sort(key=lambda i: -wishes.sides[i].prod())
    half = (len(own) + 1) // 2
    for row, y in ((own[:half], 0.58), (own[half:], 0.84)):
        places = (np.arange(len(row)) + 0.5) / max(len(row), 1)
        centres[row, 0] = rng.permutation(places) if len(row) > 1 else (1 / 3 if y < 0.7 else 2 / 3)
        centres[row, 1] = y + rng.uniform(-0.02, 0.02, len(row))
    return centres


def _corner(wishes: _Wishes, rng: np.random.Generator) -> np.ndarray:
    """The largest thing on a line of thirds, the others on the other side."""
    centres = _scene(wishes, rng)
    side = 1 / 3 if rng.random() < 0.5 else 2 / 3
    hero = int(np.argmax(wishes.sides.prod(axis=1)))
    others = [i for i in range(len(wishes.nouns)) if i != hero]
    centres[hero, 0] = side
    away = 0.55 if side < 0.5 else 0.0
    centres[others, 0] = away + 0.45 * rng.permutation(
        (np.arange(len(others)) + 0.5) / max(len(others), 1)
    )
    return centres


_STARTS: dict[str, Callable[[_Wishes, np.random.Generator], np.ndarray]] = {
    "scene": _scene,
    "centre": _centre,
    "depth": _depth,
    "corner": _corner,
}


# ---- placing ----


def _place(
    wishes: _Wishes,
    canvas: tuple[int, int],
    step: int,
    arrangement: Arrangement,
    rng: np.random.Generator,
) -> tuple[float, tuple[Box, ...]]:
    """Boxes in the order of the wishes, and how good they are."""
    if arrangement == "rows":
        boxes = _rows(wishes, canvas, step)
        return _score(boxes, wishes, canvas), _tuples(boxes)
    centres = _STARTS[arrangement](wishes, rng) * np.array(canvas)
    sides = wishes.sides * (1.15 if len(wishes.nouns) == 1 else 1.0)
    boxes = np.zeros((len(wishes.nouns), 4))
    for _ in range(ROUNDS):
        centres = _pushed_apart(centres, sides, wishes.bands, canvas)
        boxes = _snapped(centres, sides, wishes.bands, canvas, step)
        if _overlaps(boxes).max(initial=0.0) <= 0.05:
            break
        sides = sides * SHRINK
    return _score(boxes, wishes, canvas), _tuples(boxes)


def _limits(
    sides: np.ndarray, bands: Sequence[Band], canvas: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """(n, 2) least and largest centre of each box: inside the margin and its band."""
    size = np.array(canvas, float)
    least = size * MARGIN + sides / 2
    most = size * (1 - MARGIN) - sides / 2
    for index, band in enumerate(bands):
        if band == "sky":
            most[index, 1] = min(most[index, 1], SKY_LIMIT * size[1])
        elif band == "low":
            least[index, 1] = max(least[index, 1], SKY_LIMIT * size[1])
        elif band == "ground":
            least[index, 1] = max(least[index, 1], GROUND_LIMIT * size[1] - sides[index, 1] / 2)
    return least, np.maximum(least, most)


def _pushed_apart(
    centres: np.ndarray, sides: np.ndarray, bands: Sequence[Band], canvas: tuple[int, int]
) -> np.ndarray:
    """Centres after boxes that overlap pushed each other apart, each inside its limits."""
    least, most = _limits(sides, bands, canvas)
    centres = centres.clip(least, most)
    reach = (sides[:, None] + sides[None]) / 2  # (n, n, 2) at which two boxes touch
    reach = reach + GAP * max(canvas)
    own = np.eye(len(sides), dtype=bool)
    later = np.sign(np.arange(len(sides))[:, None] - np.arange(len(sides)))[..., None]
    for _ in range(PUSHES):
        apart = centres[:, None] - centres[None]
        depth = reach - np.abs(apart)
        overlap = (depth > 0).all(axis=-1) & ~own
        if not overlap.any():
            break
        across = depth[..., 0] <= depth[..., 1]  # the shorter way out
        way = np.stack([across & overlap, ~across & overlap], axis=-1)
        sign = np.where(apart == 0, later, np.sign(apart))
        centres = (centres + (0.5 * depth * way * sign).sum(axis=1)).clip(least, most)
    return centres


def _snapped(
    centres: np.ndarray,
    sides: np.ndarray,
    bands: Sequence[Band],
    canvas: tuple[int, int],
    step: int,
) -> np.ndarray:
    """(n, 4) boxes whose edges are multiples of the step, inside the margin where there is room."""
    boxes = np.empty((len(sides), 4))
    border = [step * math.ceil(MARGIN * side / step) for side in canvas]
    for index, (centre, size) in enumerate(zip(centres, sides)):
        rounded = _rounded(size, step, canvas)
        for axis in (0, 1):
            room = canvas[axis] - rounded[axis]
            first = step * round((centre[axis] - rounded[axis] / 2) / step)
            edge = min(border[axis], room // 2 // step * step)
            first = min(max(first, edge), room - edge)
            if axis == 1 and bands[index] == "sky":
                while first > edge and first + rounded[1] / 2 > 0.5 * canvas[1]:
                    first -= step
            if axis == 1 and bands[index] == "ground":
                while first < room - edge and first + rounded[1] < GROUND_LIMIT * canvas[1]:
                    first += step
            boxes[index, axis], boxes[index, axis + 2] = first, first + rounded[axis]
    return boxes


def _rounded(size: np.ndarray, step: int, canvas: tuple[int, int]) -> tuple[int, int]:
    """Width and height as multiples of the step, at least one."""
    width, height = (
        int(min(max(step, step * round(float(side) / step)), limit - limit % step))
        for side, limit in zip(size, canvas)
    )
    return width, height


def _rows(wishes: _Wishes, canvas: tuple[int, int], step: int) -> np.ndarray:
    """Side by side in rows, things of the sky in the first ones and those of the ground last."""
    count = len(wishes.nouns)
    columns = max(1, min(count, round(math.sqrt(count * canvas[0] / canvas[1]))))
    rows = -(-count // columns)
    rank = {"sky": 0, "any": 1, "low": 1, "ground": 2}
    order = sorted(range(count), key=lambda i: rank[wishes.bands[i]])
    border = np.ceil(MARGIN * np.array(canvas) / step) * step
    room = np.array(canvas) - 2 * border
    if (room < step * np.array([columns, rows])).any():
        border, room = np.zeros(2), np.array(canvas, float)
    boxes = np.empty((count, 4))
    for place, index in enumerate(order):
        row, column = divmod(place, columns)
        in_row = columns if row < rows - 1 else count - columns * (rows - 1)
        pitch = room / np.array([in_row, rows])
        cell = room / np.array([columns, rows])
        scale = min(1.0, *(0.94 * cell / wishes.sides[index]))
        width, height = _rounded(wishes.sides[index] * scale, step, canvas)
        middle = border + pitch * (np.array([column, row]) + 0.5)
        x, y = (
            int(step * round(float(at - side / 2) / step))
            for at, side in zip(middle, (width, height))
        )
        x = min(max(x, 0), canvas[0] - width)
        y = min(max(y, 0), canvas[1] - height)
        boxes[index] = x, y, x + width, y + height
    return boxes


# ---- how good boxes are ----


def _covered(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """(m, 4) and (n, 4) -> (m,) share of each box that the others cover, added up."""
    first = np.maximum(boxes[:, None, :2], others[None, :, :2])
    last = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    area = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    return (last - first).clip(min=0).prod(axis=-1).sum(axis=1) / area


def _overlaps(boxes: np.ndarray) -> np.ndarray:
    """(n, n) overlap of each pair as a share of the smaller box; 0 on the diagonal."""
    first = np.maximum(boxes[:, None, :2], boxes[None, :, :2])
    last = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
    area = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    share = (last - first).clip(min=0).prod(axis=-1) / np.minimum(area[:, None], area[None])
    np.fill_diagonal(share, 0)
    return share


def _misplaced(boxes: np.ndarray, band: Band, canvas: tuple[int, int]) -> np.ndarray:
    """(m, 4) -> (m,) how far each is from its band and the middle; a little for the edge too."""
    width, height = canvas
    edge = (boxes[:, :2] <= 0).sum(axis=1) + (boxes[:, 2:] >= np.array(canvas)).sum(axis=1)
    away = np.abs((boxes[:, 0] + boxes[:, 2]) / 2 - width / 2) / width
    if band == "sky":
        off = np.abs((boxes[:, 1] + boxes[:, 3]) / 2 - 0.22 * height)
    else:
        off = np.abs(boxes[:, 3] - 0.85 * height)
    return 2 * off / height + 0.3 * edge + 0.2 * away


def _strays(boxes: np.ndarray, wishes: _Wishes, canvas: tuple[int, int]) -> int:
    """How many things are outside their bands."""
    return sum(
        bool(box[1] + box[3] > canvas[1] if band == "sky" else box[3] < 0.6 * canvas[1])
        for band, box in zip(wishes.bands, boxes)
        if band in ("sky", "ground")
    )


def _score(boxes: np.ndarray, wishes: _Wishes, canvas: tuple[int, int]) -> float:
    """Larger is better: no overlap, bands kept, weight balanced, a gap between neighbours."""
    area = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    weight = (middle * area[:, None]).sum(axis=0) / area.sum() / np.array(canvas)
    balance = abs(weight[0] - 0.5)
    over = float((_overlaps(boxes) > 0.1).sum()) / 2
    strays = _strays(boxes, wishes, canvas)
    shrunk = float(np.sqrt(wishes.sides.prod(axis=1) / area).mean())
    return -(4 * over + 4 * strays + 2 * balance + shrunk)


def _tuples(boxes: np.ndarray) -> tuple[Box, ...]:
    return tuple((int(a), int(b), int(c), int(d)) for a, b, c, d in boxes)


def _layout(arrangement: Arrangement, wishes: _Wishes, boxes: Sequence[Box]) -> Layout:
    """Things of the sky at the bottom; what stands lower in the picture is in front."""
    order = sorted(
        range(len(boxes)), key=lambda i: (wishes.bands[i] != "sky", boxes[i][3], boxes[i][0])
    )
    return Layout(
        arrangement,
        tuple(PlacedThing(wishes.nouns[i], wishes.shows[i], boxes[i]) for i in order),
    )
