"""Ignored: what of a prompt the model does not read, and where it stands (PR2, MS21)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from engine import MAX_WORDS, located_words


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignored:
    """Words of a prompt that change nothing.

    Attributes:
        unknown: those that the model does not know, in order, each once.
        places: (start, end) in the prompt of these and of all words after the last that is read.
        is_all: it knows none of the words.
        limit: how many words it reads, where there are more; else 0.
    """

    unknown: tuple[str, ...] = ()
    places: tuple[tuple[int, int], ...] = ()
    is_all: bool = False
    limit: int = 0


def ignored_words(prompt: str, unknown: Collection[str]) -> Ignored:
    """Find them in the prompt; `unknown` are the words that the model does not know."""
    words = located_words(prompt)
    read, late = words[:MAX_WORDS], words[MAX_WORDS:]
    ignored = [each for each in read if each[0] in unknown]
    return Ignored(
        unknown=tuple(dict.fromkeys(word for word, _, _ in ignored)),
        places=tuple((start, end) for _, start, end in (*ignored, *late)),
        is_all=bool(words) and len(ignored) == len(read),
        limit=MAX_WORDS if late else 0,
    )
