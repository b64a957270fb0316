"""What a prompt gives in the boxes of a picture: things, spare boxes, things without a box."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from engine import PromptCheck, PromptObject


@dataclass(frozen=True, slots=True)
class PromptSummary:
    """A checked prompt against the boxes.

    Attributes:
        check: of the prompt.
        boxes: visible boxes, painted ones included.
        wanted: how many boxes the things of the prompt and pinned words need, at least.
        spare: boxes that stay empty.
        missing: things without a box, each with the number of boxes that it lacks.
        foreign: words pinned to boxes that the model cannot draw, as in a layout for another one.
    """

    check: PromptCheck
    boxes: int = 0
    wanted: int = 0
    spare: int = 0
    missing: tuple[PromptObject, ...] = ()
    foreign: tuple[str, ...] = ()


def summarise(
    check: PromptCheck, boxes: Sequence[str | None], foreign: Sequence[str] = ()
) -> PromptSummary:
    """Count what a prompt asks for against the boxes.

    Args:
        boxes: of each visible box the noun that is pinned to it or that it shows, "" for a picture
            of something else; None = open.
    """
    named = Counter(each for each in boxes if each is not None)
    missing = []
    wanted, is_open = 0, False
    for thing in check.objects:
        count = thing.count or 1
        is_open |= thing.count is None
        wanted += count
        taken = min(count, named[thing.noun])
        named[thing.noun] -= taken
        if count > taken:
            missing.append(replace(thing, count=count - taken))
    wanted += (+named).total()  # pinned words that the prompt does not name
    free = sum(each is None for each in boxes)
    return PromptSummary(
        check,
        len(boxes),
        wanted,
        0 if is_open else max(0, len(boxes) - wanted),
        _without_first(missing, free),
        tuple(foreign),
    )


def prompt_with(
    prompt: str, check: PromptCheck, old: Collection[str], new: str, colour: str | None = None
) -> str | None:
    """The prompt with one thing replaced by another; None where that is not one thing of it.

    Args:
        check: of the prompt.
        old: its noun or its words as typed, in several forms.
        new: what stands there afterwards.
        colour: that `new` names; it replaces the one that stands before the thing.
    """
    named = [thing for thing in check.objects if not {thing.noun, thing.typed}.isdisjoint(old)]
    if len(named) != 1 or named[0].count != 1 or len(named[0].spans) != 1:
        return None
    start, end = named[0].spans[0]
    before = prompt[:start]
    if colour and named[0].colour:
        pattern = rf"\b{re.escape(named[0].colour)}\s+(?=[^,.;]*$)"
        before, count = re.subn(pattern, "", before, flags=re.IGNORECASE)
        if count != 1:  # another word for it: the pinned word alone says the colour
            return None
    article = re.search(r"\b([Aa])n?(\s+)$", before)
    if article is not None:
        letter = "n" if new[:1].casefold() in "aeiou" else ""
        before = f"{before[: article.start()]}{article[1]}{letter}{article[2]}"
    return f"{before}{new}{prompt[end:]}"


def _without_first(things: Sequence[PromptObject], boxes: int) -> tuple[PromptObject, ...]:
    """What is left of the things when the first ones took so many boxes."""
    left = []
    for thing in things:
        count = thing.count or 1
        taken = min(count, boxes)
        boxes -= taken
        if count > taken:
            left.append(replace(thing, count=count - taken))
    return tuple(left)
