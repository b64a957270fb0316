"""Scenes: which things stand where in a training picture, and what its prompt says.

Pure geometry and words, well under a millisecond per scene: no pixels, no sprites (only their
aspect ratios), no torch. Regularities put here are what lets the model find out which unlabelled
box belongs to which word: bands of sky and ground, sizes, and the order of the prompt.

Boxes are (x0, y0, x1, y1) in canvas pixels, end exclusive, multiples of `GRID`.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from engine.prompts.result import SizeWord
from engine.training.concepts import COLOURLESS_LOOKS, FIRST, Concepts, Noun
from engine.training.look_mix import USUAL_LOOKS, LookMix
from engine.training.placement import Box, Placed, place_in_rows, place_things, typical_side
from engine.training.prompts import Mention, pick, take_marks, write_prompt
from engine.training.seed_choices import thing_codes
from engine.training.strangers import Strangers

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
    """One foreground layer.

    Attributes:
        noun, look: key of its sprite.
        colour: a colour's name to shift the sprite to, or None for its natural colours.
        flip: mirrored left to right.
        box: on the grid, inside the canvas.
        rect: (x, y, w, h) in canvas pixels: where the tight sprite stands, inside the box, with
            the sprite's own aspect ratio.
        code: names one of the object's drawings, 0 to 3 (`seed_choices`); None = the first, which
            no code names.
    """

    noun: str
    look: str
    colour: str | None
    flip: bool
    box: Box
    rect: tuple[float, float, float, float]
    code: int | None = None


@dataclass(frozen=True, slots=True)
class Scene:
    """One picture to train on or to ask for.

    Attributes:
        canvas: (width, height), multiples of 64.
        background: a name of `BACKGROUNDS`, or None for a transparent picture.
        look, look_named: the one look of all things, and whether the prompt says it.
        things: bottom to top.
        prompt_kind: what the prompt says of the things: all, nothing, fewer or more.
        said_at: per thing, where its mention ends in the prompt, in characters; 0 = not named.
        background_said_at: the same of the background.
    """

    canvas: tuple[int, int]
    prompt: str
    background: str | None
    look: str
    look_named: bool
    things: tuple[Thing, ...]
    prompt_kind: PromptKind = "full"
    said_at: tuple[int, ...] = ()
    background_said_at: int = 0


def is_held_out(names: Iterable[str]) -> bool:
    """Whether this combination of nouns is kept for evaluation. Single nouns never are."""
    names = sorted(set(names))
    return len(names) > 1 and zlib.crc32("|".join(names).encode()) % HELD_OUT_MODULUS == 0


def compose(
    rng: np.random.Generator,
    *,
    canvas: tuple[int, int] | None = None,
    count: int | None = None,
    with_background: bool | None = None,
    concepts: Concepts = FIRST,
    vocabulary: Sequence[Noun] | None = None,
    aspects: Aspects | None = None,
    size: float = 1.0,
    variety: float = 1.0,
    colour_share: float = 0.5,
    strangers: Strangers | None = None,
    stranger_share: float = 0.0,
    looks: LookMix = USUAL_LOOKS,
    unsaid_backgrounds: Sequence[str] | None = None,
    repeat_share: float = REPEAT_SHARE,
    most_of_one: int = 3,
    rows: bool = False,
) -> Scene:
    """Compose one training scene; never one whose nouns are held out.

    Args:
        canvas: (width, height), multiples of 64 from 320; None draws one, mostly 512 x 512.
        count: foregrounds wanted, 0 upwards; fewer where they do not fit. None draws 1 to 12.
        with_background: None draws it.
        concepts: the stage of the vocabulary that everything is chosen from.
        vocabulary: the nouns to choose from; None = those of `concepts`.
        aspects: (noun name, look) -> width over height of the tight sprite; 1 where absent.
        size: factor on the usual sizes of things; small ones cost fewer tokens.
        variety: at 0 noun, look, colour and box leave nothing open: no mirrored sprites, and each
            fitted into its box. A first model learns that many times sooner.
        colour_share: of the colourable things that are given a colour.
        strangers, stranger_share: words from outside the vocabulary, and the share of the prompts
            that have one.
        looks: which looks, and how often the prompt names them.
        unsaid_backgrounds: those that a picture may have whose prompt names none; None = all.
        repeat_share: of the scenes of two things or more, those in which one noun repeats.
        most_of_one: how often it stands there at most, 3 upwards; mostly twice.
        rows: things side by side, as on a sticker sheet, named in reading order.
    """
    canvas = canvas or _draw_canvas(rng)
    if with_background is None:
        with_background = rng.random() < 0.75
    wanted = _draw_count(rng) if count is None else count
    look, look_named = looks.draw(rng, concepts.looks)
    vocabulary = _drawable(concepts.nouns if vocabulary is None else vocabulary, look)
    for attempt in range(ATTEMPTS):
        # A tiny vocabulary may have held-out pairs only: one thing is always allowed.
        fewer = wanted if attempt < ATTEMPTS - 1 else min(wanted, 1)
        nouns = _draw_nouns(rng, fewer, vocabulary, repeat_share, most_of_one)
        if is_held_out(noun.name for noun in nouns):
            continue
        ratios = _aspects_of(nouns, look, aspects)
        if rows:
            placed = place_in_rows(rng, canvas, nouns, ratios)
        else:
            placed = place_things(rng, canvas, nouns, ratios, size, variety)
        if not is_held_out(entry.noun.name for entry in placed):
            break
    things = _dress(rng, placed, look, concepts, variety, colour_share)
    background = pick(rng, concepts.backgrounds).name if with_background else None
    kind = _draw_prompt_kind(rng) if things else "full"
    mentions = _mentions(rng, placed, things, in_order=rows)
    if kind == "fewer":
        mentions = _drop_some(rng, mentions)
    elif kind == "more":
        mentions = _add_some(rng, mentions, vocabulary)
    if strangers is not None and rng.random() < stranger_share:
        mentions = strangers.mix_in(rng, mentions)
    said_background = background
    if background is None and rng.random() < 0.15:
        # Somebody may switch the background off and leave the prompt as it was.
        said_background = pick(rng, concepts.backgrounds).name
    elif things and rng.random() < 0.2:
        said_background = None
    is_said = said_background is not None and kind != "empty"
    if background is not None and not is_said and unsaid_backgrounds:
        background = pick(rng, unsaid_backgrounds)
    prompt, said_at, scenery_at = "", [0] * len(things), 0
    if kind != "empty":
        prompt = write_prompt(
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
        prompt, ends, scenery_at = take_marks(prompt)
        for mention, end in zip(mentions, ends, strict=True):
            for index in mention.things:
                said_at[index] = end
    look_named = look_named and kind != "empty"
    return Scene(
        canvas, prompt, background, look, look_named, things, kind, tuple(said_at), scenery_at
    )


def evaluation_scenes(
    n: int,
    seed: int,
    *,
    canvas: tuple[int, int] | None = None,
    concepts: Concepts = FIRST,
    vocabulary: Sequence[Noun] | None = None,
    aspects: Aspects | None = None,
    most_things: int = 8,
    size: float = 1.0,
    variety: float = 1.0,
) -> list[Scene]:
    """`n` scenes that training never sees: held-out combinations, 2 to 8 different things.

    Every thing, the look (two of three times) and the background (where there is one) are named
    once. The same `seed`, `concepts` and `aspects` give the same scenes. `size` and `variety` as
    for `compose`.

    Raises:
        ValueError: the vocabulary has no held-out combination that fits.
    """
    rng = np.random.default_rng([EVALUATION_STREAM, seed])
    scenes = []
    for _ in range(n):
        extent = canvas or _draw_canvas(rng)
        wanted = 2 + int(rng.random() * (most_things - 1))
        look_named = rng.random() < 0.65
        look = pick(rng, concepts.looks) if look_named else "flat"
        known = _drawable(concepts.nouns if vocabulary is None else vocabulary, look)
        wanted = min(wanted, len(known))
        for _attempt in range(ATTEMPTS):
            nouns = _draw_distinct(rng, wanted, known)
            if not is_held_out(noun.name for noun in nouns):
                continue
            ratios = _aspects_of(nouns, look, aspects)
            placed = place_things(rng, extent, nouns, ratios, size, variety)
            if len(placed) == wanted:
                break
        else:
            raise ValueError(f"no held-out combination of {wanted} in {len(known)} nouns")
        things = _dress(rng, placed, look, concepts, variety)
        background = pick(rng, concepts.backgrounds).name if rng.random() < 0.75 else None
        mentions = _mentions(rng, placed, things)
        marked = write_prompt(
            rng,
            mentions,
            look=look if look_named else None,
            background=background,
            marked=True,
        )
        prompt, ends, scenery_at = take_marks(marked)
        ends_of = {i: end for m, end in zip(mentions, ends, strict=True) for i in m.things}
        said_at = tuple(ends_of[i] for i in range(len(things)))
        scene = Scene(extent, prompt, background, look, look_named, things)
        scenes.append(replace(scene, said_at=said_at, background_said_at=scenery_at))
    return scenes


def editing_split(rng: np.random.Generator, scene: Scene) -> set[int]:
    """Choose the layers to generate anew; all others are clean context.

    Half of the time a single one. Something stays clean wherever the scene has two entries.

    Returns:
        Indices into `scene.things`, and `BACKGROUND` (-1) for the background. Never empty.

    Raises:
        ValueError: the scene has neither things nor a background.
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


def _draw_count(rng: np.random.Generator) -> int:
    count = 1 + int(np.searchsorted(COUNT_SHARES, rng.random(), side="right"))
    return count if count <= 8 else 9 + int(rng.random() * 4)


def _draw_prompt_kind(rng: np.random.Generator) -> PromptKind:
    draw = rng.random()
    if draw < 0.04:
        return "empty"
    if draw < 0.10:
        return "fewer"
    return "more" if draw < 0.14 else "full"


def _drawable(vocabulary: Sequence[Noun], look: str) -> Sequence[Noun]:
    """The nouns that have art in a look."""
    return [noun for noun in vocabulary if look not in noun.without]


def _draw_distinct(rng: np.random.Generator, count: int, vocabulary: Sequence[Noun]) -> list[Noun]:
    order = rng.permutation(len(vocabulary))[:count].tolist()
    return [vocabulary[index] for index in order]


def _draw_nouns(
    rng: np.random.Generator,
    count: int,
    vocabulary: Sequence[Noun],
    repeat_share: float = REPEAT_SHARE,
    most_of_one: int = 3,
) -> list[Noun]:
    """`count` nouns; in a share of the scenes one stands several times, mostly twice."""
    if count >= 2 and rng.random() < repeat_share:
        repeats = 2 if rng.random() < 0.7 else 3
        if repeats > 2 and most_of_one > 3:
            repeats += int(rng.random() * (most_of_one - 2))
        repeats = min(count, repeats)
        nouns = _draw_distinct(rng, count - repeats + 1, vocabulary)
        nouns += [nouns[0]] * (repeats - 1)
    else:
        nouns = _draw_distinct(rng, count, vocabulary)
    while len(nouns) < count:
        nouns.append(pick(rng, vocabulary))
    return nouns


def _aspects_of(nouns: Sequence[Noun], look: str, aspects: Aspects | None) -> list[float]:
    if aspects is None:
        return [1.0] * len(nouns)
    return [aspects.get((noun.name, look), 1.0) for noun in nouns]


def _dress(
    rng: np.random.Generator,
    placed: Sequence[Placed],
    look: str,
    concepts: Concepts,
    variety: float = 1.0,
    colour_share: float = 0.5,
) -> tuple[Thing, ...]:
    """Give every placed noun its colour and its flip. Repeated nouns mostly share a colour."""
    colours: dict[str, str | None] = {}
    codes = thing_codes(concepts)
    things = []
    for entry in placed:
        name = entry.noun.name
        if name not in colours or rng.random() < 0.4:
            options = concepts.colours_of(entry.noun, look)
            shifted = bool(options) and rng.random() < colour_share
            colours[name] = pick(rng, options) if shifted else None
        flip = rng.random() < 0.5 * variety
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

    Equal things are counted where the first of them stands.
    """
    groups: dict[tuple[str, str | None], list[int]] = {}
    order = list(range(len(things)))
    if not in_order:
        order.sort(key=lambda i: things[i].box[0] + things[i].box[2])
    for index in order:
        groups.setdefault((things[index].noun, things[index].colour), []).append(index)
    mentions = []
    for (_, colour), members in groups.items():
        noun = placed[members[0]].noun  # as its stage knows it
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
    """Leave out at least one mention; at times all."""
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
