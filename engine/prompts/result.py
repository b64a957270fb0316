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
    """What a model can draw, by name."""

    nouns: tuple[str, ...] = ()
    looks: tuple[str, ...] = ()  # the first is the one that a prompt without a look gives
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
    """A thing that the prompt asks for and the model draws."""

    noun: str  # its name in the vocabulary
    typed: str  # the words that name it; of the first mention where there are several
    spans: tuple[Span, ...]  # of each mention
    # how many; None = an unnamed number ("balloons", "some apples"), at least one
    count: int | None = 1
    # colour, size: of the vocabulary, or None
    colour: str | None = None
    size: SizeWord | None = None
    # all that is said of one of them, in the singular ("red dragon with golden wings"), for models
    # that take any text; "" for those with a vocabulary
    phrase: str = ""


@dataclass(frozen=True, slots=True)
class NamedBackground:
    """The background that the prompt asks for: its name in the vocabulary, and the words."""

    name: str
    typed: str
    span: Span


@dataclass(frozen=True, slots=True)
class Undrawable:
    """A thing that the prompt names and the model cannot draw."""

    typed: str
    span: Span
    reason: str  # half a sentence in plain English
    nearest: str | None = None  # the nearest thing of the vocabulary; None = nothing is near


@dataclass(frozen=True, slots=True)
class Misspelt:
    """A word that is in no table and close to one of the vocabulary, as which it is read."""

    typed: str
    span: Span
    suggestion: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptCheck:
    """What a prompt asks for."""

    objects: tuple[PromptObject, ...] = ()  # in the order of their first mention
    background: NamedBackground | None = None  # None = the prompt names none
    look: str | None = None  # of the vocabulary, or None
    # those named besides it; a picture has one
    further_backgrounds: tuple[NamedBackground, ...] = ()
    undrawable: tuple[Undrawable, ...] = ()  # things that get no box
    misspelt: tuple[Misspelt, ...] = ()  # read as their suggestion
    negated: tuple[Word, ...] = ()  # what the prompt excludes ("no clouds")
    fillers: tuple[Word, ...] = ()  # words that change nothing
    # every word that was read, with its role, in the order of the prompt
    words: tuple[Word, ...] = ()
    unread: int = 0  # how many words follow the last one that was read
    unread_span: Span | None = None  # where those stand; None = all were read
