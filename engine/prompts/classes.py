"""The class of each unit in the small grammar, with what the units around it decide.

The letters are those of `lexicon.class_of`; a verb is V, quoted text Q.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.prompts.tables import parts_of
from engine.prompts.tokens import NONE, WEAK, Unit
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
        elif unit.noun is not None and unit.background is not None:
            is_scenery = _follows_preposition(units, letters, at) or _is_alone(units, at)
            letters[at] = "B" if is_scenery else "N"
        elif letters[at] == "L" and unit.entry.colour is not None and _leads(units, letters, at):
            letters[at] = "C"  # "a black and white cat"
        elif letters[at] == "P" and _is_adjective(units, letters, at):
            letters[at] = "F"  # "a red, round apple"
    return letters


def _leads(units: Sequence[Unit], letters: Sequence[str], at: int) -> bool:
    """Whether more of the same phrase follows."""
    return at + 1 < len(units) and units[at + 1].gap <= WEAK and letters[at + 1] in "NUCSF"


def _is_adjective(units: Sequence[Unit], letters: Sequence[str], at: int) -> bool:
    """Whether a word that may be a preposition stands before its noun ("a round table")."""
    is_within = at > 0 and letters[at - 1] in "DCSFK"
    return units[at].has("filler") and is_within and _leads(units, letters, at)


def _join_hyphenated(units: Sequence[Unit], letters: list[str]) -> None:
    """Make adjectives of "fire-breathing", "horse-drawn", "heart shaped" and "three-tier"."""
    for at in range(1, len(units)):
        before, letter, unit = letters[at - 1], letters[at], units[at]
        if letter in "NB" or unit.gap != NONE:
            continue
        is_joined = unit.has("joined") and _leads(units, letters, at)
        if unit.hyphenated and before == "K":
            if letter != "K":
                letters[at - 1] = letters[at] = "F"
        elif before in "NUB":
            is_participle = "v" in unit.parts or unit.word.endswith(("ing", "ed"))
            is_participle |= unit.word in JOINED_ADJECTIVES
            if is_joined or (unit.hyphenated and is_participle):
                letters[at - 1] = letters[at] = "F"


def _is_alone(units: Sequence[Unit], at: int) -> bool:
    """Whether it is a bare plural between commas, as "mountains" at the end of a list."""
    noun = units[at].noun
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


def is_verb(
    unit: Unit, letter: str, head: Unit, head_letter: str, following: str, *, is_one: bool
) -> bool:
    """Whether a unit after a head is the verb of it ("a bee flying", "dogs play in").

    `following` is the class of the next unit, or empty; `is_one`: "a" stands before the head, so no
    plural belongs to it.
    """
    if len(unit.words) > 1 or unit.has("heading", "young", "part"):
        return False
    if letter == "U" and "v" in unit.parts and following in ("D", "R"):
        return True  # "the cat and the dog wear a hat"
    word, goes_on = unit.word, following in ("", "D", "P", "K", "R", "F", "J", "C", "S")
    meaning = head.noun or head.near
    is_plural = meaning.is_plural if meaning is not None else head.word.endswith("s")
    thing = unit.noun or unit.near
    if thing is not None:
        if is_plural and head_letter == "N" and unit.noun is None and "v" in unit.parts:
            return following in ("D", "P", "R")  # "bats fly out"
        as_verb = thing.is_plural and any("v" in parts_of(form) for form in simpler_forms(word))
        goes_on = following in ("D", "P", "K", "R") or (is_one and following in ("", "J"))
        return as_verb and not is_plural and goes_on
    if letter == "U" and not unit.is_known and word.endswith("s"):
        return not is_plural and following in ("", "D", "P", "R")
    if letter != "U" or "v" not in unit.parts:
        return False
    if word.endswith("ing") or "n" not in unit.parts:
        return True
    if word.endswith("s") and not word.endswith("ss"):
        return not is_plural and goes_on
    return is_plural and goes_on and head_letter == "N"
