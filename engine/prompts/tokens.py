"""Tokens of a prompt: its words with the punctuation before each.

A word of no table that is close to one of the vocabulary is read as that word.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from engine.prompts.lexicon import Lexicon
from engine.prompts.result import Misspelt, Span
from engine.words import located_words

MAX_READ = 256  # words
MOST_CORRECTED = 32  # unknown words whose spelling is looked at
MOST_EMOJI_WORDS = 3  # of an emoji's name
MAX_CHARS = 64 * MAX_READ  # the part of a prompt in which words are looked for
_POSSESSIVE = re.compile(r"['\u2019]s\b|['\u2019](?=\s)")
_STRONG = re.compile(r"[.!?;:\n\r()\[\]{}|]|\s[-\u2013\u2014]+\s|\u2014|\.\.\.")
_DASH = re.compile(r"\s[-\u2013\u2014]+\s")
_WEAK = re.compile(r"[,/&+\u3001\uff0c\u2022*\t]")
HYPHENS = ("-", "\u2010", "\u2011")
_QUOTED = re.compile(r"\"([^\"\n]{1,80})\"|\u201c([^\u201d\n]{1,80})\u201d")

# Breaks before a token: none, a comma, the end of a clause, a dash, a colon or an exclamation mark.
NONE, WEAK, STRONG, DASH, HEADING = 0, 1, 2, 3, 4


@dataclass(frozen=True, slots=True)
class Token:
    """One word.

    Attributes:
        word: lowercase; corrected where it was misspelt.
        span: where it stands in the prompt.
        gap: the break before it.
        possessive: "'s" follows.
        is_emoji: made of an emoji's name.
        quoted: stands between double quotation marks, so it is text to be written.
        is_known: some table has it.
        hyphenated: a hyphen joins it to the word before.
        capitalised: begins with a capital letter, in a prompt where few words do.
    """

    word: str
    span: Span
    gap: int
    possessive: bool = False
    is_emoji: bool = False
    quoted: bool = False
    is_known: bool = True
    hyphenated: bool = False
    capitalised: bool = False


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
    quoted = [match.span() for match in _QUOTED.finditer(part) if not _is_whole(match, part)]
    found: list[Token] = []
    spelling = _Corrections(lexicon, part)
    capitals = {first for _, first, _ in kept if part[first].isupper()}
    if 2 * len(capitals) > len(kept):
        capitals = set()  # a title
    before, last = 0, (-1, -1)
    for word, first, stop in kept:
        gap = NONE if (first, stop) == last else _break(part, before, first)
        is_emoji = not part[first:stop].isascii() and not part[first:stop][0].isalnum()
        if (is_emoji and (first, stop) != last) or (found and found[-1].is_emoji and not is_emoji):
            gap = max(gap, WEAK)
        possessive = _POSSESSIVE.match(part, stop) is not None
        in_quotes = any(a < first and stop < b for a, b in quoted)
        hyphenated = part[before:first] in HYPHENS
        span = (first, stop)
        word, is_known = (word, True) if in_quotes else spelling.read(word, span)
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
            )
        )
        before, last = stop, span
    return found, spelling.misspelt, unread, end


def _is_whole(match: re.Match[str], part: str) -> bool:
    """Whether nothing stands outside the quotation marks: then they mean nothing."""
    return not (part[: match.start()] + part[match.end() :]).strip(" .,!\n")


def _break(part: str, before: int, start: int) -> int:
    between = part[before:start]
    if between == " ":
        return NONE
    if _STRONG.search(between) is not None:
        if ":" in between or "!" in between:
            return HEADING
        return DASH if _DASH.search(between) is not None else STRONG
    return WEAK if _WEAK.search(between) is not None else NONE


class _Corrections:
    """Corrects the words of one prompt.

    Attributes:
        misspelt: the words that were corrected.
    """

    def __init__(self, lexicon: Lexicon, prompt: str) -> None:
        self._lexicon, self._prompt = lexicon, prompt
        self._unknown = 0
        self.misspelt: list[Misspelt] = []

    def read(self, word: str, span: Span) -> tuple[str, bool]:
        """The word, or the one that it is a misspelling of, and whether some table has it."""
        if self._lexicon.knows(word):
            return word, True
        is_tried = word.isalpha() and len(self.misspelt) + self._unknown < MOST_CORRECTED
        suggestion = self._lexicon.nearest_spelling(word) if is_tried else None
        if suggestion is None:
            self._unknown += 1
            return word, False
        self.misspelt.append(Misspelt(self._prompt[slice(*span)], span, suggestion))
        return suggestion, True
