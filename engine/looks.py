"""Looks: which one a prompt names, and whether its layers gain by flat fills.

The words are those of the training prompts; a test compares them with the trainer's table.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.api import ColourChoice
from engine.words import tokenize

# Look -> words, or words in a row, that name it. No word names two looks.
NAMED_BY: dict[str, tuple[tuple[str, ...], ...]] = {
    "flat": (("flat",),),
    "glossy": (("glossy",), ("cartoon",), ("shiny",)),
    "3d": (("3d",), ("clay",)),
    "bold": (("bold",), ("comic",), ("poster",)),
    "ink": (("ink",), ("line", "art")),
}
# Looks whose layers come closer to their art by it; the others have gradients (docs/training.md).
GAIN_BY_FLAT_FILLS = frozenset({"flat", "bold"})


def look_named(prompt: str, looks: Sequence[str]) -> str | None:
    """The first of a model's looks that the prompt names; None where it names none."""
    words = tuple(tokenize(prompt))
    found = [
        (at, look)
        for look in looks
        for phrase in NAMED_BY.get(look, ((look,),))
        for at in range(len(words) - len(phrase) + 1)
        if words[at : at + len(phrase)] == phrase
    ]
    return min(found)[1] if found else None


def cleans_colours(choice: ColourChoice, look: str | None, looks: Sequence[str]) -> bool:
    """Whether the colours of a job's foregrounds are decided.

    Args:
        choice: of the request.
        look: that the prompt names; None = none.
        looks: of the model; the first is the one that a prompt without a look gives.
    """
    if choice != "automatic":
        return choice == "on"
    shown = look or (looks[0] if looks else "")
    return shown in GAIN_BY_FLAT_FILLS
