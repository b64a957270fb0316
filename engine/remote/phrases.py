"""Which box shows which phrase of a prompt, for models that draw one thing at a time.

Boxes have no names. What the user says of a box comes first, then what it showed before; known
things go where they usually are (`engine.composition`), all others in the order of the boxes.
Deterministic: the same request gives the same phrases.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from engine.api import Box, GenerateRequest, LayerRequest, NotPlaced
from engine.composition import GROUND_LIMIT, NAMED_SIZE, SKY_LIMIT, is_listed, traits_of
from engine.prompts.open_text import OpenPrompt, thing_of
from engine.prompts.result import PromptObject
from engine.words import simpler_forms, tokenize

BAND_WEIGHT, ASPECT_WEIGHT, SIZE_WEIGHT = 4.0, 1.0, 0.5
USUAL_SIDE = {1: 0.2, 2: 0.29, 3: 0.4}  # of the canvas, by size class
EMPTY_BACKGROUND = "empty background, no objects, no people"


@dataclass(frozen=True, slots=True)
class Phrase:
    """What one layer shows: `text` goes to the server, `word` into the record."""

    text: str
    word: str


@dataclass(slots=True)
class Phrases:
    """The phrases of a request, by layer id; targets without one stay empty."""

    by_layer: dict[int, Phrase] = field(default_factory=dict)
    not_placed: tuple[NotPlaced, ...] = ()


def assign_phrases(request: GenerateRequest, prompt: OpenPrompt) -> Phrases:
    """Decide what each target of a request shows.

    Args:
        prompt: the request's, taken apart.
    """
    things = _Things(prompt.check.objects)
    targets = [layer for layer in request.layers if layer.is_target and layer.kind == "foreground"]
    found: dict[int, Phrase] = {}
    for layer in request.layers:
        if layer.kind == "foreground" and not layer.is_target and (layer.shows or layer.showed):
            things.take(layer.shows or layer.showed)
    for layer in targets:
        if layer.shows:
            things.take(layer.shows)
            found[layer.layer_id] = Phrase(layer.shows, layer.shows)
    for layer in targets:
        if layer.layer_id not in found and layer.showed:
            thing = things.take(layer.showed)
            if thing is not None:
                found[layer.layer_id] = phrase_of(thing, request.prompt)
    free = [layer for layer in targets if layer.layer_id not in found]
    chosen = things.first(len(free))
    for layer, thing in _placed(free, chosen, request.canvas):
        found[layer.layer_id] = phrase_of(thing, request.prompt)
    spare = [layer for layer in free if layer.layer_id not in found]
    named = prompt.check.objects
    for number, layer in enumerate(spare if request.spare_boxes == "repeat" and named else ()):
        found[layer.layer_id] = phrase_of(named[number % len(named)], request.prompt)
    return Phrases(found, things.left())


def phrase_of(thing: PromptObject, prompt: str) -> Phrase:
    """What one box of a thing shows; the record's word is one that the prompt has."""
    text = thing.phrase or thing.typed
    words = tokenize(prompt)
    forms = {form for word in words for form in (word, *simpler_forms(word))}
    return Phrase(text, text if forms.issuperset(tokenize(text)) else thing.typed)


def layer_prompt(phrase: Phrase, prompt: OpenPrompt) -> str:
    """What a server is asked for one thing: the thing alone, in the style of the picture."""
    return ", ".join(filter(None, (phrase.text, prompt.style)))


def background_prompt(prompt: OpenPrompt) -> str:
    """What a server is asked for the background: the surroundings without any thing."""
    place = prompt.background or "plain, softly lit backdrop"
    return ", ".join(filter(None, (place, prompt.style, EMPTY_BACKGROUND)))


def negative_prompt(prompt: OpenPrompt, *, is_background: bool) -> str:
    """What must not be in the picture: what the prompt excludes, in a background its things too."""
    things = [thing.typed for thing in prompt.check.objects] if is_background else []
    return ", ".join(filter(None, (prompt.excluded, *things)))


class _Things:
    """The things of a prompt, and how many of each have no box yet."""

    def __init__(self, things: Sequence[PromptObject]) -> None:
        self._things = things
        # An unnamed number ("balloons") is at least one and takes any number of boxes.
        self._left = [1 if thing.count is None else thing.count for thing in things]

    def take(self, text: str) -> PromptObject | None:
        """The thing that a text means, one fewer of which is left; None where none is."""
        noun, plain = thing_of(text), text.strip().casefold()
        of_noun = [at for at, thing in enumerate(self._things) if thing.noun == noun]
        same = [
            at
            for at in of_noun
            if plain in (self._things[at].phrase.casefold(), self._things[at].typed.casefold())
        ]
        for at in (*same, *of_noun):
            if self._left[at] > 0 or self._things[at].count is None:
                self._left[at] = max(0, self._left[at] - 1)
                return self._things[at]
        return None

    def first(self, count: int) -> list[PromptObject]:
        """At most so many: one of each, then the second of each, in the order of the prompt."""
        chosen: list[PromptObject] = []
        while len(chosen) < count:
            before = len(chosen)
            for at, thing in enumerate(self._things):
                if self._left[at] > 0 and len(chosen) < count:
                    self._left[at] -= 1
                    chosen.append(thing)
            if len(chosen) == before:
                break
        any_number = [thing for thing in self._things if thing.count is None]
        while any_number and len(chosen) < count:
            chosen.append(any_number[len(chosen) % len(any_number)])
        return chosen

    def left(self) -> tuple[NotPlaced, ...]:
        return tuple(
            NotPlaced(typed=thing.typed, count=count)
            for thing, count in zip(self._things, self._left, strict=True)
            if count > 0
        )


def _placed(
    layers: Sequence[LayerRequest], things: Sequence[PromptObject], canvas: tuple[int, int]
) -> list[tuple[LayerRequest, PromptObject]]:
    """Pairs of layers and things: known things where they belong, the others in order."""
    known = [at for at, thing in enumerate(things) if is_listed(thing.noun)]
    costs = sorted(
        (_cost(things[at], layers[place].box, canvas), at, place)
        for at in known
        for place in range(len(layers))
    )
    place_of: dict[int, int] = {}
    for _, at, place in costs:
        if at not in place_of and place not in place_of.values():
            place_of[at] = place
    free = [place for place in range(len(layers)) if place not in place_of.values()]
    others = [at for at in range(len(things)) if at not in place_of]
    place_of |= dict(zip(others, free, strict=False))
    return [(layers[place], things[at]) for at, place in sorted(place_of.items())]


def _cost(thing: PromptObject, box: Box, canvas: tuple[int, int]) -> float:
    """How badly a box suits a thing: its height in the picture, its shape and its size."""
    traits = traits_of(thing.noun)
    width, height = box[2] - box[0], box[3] - box[1]
    middle, bottom = (box[1] + box[3]) / 2 / canvas[1], box[3] / canvas[1]
    stray = 0.0
    if traits.band == "sky":
        stray = max(0.0, middle - SKY_LIMIT)
    elif traits.band == "ground":
        stray = max(0.0, GROUND_LIMIT - bottom)
    shape = abs(math.log(width / height / traits.aspect))
    side = math.sqrt(width * height / (canvas[0] * canvas[1]))
    size = abs(math.log(side / (USUAL_SIDE[traits.size] * NAMED_SIZE[thing.size])))
    return BAND_WEIGHT * stray + ASPECT_WEIGHT * shape + SIZE_WEIGHT * size
