"""Noun phrases: which things, backgrounds and other nouns a run of units names.

"a big red fire truck" is one phrase with the head "fire truck"; in "vintage coffee shop logo" the
head is a heading, and what stands before it is drawn only where the prompt names nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from engine.prompts.classes import BREAKING, HEADS, is_verb
from engine.prompts.grammar import is_plural_word
from engine.prompts.result import SizeWord, Span
from engine.prompts.tables import MULTIPLES
from engine.prompts.tokens import BRACKET, NONE, WEAK, Unit

Found = Literal["object", "background", "undrawable", "heading", "negated"]
TOPIC, STYLE = "about", "in the style of"  # kinds of prepositions
OWNERS = frozenset(("its", "his", "her", "their", "my", "your", "our"))
# Roles after which the noun before is drawn: a lion cub, a cat's tail, a frog prince.
OF_ITS_KIND = ("young", "part", "character", "group")
COLOUR_WORDS = frozenset("colour color colours colors coloured colored".split())
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
    pronoun: Unit | None = None  # "one" in "a green one"

    @property
    def is_named(self) -> bool:
        """Whether a thing or a background stands in it already."""
        return any(letter in "NB" for _, letter in self.heads)

    @property
    def is_empty(self) -> bool:
        return not (self.heads or self.modifiers or self.determiner or self.count is not None)


class PhraseReader:
    """Reads units and their classes into mentions."""

    def __init__(self, units: Sequence[Unit], letters: Sequence[str]) -> None:
        self._units, self._letters = units, letters
        self._phrase, self._preposition = _Phrase(), ""
        self._is_asked = False  # "would", "can" and the like stand before the phrase
        self.mentions: list[Mention] = []
        self.looks: list[str] = []  # that are named
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
        if at and unit.gap != NONE and not self._explains(at, end, letter):
            goes_on = unit.gap == WEAK and not phrase.heads and letter in "CSFNU"
            if not (goes_on and phrase.modifiers):
                self._flush()
                if unit.word not in ("both", "all", "each"):  # "two cars, both red"
                    self._last = None
                self._preposition, phrase = "", self._phrase
        if self._is_verb(at, end, letter):
            letter = "V"
        if letter == "K" and phrase.heads and unit.word[0] == "x":  # "tent x2"
            unit.role = "count"
            self._number_after(unit)
            return
        if letter == "J" and not phrase.heads and phrase.colour and self._next(at, end) in "CF":
            return  # "red and yellow balloons"
        if letter == "B" and unit.background is not None and unit.background.is_phrase:
            self._flush()
        if letter in BREAKING:
            self._flush()
            self._preposition = self._preposition_of(at) if letter == "P" else ""
            self._is_asked = unit.has("modal")
        elif letter in "DK":
            self._determine(unit, letter)
        elif letter == "Q":
            self._quote(unit)
        else:
            self._add(at, letter, self._next(at, end))

    def _explains(self, at: int, end: int, letter: str) -> bool:
        """Whether a colour or a number alone in brackets follows a thing: "an apple (red)"."""
        unit, phrase = self._units[at], self._phrase
        is_alone = unit.gap == BRACKET and (at + 1 >= end or self._units[at + 1].gap != NONE)
        if not (is_alone and letter in "CK" and phrase.heads and phrase.heads[-1][1] == "N"):
            return False
        if letter == "K":
            self._number_after(unit)
        else:
            self._flush()
        return True

    def _number_after(self, unit: Unit) -> None:
        """A number after the plural or after a thing without one: "apples (5)", "tent x2"."""
        phrase, noun = self._phrase, self._phrase.heads[-1][0].noun
        is_open = noun is not None and (noun.is_plural or not phrase.determiner)
        if is_open and phrase.count is None and unit.count:
            phrase.count = unit.count

    def _quote(self, unit: Unit) -> None:
        """Text to be written; its words are one mention."""
        self._flush()
        unit.role = "undrawable"
        last = self.mentions[-1] if self.mentions else None
        if last is not None and last.unit.quoted:
            last.span = last.span[0], unit.span[1]
        else:
            self.mentions.append(Mention("undrawable", unit, unit.span))

    def _next(self, at: int, end: int) -> str:
        """The class of the next unit; empty where a break or nothing follows."""
        if at + 1 >= end or self._units[at + 1].gap != NONE:
            return ""
        scenery = self._units[at + 1].background
        if scenery is not None and scenery.is_phrase and self._letters[at + 1] == "B":
            return ""  # "a dress under a blue sky"
        return self._letters[at + 1]

    def _is_verb(self, at: int, end: int, letter: str) -> bool:
        unit, phrase = self._units[at], self._phrase
        if phrase.heads:
            if self._is_asked and letter == "U" and "v" in unit.parts:
                return True  # "can a cow jump"
            head, head_letter = phrase.heads[-1]
            is_one = head_letter == "N" and phrase.determiner in ("a", "an")
            return is_verb(unit, letter, head, head_letter, self._next(at, end), is_one=is_one)
        if letter != "U" or phrase.determiner or "v" not in unit.parts or not at:
            return False
        before = self._letters[at - 1]
        is_asked = self._units[at - 1].has("modal")
        if unit.near is not None and before == "X" and not is_asked:
            return False  # "draw flowers"
        is_after = before in ("R", "X") or self._units[at - 1].word == "to"
        is_after |= before == "J" and self._next(at, end) in ("D", "R")  # "and chases a cat"
        return is_after and unit.gap == NONE

    def _preposition_of(self, at: int) -> str:
        """The preposition at a place; "in front of" is no "of"."""
        unit, word = self._units[at], self._units[at].word
        if unit.has("style"):
            return STYLE
        if unit.has("topic"):
            return TOPIC
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
        if unit.word in ("one", "ones") and not (phrase.is_empty or unit.hyphenated):
            phrase.pronoun = unit
            return
        unit.role = "count"
        phrase.modifiers.append(unit)
        if phrase.count and unit.word in MULTIPLES:
            phrase.count *= MULTIPLES[unit.word]
            return
        if unit.hyphenated and phrase.count in TENS and (unit.count or 1) < 10:
            phrase.count += unit.count or 1  # "twenty-one"
        elif unit.count is not None:
            phrase.count = unit.count
        elif unit.has("one"):
            phrase.count = 1
        elif not phrase.count:  # "three different birds" are three
            phrase.count = OPEN

    def _add(self, at: int, letter: str, following: str) -> None:
        unit, phrase = self._units[at], self._phrase
        has_part = bool(following) and self._units[at + 1].has("part")
        if letter in HEADS and unit.possessive and following and not has_part:
            # "sheep's clothing" shows no sheep.
            unit.role = "modifier"
            self._phrase = _Phrase(determiner="its", is_definite=True)
            return
        leads = following in HEADS
        is_modifier = letter in "NU" and "a" in unit.parts and leads
        if letter == "N" and following == "U":
            is_modifier = False  # "a plane flies"
        if letter == "U" and ("n" not in unit.parts or unit.word.endswith("ing")) and not unit.near:
            is_modifier = True
        if letter in HEADS and not is_modifier:
            phrase.heads.append((unit, letter))
            return
        phrase.modifiers.append(unit)
        if letter == "C":
            unit.role = "colour"
            if not phrase.is_named:
                phrase.colour = phrase.colour or unit.entry.colour
        elif letter == "S":
            unit.role = "size"
            if not phrase.is_named:
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
            is_owned = phrase.determiner in OWNERS
            is_name = letter == "U" and (  # "my dog Max", "our cat Snowball"
                (last.capitalised and (is_owned or last.near is None))
                or (is_owned and not last.is_known and last.near is None)
            )
            if is_name or last.has(*OF_ITS_KIND):
                last.role, last.is_known = "modifier", True  # no report of a name
                phrase.heads.pop()
                phrase.is_group = last.has("group")
        head, letter = phrase.heads[-1]
        if self._preposition == STYLE:
            for unit, _ in phrase.heads:
                unit.role = "modifier"
            return
        is_business = len(phrase.heads) > 1 and head.has("business")  # "a flower shop"
        if letter == "U" and (is_business or (head.entry.is_abstract and head.near is None)):
            letter = "H"
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
        if phrase.pronoun is not None and self._again(phrase, phrase.pronoun):
            return
        if phrase.colour is None:
            return
        colour = next(unit for unit in phrase.modifiers if unit.role == "colour")
        after = phrase.modifiers[phrase.modifiers.index(colour) + 1 :]
        if any(unit.word not in COLOUR_WORDS for unit in after):
            return  # "with yellow eyes"
        if phrase.determiner:
            if not after and "n" in colour.parts:  # "an orange"
                self.mentions.append(Mention("undrawable", colour, colour.span, ""))
                colour.role = "undrawable"
        elif self._last is None or self._preposition not in ("", "in", "of"):
            return  # "diamonds on black"
        elif self._last.found == "object":
            self._last.colour = self._last.colour or phrase.colour

    def _again(self, phrase: _Phrase, unit: Unit) -> bool:
        """One more of the thing before: "a red car and a green one", "another one"."""
        things = [each for each in self.mentions if each.found == "object"]
        is_new = phrase.determiner in ("a", "an", "another") or phrase.count is not None
        if not things or not is_new:
            return False
        unit.role = "object"
        count = phrase.count or (OPEN if unit.word == "ones" else 1)
        again = replace(things[-1], unit=unit, span=unit.span, count=count)
        again.colour, again.size = phrase.colour, phrase.size or again.size
        again.is_definite = False
        self.mentions.append(again)
        return True

    def _noun(self, phrase: _Phrase, head: Unit) -> None:
        assert head.noun is not None
        if self._preposition == "of" and self._last is not None and self._contained(head):
            return
        self._listed(phrase)
        for unit, letter in phrase.heads[:-1]:
            is_place = letter == "B" and not unit.has("attributive")  # "an underwater castle"
            if is_place and unit.background is not None:
                self.mentions.append(Mention("background", unit, unit.span, unit.background.name))
                unit.role = "background"
        self._object(phrase, head)

    def _listed(self, phrase: _Phrase) -> None:
        """The things before the head: "a church tower" is one thing, "cat dog tree" is a list."""
        is_compound = phrase.determiner != "" or phrase.count is not None
        is_long = len(phrase.heads) > 2 and all(letter == "N" for _, letter in phrase.heads)
        for unit, letter in phrase.heads[:-1]:
            unit.role = "modifier"
            is_plural = unit.noun is not None and unit.noun.is_plural
            is_attribute = unit.has("attributive") and not is_long and not is_plural
            if letter == "N" and not is_attribute and (is_plural or not is_compound):
                self._object(_Phrase(count=phrase.count, determiner=phrase.determiner), unit)
                phrase.count = None

    def _contained(self, head: Unit) -> bool:
        """ "a basket of apples" is a basket, "a bowl of cherries" cherries."""
        last = self._last
        assert last is not None
        if last.found == "object":
            head.role = "modifier"
            return True
        if last.found == "undrawable" and last.unit.has("container", "part"):
            last.unit.role = "modifier"
            self.mentions.remove(last)
        return False

    def _object(self, phrase: _Phrase, head: Unit, *, spare: bool = False) -> None:
        assert head.noun is not None
        head.role = "object"
        self.mentions.append(
            Mention(
                "object",
                head,
                head.span,
                head.noun.name,
                _count(phrase, head),
                phrase.colour,
                phrase.size,
                phrase.is_definite,
                spare=spare,
            )
        )

    def _background(self, phrase: _Phrase, head: Unit) -> None:
        assert head.background is not None
        others = [letter for _, letter in phrase.heads[:-1]]
        if head.words == ("sky",) and others[-1:] == ["B"]:
            head.role = "modifier"  # "a starry night sky"
            phrase.heads.pop()
            self._background(phrase, phrase.heads[-1][0])
            return
        if self._preposition == "" and others and others[-1] in "UN":
            self._heading(phrase, head)  # "jazz night" is no night
            return
        for unit, letter in phrase.heads[:-1]:
            unit.role = "modifier"
            if letter == "N":
                self._object(_Phrase(), unit, spare=True)
        head.role = "background"
        if head.background.is_phrase or self._preposition not in ("", "of", "with"):
            rank = 3
        else:
            rank = 1 if phrase.determiner or phrase.count is not None else 2
        if head.words == ("sky",):
            rank = 1  # "a bird in the sky over a beach" is at the beach
        mention = Mention("background", head, head.span, head.background.name, rank=rank)
        self.mentions.append(mention)

    def _heading(self, phrase: _Phrase, head: Unit) -> None:
        head.role = "heading"
        for unit, letter in phrase.heads[:-1]:
            unit.role = "modifier"
            if letter == "N":
                self._object(_Phrase(), unit, spare=True)
            elif letter == "B" and unit.background is not None:
                self.mentions.append(
                    Mention("background", unit, unit.span, unit.background.name, rank=2)
                )
                unit.role = "background"
        self.mentions.append(Mention("heading", head, head.span))

    def _other(self, phrase: _Phrase, head: Unit) -> None:
        before = phrase.heads[-2] if len(phrase.heads) > 1 else None
        is_topic = self._preposition == TOPIC and not phrase.determiner
        # "wheels of steel"; what follows "a photo of" is what the picture shows.
        is_shown = self._last is not None and self._last.found != "heading"
        follows = self._preposition == "of" and is_shown
        for unit, _ in phrase.heads:
            unit.role = "modifier"
        is_own_part = head.has("part") and phrase.determiner in OWNERS  # "on its trunk"
        is_named = head.near is None and (is_topic or follows or head.possessive)
        if is_named or is_own_part:
            head.role = "filler"
            return
        head.role = "undrawable"
        if any(unit.noun is not None and unit.noun.is_plural for unit, _ in phrase.heads[:-1]):
            self._listed(phrase)  # "pumpkins bats ghosts"
            phrase.heads = phrase.heads[-1:]
        start = next(unit for unit, letter in phrase.heads if letter in "NUB").span[0]
        name = head.near.name if head.near is not None else ""
        if not name and before is not None and before[0].noun is not None:
            name = before[0].noun.name
        self.mentions.append(
            Mention(
                "undrawable",
                head,
                (start, head.span[1]),
                name,
                _count(phrase, head),
                phrase.colour,
                phrase.size,
                phrase.is_definite,
            )
        )


def _count(phrase: _Phrase, head: Unit) -> int:
    is_listed_plural = _is_plural(head)
    is_plural = is_listed_plural or head.word in ("fish", "sheep", "deer", "reindeer")
    is_one = phrase.determiner in ("a", "an") and not is_plural  # "a 4 door car"
    if phrase.count is not None and not is_one:
        return phrase.count
    if phrase.is_group:
        return OPEN
    return OPEN if is_listed_plural and phrase.determiner not in ("a", "an") else 1


def _is_plural(head: Unit) -> bool:
    """Whether a head is a plural: as its table says, else by its ending."""
    meaning = head.noun or head.near
    if meaning is not None:
        return meaning.is_plural
    return is_plural_word(head.word)
