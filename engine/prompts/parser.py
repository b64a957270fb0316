"""What a prompt asks for: reads its words, phrase after phrase, against a vocabulary."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass

from engine.prompts.classes import classify
from engine.prompts.lexicon import Lexicon
from engine.prompts.phrases import OPEN, Mention, PhraseReader
from engine.prompts.result import (
    Misspelt,
    NamedBackground,
    PromptCheck,
    PromptObject,
    Span,
    Undrawable,
    Word,
)
from engine.prompts.tokens import (
    DASH,
    HEADING,
    MAX_READ,
    NONE,
    STRONG,
    WEAK,
    Unit,
    tokens_of,
    units_of,
)

__all__ = ["MAX_READ", "Reading", "check_prompt", "read_prompt"]
MOST = 999  # things of one kind

NOT_DRAWN = "not among the things that this model draws"
NOT_A_WORD = "not a word that this model knows"
TEXT = "text cannot be drawn"


@dataclass(frozen=True, slots=True)
class Reading:
    """A prompt taken apart, before anything is said of its words.

    Attributes:
        letters: of each unit, its class (`lexicon.class_of`).
        unread: words that follow the last one that was read.
        end: where that one ends in the prompt.
    """

    units: Sequence[Unit]
    letters: Sequence[str]
    mentions: Sequence[Mention]
    looks: Sequence[str]
    misspelt: Sequence[Misspelt]
    unread: int
    end: int


def check_prompt(prompt: str, lexicon: Lexicon) -> PromptCheck:
    """Say of each of the first 256 words of a prompt what it asks for, against a vocabulary."""
    return _result(prompt, read_prompt(prompt, lexicon), lexicon)


def read_prompt(prompt: str, lexicon: Lexicon) -> Reading:
    """Units, mentions and looks of a prompt; arguments as for `check_prompt`."""
    tokens, misspelt, unread, end = tokens_of(prompt, lexicon)
    units = units_of(tokens, lexicon)
    letters = classify(units)
    reader = PhraseReader(units, letters)
    mentions: list[Mention] = []
    parts = _parts(units)
    for number, (start, stop) in enumerate(parts):
        if start and letters[start - 1] == "G":  # "avoid: text, people"
            first = start
            start = next((at for at in range(start + 1, stop) if units[at].gap == STRONG), stop)
            mentions += _negated(reader, units, first, start)
        found = _read_part(reader, units, letters, start, stop)
        later = [at for first, last in parts[number + 1 :] for at in range(first, last)]
        has_later = any(letters[at] == "N" for at in later)
        ends_heading = has_later and units[stop].gap in (DASH, HEADING)
        if ends_heading and _is_heading(units, letters, start, stop, later[0]):
            for mention in found:
                mention.spare |= mention.found == "object"
                mention.rank -= mention.found == "background"
        mentions += found
    return Reading(units, letters, mentions, reader.looks, misspelt, unread, end)


def _parts(units: Sequence[Unit]) -> list[tuple[int, int]]:
    """Start and end of the parts that a colon, an exclamation mark or a dash separates.

    A sentence that a heading follows is a part of its own: "left: sun. right: cloud".
    """
    starts: list[int] = []
    sentence = None
    for at, unit in enumerate(units):
        if at == 0 or unit.gap in (DASH, HEADING):
            if unit.gap == HEADING and sentence is not None:
                starts.append(sentence)
            starts.append(at)
            sentence = None
        elif unit.gap == STRONG:
            sentence = at
    return list(zip(starts, [*starts[1:], len(units)]))


def _is_heading(
    units: Sequence[Unit], letters: Sequence[str], start: int, stop: int, following: int
) -> bool:
    """Whether a part says what kind of picture it is, and the things follow."""
    if any(letters[at] == "H" for at in range(start, stop)):
        return True
    if all(letters[at] != "N" for at in range(start, stop)):
        return True
    if units[following].gap == DASH:
        return False
    determined = any(
        letters[at] in "DK" and units[at].word != "the" and not units[at].has("question")
        for at in range(start, stop)
    )
    commas = any(units[at].gap == WEAK for at in range(start + 1, stop))
    return not determined and not commas


def _read_part(
    reader: PhraseReader, units: Sequence[Unit], letters: Sequence[str], start: int, stop: int
) -> list[Mention]:
    """The mentions of one part; what stands in the scope of a negation is negated."""
    mentions: list[Mention] = []
    at = start
    for first, last in _negations(units, letters, start, stop):
        mentions += reader.read(at, first)
        units[first].role = "negated"
        mentions += _negated(reader, units, first + 1, last)
        at = last
    return mentions + reader.read(at, stop)


def _negated(reader: PhraseReader, units: Sequence[Unit], start: int, stop: int) -> list[Mention]:
    """The mentions of units that a negation excludes."""
    mentions = reader.read(start, stop)
    for mention in mentions:
        if mention.found != "heading" or not mention.unit.entry.is_abstract:  # "does not fit"
            mention.found, mention.spare = "negated", False
    for unit in units[start:stop]:
        if unit.role != "filler":
            unit.role = "negated"
    return mentions


def _negations(
    units: Sequence[Unit], letters: Sequence[str], start: int, stop: int
) -> list[tuple[int, int]]:
    """Where each negation and what it negates stand."""
    scopes, at = [], start
    while at < stop:
        if letters[at] != "G":
            at += 1
            continue
        last, has_noun = at + 1, False
        while last < stop:
            letter, unit = letters[last], units[last]
            if unit.gap != NONE and not (unit.gap == WEAK and unit.word in ("or", "nor")):
                break
            if has_noun and (letter == "P" or _starts_anew(units, letters, last, stop)):
                break
            if letter == "G" and last > at + 1:
                break
            has_noun |= letter in "NUBHC"
            last += 1
        scopes.append((at, last))
        at = last
    return scopes


def _starts_anew(units: Sequence[Unit], letters: Sequence[str], at: int, stop: int) -> bool:
    """Whether "but", or "and" before a determiner or a number, ends a negation."""
    if letters[at] in ("X", "R"):
        return True
    if letters[at] != "J":
        return letters[at] in "DK"
    following = letters[at + 1] if at + 1 < stop else ""
    return units[at].word not in ("and", "or", "nor") or following in ("D", "K", "G", "")


# ---- the result ----


def _result(prompt: str, reading: Reading, lexicon: Lexicon) -> PromptCheck:
    units, mentions, looks = reading.units, reading.mentions, reading.looks
    backgrounds = [mention for mention in mentions if mention.found == "background"]
    chosen = max(backgrounds, key=lambda mention: mention.rank, default=None)
    background = None
    if chosen is not None:
        background = NamedBackground(chosen.name, _typed(prompt, chosen), chosen.span)
    undrawable = [_undrawable(prompt, each, lexicon) for each in mentions
                  if each.found == "undrawable"]  # fmt: skip
    further = tuple(
        NamedBackground(each.name, _typed(prompt, each), each.span)
        for each in backgrounds
        if chosen is not None
        and each.name != chosen.name
        and each.rank > 1
        and each.name != "blue sky"  # it goes with any place
    )
    undrawable += _unknown(prompt, units, undrawable)
    words = tuple(Word(prompt[slice(*unit.span)], unit.span, unit.role) for unit in units)
    negated = [m for m in mentions if m.found == "negated"]
    return PromptCheck(
        objects=_objects(prompt, mentions),
        background=background,
        look=looks[0] if looks else None,
        further_backgrounds=further,
        undrawable=tuple(sorted(undrawable, key=lambda each: each.span)),
        misspelt=tuple(reading.misspelt),
        negated=tuple(Word(_typed(prompt, each), each.span, "negated") for each in negated),
        fillers=tuple(word for word in words if word.role == "filler"),
        words=words,
        unread=reading.unread,
        unread_span=(reading.end, len(prompt)) if reading.unread else None,
    )


def _typed(prompt: str, mention: Mention) -> str:
    return prompt[slice(*mention.span)]


def _undrawable(prompt: str, mention: Mention, lexicon: Lexicon) -> Undrawable:
    unit = mention.unit
    if unit.quoted:
        return Undrawable(_typed(prompt, mention), mention.span, TEXT)
    nearest = mention.name or lexicon.nearest_noun(unit.words)
    reason = NOT_DRAWN if unit.near is not None or unit.is_known else NOT_A_WORD
    return Undrawable(_typed(prompt, mention), mention.span, reason, nearest)


def _unknown(
    prompt: str, units: Sequence[Unit], reported: Sequence[Undrawable]
) -> list[Undrawable]:
    """Words that no table has and that are not reported yet, as those of another language."""
    return [
        Undrawable(prompt[slice(*unit.span)], unit.span, NOT_A_WORD)
        for unit in units
        if len(unit.words) == 1
        and unit.role in ("modifier", "filler")
        and not unit.is_known
        and (unit.is_emoji or any(char.isalpha() for char in unit.word))
        and not any(each.span[0] <= unit.span[0] < each.span[1] for each in reported)
    ]


def _objects(prompt: str, mentions: Sequence[Mention]) -> tuple[PromptObject, ...]:
    """The objects, equal ones joined; those of headings only where there are no others."""
    named = [each for each in mentions if each.found == "object"]
    if not all(each.spare for each in named):
        named = [each for each in named if not each.spare]
    found: list[Mention] = []
    spans: list[list[Span]] = []
    in_words = {each.name for each in named if not each.unit.is_emoji}
    for each in named:
        if each.unit.is_emoji and each.name in in_words:
            continue  # it decorates the word for the same thing ("a cat 🐱")
        at = _same(found, each)
        if at is None:
            found.append(copy(each))
            spans.append([each.span])
            continue
        old = found[at]
        spans[at].append(each.span)
        if each.is_definite and each.count in (1, OPEN):
            old.colour = old.colour or each.colour
        elif OPEN in (old.count, each.count):
            old.count = OPEN
        else:
            old.count += each.count
    return tuple(
        PromptObject(
            each.name,
            _typed(prompt, each),
            tuple(places),
            None if each.count == OPEN else min(each.count, MOST),
            each.colour,
            each.size,
        )
        for each, places in zip(found, spans)
    )


def _same(found: Sequence[Mention], mention: Mention) -> int | None:
    """The object that a mention means again, or is one more of."""
    for at, thing in enumerate(found):
        if thing.name != mention.name:
            continue
        is_like = mention.colour is None or thing.colour in (None, mention.colour)
        means_again = mention.is_definite and mention.count == 1 and is_like
        if means_again or (thing.colour, thing.size) == (mention.colour, mention.size):
            return at
    return None
