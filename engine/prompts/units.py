"""Units of a prompt: the longest known phrases, each with what it may be.

"a big fire truck on the beach" has the units a, big, fire truck, on the beach.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from engine.prompts.lexicon import Entry, Lexicon, Meaning
from engine.prompts.result import Role, Span
from engine.prompts.tokens import NONE, Token


@dataclass(slots=True)
class Unit:
    """One phrase; `role` is decided by the parser."""

    words: tuple[str, ...]
    span: Span
    gap: int
    entry: Entry
    possessive: bool = False
    is_emoji: bool = False
    quoted: bool = False
    is_known: bool = True
    hyphenated: bool = False  # a hyphen joins it to the unit before
    capitalised: bool = False
    role: Role = "filler"

    @property
    def word(self) -> str:
        """The last word."""
        return self.words[-1]

    @property
    def letter(self) -> str:
        """Its class in the grammar (`lexicon.class_of`)."""
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
    if tokens[at].quoted:
        return 1
    most, limit = 1, lexicon.longest(tokens[at].word)
    while (
        most < limit
        and at + most < len(tokens)
        and tokens[at + most].gap == NONE
        and not (tokens[at + most].quoted or tokens[at + most].is_emoji)
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
        words,
        (first.span[0], last.span[1]),
        first.gap,
        lexicon.entry(words),
        possessive=last.possessive,
        is_emoji=first.is_emoji,
        quoted=first.quoted,
        is_known=last.is_known,
        hyphenated=first.hyphenated,
        capitalised=first.capitalised,
    )
