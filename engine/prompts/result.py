"""What reading a prompt gives: frozen values of plain text and numbers.

Spans are (start, end) in characters of the prompt as typed, end exclusive.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Span = tuple[int, int]
Role = Literal[
    "object",
    "modifier",
    "count",
    "colour",
    "size",
    "look",
    "background",
    "heading",
    "filler",
    "negated",
    "undrawable",
]
SizeWord = Literal["big", "small"]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What a model can draw, by name.

    Attributes:
        looks: the first is the one that a prompt without a look gives.
    """

    nouns: tuple[str, ...] = ()
    looks: tuple[str, ...] = ()
    colours: tuple[str, ...] = ()
    backgrounds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Word:
    """One word, or a phrase that has one role, as typed."""

    typed: str
    span: Span
    role: Role


@dataclass(frozen=True, slots=True)
class PromptObject:
    """A thing that the prompt asks for and the model draws.

    Attributes:
        noun: its name in the vocabulary.
        typed: the words that name it; of the first mention where there are several.
        spans: of each mention.
        count: how many; None = an unnamed number ("balloons", "some apples"), at least one.
        colour, size: of the vocabulary, or None.
    """

    noun: str
    typed: str
    spans: tuple[Span, ...]
    count: int | None = 1
    colour: str | None = None
    size: SizeWord | None = None


@dataclass(frozen=True, slots=True)
class NamedBackground:
    """The background that the prompt asks for: its name in the vocabulary, and the words."""

    name: str
    typed: str
    span: Span


@dataclass(frozen=True, slots=True)
class Undrawable:
    """A thing that the prompt names and the model cannot draw.

    Attributes:
        reason: half a sentence in plain English.
        nearest: the nearest thing of the vocabulary; None = nothing is near.
    """

    typed: str
    span: Span
    reason: str
    nearest: str | None = None


@dataclass(frozen=True, slots=True)
class Misspelt:
    """A word that is in no table and close to one of the vocabulary, as which it is read."""

    typed: str
    span: Span
    suggestion: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptCheck:
    """What a prompt asks for.

    Attributes:
        objects: in the order of their first mention.
        background: None = the prompt names none.
        look: of the vocabulary, or None.
        further_backgrounds: those named besides it; a picture has one.
        undrawable: things that get no box.
        misspelt: read as their suggestion.
        negated: what the prompt excludes ("no clouds").
        fillers: words that change nothing.
        words: every word that was read, with its role, in the order of the prompt.
        unread: how many words follow the last one that was read.
        unread_span: where those stand; None = all were read.
    """

    objects: tuple[PromptObject, ...] = ()
    background: NamedBackground | None = None
    look: str | None = None
    further_backgrounds: tuple[NamedBackground, ...] = ()
    undrawable: tuple[Undrawable, ...] = ()
    misspelt: tuple[Misspelt, ...] = ()
    negated: tuple[Word, ...] = ()
    fillers: tuple[Word, ...] = ()
    words: tuple[Word, ...] = ()
    unread: int = 0
    unread_span: Span | None = None
