"""Pinned words: what the user says that one box shows, instead of the model's own decision.

A pinned word is a short phrase for one thing, such as "sunflower" or "blue dog". It joins the
things of the prompt: as one of those that the prompt names, where it names such a thing, else as
one more. It may name a look ("ink dog"), which counts for its box alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from engine.prompts.lexicon import Lexicon
from engine.prompts.parser import check_prompt
from engine.prompts.result import PromptCheck, PromptObject

MOST_PINNED_CHARS = 60


@dataclass(frozen=True, slots=True)
class Pin:
    """What a pinned word asks for."""

    thing: PromptObject
    look: str | None = None  # of this box alone; None = that of the picture


def read_pin(text: str, lexicon: Lexicon) -> Pin | None:
    """The one thing that a pinned word names; None where it names none, several or other words."""
    if len(text) > MOST_PINNED_CHARS:
        return None
    check = check_prompt(text, lexicon)
    others = (check.undrawable, check.misspelt, check.negated, check.background)
    if len(check.objects) != 1 or any(others):
        return None
    thing = check.objects[0]
    if (thing.count or 1) != 1:
        return None
    return Pin(replace(thing, typed=text.strip(), count=1), check.look)


def nearest_pin(text: str, lexicon: Lexicon) -> str | None:
    """The word that a text which is no pin was perhaps meant to be; None = nothing is near."""
    check = check_prompt(text[:MOST_PINNED_CHARS], lexicon)
    near = [each.suggestion for each in check.misspelt]
    near += [each.nearest for each in check.undrawable if each.nearest]
    near += [thing.noun for thing in check.objects]
    return near[0] if near else None


def join_pins(
    check: PromptCheck, pins: Sequence[PromptObject]
) -> tuple[tuple[PromptObject, ...], tuple[int, ...]]:
    """The things of a prompt together with the pinned ones, and for each pin its thing's index."""
    things = list(check.objects)
    free = [thing.count for thing in things]  # how many of each are not pinned; None = any number
    places = []
    for pin in pins:
        place = _matching(things, free, pin)
        if place is None:
            things.append(replace(pin, spans=()))
            free.append(0)
            place = len(things) - 1
        else:
            _take(things, free, place, pin)
        places.append(place)
    return tuple(things), tuple(places)


def _matching(
    things: Sequence[PromptObject], free: Sequence[int | None], pin: PromptObject
) -> int | None:
    """The thing of the prompt that a pin means, those first that have one left."""
    fitting = [
        place
        for place, thing in enumerate(things)
        if thing.noun == pin.noun
        and pin.colour in (None, thing.colour)
        and pin.size in (None, thing.size)
    ]
    # "a dog" with the pin "blue dog" is one dog, and it is blue.
    plain = [
        place
        for place, thing in enumerate(things)
        if thing.noun == pin.noun and thing.count == free[place] == 1 and thing.colour is None
    ]
    left = [place for place in (*fitting, *plain) if free[place] != 0]
    return next(iter((*left, *fitting)), None)


def _take(
    things: list[PromptObject], free: list[int | None], place: int, pin: PromptObject
) -> None:
    thing, left = things[place], free[place]
    if left == 0 and thing.count is not None:
        thing = replace(thing, count=thing.count + 1)
    elif left is not None:
        free[place] = left - 1
    things[place] = replace(thing, colour=thing.colour or pin.colour, size=thing.size or pin.size)
