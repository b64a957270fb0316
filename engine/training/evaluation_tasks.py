"""Tasks of the evaluation: what the generator is asked for, and what should come of it.

A task is a scene turned into a request that holds boxes, one prompt and, for edits, the real art
of the other layers. Knows neither the generator nor the judge.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from engine.api import GenerateRequest, LayerRequest
from engine.training.backgrounds import draw_background
from engine.training.concepts import BY_NAME, FIRST, Concepts
from engine.training.pixels import place, resize_sprite, to_straight_bytes
from engine.training.prompts import Mention, pick, write_prompt
from engine.training.scenes import Scene, Thing
from engine.training.sprites import SpritePack

TaskKind = Literal["whole", "synonyms", "fill", "change"]
KINDS: tuple[TaskKind, ...] = ("whole", "synonyms", "fill", "change")
BACKGROUND_ID = 0  # layer_id of the background; the scene's things follow from 1


@dataclass(frozen=True, slots=True)
class Task:
    """One request and what to look for in its results.

    Attributes:
        scene: boxes, sizes and places; its prompt is not always the request's.
        targets: indices into the scene's things that are generated.
        wanted: nouns that should be found among the targets.
        replaced: the noun that stood in the target before the prompt changed ("change" only).
    """

    kind: TaskKind
    scene: Scene
    request: GenerateRequest
    targets: tuple[int, ...]
    wanted: tuple[str, ...]
    replaced: str | None = None


def draw_thing(pack: SpritePack, thing: Thing) -> np.ndarray:
    """The real art of a thing in its box: (h, w, 4) uint8, straight alpha."""
    number = (thing.code or 0) % len(pack.drawings[thing.noun, thing.look])
    rgba = pack.coloured(thing.noun, thing.look, thing.colour, number)
    x0, y0, x1, y1 = thing.box
    x, y, w, h = thing.rect
    sprite = resize_sprite(rgba, (max(1, round(w)), max(1, round(h))), thing.flip)
    return to_straight_bytes(place(sprite, (round(x - x0), round(y - y0)), (x1 - x0, y1 - y0)))


def as_drawn(thing: Thing, size: tuple[int, int]) -> Thing:
    """The thing in a box of (height, width) `size`, at the origin."""
    x0, y0, x1, y1 = thing.box
    down, across = size[0] / (y1 - y0), size[1] / (x1 - x0)
    x, y, w, h = thing.rect
    rect = (x - x0) * across, (y - y0) * down, w * across, h * down
    return replace(thing, box=(0, 0, size[1], size[0]), rect=rect)


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
    """Build one task; the same arguments give the same task.

    Args:
        number: of the picture; sets job id and seeds.
        concepts: the stage that other nouns are chosen from.
    """
    rng = np.random.default_rng([seed, number, KINDS.index(kind)])
    if kind == "whole":
        wanted = tuple(thing.noun for thing in scene.things)
        request = _request(number, scene, scene.prompt, seed)
        return Task(kind, scene, request, tuple(range(len(scene.things))), wanted)
    if kind == "synonyms":
        prompt, wanted = _synonym_prompt(rng, scene)
        request = _request(number, scene, prompt, seed)
        return Task(kind, scene, request, tuple(range(len(scene.things))), wanted)
    target = int(rng.random() * len(scene.things))
    noun = scene.things[target].noun
    wanted_noun = _another_noun(rng, scene, noun, concepts) if kind == "change" else noun
    prompt = _edit_prompt(rng, scene, target, wanted_noun)
    layers: list[np.ndarray | None] = [draw_thing(pack, thing) for thing in scene.things]
    layers[target] = None
    request = _request(number, scene, prompt, seed, draw_scenery(scene, rng), layers)
    replaced = noun if kind == "change" else None
    return Task(kind, scene, request, (target,), (wanted_noun,), replaced)


def _request(
    number: int,
    scene: Scene,
    prompt: str,
    seed: int,
    scenery: np.ndarray | None = None,
    layers: Sequence[np.ndarray | None] | None = None,
) -> GenerateRequest:
    """Boxes and prompt; layers with pixels are context."""
    entries = []

    def layer_seed(layer_id: int) -> int:
        return (seed * 1_000_003 + number * 64 + layer_id) % 2**32

    if scene.background is not None:
        entries.append(
            LayerRequest(
                layer_id=BACKGROUND_ID,
                kind="background",
                box=(0, 0, *scene.canvas),
                seed=layer_seed(BACKGROUND_ID),
                pixels=scenery,
            )
        )
    for index, thing in enumerate(scene.things):
        entries.append(
            LayerRequest(
                layer_id=index + 1,
                kind="foreground",
                box=thing.box,
                seed=layer_seed(index + 1),
                pixels=None if layers is None else layers[index],
            )
        )
    return GenerateRequest(
        job_id=number, canvas=scene.canvas, prompt=prompt, layers=tuple(entries), preview_every=0
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
