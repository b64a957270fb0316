"""Scenes: which things stand where in a training picture, and what its prompt says.

Pure geometry and words. Regularities of scenes let the model find out which unlabelled box belongs
to which word: bands of sky and ground, sizes, and the order of the prompt.

Sizes are in canvas pixels; boxes (x0, y0, x1, y1) are end exclusive and multiples of `GRID`.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from engine.prompts.result import SizeWord
from engine.training.data.concepts import COLOURLESS_LOOKS, FIRST, Concepts, Noun, thing_codes
from engine.training.data.prompts import Mention, oov_words_of, pick, take_marks, write_prompt

# ---- placement ----

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
    aspects: Sequence[float],  # width over height of each noun's sprite
    size: float = 1.0,  # factor on all usual sizes
    # at 0 every sprite is fitted into a box drawn on the grid, so that the box alone says where it
    # is; at 1 most boxes are snapped around freely placed sprites
    variety: float = 1.0,
) -> list[Placed]:
    """A box for every noun, bottom to top: what is lower on the canvas is in front, mostly.

    A noun that fits nowhere is left out.
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
    """Boxes in rows, in reading order, as on a sticker sheet; what fits no cell is left out."""
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


# ---- looks ----


@dataclass(frozen=True, slots=True)
class LookMix:
    """Shares of looks, 0 to 1. The first look is the one that a prompt without a word means."""

    named: float = 0.65  # pictures whose prompt names their look
    first: float | None = None  # of these, those in the first look; None = as many as in any other
    open: float = 0.2  # of the rest, those in another look than the first

    def draw(self, rng: np.random.Generator, looks: Sequence[str]) -> tuple[str, bool]:
        """A look, and whether the prompt names it."""
        is_named = rng.random() < self.named
        any_look = pick(rng, looks)
        if is_named and self.first is None:
            return any_look, True
        is_first = rng.random() < (self.first or 0.0 if is_named else 1 - self.open)
        return looks[0] if is_first else pick(rng, looks[1:]), is_named


USUAL_LOOKS = LookMix()

# ---- scenes ----

PromptKind = Literal["full", "empty", "fewer", "more"]
Aspects = Mapping[tuple[str, str], float]

BACKGROUND = -1  # the background's index among the targets of an editing task
OTHER_CANVASES = ((640, 384), (384, 640), (448, 576), (576, 448))
COUNT_SHARES = np.cumsum([0.08, 0.14, 0.18, 0.19, 0.15, 0.10, 0.06, 0.04])  # 1 to 8; rest 9 to 12
HELD_OUT_MODULUS = 20
EVALUATION_STREAM = 0x6576616C  # "eval": seeds of evaluation never meet a trainer's
ATTEMPTS = 400
REPEAT_SHARE = 0.07
CROWD_CANVASES = ((512, 512), (768, 768), (1024, 640), (1024, 1024))
CROWD = (9, 50)
MOST_IN_A_SENTENCE = 12  # mentions; more are a list, of which the encoder reads more


@dataclass(frozen=True, slots=True)
class Thing:
    """One foreground layer."""

    noun: str
    look: str
    colour: str | None  # to shift the sprite to, or None for its natural colours
    flip: bool
    box: Box
    # (x, y, w, h): where the tight sprite is, inside the box, in its own proportions
    rect: tuple[float, float, float, float]
    # names one of the object's drawings, 0 to 3 (`seed_choices`); None = the first, which no code
    # names
    code: int | None = None


@dataclass(frozen=True, slots=True)
class Scene:
    """One picture to train on or to ask for."""

    canvas: tuple[int, int]
    prompt: str
    background: str | None  # a name, or None for a transparent picture
    # look, look_named: the one look of all things, and whether the prompt says it
    look: str
    look_named: bool
    things: tuple[Thing, ...]  # bottom to top
    # what the prompt says of the things: all, nothing, fewer or more
    prompt_kind: PromptKind = "full"
    # per thing, where its mention ends in the prompt, in characters; 0 = not named
    said_at: tuple[int, ...] = ()
    background_said_at: int = 0  # the same of the background


def is_held_out(names: Iterable[str]) -> bool:
    """Whether this combination of nouns is kept for evaluation. Single nouns never are."""
    names = sorted(set(names))
    return len(names) > 1 and zlib.crc32("|".join(names).encode()) % HELD_OUT_MODULUS == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneSettings:
    """What scenes are composed of; None leaves a choice to the random generator."""

    concepts: Concepts = FIRST
    # (noun name, look) -> width over height of the tight sprite; 1 where absent
    aspects: Aspects | None = None
    # (width, height), multiples of 64 from 320; None = mostly 512 x 512
    canvas: tuple[int, int] | None = None
    # foregrounds wanted, 0 upwards; fewer where they do not fit. None = 1 to 12.
    count: int | None = None
    with_background: bool | None = None
    size: float = 1.0  # factor on the usual sizes of things; small ones cost fewer tokens
    # at 0 noun, look, colour and box leave nothing open: no mirrored sprites, and each fitted into
    # its box. A first model learns that many times sooner.
    variety: float = 1.0
    colour_share: float = 0.5  # of the colourable things that are given a colour
    stranger_share: float = 0.0  # of the prompts that have a word from outside the vocabulary
    looks: LookMix = USUAL_LOOKS
    # those that a picture may have whose prompt names none; empty = all
    unsaid_backgrounds: Sequence[str] = ()
    # of the scenes of two things or more, those in which one noun repeats
    repeat_share: float = REPEAT_SHARE
    most_of_one: int = 3  # how often it occurs at most, 3 upwards; mostly twice
    rows: bool = False  # things side by side, as on a sticker sheet, named in reading order

    def drawable(self, look: str) -> Sequence[Noun]:
        return [noun for noun in self.concepts.nouns if look not in noun.without]

    def aspects_of(self, nouns: Sequence[Noun], look: str) -> list[float]:
        known = self.aspects or {}
        return [known.get((noun.name, look), 1.0) for noun in nouns]


USUAL = SceneSettings()


def compose(rng: np.random.Generator, settings: SceneSettings = USUAL) -> Scene:
    """Compose one training scene; never one whose nouns are held out."""
    concepts = settings.concepts
    canvas = settings.canvas or _draw_canvas(rng)
    with_background = settings.with_background
    if with_background is None:
        with_background = rng.random() < 0.75
    wanted = settings.count
    if wanted is None:
        wanted = 1 + int(np.searchsorted(COUNT_SHARES, rng.random(), side="right"))
        wanted = wanted if wanted <= 8 else 9 + int(rng.random() * 4)
    look, look_named = settings.looks.draw(rng, concepts.looks)
    placed = _place_nouns(rng, settings, canvas, wanted, look)
    things = _dress(rng, placed, look, settings)
    background = pick(rng, concepts.backgrounds).name if with_background else None
    kind: PromptKind = "full"
    if things:
        draw = rng.random()
        kind = (
            "empty" if draw < 0.04 else "fewer" if draw < 0.1 else "more" if draw < 0.14 else kind
        )
    mentions = _mentions(rng, placed, things, in_order=settings.rows)
    if kind == "fewer":
        mentions = _drop_some(rng, mentions)
    elif kind == "more":
        mentions = _add_some(rng, mentions, settings.drawable(look))
    if settings.stranger_share and rng.random() < settings.stranger_share:
        mentions = oov_words_of(concepts.stage).mix_in(rng, mentions)
    said_background = background
    if background is None and rng.random() < 0.15:
        # Users may switch the background off and leave the prompt as it was.
        said_background = pick(rng, concepts.backgrounds).name
    elif things and rng.random() < 0.2:
        said_background = None
    is_said = said_background is not None and kind != "empty"
    if background is not None and not is_said and settings.unsaid_backgrounds:
        background = pick(rng, settings.unsaid_backgrounds)
    scene = Scene(canvas, "", background, look, False, things, kind, (0,) * len(things))
    if kind == "empty":
        return scene
    marked = write_prompt(
        rng,
        mentions,
        look=look if look_named else None,
        background=said_background,
        transparent=background is None,
        more=kind == "fewer" and rng.random() < 0.5,
        vague=bool(things),
        marked=True,
        telegraphic=len(mentions) > MOST_IN_A_SENTENCE,
    )
    return _with_prompt(replace(scene, look_named=look_named), marked, mentions)


def _place_nouns(
    rng: np.random.Generator,
    settings: SceneSettings,
    canvas: tuple[int, int],
    wanted: int,
    look: str,
) -> list[Placed]:
    """Nouns in their boxes, of which neither those wanted nor those that fitted are held out."""
    vocabulary = settings.drawable(look)
    placed: list[Placed] = []
    for attempt in range(ATTEMPTS):
        # A tiny vocabulary may have held-out pairs only: one thing is always allowed.
        fewer = wanted if attempt < ATTEMPTS - 1 else min(wanted, 1)
        nouns = _draw_nouns(rng, fewer, vocabulary, settings)
        if is_held_out(noun.name for noun in nouns):
            continue
        ratios = settings.aspects_of(nouns, look)
        if settings.rows:
            placed = place_in_rows(rng, canvas, nouns, ratios)
        else:
            placed = place_things(rng, canvas, nouns, ratios, settings.size, settings.variety)
        if not is_held_out(entry.noun.name for entry in placed):
            break
    return placed


def _with_prompt(scene: Scene, marked: str, mentions: Sequence[Mention]) -> Scene:
    """The scene with a marked prompt, and where each mention of it ends."""
    prompt, ends, scenery_at = take_marks(marked)
    said_at = [0] * len(scene.things)
    for mention, end in zip(mentions, ends, strict=True):
        for index in mention.things:
            said_at[index] = end
    return replace(scene, prompt=prompt, said_at=tuple(said_at), background_said_at=scenery_at)


def evaluation_scenes(n: int, seed: int, settings: SceneSettings = USUAL) -> list[Scene]:
    """`n` scenes that training never sees: held-out combinations, 2 to 8 different things.

    Every thing, the look (two of three times) and the background (where there is one) are named
    once. The same arguments give the same scenes. Of the settings concepts, aspects, canvas,
    size and variety count.

    Raises ValueError: the vocabulary has no held-out combination that fits.
    """
    rng = np.random.default_rng([EVALUATION_STREAM, seed])
    return [_evaluation_scene(rng, settings) for _ in range(n)]


def _evaluation_scene(rng: np.random.Generator, settings: SceneSettings) -> Scene:
    concepts = settings.concepts
    canvas = settings.canvas or _draw_canvas(rng)
    wanted = 2 + int(rng.random() * 7)
    look_named = rng.random() < 0.65
    look = pick(rng, concepts.looks) if look_named else "flat"
    known = settings.drawable(look)
    wanted = min(wanted, len(known))
    for _ in range(ATTEMPTS):
        nouns = _draw_distinct(rng, wanted, known)
        if not is_held_out(noun.name for noun in nouns):
            continue
        ratios = settings.aspects_of(nouns, look)
        placed = place_things(rng, canvas, nouns, ratios, settings.size, settings.variety)
        if len(placed) == wanted:
            break
    else:
        raise ValueError(f"no held-out combination of {wanted} in {len(known)} nouns")
    things = _dress(rng, placed, look, replace(settings, colour_share=USUAL.colour_share))
    background = pick(rng, concepts.backgrounds).name if rng.random() < 0.75 else None
    mentions = _mentions(rng, placed, things)
    named = look if look_named else None
    marked = write_prompt(rng, mentions, look=named, background=background, marked=True)
    return _with_prompt(Scene(canvas, "", background, look, look_named, things), marked, mentions)


def editing_split(rng: np.random.Generator, scene: Scene) -> set[int]:
    """The layers to generate, half of the time a single one; all others are clean context.

    Something stays clean wherever the scene has two entries. Indices into `scene.things`, and
    `BACKGROUND`; never empty. Raises ValueError: the scene has neither things nor a background.
    """
    entries = list(range(len(scene.things)))
    has_background = scene.background is not None
    if not entries and not has_background:
        raise ValueError("a scene without things and background has no layer to generate")
    if rng.random() < 0.5 or len(entries) < 2:
        if has_background and (not entries or rng.random() < 0.12):
            return {BACKGROUND}
        return {pick(rng, entries)}
    share = 0.2 + 0.6 * rng.random()
    targets = {entry for entry in entries if rng.random() < share} or {pick(rng, entries)}
    if has_background and rng.random() < 0.15:
        targets.add(BACKGROUND)
    if len(targets) == len(entries) + has_background:
        targets.discard(pick(rng, sorted(targets)))
    return targets


def _draw_canvas(rng: np.random.Generator) -> tuple[int, int]:
    return (512, 512) if rng.random() < 0.7 else pick(rng, OTHER_CANVASES)


def _draw_distinct(rng: np.random.Generator, count: int, vocabulary: Sequence[Noun]) -> list[Noun]:
    order = rng.permutation(len(vocabulary))[:count].tolist()
    return [vocabulary[index] for index in order]


def _draw_nouns(
    rng: np.random.Generator, count: int, vocabulary: Sequence[Noun], settings: SceneSettings
) -> list[Noun]:
    """`count` nouns; in a share of the scenes one occurs several times, mostly twice."""
    if count >= 2 and rng.random() < settings.repeat_share:
        repeats = 2 if rng.random() < 0.7 else 3
        if repeats > 2 and settings.most_of_one > 3:
            repeats += int(rng.random() * (settings.most_of_one - 2))
        repeats = min(count, repeats)
        nouns = _draw_distinct(rng, count - repeats + 1, vocabulary)
        nouns += [nouns[0]] * (repeats - 1)
    else:
        nouns = _draw_distinct(rng, count, vocabulary)
    while len(nouns) < count:
        nouns.append(pick(rng, vocabulary))
    return nouns


def _dress(
    rng: np.random.Generator, placed: Sequence[Placed], look: str, settings: SceneSettings
) -> tuple[Thing, ...]:
    """Give every placed noun its colour and its flip. Repeated nouns mostly share a colour."""
    colours: dict[str, str | None] = {}
    codes = thing_codes(settings.concepts)
    things = []
    for entry in placed:
        name = entry.noun.name
        if name not in colours or rng.random() < 0.4:
            options = settings.concepts.colours_of(entry.noun, look)
            shifted = bool(options) and rng.random() < settings.colour_share
            colours[name] = pick(rng, options) if shifted else None
        flip = rng.random() < 0.5 * settings.variety
        code = int(rng.integers(codes)) if codes else None
        things.append(Thing(name, look, colours[name], flip, entry.box, entry.rect, code))
    return tuple(things)


def _mentions(
    rng: np.random.Generator,
    placed: Sequence[Placed],
    things: Sequence[Thing],
    *,
    in_order: bool = False,
) -> list[Mention]:
    """What a complete prompt says, mostly from left to right, or `in_order` as they are given.

    Equal things are counted where the first of them is.
    """
    groups: dict[tuple[str, str | None], list[int]] = {}
    order = list(range(len(things)))
    if not in_order:
        order.sort(key=lambda i: things[i].box[0] + things[i].box[2])
    for index in order:
        groups.setdefault((things[index].noun, things[index].colour), []).append(index)
    mentions = []
    for (_, colour), members in groups.items():
        noun = placed[members[0]].noun  # as its stage has it
        coloured = things[members[0]].look not in COLOURLESS_LOOKS
        if colour is None and coloured and noun.natural and rng.random() < 0.15:
            colour = pick(rng, noun.natural)
        size = _size_word(placed[members[0]], len(things)) if len(members) == 1 else None
        if rng.random() < 0.7:
            size = None
        mentions.append(Mention(noun, len(members), colour, size, tuple(members)))
    if rng.random() >= 0.85:
        mentions = [mentions[index] for index in rng.permutation(len(mentions)).tolist()]
    return mentions


def _size_word(entry: Placed, count: int) -> SizeWord | None:
    """A true word for a thing that is clearly larger or smaller than its kind usually is."""
    ratio = (entry.rect[2] * entry.rect[3]) ** 0.5 / typical_side(entry.noun, count)
    if ratio > 1.2:
        return "big"
    return "small" if ratio < 0.75 else None


def _drop_some(rng: np.random.Generator, mentions: list[Mention]) -> list[Mention]:
    if rng.random() < 0.2:
        return []
    keep = int(rng.random() * len(mentions))
    kept = sorted(rng.permutation(len(mentions))[:keep].tolist())
    return [mentions[index] for index in kept]


def _add_some(
    rng: np.random.Generator, mentions: list[Mention], vocabulary: Sequence[Noun]
) -> list[Mention]:
    """Name one or two things that are not in the picture."""
    said = {mention.noun.name for mention in mentions}
    others = [noun for noun in vocabulary if noun.name not in said]
    result = list(mentions)
    for noun in _draw_distinct(rng, 1 if rng.random() < 0.6 else 2, others):
        result.insert(int(rng.random() * (len(result) + 1)), Mention(noun))
    return result
