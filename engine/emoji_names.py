"""Emoji of a prompt, with the English names that Unicode's CLDR gives them.

Knows no table of words. The names come from the package `emoji`.
"""

from __future__ import annotations

import re
import unicodedata

# All blocks of picture characters; one that is newer than the package has no name.
_PICTURES = re.compile("[\U0001f000-\U0001fbff]")
# Characters below this one are text symbols such as © and ‼.
_FIRST = "\u2100"
_FACES_OF_ANIMALS = re.compile("[\U0001f400-\U0001f43f\U0001f980-\U0001f9ae]")
# Names that end in one of these words do not name a thing: "thumbs up", "left arrow".
_NO_THINGS = frozenset(
    "face up down hand hands button sign symbol mark arrow square circle".split()
)


def emoji_in(prompt: str, most_words: int = 2) -> list[tuple[int, int, tuple[str, ...]]]:
    """Each emoji: start and end in the prompt, and the words of its name.

    An emoji whose name has more than `most_words`, or does not name a thing, has no words.
    """
    if prompt.isascii() or not any(char >= _FIRST for char in prompt):
        return []
    import emoji  # its tables take a tenth of a second: only prompts with an emoji wait for them

    found = [
        (each["match_start"], each["match_end"], _thing(each["emoji"], most_words))
        for each in emoji.emoji_list(prompt)
        if _is_picture(each["emoji"])
    ]
    taken = {place for start, end, _ in found for place in range(start, end)}
    found += [
        (match.start(), match.end(), ())
        for match in _PICTURES.finditer(prompt)
        if match.start() not in taken and _is_picture(match.group())
    ]
    return sorted(found)


def _is_picture(text: str) -> bool:
    """Whether it is a picture; enclosed letters and digits are read as letters and digits."""
    plain = unicodedata.normalize("NFKD", text)
    return text[0] >= _FIRST and not any(char.isalnum() for char in plain)


def _thing(text: str, most_words: int) -> tuple[str, ...]:
    """The words of the name, or none where it names no thing."""
    import emoji

    words = emoji.demojize(text, delimiters=("", "")).lower().split("_")
    if len(words) == 2 and words[1] == "face" and _FACES_OF_ANIMALS.match(text):
        words = words[:1]
    is_thing = len(words) <= most_words and words[-1] not in _NO_THINGS
    return tuple(words) if is_thing and all(word.isalpha() for word in words) else ()
