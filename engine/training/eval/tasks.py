"""Tasks of the evaluation: what the generator is asked for, and what should come of it.

A task is a scene turned into a request that holds boxes, one prompt and, for edits, the real art
of the other layers. Properties (variety, fit, colours, crowds) have requests of their own, with
prompts of the form that training uses; whole sentences are in `natural`. Everything is
deterministic.

Layers are (h, w, 4) uint8, straight alpha.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from PIL import Image

from engine.api import PROMPT_READING, Finished, GenerateRequest, LayerKind, LayerRequest
from engine.pixels import to_bytes
from engine.prompts.grammar import with_article
from engine.training.data.backgrounds import draw_background
from engine.training.data.concepts import BY_NAME, FIRST, Concepts, Noun
from engine.training.data.pixels import TONES, oklab
from engine.training.data.prompts import Mention, pick, write_prompt
from engine.training.data.regions import draw_in_box
from engine.training.data.scenes import Box, Scene, Thing, place_in_rows
from engine.training.data.sprites import SpritePack
from engine.training.eval.judges import Judging
from engine.training.eval.metrics import Rate, Scores, add_scores, found

TaskKind = Literal["whole", "synonyms", "fill", "change"]
KINDS: tuple[TaskKind, ...] = ("whole", "synonyms", "fill", "change")
CANVAS = (512, 512)
BACKGROUND_ID = 0  # layer_id of the background; the scene's things follow from 1


class Runs(Protocol):
    """What evaluation needs of `engine.pipeline.LayerPipeline`."""

    def run(self, request: GenerateRequest) -> Finished: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What every part of an evaluation needs; seed of the noise, `out` for the report."""

    generator: Runs
    judging: Judging
    pack: SpritePack
    concepts: Concepts = FIRST
    seed: int = 0
    reading: int = PROMPT_READING
    out: Path = Path("runs/evaluation")

    @property
    def sheets(self) -> Path:
        return self.out / "sheets"

    def layers(self, request: GenerateRequest) -> list[np.ndarray]:
        made = {result.layer_id: result.rgba for result in self.generator.run(request).results}
        return [made[layer.layer_id] for layer in request.layers]


@dataclass(frozen=True, slots=True)
class Task:
    """One request, not always with the scene's prompt, and what to look for in its results."""

    kind: TaskKind
    scene: Scene
    request: GenerateRequest
    targets: tuple[int, ...]  # indices into the scene's things that are generated
    wanted: tuple[str, ...]  # nouns that should be found among the targets
    # the noun that stood in the target before the prompt changed ("change" only)
    replaced: str | None = None


def draw_thing(pack: SpritePack, thing: Thing, size: tuple[int, int] | None = None) -> np.ndarray:
    """The real art of a thing in its box, stretched to (height, width): (h, w, 4) uint8."""
    number = (thing.code or 0) % len(pack.drawings[thing.noun, thing.look])
    rgba = pack.coloured(thing.noun, thing.look, thing.colour, number)
    x0, y0, x1, y1 = thing.box
    height, width = size or (y1 - y0, x1 - x0)
    return to_bytes(draw_in_box(rgba, thing, width / (x1 - x0), height / (y1 - y0)))


def draw_scenery(scene: Scene, rng: np.random.Generator) -> np.ndarray | None:
    """The real background, (H, W, 4) uint8 opaque; None for a transparent picture."""
    if scene.background is None:
        return None
    rgb = draw_background(scene.background, scene.canvas, rng)
    return np.concatenate([rgb, np.full_like(rgb[..., :1], 255)], axis=-1)


def make_task(
    kind: TaskKind,
    number: int,
    scene: Scene,
    pack: SpritePack,
    seed: int,
    concepts: Concepts = FIRST,
) -> Task:
    """One task; the number of the picture sets job id and seeds."""
    rng = np.random.default_rng([seed, number, KINDS.index(kind)])
    make = partial(
        request_of,
        boxes=[thing.box for thing in scene.things],
        seed_of=lambda layer: seed * 1_000_003 + number * 64 + layer,
        job_id=number,
        canvas=scene.canvas,
        has_background=scene.background is not None,
    )
    every = tuple(range(len(scene.things)))
    if kind == "whole":
        wanted = tuple(thing.noun for thing in scene.things)
        return Task(kind, scene, make(scene.prompt), every, wanted)
    if kind == "synonyms":
        prompt, wanted = _synonym_prompt(rng, scene)
        return Task(kind, scene, make(prompt), every, wanted)
    target = int(rng.random() * len(scene.things))
    noun = scene.things[target].noun
    wanted_noun = _another_noun(rng, scene, noun, concepts) if kind == "change" else noun
    prompt = _edit_prompt(rng, scene, target, wanted_noun)
    pixels = {
        index: draw_thing(pack, thing)
        for index, thing in enumerate(scene.things, 1)
        if index != target + 1
    }
    if (scenery := draw_scenery(scene, rng)) is not None:
        pixels[BACKGROUND_ID] = scenery
    replaced = noun if kind == "change" else None
    return Task(kind, scene, make(prompt, pixels=pixels), (target,), (wanted_noun,), replaced)


def request_of(
    prompt: str,
    boxes: Sequence[Box],
    *,
    seed_of: Callable[[int], int],
    job_id: int = 1,
    canvas: tuple[int, int] = CANVAS,
    has_background: bool = False,
    pixels: Mapping[int, np.ndarray] | None = None,
    **more: Any,
) -> GenerateRequest:
    """Foregrounds 1, 2, … in `boxes`, above a background 0 where there is one.

    Seeds are taken modulo 2**32; layers with `pixels` are context; `more` are further fields.
    """
    entries: list[tuple[int, LayerKind, Box]] = []
    if has_background:
        entries.append((BACKGROUND_ID, "background", (0, 0, *canvas)))
    entries += [(number, "foreground", box) for number, box in enumerate(boxes, 1)]
    known = pixels or {}
    layers = tuple(
        LayerRequest(
            layer_id=number,
            kind=kind,
            box=box,
            seed=seed_of(number) % 2**32,
            pixels=known.get(number),
        )
        for number, kind, box in entries
    )
    return GenerateRequest(
        job_id=job_id, canvas=canvas, prompt=prompt, layers=layers, preview_every=0, **more
    )


def _synonym_prompt(rng: np.random.Generator, scene: Scene) -> tuple[str, tuple[str, ...]]:
    """A prompt that says a synonym of every noun that has one, and those nouns."""
    mentions, wanted = [], []
    for thing in _left_to_right(scene):
        noun = BY_NAME[thing.noun]
        if noun.synonyms:
            wanted.append(noun.name)
            noun = replace(noun, name=pick(rng, noun.synonyms), synonyms=())
        mentions.append(Mention(noun, 1, thing.colour))
    return _write(rng, scene, mentions), tuple(wanted)


def _edit_prompt(rng: np.random.Generator, scene: Scene, target: int, noun: str) -> str:
    """A prompt for all things, with `noun` in the place of the target."""
    mentions = []
    for thing in _left_to_right(scene):
        is_target = thing is scene.things[target]
        name, colour = (noun, None) if is_target else (thing.noun, thing.colour)
        mentions.append(Mention(replace(BY_NAME[name], synonyms=()), 1, colour))
    return _write(rng, scene, mentions)


def _left_to_right(scene: Scene) -> list[Thing]:
    return sorted(scene.things, key=lambda thing: thing.box[0] + thing.box[2])


def _write(rng: np.random.Generator, scene: Scene, mentions: list[Mention]) -> str:
    look = scene.look if scene.look_named else None
    return write_prompt(rng, mentions, look=look, background=scene.background)


def _another_noun(rng: np.random.Generator, scene: Scene, noun: str, concepts: Concepts) -> str:
    """A noun of the same band and a like size that the scene does not have."""
    present = {thing.noun for thing in scene.things}
    old = BY_NAME[noun]
    others = [
        other.name
        for other in concepts.nouns
        if other.name not in present
        and scene.look not in other.without
        and other.band in (old.band, "any")
        and abs(other.size - old.size) <= 1
    ]
    return pick(rng, others)


# ---- properties ----

PROPERTIES = "properties"  # the task's name
SHARES = {"variety": 0.4, "fit": 0.4, "colours": 0.6, "crowds": 0.03}  # cases per scene asked for
Running = Callable[[GenerateRequest], Sequence[np.ndarray]]  # the layers, in the request's order

SIDE = 192  # of a single box, in pixels
LOOK = "flat"  # what pictures show whose prompt names no look
VARIETY_SEEDS, VARIETY_WANTED = 8, 3
THUMB = 32  # side at which layers and drawings are compared
EDGE_ALPHA, EDGE_SHARE = 128, 0.15  # of a side's pixels; a thing cut off fills more of it
LONG_BOXES = ((96, 480), (480, 96))
CROWDS = {20: (512, 512), 50: (1024, 1024)}  # things and the canvas that they stand on


def property_scores(setup: Setup, scenes: int) -> Scores:
    """All properties; `scenes` sets how many cases each has, 40 nouns of variety at 100."""
    counts = {name: max(2, round(share * scenes)) for name, share in SHARES.items()}
    running, judging, concepts, seed = setup.layers, setup.judging, setup.concepts, setup.seed
    nouns = sample_nouns(concepts, counts["variety"], seed)
    return {
        **variety(running, judging, setup.pack, nouns, seed),
        **fit(running, judging, sample_nouns(concepts, counts["fit"], seed + 1), seed),
        **colours(running, judging, concepts, counts["colours"], seed),
        **crowds(running, judging, concepts, counts["crowds"], seed),
    }


def seeded(
    prompt: str, boxes: Sequence[Box], seed: int, canvas: tuple[int, int] = CANVAS
) -> GenerateRequest:
    """A picture without background; box N has the seed `seed` + N."""
    return request_of(
        prompt, boxes, seed_of=lambda number: seed + number, job_id=seed % 2**31, canvas=canvas
    )


def sample_nouns(concepts: Concepts, count: int, seed: int) -> list[Noun]:
    """`count` different nouns that have flat art; all of them where there are fewer."""
    known = [noun for noun in concepts.nouns if LOOK not in noun.without]
    order = np.random.default_rng([17, seed]).permutation(len(known))[:count]
    return [known[index] for index in order.tolist()]


# ---- variety ----


def variety(
    running: Running, judging: Judging, pack: SpritePack, nouns: Sequence[Noun], seed: int = 0
) -> Scores:
    """Nouns of which eight seeds match three training drawings or more, each layer recognised.

    A drawing counts for the layers that it is the nearest match of, colour and mirror ignored.
    """
    box = _middle_box((SIDE, SIDE))
    varied, recognised = Rate(), Rate()
    for number, noun in enumerate(nouns):
        layers = [
            running(seeded(with_article(noun.name), [box], seed + 1009 * number + 31 * each))[0]
            for each in range(VARIETY_SEEDS)
        ]
        right = [verdict.noun == noun.name for verdict in judging(layers)]
        recognised += Rate(sum(right), len(right))
        drawings = pack.drawings[noun.name, LOOK]
        matched = {nearest_drawing(layer, drawings) for layer in layers}
        varied += Rate(all(right) and len(matched) >= VARIETY_WANTED, 1)
    return {
        "nouns with three drawings in eight seeds": varied,
        "eight seeds recognised": recognised,
    }


def nearest_drawing(layer: np.ndarray, drawings: Sequence[np.ndarray]) -> int:
    """Index of the drawing that a layer resembles most, colour and mirror ignored."""
    own = _form(layer)
    distances = [
        min(float(np.square(own - form).mean()) for form in (other, other[:, ::-1]))
        for other in map(_form, drawings)
    ]
    return int(np.argmin(distances))


def _form(rgba: np.ndarray) -> np.ndarray:
    """(THUMB, THUMB, 2) alpha, and lightness about its mean times alpha, of the visible part."""
    rows, cols = (np.nonzero((rgba[..., 3] > 25).any(axis))[0] for axis in (1, 0))
    if not len(rows):
        return np.zeros((THUMB, THUMB, 2), np.float32)
    cut = rgba[rows[0] : rows[-1] + 1, cols[0] : cols[-1] + 1]
    image = Image.fromarray(np.ascontiguousarray(cut)).convert("RGBa")
    side = max(image.size)
    square = Image.new("RGBa", (side, side))
    square.paste(image, ((side - image.width) // 2, (side - image.height) // 2))
    small = np.asarray(square.resize((THUMB, THUMB), Image.Resampling.BOX), np.float32) / 255
    alpha = small[..., 3]
    light = small[..., :3] @ np.array([0.299, 0.587, 0.114], np.float32)
    mean = light.sum() / max(float(alpha.sum()), 1e-6)
    return np.stack([alpha, light - mean * alpha], axis=-1)


# ---- fit ----


def fit(running: Running, judging: Judging, nouns: Sequence[Noun], seed: int = 0) -> Scores:
    """Whether things end inside their boxes, and whether boxes of 1:5 and 5:1 hold whole ones."""
    inside, long_boxes = Rate(), Rate()
    for number, noun in enumerate(nouns):
        prompt, own_seed = with_article(noun.name), seed + 2003 * number
        (layer,) = running(seeded(prompt, [_middle_box((SIDE, SIDE))], own_seed))
        inside += Rate(not is_cut(layer), 1)
        size = LONG_BOXES[number % len(LONG_BOXES)]
        (layer,) = running(seeded(prompt, [_middle_box(size)], own_seed))
        (verdict,) = judging([layer])
        long_boxes += Rate(verdict.noun == noun.name and not is_cut(layer), 1)
    return {"things not cut by their box": inside, "boxes of 1:5 hold a whole thing": long_boxes}


def is_cut(layer: np.ndarray) -> bool:
    """Whether more than 15 % of the pixels at some side of the box are opaque."""
    alpha = layer[..., 3] >= EDGE_ALPHA
    return any(
        float(side.mean()) > EDGE_SHARE for side in (alpha[0], alpha[-1], alpha[:, 0], alpha[:, -1])
    )


# ---- colours ----


def colours(
    running: Running, judging: Judging, concepts: Concepts, count: int, seed: int = 0
) -> Scores:
    """One, two and three things with a colour each: recognised, and nearest to the colour asked."""
    rng = np.random.default_rng([19, seed])
    known = [noun for noun in concepts.nouns if concepts.colours_of(noun, LOOK)]
    scores: list[Scores] = []
    for number in range(count):
        things = 1 + number % 3
        nouns = [known[index] for index in rng.permutation(len(known))[:things].tolist()]
        asked = []
        for noun in nouns:
            left = [c for c in concepts.colours_of(noun, LOOK) if c not in asked]
            asked.append(left[int(rng.integers(len(left)))])
        boxes = [(32 + 160 * place, 160, 160 + 160 * place, 320) for place in range(things)]
        named = [with_article(f"{c} {noun.name}") for noun, c in zip(nouns, asked, strict=True)]
        layers = running(seeded(_list(named), boxes, seed + 3001 * number))
        shown = {v.noun: layer for v, layer in zip(judging(layers), layers, strict=True)}
        right = sum(
            noun.name in shown and colour_of(shown[noun.name]) == colour
            for noun, colour in zip(nouns, asked, strict=True)
        )
        name = ("a colour", "two colours", "three colours")[things - 1]
        scores.append({f"things of {name}": Rate(right, things)})
    return add_scores(scores)


def colour_of(layer: np.ndarray) -> str | None:
    """The colour of `main_colour.TONES` that most of a thing is nearest to; None where empty.

    Nearest in OKLab with lightness at half its weight, because shading is no other colour.
    """
    seen = layer[layer[..., 3] > 200][:, :3]
    if not len(seen):
        return None
    weights = np.array([0.5, 1.0, 1.0], np.float32)
    tones = oklab(np.array(list(TONES.values()), np.uint8)) * weights
    lab = oklab(seen) * weights
    nearest = np.square(lab[:, None] - tones[None]).sum(axis=-1).argmin(axis=1)
    counts = np.bincount(nearest, minlength=len(TONES))
    return list(TONES)[int(counts.argmax())]


# ---- crowds ----


def crowds(
    running: Running, judging: Judging, concepts: Concepts, pictures: int, seed: int = 0
) -> Scores:
    """Twenty and fifty different things, all named, in as many boxes side by side."""
    scores: list[Scores] = []
    for count, canvas in CROWDS.items():
        for number in range(pictures):
            own_seed = seed + 5003 * number + count
            nouns = sample_nouns(concepts, count, own_seed)
            rng = np.random.default_rng([23, own_seed])
            placed = place_in_rows(rng, canvas, nouns, [1.0] * len(nouns))
            wanted = [entry.noun.name for entry in placed]
            boxes = [entry.box for entry in placed]
            layers = running(seeded(_list(wanted), boxes, own_seed, canvas))
            scores.append({f"{count} named things": found(wanted, judging(layers))})
    return add_scores(scores)


def _list(parts: Sequence[str]) -> str:
    return " and ".join(", ".join(parts).rsplit(", ", 1)) if len(parts) < 4 else ", ".join(parts)


def _middle_box(size: tuple[int, int]) -> Box:
    width, height = size
    x0, y0 = ((side - own) // 64 * 32 for side, own in zip(CANVAS, size, strict=True))
    return x0, y0, x0 + width, y0 + height
