"""Prompts for models that draw anything: what each box may show, in the words as typed.

The same grammar reads them as for a vocabulary, with every noun counted as a thing. What a phrase
says of its thing stays with it: "a big red dragon with golden wings" is one thing. The place is
the background, and what says how the picture is made ("oil painting, soft light") its style.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache

from engine.prompts.grammar import is_plural_word, singular
from engine.prompts.lexicon import Lexicon
from engine.prompts.open_phrases import (
    DESCRIBING,
    OpenPhrase,
    PhraseFinder,
    is_doing,
    is_of,
    open_words,
)
from engine.prompts.parser import MOST, Reading, read_prompt
from engine.prompts.phrases import OPEN
from engine.prompts.result import (
    NamedBackground,
    PromptCheck,
    PromptObject,
    Role,
    Span,
    Vocabulary,
    Word,
)
from engine.prompts.tables import rows_of
from engine.prompts.tokens import HEADING, NONE, Unit

PLACED = frozenset("in inside at on within across through over under on beneath into".split())
AGAINST = frozenset("against before".split())
ATTRIBUTED = frozenset("in with of from".split())
MOST_PHRASE = 160  # characters of what one box shows, as many as a box keeps


@dataclass(frozen=True, slots=True)
class OpenPrompt:
    """What a prompt asks for, in its own words.

    Attributes:
        check: things and background; `PromptObject.phrase` is what one box of the thing shows.
        background: the words for the surroundings, "" where the prompt names none.
        style: the words for how the picture is made, "" where there are none.
        excluded: the words for what is not to be in the picture, "" where there are none.
    """

    check: PromptCheck
    background: str = ""
    style: str = ""
    excluded: str = ""


class _OpenLexicon(Lexicon):
    """All nouns of the tables, and words as they are spelled: a model may know any name."""

    def nearest_spelling(self, word: str) -> str | None:
        return None

    def _parts_of(self, word: str) -> str:
        is_place = (word,) in open_words("place") or (word,) in open_words("surface")
        return "n" if is_place else super()._parts_of(word)


@lru_cache(maxsize=256)  # the window asks for the words of every layer after each change
def read_open_prompt(prompt: str) -> OpenPrompt:
    """Take a prompt apart for a model that draws anything.

    Args:
        prompt: any text; the first 256 words are read.

    Raises:
        WeightsError: a table of words is missing.
    """
    reading = read_prompt(prompt, _open_lexicon())
    return _Opening(prompt, reading).result()


def thing_of(text: str) -> str:
    """The thing that a phrase is about: "big red dragon with wings" gives "dragon".

    The text itself where it names no thing or several.
    """
    found = read_open_prompt(text.strip()).check.objects
    return found[0].noun if len(found) == 1 else text.strip()


@cache
def _open_lexicon() -> Lexicon:
    return _OpenLexicon(
        Vocabulary(
            nouns=tuple(row["name"] for row in rows_of("nouns")),
            looks=(),
            colours=tuple(
                "red orange yellow green blue purple pink black white grey brown".split()
            ),
            backgrounds=tuple(row["name"] for row in rows_of("backgrounds")),
        )
    )


class _Opening:
    """Sorts the mentions of one prompt into things, background, style and what is left out."""

    def __init__(self, prompt: str, reading: Reading) -> None:
        self._prompt, self._reading = prompt, reading
        self._units, self._letters = reading.units, reading.letters
        self._finder = PhraseFinder(reading)
        self._phrases = self._finder.phrases
        self._styles = self._style_segments()

    def result(self) -> OpenPrompt:
        things: list[OpenPhrase] = []
        places: list[OpenPhrase] = []
        negated: list[OpenPhrase] = []
        for phrase in self._phrases:
            if phrase.mention.found == "negated":
                negated.append(phrase)
            elif self._is_style(phrase) or self._is_attribute(phrase, things):
                continue
            elif self._is_place(phrase):
                places.append(phrase)
            elif phrase.mention.found in ("object", "undrawable"):
                things.append(phrase)
        if not all(each.mention.spare for each in things):
            things = [each for each in things if not each.mention.spare]
        taken = sorted((*things, *places, *negated), key=lambda each: each.first)
        for phrase, following in zip(taken, [*taken[1:], None]):
            phrase.end = self._finder.end_of(phrase, following)
        background = ", ".join(dict.fromkeys([*map(self._text, places), *self._backdrops()]))
        check = self._check(things, places, negated, background)
        return OpenPrompt(
            check, background, self._style(), ", ".join(self._text(each) for each in negated)
        )

    # ---- phrases ----

    def _text(self, phrase: OpenPhrase) -> str:
        """The words of a phrase as typed, without article and number."""
        span = self._units[phrase.first].span[0], self._units[phrase.end].span[1]
        text = self._prompt[slice(*span)]
        if self._units[phrase.end].quoted:
            text += self._prompt[span[1] : span[1] + 1].strip()
        return " ".join(text.split())[:MOST_PHRASE]

    def _span(self, phrase: OpenPhrase) -> Span:
        return self._units[phrase.first].span[0], self._units[phrase.last].span[1]

    # ---- what a phrase is ----

    def _is_place(self, phrase: OpenPhrase) -> bool:
        if phrase.mention.found == "background":
            return True
        if phrase.preposition in AGAINST or self._is_behind(phrase):
            return True
        if phrase.preposition not in PLACED:
            return False
        before = self._units[phrase.last - 1] if phrase.last > phrase.first else None
        unit = self._units[phrase.last]
        is_surface = phrase.preposition == "on" and is_of(unit, "surface", before)
        return phrase.stands_apart or is_surface or is_of(unit, "place", before)

    def _is_behind(self, phrase: OpenPhrase) -> bool:
        """Whether a place is followed by words like "in the background"."""
        at = phrase.last + 1
        if not is_of(self._units[phrase.last], "place") or at >= len(self._units):
            return False
        return self._units[at].gap == NONE and self._finder.says_where(at)

    def _is_attribute(self, phrase: OpenPhrase, things: Sequence[OpenPhrase]) -> bool:
        """Whether a phrase says something of the thing before: "in shining armour"."""
        if not things or self._has_gap(things[-1].last, phrase.first):
            return False
        start = self._units[phrase.first]
        if phrase.first == things[-1].last + 1 and is_doing(start):
            return True  # "playing chess"
        lead = self._units[max(0, self._start_of(phrase) - 1)]
        head = self._units[phrase.last]
        if is_of(lead, "wearing"):
            return True
        if phrase.preposition not in ATTRIBUTED:
            return False
        is_content = phrase.preposition == "of" and phrase.first == things[-1].last + 2
        if is_of(head, "worn") or (is_content and not phrase.is_determined):
            return True
        is_bare = not phrase.is_determined and phrase.mention.count in (1, OPEN)
        return is_bare and phrase.mention.found == "undrawable"

    def _start_of(self, phrase: OpenPhrase) -> int:
        """The first unit of a phrase with its article and number."""
        at = phrase.first
        while at > 0 and self._units[at].gap == NONE and self._letters[at - 1] in "DK":
            at -= 1
        return at

    def _has_gap(self, after: int, until: int) -> bool:
        return any(self._units[at].gap != NONE for at in range(after + 1, until + 1))

    # ---- style ----

    def _segments(self) -> Iterator[tuple[int, int]]:
        """Start and end of what commas and ends of sentences separate."""
        starts = [at for at, unit in enumerate(self._units) if at == 0 or unit.gap != NONE]
        return zip(starts, [*starts[1:], len(self._units)])

    def _style_segments(self) -> list[tuple[int, int]]:
        """Segments that name no thing, or that say how the picture is made."""
        return [each for each in self._segments() if self._says_how(*each)]

    def _says_how(self, start: int, stop: int) -> bool:
        units = self._units[start:stop]
        if any(unit.quoted or unit.is_setting or unit.role == "negated" for unit in units):
            return False
        if any(is_of(unit, "backdrop") for unit in units):
            return False
        if tuple(word for unit in units for word in unit.words) in open_words("medium"):
            return True
        own = [each for each in self._phrases if start <= each.last < stop]
        if not own:
            is_told = any(letter in "FCLUH" for letter in self._letters[start:stop])
            return is_told and self._units[start].gap != NONE
        is_plain = not any(each.is_determined or each.preposition for each in own)
        return is_plain and is_of(units[-1], "style") and start > 0

    def _is_style(self, phrase: OpenPhrase) -> bool:
        return any(start <= phrase.last < stop for start, stop in self._styles)

    def _style(self) -> str:
        parts = [self._plain(start, stop) for start, stop in self._styles]
        return ", ".join(dict.fromkeys(filter(None, [*self._headings(), *parts])))

    def _headings(self) -> Iterator[str]:
        """How the picture is made, where a sentence begins with it: "a watercolour of a fox"."""
        for at, unit in enumerate(self._units):
            if any(start <= at < stop for start, stop in self._styles):
                continue
            following = self._units[at + 1] if at + 1 < len(self._units) else None
            leads = following is not None and (
                following.word in ("of", "showing", "with") or following.gap == HEADING
            )
            if unit.has("style"):
                stop = next((n for n in range(at + 1, len(self._units))
                             if self._units[n].gap != NONE), len(self._units))  # fmt: skip
                yield self._plain(at, stop)
            elif leads and unit.role == "heading" and is_of(unit, "style"):
                first = at
                while (
                    self._units[first].gap == NONE
                    and first
                    and (self._letters[first - 1] in DESCRIBING)
                ):
                    first -= 1
                yield self._plain(first, at + 1)

    def _backdrops(self) -> Iterator[str]:
        """Segments such as "plain grey background"."""
        for start, stop in self._segments():
            named = [at for at in range(start, stop) if is_of(self._units[at], "backdrop")]
            own = [each for each in self._phrases if start <= each.last < stop]
            if named and not any(each.mention.found == "background" for each in own):
                first = named[-1]
                while first > start and self._letters[first - 1] in DESCRIBING:
                    first -= 1
                if first < named[-1]:  # "in the background" says nothing of it
                    yield self._plain(first, named[-1] + 1)

    def _plain(self, start: int, stop: int) -> str:
        """The text of units, without the articles in front."""
        while start < stop and self._letters[start] in "DJ":
            start += 1
        if start >= stop:
            return ""
        text = self._prompt[self._units[start].span[0] : self._units[stop - 1].span[1]]
        return " ".join(text.split())[:MOST_PHRASE]

    # ---- the result ----

    def _check(
        self,
        things: Sequence[OpenPhrase],
        places: Sequence[OpenPhrase],
        negated: Sequence[OpenPhrase],
        background: str,
    ) -> PromptCheck:
        reading, prompt = self._reading, self._prompt
        named = None
        if places:
            span = self._units[places[0].first].span[0], self._units[places[0].end].span[1]
            name = places[0].mention.name if places[0].mention.found == "background" else background
            named = NamedBackground(name, self._text(places[0]), span)
        roles: dict[int, Role] = {each.last: "object" for each in things}
        roles |= {each.last: "background" for each in places}
        words = tuple(
            Word(prompt[slice(*unit.span)], unit.span, roles.get(at, _role_of(unit)))
            for at, unit in enumerate(self._units)
        )
        return PromptCheck(
            objects=self._objects(things) or self._whole(background, negated),
            background=named,
            negated=tuple(Word(self._text(p), self._span(p), "negated") for p in negated),
            fillers=tuple(word for word in words if word.role == "filler"),
            words=words,
            unread=reading.unread,
            unread_span=(reading.end, len(prompt)) if reading.unread else None,
        )

    def _whole(self, background: str, negated: Sequence[OpenPhrase]) -> tuple[PromptObject, ...]:
        """The whole prompt as one thing where the grammar finds nothing in it."""
        text = " ".join(self._prompt.split())
        if background or negated or not text:
            return ()
        span = (0, len(self._prompt))
        return (PromptObject(text[:MOST_PHRASE], text, (span,), phrase=text[:MOST_PHRASE]),)

    def _objects(self, things: Sequence[OpenPhrase]) -> tuple[PromptObject, ...]:
        """The things, those that are mentioned again joined."""
        found: list[PromptObject] = []
        for phrase in things:
            new = self._object(phrase)
            at = _again(found, new, is_definite=phrase.mention.is_definite)
            if at is None:
                found.append(new)
                continue
            old = found[at]
            count = old.count
            if not phrase.mention.is_definite:
                both = (
                    None if None in (old.count, new.count) else (old.count or 0) + (new.count or 0)
                )
                count = None if both is None else min(both, MOST)
            found[at] = replace(old, count=count, spans=(*old.spans, *new.spans))
        return tuple(found)

    def _object(self, phrase: OpenPhrase) -> PromptObject:
        mention, unit = phrase.mention, self._units[phrase.head]
        text, count = self._text(phrase), self._count(phrase)
        is_named = mention.found == "object" and phrase.head == phrase.last
        noun = mention.name if is_named else ""
        if not noun and unit.noun is not None:
            noun = unit.noun.name
        if unit.quoted:
            text = noun = f'text "{text.strip(chr(34))}"'
        elif unit.is_emoji:
            text = noun or " ".join(unit.words)
        elif count != 1:
            text = self._single(phrase)
        return PromptObject(
            noun=noun or _one_of(" ".join(unit.words)),
            typed=self._prompt[slice(*self._span(phrase))],
            spans=(self._span(phrase),),
            count=None if count == OPEN else min(count, MOST),
            colour=mention.colour,
            size=mention.size,
            phrase=text,
        )

    def _count(self, phrase: OpenPhrase) -> int:
        """How many: of containers the number before them, "two bowls of cherries"."""
        if not phrase.is_contained:
            return phrase.mention.count
        before = self._units[phrase.first - 1] if phrase.first else None
        if before is not None and self._units[phrase.first].gap == NONE and before.count:
            return before.count
        return OPEN if is_plural_word(self._units[phrase.first].word) else 1

    def _single(self, phrase: OpenPhrase) -> str:
        """The text of one of several: its head, or its container, in the singular."""
        unit = self._units[phrase.first if phrase.is_contained else phrase.head]
        start, stop = self._units[phrase.first].span[0], self._units[phrase.end].span[1]
        head = self._prompt[slice(*unit.span)]
        one = _one_of(head) if head.isascii() else head
        text = f"{self._prompt[start : unit.span[0]]}{one}{self._prompt[unit.span[1] : stop]}"
        return " ".join(text.split())[:MOST_PHRASE]


def _role_of(unit: Unit) -> Role:
    return "modifier" if unit.role in ("object", "undrawable", "background") else unit.role


def _one_of(words: str) -> str:
    """A noun phrase in the singular, its last word in the case as typed."""
    front, space, last = words.rpartition(" ")
    one = singular(last.lower())
    if one == last.lower():
        return words
    return f"{front}{space}{one if last.islower() else one.capitalize()}"


def _again(found: Sequence[PromptObject], new: PromptObject, *, is_definite: bool) -> int | None:
    """The thing that is mentioned again ("the dog"), or of which there is one more."""
    for at, old in enumerate(found):
        if old.noun != new.noun:
            continue
        if is_definite and new.count == 1:
            return at
        if old.phrase.casefold() == new.phrase.casefold():
            return at
    return None
