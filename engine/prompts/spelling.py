"""Misspelt words: the nearest word of a list by the letters that differ.

A word is near when one edit separates both (two from six letters on); an edit is a letter too
many, too few, wrong, or exchanged with its neighbour.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

SHORTEST = 4  # letters; shorter words have too many neighbours
LONG = 6  # letters from which on two edits are allowed


class Speller:
    """Finds the nearest of some words.

    Args:
        words: lowercase; earlier ones win where several are equally near.
    """

    def __init__(self, words: Iterable[str]) -> None:
        self._rank: dict[str, int] = {}
        self._by_rest: dict[str, list[str]] = defaultdict(list)
        for word in words:
            if len(word) < SHORTEST or word in self._rank:
                continue
            self._rank[word] = len(self._rank)
            for rest in _rests(word):
                self._by_rest[rest].append(word)

    def nearest(self, word: str) -> str | None:
        """The nearest word, or None where none is near."""
        if len(word) < SHORTEST or len(word) > 24 or not word.isascii():
            return None
        rests = {word, *(word[:i] + word[i + 1 :] for i in range(len(word)))}
        found = {other for rest in rests for other in self._by_rest.get(rest, ())}
        best: tuple[int, bool, int] | None = None
        chosen = None
        for other in found:
            edits = distance(word, other)
            if edits > (2 if min(len(word), len(other)) >= LONG else 1):
                continue
            key = (edits, other[0] != word[0], self._rank[other])
            if best is None or key < best:
                best, chosen = key, other
        return chosen


def distance(a: str, b: str) -> int:
    """Edits between two words (optimal string alignment)."""
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, letter in enumerate(a, 1):
        previous, row, older = row, [i], before
        for j, other in enumerate(b, 1):
            cost = min(row[j - 1] + 1, previous[j] + 1, previous[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == b[j - 2] and a[i - 2] == other:
                cost = min(cost, older[j - 2] + 1)
            row.append(cost)
        before = previous
    return row[-1]


def _rests(word: str) -> set[str]:
    """The word, and what is left of it without one or, where it is long, two letters."""
    rests = {word}
    one = {word[:i] + word[i + 1 :] for i in range(len(word))}
    rests |= one
    if len(word) >= LONG - 1:
        rests |= {rest[:i] + rest[i + 1 :] for rest in one for i in range(len(rest))}
    return rests
