"""Noun phrases: which things, backgrounds and other nouns a run of units names.

"a big red fire truck" is one phrase with the head "fire truck"; in "vintage coffee shop logo" the
head is a heading, and what stands before it is drawn only where the prompt names nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from engine.prompts.classes import BREAKING, HEADS, is_verb
from engine.prompts.result import SizeWord, Span
from engine.prompts.tokens import NONE, WEAK, Unit

Found = Literal["object", "background", "undrawable", "heading", "negated"]
TOPIC_PREPOSITIONS = frozenset(("about", "for"))
# Roles after which the noun before is drawn: a lion cub, a cat's tail, a frog prince.
OF_ITS_KIND = ("young", "part", "character", "group")
TENS = frozenset(range(20, 100, 10))
OPEN = 0  # the count of "balloons"


@dataclass(slots=True)
class Mention:
    """One thing that a phrase names."""

    found: Found
    unit: Unit
    span: Span
    name: str = ""  # the noun or background; for the undrawable the nearest noun, or ""
    count: int = 1  # `OPEN` for an unnamed number
    colour: str | None = None
    size: SizeWord | None = None
    is_definite: bool = False
    rank: int = 0  # of a background, how surely it is one
    spare: bool = False  # counts only where the prompt names no other object


@dataclass(slots=True)
class _Phrase:
    heads: list[tuple[Unit, str]] = field(default_factory=list)
    colour: str | None = None
    size: SizeWord | None = None
    count: int | None = None
    determiner: str = ""
    is_definite: bool = False
    is_group: bool = False
    modifiers: list[Unit] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        return not (self.heads or self.modifiers or self.determiner or self.count is not None)


class PhraseReader:
    """Reads units and their classes into mentions.

    Attributes:
        mentions: in the order of the prompt.
        looks: that are named, with their units.
    """

    def __init__(self, units: Sequence[Unit], letters: Sequence[str]) -> None:
        self._units, self._letters = units, letters
        self._phrase, self._preposition = _Phrase(), ""
        self.mentions: list[Mention] = []
        self.looks: list[str] = []
        self._last: Mention | None = None  # of the phrase before, where no break follows it

    def read(self, start: int, end: int) -> list[Mention]:
        """The mentions of units start to end, a clause of its own."""
        self.mentions, self._last = [], None
        for at in range(start, end):
            self._take(at, end)
        self._flush()
        return self.mentions

    def _take(self, at: int, end: int) -> None:
        unit, letter = self._units[at], self._letters[at]
        phrase = self._phrase
        if at and unit.gap != NONE:
            goes_on = unit.gap == WEAK and not phrase.heads and letter in "CSFNU"
            if not (goes_on and phrase.modifiers):
                self._flush()
                self._last, self._preposition = None, ""
                phrase = self._phrase
        if self._is_verb(at, end, letter):
            letter = "V"
        if letter == "J" and not phrase.heads and phrase.colour and self._next(at, end) in "CF":
            return  # "red and yellow balloons"
        if letter == "B" and unit.entry.background is not None and unit.entry.background.is_phrase:
            self._flush()
        if letter in BREAKING:
            self._flush()
            self._preposition = self._preposition_of(at) if letter == "P" else ""
        elif letter in "DK":
            self._determine(unit, letter)
        elif letter == "Q":
            self._quote(unit)
        else:
            self._add(at, letter, self._next(at, end))

    def _quote(self, unit: Unit) -> None:
        """Text to be written; its words are one mention."""
        self._flush()
        unit.role = "undrawable"
        last = self.mentions[-1] if self.mentions else None
        if last is not None and last.unit.first.quoted:
            last.span = last.span[0], unit.span[1]
        else:
            self.mentions.append(Mention("undrawable", unit, unit.span))

    def _next(self, at: int, end: int) -> str:
        """The class of the next unit; empty where a break or nothing follows."""
        if at + 1 >= end or self._units[at + 1].gap != NONE:
            return ""
        scenery = self._units[at + 1].entry.background
        if scenery is not None and scenery.is_phrase and self._letters[at + 1] == "B":
            return ""  # "a dress under a blue sky"
        return self._letters[at + 1]

    def _is_verb(self, at: int, end: int, letter: str) -> bool:
        unit, phrase = self._units[at], self._phrase
        if phrase.heads:
            head, head_letter = phrase.heads[-1]
            return is_verb(unit, letter, head, head_letter, self._next(at, end))
        if letter != "U" or phrase.determiner or "v" not in unit.entry.parts or not at:
            return False
        before = self._letters[at - 1]
        is_after = before in ("R", "X") or self._units[at - 1].word == "to"
        return is_after and unit.gap == NONE

    def _preposition_of(self, at: int) -> str:
        """The preposition at a place; "in front of" is no "of"."""
        word = self._units[at].word
        if word != "of":
            return word
        is_own = at > 0 and self._letters[at - 1] in HEADS
        return "of" if is_own and self._units[at].gap == NONE else "in"

    def _determine(self, unit: Unit, letter: str) -> None:
        phrase = self._phrase
        if phrase.heads or (letter == "D" and not phrase.is_empty):
            self._flush()
            phrase = self._phrase
        if letter == "D":
            phrase.determiner = unit.word
            phrase.is_definite = unit.has("definite")
            return
        unit.role = "count"
        phrase.modifiers.append(unit)
        if unit.first.hyphenated and phrase.count in TENS and (unit.entry.count or 1) < 10:
            phrase.count += unit.entry.count or 1  # "twenty-one"
        elif unit.entry.count is not None:
            phrase.count = unit.entry.count
        else:
            phrase.count = 1 if unit.has("one") else OPEN

    def _add(self, at: int, letter: str, following: str) -> None:
        unit, phrase = self._units[at], self._phrase
        has_part = bool(following) and self._units[at + 1].has("part")
        if letter in HEADS and unit.last.possessive and following and not has_part:
            # "sheep's clothing" shows no sheep.
            unit.role = "modifier"
            self._phrase = _Phrase(determiner="its", is_definite=True)
            return
        leads = following in HEADS
        is_modifier = letter in "NU" and "a" in unit.entry.parts and leads
        if (
            letter == "U"
            and ("n" not in unit.entry.parts or unit.word.endswith("ing"))
            and not unit.entry.near
        ):
            is_modifier = True
        if letter in HEADS and not is_modifier:
            phrase.heads.append((unit, letter))
            return
        phrase.modifiers.append(unit)
        if letter == "C":
            unit.role = "colour"
            if not phrase.heads:
                phrase.colour = phrase.colour or unit.entry.colour
        elif letter == "S":
            unit.role = "size"
            if not phrase.heads:
                phrase.size = phrase.size or ("big" if unit.has("big") else "small")
        elif letter == "L":
            unit.role = "look"
            look = unit.entry.look
            self.looks += [look] if look is not None else []
        else:
            unit.role = "modifier" if leads else "filler"

    # ---- the end of a phrase ----

    def _flush(self) -> None:
        phrase, self._phrase = self._phrase, _Phrase()
        if phrase.is_empty:
            return
        if not phrase.heads:
            self._headless(phrase)
            return
        count = len(self.mentions)
        if len(phrase.heads) > 1 and phrase.heads[-2][1] == "N":
            last, letter = phrase.heads[-1]
            is_name = (
                letter == "U" and last.first.capitalised and last.entry.near is None
            )  # "my dog Max"
            if is_name or last.has(*OF_ITS_KIND):
                last.role = "modifier"
                phrase.heads.pop()
                phrase.is_group = last.has("group")
        head, letter = phrase.heads[-1]
        {"N": self._noun, "B": self._background, "U": self._other, "H": self._heading}[letter](
            phrase, head
        )
        self._preposition = ""
        self._last = self.mentions[-1] if len(self.mentions) > count else None

    def _headless(self, phrase: _Phrase) -> None:
        """Only modifiers: a colour belongs to the thing before ("a car that is red")."""
        for unit in phrase.modifiers:
            if unit.role == "count":
                unit.role = "filler"
        if phrase.colour is None:
            return
        colour = next(unit for unit in phrase.modifiers if unit.role == "colour")
        if phrase.determiner in ("a", "an") and "n" in colour.entry.parts:
            self.mentions.append(Mention("undrawable", colour, colour.span, ""))
            colour.role = "undrawable"
        elif self._last is not None and self._last.found == "object":
            self._last.colour = self._last.colour or phrase.colour

    def _noun(self, phrase: _Phrase, head: Unit) -> None:
        assert head.entry.noun is not None
        if self._preposition == "of" and self._last is not None and self._contained(head):
            return
        # "a church tower" is one thing; "cat dog tree" is a list.
        is_compound = phrase.determiner != "" or phrase.count is not None
        for unit, letter in phrase.heads[:-1]:
            unit.role = "modifier"
            is_plural = unit.entry.noun is not None and unit.entry.noun.is_plural
            is_attribute = unit.has("attributive") or (is_compound and not is_plural)
            if letter == "N" and not is_attribute:
                self._object(_Phrase(count=phrase.count, determiner=phrase.determiner), unit)
                phrase.count = None
        self._object(phrase, head)

    def _contained(self, head: Unit) -> bool:
        """ "a basket of apples" is a basket, "a bowl of cherries" cherries."""
        last = self._last
        assert last is not None
        if last.found == "object":
            head.role = "modifier"
            return True
        if last.found == "undrawable" and last.unit.has("container"):
            last.unit.role = "modifier"
            self.mentions.remove(last)
        return False

    def _object(self, phrase: _Phrase, head: Unit, *, spare: bool = False) -> None:
        assert head.entry.noun is not None
        head.role = "object"
        self.mentions.append(
            Mention(
                "object",
                head,
                head.span,
                head.entry.noun.name,
                _count(phrase, head),
                phrase.colour,
                phrase.size,
                phrase.is_definite,
                spare=spare,
            )
        )

    def _background(self, phrase: _Phrase, head: Unit) -> None:
        assert head.entry.background is not None
        others = [letter for _, letter in phrase.heads[:-1]]
        if self._preposition == "" and others and others[-1] in "UN":
            self._heading(phrase, head)  # "jazz night" is no night
            return
        for unit, letter in phrase.heads[:-1]:
            unit.role = "modifier"
            if letter == "N":
                self._object(_Phrase(), unit, spare=True)
        head.role = "background"
        if head.entry.background.is_phrase or self._preposition not in ("", "of", "with"):
            rank = 3
        else:
            rank = 1 if phrase.determiner or phrase.count is not None else 2
        if head.words == ("sky",):
            rank = 1  # "a bird in the sky over a beach" is at the beach
        mention = Mention("background", head, head.span, head.entry.background.name, rank=rank)
        self.mentions.append(mention)

    def _heading(self, phrase: _Phrase, head: Unit) -> None:
        head.role = "heading"
        for unit, letter in phrase.heads[:-1]:
            unit.role = "modifier"
            if letter == "N":
                self._object(_Phrase(), unit, spare=True)
            elif letter == "B" and unit.entry.background is not None:
                self.mentions.append(
                    Mention("background", unit, unit.span, unit.entry.background.name, rank=2)
                )
                unit.role = "background"
        self.mentions.append(Mention("heading", head, head.span))

    def _other(self, phrase: _Phrase, head: Unit) -> None:
        before = phrase.heads[-2] if len(phrase.heads) > 1 else None
        is_topic = self._preposition in TOPIC_PREPOSITIONS and not phrase.determiner
        follows = self._preposition == "of" and self._last is not None
        for unit, _ in phrase.heads:
            unit.role = "modifier"
        if (is_topic or follows) and head.entry.near is None:
            head.role = "filler"
            return
        head.role = "undrawable"
        start = next(unit for unit, letter in phrase.heads if letter in "NUB").span[0]
        name = head.entry.near.name if head.entry.near is not None else ""
        if not name and before is not None and before[0].entry.noun is not None:
            name = before[0].entry.noun.name
        self.mentions.append(Mention("undrawable", head, (start, head.span[1]), name))


def _count(phrase: _Phrase, head: Unit) -> int:
    assert head.entry.noun is not None
    if phrase.count is not None and phrase.count != OPEN:
        return phrase.count
    if phrase.is_group:
        return OPEN
    if head.entry.noun.is_plural:
        return OPEN if phrase.determiner not in ("a", "an") else 1
    same_in_plural = head.word in ("fish", "sheep", "deer", "reindeer")
    return OPEN if phrase.count == OPEN and same_in_plural else 1
