"""Tokens of a prompt: its words with the punctuation before each.

A word of no table that is close to one of the vocabulary is read as that word.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

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
    """

    word: str
    span: Span
    gap: int
    possessive: bool = False
    is_emoji: bool = False
    quoted: bool = False
    is_known: bool = True


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
    before, last = 0, (-1, -1)
    for word, first, stop in kept:
        gap = NONE if (first, stop) == last else _break(part, before, first)
        is_emoji = not part[first:stop].isascii() and not part[first:stop][0].isalnum()
        if (is_emoji and (first, stop) != last) or (found and found[-1].is_emoji and not is_emoji):
            gap = max(gap, WEAK)
        possessive = _POSSESSIVE.match(part, stop) is not None
        in_quotes = any(a < first and stop < b for a, b in quoted)
        found.append(Token(word, (first, stop), gap, possessive, is_emoji, in_quotes))
        before, last = stop, (first, stop)
    corrected, misspelt = _correct(found, prompt, lexicon)
    return corrected, misspelt, unread, end


def _is_whole(match: re.Match[str], part: str) -> bool:
    """Whether nothing stands outside the quotation marks: then they mean nothing."""
    return not (part[: match.start()] + part[match.end() :]).strip(" .,!\n")


def _break(part: str, before: int, start: int) -> int:
    between = part[before:start]
    if _STRONG.search(between) is not None:
        if ":" in between or "!" in between:
            return HEADING
        return DASH if _DASH.search(between) is not None else STRONG
    return WEAK if _WEAK.search(between) is not None else NONE


def _correct(
    tokens: Sequence[Token], prompt: str, lexicon: Lexicon
) -> tuple[list[Token], list[Misspelt]]:
    corrected: list[Token] = []
    misspelt: list[Misspelt] = []
    unknown = 0
    for token in tokens:
        word = token.word
        if not token.quoted and not lexicon.knows(word):
            is_tried = word.isalpha() and len(misspelt) + unknown < MOST_CORRECTED
            suggestion = lexicon.nearest_spelling(word) if is_tried else None
            if suggestion is not None:
                start, end = token.span
                misspelt.append(Misspelt(prompt[start:end], token.span, suggestion))
                token = replace(token, word=suggestion)
            else:
                unknown += 1
                token = replace(token, is_known=False)
        corrected.append(token)
    return corrected, misspelt
