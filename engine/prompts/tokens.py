"""Tokens and units of a prompt.

A token is a word with the punctuation before it; a word of no table that is close to one of the
vocabulary is read as that word. A unit is the longest known phrase, with what it may be: "a big
fire truck on the beach" has the units a, big, fire truck, on the beach.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from engine.prompts.lexicon import Entry, Lexicon, Meaning
from engine.prompts.result import Misspelt, Role, Span
from engine.words import located_words

MAX_READ = 256  # words
MOST_CORRECTED = 32  # unknown words whose spelling is looked at
MOST_EMOJI_WORDS = 3  # of an emoji's name
MAX_CHARS = 64 * MAX_READ  # the part of a prompt in which words are looked for
_POSSESSIVE = re.compile(r"['\u2019]s\b|['\u2019](?=\s)")
_STRONG = re.compile(r"[.!?;:\n\r()\[\]{}|]|\s[-\u2013\u2014]+\s|\u2014|\.\.\.")
_DASH = re.compile(r"\s[-\u2013\u2014]+\s")
_WEAK = re.compile(r"[,/&+=\u3001\uff0c\u2022*\t]")
HYPHENS = ("-", "\u2010", "\u2011")
# What is no part of the sentence: settings of other programs, weights, sizes, prices, years.
_SETTING = re.compile(
    r"(?<!\S)--(?!no\b)[a-z]+(?:[ =]+[\d.:]{1,9})?(?!\S)"  # "--ar 16:9"
    r"|::-?[\d.]{1,9}|:\d{0,3}\.\d{1,9}|<\w{1,20}:[^<>\n]{1,80}>|\bBREAK\b"  # "dog::2"
    r"|https?://\S+|\bwww\.\S+|#[0-9a-fA-F]{6}\b"
    r"|\b\d{1,9}(?:[.,]\d{1,9})?\s?[%\u20ac\u00a3]|[$\u20ac\u00a3]\s?\d[\d.,]{0,9}|#\d{1,9}"
    r"|\b\d{1,9}(?:\.\d{1,9}){1,4}\b|\b\d{1,4}:\d{1,4}\b"
    r"|\b\d{2,5}\s?[x\u00d7]\s?\d{2,5}\b"
    r"|\b(?:1[5-9]|20)(?!00)\d\d\b"
)
_WITHOUT = re.compile(r"\b[wW]/[oO]\b")
_QUOTED = re.compile(r"\"([^\"\n]{1,80})\"|\u201c([^\u201d\n]{1,80})\u201d")

# Breaks before a token: none, a comma, the end of a clause, a dash, a colon or an exclamation mark,
# an opening bracket.
NONE, WEAK, STRONG, DASH, HEADING, BRACKET = 0, 1, 2, 3, 4, 5


@dataclass(slots=True)
class Token:
    """One word."""

    word: str  # lowercase; corrected where it was misspelt
    span: Span  # where it stands in the prompt
    gap: int  # the break before it
    possessive: bool = False  # "'s" follows
    is_emoji: bool = False  # made of an emoji's name
    quoted: bool = False  # stands between double quotation marks, so it is text to be written
    is_known: bool = True  # some table has it
    hyphenated: bool = False  # a hyphen joins it to the word before
    capitalised: bool = False  # begins with a capital letter, in a prompt where few words do
    is_setting: bool = False  # stands in a setting of another program, a price or the like


def _changes_script(tokens: Sequence[Token], word: str) -> bool:
    """Whether one of two words is Latin: words of another script name things of their own."""
    return bool(tokens) and _is_latin(tokens[-1].word) != _is_latin(word)


def _is_latin(word: str) -> bool:
    return not word[0].isalpha() or word[0] < "\u0250"


def tokens_of(prompt: str, lexicon: Lexicon) -> tuple[list[Token], list[Misspelt], int, int]:
    """The tokens that are read, the misspelt ones, how many words are not read, and from where."""
    part = prompt[:MAX_CHARS]
    words = located_words(part, MOST_EMOJI_WORDS)
    if len(prompt) > MAX_CHARS and len(words) > 1 and words[-1][2] == MAX_CHARS:
        words = words[:-1]  # cut in its middle
    kept = words[:MAX_READ]
    end = kept[-1][2] if kept else 0
    unread = len(words) - len(kept)
    if len(prompt) > MAX_CHARS:
        start = words[-1][2] if words else 0
        unread += len(prompt[start:].split())
    quoted = [match.span() for match in _QUOTED.finditer(part)]
    # Quotation marks around the whole prompt mean nothing.
    quoted = [(a, b) for a, b in quoted if (part[:a] + part[b:]).strip(" .,!\n")]
    settings = [match.span() for match in _SETTING.finditer(part)]
    found: list[Token] = []
    spelling = _Corrections(lexicon, part)
    capitals = {first for _, first, _ in kept if part[first].isupper()}
    if 2 * len(capitals) > len(kept):
        capitals = set()  # a title
    before, last, is_question = 0, (-1, -1), False
    for word, first, stop in kept:
        gap = NONE if (first, stop) == last else _break(part, before, first)
        is_setting = any(a <= first < b for a, b in settings)
        if gap == STRONG and is_question and "?" in part[before:first]:
            gap = HEADING
        if gap >= STRONG or not found:
            is_question = "question" in lexicon.roles((word,))
        if is_setting and gap == HEADING:
            gap = NONE  # "(a dog:1.2)"
        elif gap == NONE and found and found[-1].is_setting and not is_setting:
            gap = WEAK  # "dog::2 moon::1"
        is_emoji = not part[first:stop].isascii() and not part[first:stop][0].isalnum()
        ends_emoji = bool(found) and found[-1].is_emoji and not is_emoji
        if (is_emoji and (first, stop) != last) or ends_emoji or _changes_script(found, word):
            gap = max(gap, WEAK)
        possessive = _POSSESSIVE.match(part, stop) is not None
        in_quotes = any(a < first and stop < b for a, b in quoted)
        hyphenated = part[before:first] in HYPHENS
        span = (first, stop)
        is_read = not (in_quotes or is_setting)
        is_name = first in capitals and gap < STRONG and first > 0
        word, is_known = spelling.read(word, span, is_name=is_name) if is_read else (word, True)
        found.append(
            Token(
                word,
                span,
                gap,
                possessive=possessive,
                is_emoji=is_emoji,
                quoted=in_quotes,
                is_known=is_known,
                hyphenated=hyphenated,
                capitalised=first in capitals,
                is_setting=is_setting,
            )
        )
        before, last = stop, span
    return found, spelling.misspelt, unread, end


def _break(part: str, before: int, start: int) -> int:
    between = part[before:start]
    if between == " " or _WITHOUT.match(part, before - 1):
        return NONE
    if _STRONG.search(between) is not None:
        if ":" in between or "!" in between:
            return HEADING
        if between.endswith("("):
            return BRACKET
        return DASH if _DASH.search(between) is not None else STRONG
    return WEAK if _WEAK.search(between) is not None else NONE


class _Corrections:
    """Corrects the words of one prompt."""

    def __init__(self, lexicon: Lexicon, prompt: str) -> None:
        self._lexicon, self._prompt = lexicon, prompt
        self._unknown = 0
        self.misspelt: list[Misspelt] = []

    def read(self, word: str, span: Span, *, is_name: bool) -> tuple[str, bool]:
        """The word, or the one that it misspells, and whether some table has it."""
        if self._lexicon.has_word(word) or self._lexicon.is_derived(word, has_stem=True):
            return word, True
        is_tried = (
            word.isalpha() and not is_name and len(self.misspelt) + self._unknown < MOST_CORRECTED
        )
        suggestion = self._lexicon.nearest_spelling(word) if is_tried else None
        if suggestion is None:
            self._unknown += 1
            return word, self._lexicon.is_derived(word, has_stem=False)
        self.misspelt.append(Misspelt(self._prompt[slice(*span)], span, suggestion))
        return suggestion, True


@dataclass(slots=True, kw_only=True)
class Unit(Token):
    """One phrase; `word` is its last, `gap` the break before its first; the parser sets `role`."""

    words: tuple[str, ...]
    entry: Entry
    role: Role = "filler"

    @property
    def letter(self) -> str:
        """Its class in the grammar (`lexicon.class_of`)."""
        if self.is_setting:
            return "F"
        return "Q" if self.quoted else self.entry.letter

    @property
    def noun(self) -> Meaning | None:
        return self.entry.noun

    @property
    def background(self) -> Meaning | None:
        return self.entry.background

    @property
    def near(self) -> Meaning | None:
        return self.entry.near

    @property
    def parts(self) -> str:
        return self.entry.parts

    @property
    def count(self) -> int | None:
        return self.entry.count

    def has(self, *roles: str) -> bool:
        """Whether it has one of these roles in the table."""
        return not self.entry.roles.isdisjoint(roles)


def units_of(tokens: Sequence[Token], lexicon: Lexicon) -> list[Unit]:
    """Split tokens into the longest phrases that the lexicon has; every other word is one unit."""
    units, at = [], 0
    while at < len(tokens):
        if tokens[at].is_emoji:
            length = sum(1 for token in tokens[at:] if token.span == tokens[at].span)
            units.append(_emoji_unit(tokens[at : at + length], lexicon))
        else:
            length = _longest(tokens, at, lexicon)
            units.append(_unit(tokens[at : at + length], lexicon))
        at += length
    return units


def _emoji_unit(tokens: Sequence[Token], lexicon: Lexicon) -> Unit:
    """One emoji: the thing that its name or the end of its name means ("soft ice cream")."""
    named = [at for at, token in enumerate(tokens) if token.word == "with"] or [len(tokens)]
    tokens = tokens[: named[0]]  # "beach with umbrella" is a beach
    for skipped in range(len(tokens)):
        words = tuple(token.word for token in tokens[skipped:])
        if lexicon.meanings(words):
            first = replace(tokens[skipped], gap=tokens[0].gap)
            return _unit([first, *tokens[skipped + 1 :]], lexicon)
    return _unit(tokens, lexicon)


def _longest(tokens: Sequence[Token], at: int, lexicon: Lexicon) -> int:
    if tokens[at].quoted or tokens[at].is_setting:
        return 1
    most, limit = 1, lexicon.longest(tokens[at].word)
    while (
        most < limit
        and at + most < len(tokens)
        and tokens[at + most].gap == NONE
        and not (
            tokens[at + most].quoted or tokens[at + most].is_emoji or tokens[at + most].is_setting
        )
    ):
        most += 1
    for length in range(most, 1, -1):
        words = tuple(token.word for token in tokens[at : at + length])
        if lexicon.roles(words):
            is_open = words[0] == "a" and words[-1] == "of"  # "a pair of scissors" is a thing
            return 1 if is_open and _names(tokens, at + 1, length, lexicon) else length
        if lexicon.meanings(words) and not any(
            token.possessive for token in tokens[at : at + length - 1]
        ):
            return length
    return 1


def _names(tokens: Sequence[Token], at: int, least: int, lexicon: Lexicon) -> bool:
    """Whether a thing of at least so many words begins there."""
    words = [token.word for token in tokens[at : at + lexicon.longest(tokens[at].word)]]
    return any(
        "noun" in lexicon.meanings(tuple(words[:length])) for length in range(least, len(words) + 1)
    )


def _unit(tokens: Sequence[Token], lexicon: Lexicon) -> Unit:
    words = (tokens[0].word,) if len(tokens) == 1 else tuple(token.word for token in tokens)
    first, last = tokens[0], tokens[-1]
    return Unit(
        last.word,
        (first.span[0], last.span[1]),
        first.gap,
        words=words,
        entry=lexicon.entry(words),
        possessive=last.possessive,
        is_emoji=first.is_emoji,
        quoted=first.quoted,
        is_known=last.is_known,
        hyphenated=first.hyphenated,
        capitalised=first.capitalised,
        is_setting=first.is_setting,
    )
