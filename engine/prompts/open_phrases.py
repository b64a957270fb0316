"""The phrases of an open prompt: each thing or place with all words that belong to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from engine.prompts.grammar import is_plural_word
from engine.prompts.parser import Reading
from engine.prompts.phrases import Mention
from engine.prompts.tables import rows_of, split
from engine.prompts.tokens import HEADING, NONE, Unit
from engine.words import tokenize

DESCRIBING = frozenset("CSLFNUBH")  # classes that may stand before the head of a phrase
# Classes that lead on to the next phrase; they do not end one.
LEADING = frozenset("PJDKXRG")


@cache
def open_words(role: str) -> frozenset[tuple[str, ...]]:
    """The words and phrases of a role in `open.tsv`."""
    return frozenset(
        tuple(tokenize(phrase))
        for row in rows_of("open")
        if row["role"] == role
        for phrase in split(row["words"])
    )


def is_of(unit: Unit, role: str, before: Unit | None = None) -> bool:
    """Whether the last word or words of a unit have a role."""
    words = (*(before.words if before is not None else ()), *unit.words)
    return any(words[-length:] in open_words(role) for length in range(1, len(words) + 1))


def is_doing(unit: Unit) -> bool:
    """Whether a word says what a thing does: "playing", "holding"."""
    return unit.word.endswith("ing") and "v" in unit.parts


@dataclass(slots=True)
class OpenPhrase:
    """One mention with the units that belong to it.

    Attributes:
        first, last: units of the phrase with its head, end inclusive.
        end: last unit of what is said of it afterwards, inclusive.
        head: the unit that names the thing.
        is_contained: the phrase begins with a container: "a bowl of cherries".
        preposition: the word that leads to it, or "".
    """

    mention: Mention
    first: int
    last: int
    end: int = 0
    head: int = 0
    is_contained: bool = False
    preposition: str = ""
    stands_apart: bool = False  # a comma or the start of a sentence is before the preposition
    is_determined: bool = False  # an article, an owner or a number stands before it


class PhraseFinder:
    """Finds the phrases of one reading.

    Attributes:
        phrases: of all mentions, in the order of the prompt.
    """

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._units, self._letters = reading.units, reading.letters
        self._place_of = {id(unit): at for at, unit in enumerate(self._units)}
        self.phrases = self._joined([self._phrase_of(each) for each in self._kept_mentions()])

    def _kept_mentions(self) -> Iterator[Mention]:
        """The mentions but headings; text in quotation marks belongs to the thing before it."""
        has_thing = False
        in_words = {each.name for each in self._reading.mentions if not each.unit.is_emoji}
        for each in sorted(self._reading.mentions, key=lambda mention: mention.span):
            is_heading = each.found == "heading" and not is_of(each.unit, "place")
            if is_heading and self._is_thing(each.unit):
                each.found, is_heading = "undrawable", False
            if is_heading or (each.unit.quoted and has_thing):
                continue
            if each.unit.is_emoji and each.name in in_words:  # "a cat 🐱"
                continue
            has_thing |= each.found in ("object", "undrawable")
            yield each

    def _is_thing(self, unit: Unit) -> bool:
        """Whether a kind of picture stands there as a thing: "a neon sign, a bench"."""
        following = self._units[self._place_of[id(unit)] + 1 :][:1]
        leads = bool(following) and following[0].gap in (NONE, HEADING)
        return is_of(unit, "thing") and not leads

    def _phrase_of(self, mention: Mention) -> OpenPhrase:
        last = self._place_of[id(mention.unit)]
        heads = {self._place_of[id(each.unit)] for each in self._reading.mentions}
        first = last
        while first > 0 and self._units[first].gap == NONE and self._goes_back(first - 1, heads):
            first -= 1
            if self._is_pair(first):  # "red and blue"
                first -= 2
        contained = first
        first = self._with_container(first)
        phrase = OpenPhrase(mention, first, last, last, is_contained=first < contained)
        phrase.head = self._doer(first, last)
        at = first
        while at > 0 and self._units[at].gap == NONE:
            at -= 1
            letter = self._letters[at]
            if letter == "P":
                phrase.preposition = self._units[at].word
                phrase.stands_apart = at == 0 or self._units[at].gap != NONE
                break
            if letter not in "DK":
                break
            phrase.is_determined = True
        if _is_place_phrase(mention):
            phrase.preposition = mention.unit.words[0]
        return phrase

    def _doer(self, first: int, last: int) -> int:
        """The unit that is meant: "kids" in "kids flying kites"; else the last one."""
        for at in range(first + 1, last + 1):
            unit, before = self._units[at], self._units[at - 1]
            does = is_doing(unit) and at < last
            # "flying kites" is one phrase of the tables; a plural before it has no such thing.
            does |= unit.words[0].endswith("ing") and is_plural_word(before.word)
            if does and self._letters[at - 1] in "NU":
                return at - 1
        return last

    def _joined(self, phrases: Sequence[OpenPhrase]) -> list[OpenPhrase]:
        """Nouns in a row are one thing ("cherry blossom tree"), unless one is a plural."""
        found: list[OpenPhrase] = []
        for phrase in phrases:
            before = found[-1] if found else None
            if before is not None and self._makes_compound(before, phrase):
                phrase.first, phrase.head = before.first, phrase.last
                phrase.is_determined = before.is_determined
                phrase.preposition = before.preposition
                found.pop()
            found.append(phrase)
        return found

    def _makes_compound(self, before: OpenPhrase, phrase: OpenPhrase) -> bool:
        unit = before.mention.unit
        meaning = unit.noun or unit.near
        is_plural = is_plural_word(unit.word) if meaning is None else meaning.is_plural
        follows = phrase.first == before.last + 1 and self._units[phrase.first].gap == NONE
        kinds = {before.mention.found, phrase.mention.found}
        has_mark = unit.quoted or unit.is_emoji or phrase.mention.unit.is_emoji
        return follows and not is_plural and not has_mark and kinds <= {"object", "undrawable"}

    def _goes_back(self, at: int, heads: set[int]) -> bool:
        """Whether a unit describes the head after it."""
        unit, letter = self._units[at], self._letters[at]
        return at not in heads and letter in DESCRIBING and unit.role != "heading"

    def _is_pair(self, at: int) -> bool:
        """Whether a colour or quality is the second of two that "and" joins."""
        if at < 2 or any(self._units[each].gap != NONE for each in (at - 1, at)):
            return False
        around = {self._letters[at - 2], self._letters[at]}
        return self._units[at - 1].word == "and" and around <= set("CF")

    def _with_container(self, first: int) -> int:
        """The start of "bowl" in "a bowl of cherries"."""
        if first < 2 or self._units[first].gap != NONE or self._units[first - 1].word != "of":
            return first
        return first - 2 if self._units[first - 2].has("container") else first

    def end_of(self, phrase: OpenPhrase, following: OpenPhrase | None) -> int:
        """The last unit that still says something of the phrase's thing."""
        stop = len(self._units) if following is None else following.first
        at = phrase.last + 1
        while at < stop and self._goes_on(at):
            at += 1
        leads_to_next = at == stop
        at -= 1
        between = ""
        while at > phrase.last and self._leads_on(at):
            between += self._letters[at]
            at -= 1
        # "an astronaut riding a horse": the horse is a thing of its own, and no riding without it.
        takes_object = leads_to_next and following is not None and not set(between) - set("DK")
        while takes_object and at > phrase.last and self._units[at].word.endswith("ing"):
            at -= 1
        return at

    def _goes_on(self, at: int) -> bool:
        unit = self._units[at]
        if unit.gap != NONE and not unit.quoted:
            return False
        return not (unit.is_setting or unit.has("style") or self.says_where(at))

    def says_where(self, at: int) -> bool:
        """Whether words like "in the background" begin there, which belong to no thing."""
        if self._letters[at] != "P":
            return False
        following = at + 1
        while following < len(self._units) and self._letters[following] == "D":
            following += 1
        return following < len(self._units) and is_of(self._units[following], "relation")

    def _leads_on(self, at: int) -> bool:
        return self._letters[at] in LEADING and not self._units[at].quoted


def _is_place_phrase(mention: Mention) -> bool:
    scenery = mention.unit.background
    return mention.found == "background" and scenery is not None and scenery.is_phrase
