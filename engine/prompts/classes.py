"""The class of each unit in the small grammar, with what the units around it decide.

The letters are those of `lexicon.class_of`; a verb is V, quoted text Q.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.prompts.tables import parts_of
from engine.prompts.tokens import NONE, Unit
from engine.words import simpler_forms

BREAKING = frozenset("PJRXGV")  # end a noun phrase
HEADS = frozenset("NBUH")
JOINED_ADJECTIVES = frozenset("drawn driven made born worn eaten free like style".split())
TIME_UNITS = frozenset("year years month months day days week weeks inch inches cm mm px".split())


def classify(units: Sequence[Unit]) -> list[str]:
    """A letter for each unit."""
    letters = [unit.letter for unit in units]
    _join_hyphenated(units, letters)
    for at, unit in enumerate(units):
        if letters[at] == "K" and at + 1 < len(units) and units[at + 1].word in TIME_UNITS:
            letters[at] = "F"  # "five years old" counts nothing
        elif unit.entry.noun is not None and unit.entry.background is not None:
            is_scenery = _follows_preposition(units, letters, at) or _is_alone(units, at)
            letters[at] = "B" if is_scenery else "N"
    return letters


def _join_hyphenated(units: Sequence[Unit], letters: list[str]) -> None:
    """Make adjectives of "fire-breathing", "horse-drawn", "heart shaped" and "three-tier"."""
    for at in range(1, len(units)):
        before, letter, unit = letters[at - 1], letters[at], units[at]
        if letter in "NB" or unit.gap != NONE:
            continue
        is_joined = unit.has("joined") and at + 1 < len(units) and units[at + 1].gap == NONE
        if unit.first.hyphenated and before == "K":
            if letter != "K":
                letters[at - 1] = letters[at] = "F"
        elif before in "NUB" and (is_joined or (unit.first.hyphenated and _is_participle(unit))):
            letters[at - 1] = letters[at] = "F"


def _is_participle(unit: Unit) -> bool:
    """Whether it makes an adjective of the noun before it."""
    return (
        "v" in unit.entry.parts
        or unit.word.endswith(("ing", "ed"))
        or unit.word in JOINED_ADJECTIVES
    )


def _is_alone(units: Sequence[Unit], at: int) -> bool:
    """Whether it is a bare plural between commas, as "mountains" at the end of a list."""
    noun = units[at].entry.noun
    is_last = at + 1 == len(units) or units[at + 1].gap != NONE
    return noun is not None and noun.is_plural and at > 0 and units[at].gap != NONE and is_last


def _follows_preposition(units: Sequence[Unit], letters: Sequence[str], at: int) -> bool:
    while at > 0 and units[at].gap == NONE:
        at -= 1
        if letters[at] == "P":
            return units[at].word not in ("of", "with")
        if letters[at] not in "DCSF":
            return False
    return False


def is_verb(unit: Unit, letter: str, head: Unit, head_letter: str, following: str) -> bool:
    """Whether a unit after a head is the verb of it ("a bee flying", "dogs play in").

    Args:
        following: the class of the next unit, empty where a break or nothing follows.
    """
    if len(unit.words) > 1 or unit.has("heading", "young", "part"):
        return False
    word, goes_on = unit.word, following in ("", "D", "P", "K", "R", "F", "J", "C", "S")
    meaning = head.entry.noun or head.entry.near
    is_plural = meaning.is_plural if meaning is not None else head.word.endswith("s")
    thing = unit.entry.noun or unit.entry.near
    if thing is not None:
        as_verb = thing.is_plural and "v" in _base_parts(word)
        return as_verb and not is_plural and following in ("D", "P", "K", "R")
    if letter != "U" or "v" not in unit.entry.parts:
        return False
    if word.endswith("ing") or "n" not in unit.entry.parts:
        return True
    if word.endswith("s") and not word.endswith("ss"):
        return not is_plural and goes_on
    return is_plural and goes_on and head_letter == "N"


def _base_parts(word: str) -> str:
    return "".join(parts_of(form) for form in simpler_forms(word))
