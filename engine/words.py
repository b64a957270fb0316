"""Words: splits a prompt into words and finds each in the shipped word table.

An emoji is read as its English name in Unicode's CLDR, which the package `emoji` has. The text
encoder decides which words get trained vectors of their own (colours, counts, sizes, looks).

Shapes: n words of the table, 128 numbers each.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Collection, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from safetensors import SafetensorError, safe_open

from engine.errors import WeightsError
from engine.paths import resource_path

MAX_WORDS = 48
NUM_DIMS = 128
NUMBER_WORDS = (
    ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
    + ("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen")
    + ("eighteen", "nineteen", "twenty")
)

# "3d" and "3-d" are one word; "3 dogs" are two; "dog's" is "dog".
_THREE_D = re.compile(r"3\s?-?\s?d")
_RUN = re.compile(r"3\s?-?\s?d(?![^\W_])|[^\W_]+")
_PART = re.compile(r"3d(?![^\W_])|[^\W\d_]+|\d+")
_POSSESSIVE = re.compile(r"['\u2019]s\b|['\u2019]")
_DOUBLED = re.compile(r"(.)\1$")
_SHORTEST_STEM = 3
_SHORTEST_NOUN = 3  # "3dogs" is a count and a noun, "85mm" and "4k" are a number and a unit
_BREAK = "\u200b"  # the zero-width space, the only invisible character that separates words


_lock = threading.Lock()  # the cache alone would let two threads read at once


def tokenize(prompt: str) -> list[str]:
    """Split a prompt into at most 48 lowercase words; possessives and accents of Latin letters go.

    Whole numbers up to 20 become words ("3 dogs" -> "three", "dogs"); longer ones stay digits,
    which are in no table, so that they are reported and not silently lost. So do digits with a unit
    ("85mm"). An emoji becomes the words of its name where the shipped table has them all, else
    it stays as it is. Words of other scripts stay whole, with their marks. Invisible characters
    such as the soft hyphen do not split a word.
    """
    return [word for word, _, _ in located_words(prompt)[:MAX_WORDS]]


def located_words(prompt: str, emoji_words: int = 2) -> list[tuple[str, int, int]]:
    """All words as `tokenize` makes them, with where each stands in the prompt: start, end.

    Also those after the 48th.

    Args:
        emoji_words: how many words the name of an emoji has at most; one with more has none.
    """
    if prompt.isascii():
        return _ascii_words(prompt)
    emoji = emoji_in(prompt, emoji_words)
    inside = {place for start, end, _ in emoji for place in range(start, end)}
    letters = _letters(prompt, inside)
    plain = "".join(letter.plain for letter in letters)
    words = []
    for run in _RUN.finditer(plain):
        for start, end in _parts(run):
            places = letters[start:end]
            words.append((_word(places), places[0].place, places[-1].place + 1))
    for start, end, name in emoji:
        words += [(word, start, end) for word in _known(name) or (prompt[start:end],)]
    return sorted(words, key=lambda word: word[1]) if emoji else words


def _ascii_words(prompt: str) -> list[tuple[str, int, int]]:
    """`located_words` of a prompt without marks and emoji, faster than letter by letter."""
    plain = prompt.lower()
    places: Sequence[int] = range(len(plain))
    if "'" in plain:
        kept, start = [], 0
        for match in _POSSESSIVE.finditer(plain):
            kept.append(range(start, match.start()))
            start = match.end()
        places = [place for part in (*kept, range(start, len(plain))) for place in part]
        plain = "".join(plain[part.start : part.stop] for part in kept) + plain[start:]
    words = []
    for run in _RUN.finditer(plain):
        if run.group().isalpha():
            start, end = run.span()
            words.append((run.group(), places[start], places[end - 1] + 1))
            continue
        for start, end in _parts(run):
            text = plain[start:end]
            words.append((_spelled(text, text), places[start], places[end - 1] + 1))
    return words


class _Letter(NamedTuple):
    """One character of the prompt as it is read."""

    plain: str  # lowercase, without marks; what words are found in
    shown: str  # with the marks of its script; what the word is reported as
    place: int  # where it stands in the prompt


def _letters(prompt: str, skipped: Collection[int]) -> list[_Letter]:
    """The characters without possessives, invisible characters and marks of Latin letters.

    Args:
        skipped: places of emoji; each becomes a space.
    """
    letters: list[_Letter] = []
    for place, char in enumerate(prompt):
        if place in skipped:
            letters.append(_Letter(" ", " ", place))
            continue
        if char.isascii():
            letters.append(_Letter(char.lower(), char.lower(), place))
            continue
        for part in unicodedata.normalize("NFKD", char).lower():
            kind = unicodedata.category(part)
            if kind[0] == "M" or (kind == "Cf" and part != _BREAK):
                if letters and kind[0] == "M" and _keeps_marks(letters[-1].plain):
                    last = letters[-1]
                    letters[-1] = last._replace(shown=last.shown + part)
                continue
            letters.append(_Letter(part, part, place))
    plain = "".join(letter.plain for letter in letters)
    for match in reversed(list(_POSSESSIVE.finditer(plain))):
        del letters[match.start() : match.end()]
    return letters


def _keeps_marks(letter: str) -> bool:
    """Whether a letter's marks belong to its word: only in the Latin script they are dropped."""
    return letter.isalpha() and not unicodedata.name(letter, "").startswith("LATIN")


def _parts(run: re.Match[str]) -> list[tuple[int, int]]:
    """Start and end of each word in a run of letters and digits.

    "3dogs" are two; where no part has three letters, as in "85mm" and "mp4", the run is one word.
    """
    text, at = run.group(), run.start()
    found = list(_PART.finditer(text))
    is_unit = all(len(part.group()) < _SHORTEST_NOUN for part in found if part.group().isalpha())
    if len(found) < 2 or _THREE_D.fullmatch(text) or is_unit:
        return [run.span()]
    return [(at + part.start(), at + part.end()) for part in found]


def _word(letters: Sequence[_Letter]) -> str:
    plain = "".join(letter.plain for letter in letters)
    return _spelled(plain, "".join(letter.shown for letter in letters))


def _spelled(plain: str, shown: str) -> str:
    if _THREE_D.fullmatch(plain):
        return "3d"
    if plain.isdecimal() and len(plain) <= 2 and int(plain) < len(NUMBER_WORDS):
        return NUMBER_WORDS[int(plain)]
    return unicodedata.normalize("NFC", shown)


def _known(name: Sequence[str]) -> Sequence[str]:
    """The words of an emoji's name, if the shipped table has them all."""
    try:
        table = load_word_table() if name else None
    except WeightsError:  # the model, which needs the table, reports that it is missing
        table = None
    return name if table and all(table.index(word) is not None for word in name) else ()


class WordTable:
    """A frozen vector for each of some 22,000 English words.

    Attributes:
        words: the n words; a word's place is its index.
        vectors: (n, 128) float32, read-only, in the order of `words`.
    """

    def __init__(self, words: Sequence[str], vectors: np.ndarray) -> None:
        """Raises WeightsError when words and vectors do not fit together."""
        if vectors.shape != (len(words), NUM_DIMS):
            raise WeightsError(
                f"The word table has {len(words)} words but vectors of shape {vectors.shape}."
            )
        self.words = tuple(words)
        self.vectors = np.ascontiguousarray(vectors, dtype=np.float32)
        self.vectors.flags.writeable = False
        self._index = {word: index for index, word in enumerate(self.words)}

    def index(self, word: str) -> int | None:
        """The row of a lowercase word: itself, else its singular, else its stem, else None."""
        if word in self._index:
            return self._index[word]
        for candidate in simpler_forms(word):
            if candidate in self._index:
                return self._index[candidate]
        return None

    def unknown_words(self, prompt: str) -> tuple[str, ...]:
        """The words of a prompt that have no row, in order, each once."""
        unknown = (word for word in tokenize(prompt) if self.index(word) is None)
        return tuple(dict.fromkeys(unknown))


def simpler_forms(word: str) -> Iterator[str]:
    """Plural to singular, then stems of -ing, -ed and -er, best guess first."""
    if word.endswith("ies"):
        yield word[:-3] + "y"
    if word.endswith("ves"):
        yield word[:-3] + "f"
        yield word[:-3] + "fe"
    if word.endswith("s") and not word.endswith("ss") and len(word) > _SHORTEST_STEM:
        # "horses" before "boxes": dropping one letter loses less.
        yield word[:-1]
        if word.endswith("es"):
            yield word[:-2]
    for ending in ("ing", "ed", "er"):
        stem = word.removesuffix(ending)
        if stem == word or len(stem) < _SHORTEST_STEM:
            continue
        yield stem
        yield stem + "e"
        if _DOUBLED.search(stem):
            yield stem[:-1]
        if stem.endswith("i"):
            yield stem[:-1] + "y"


@cache
def _shipped() -> WordTable:
    return read_word_table(resource_path("model", "words.safetensors"))


def load_word_table() -> WordTable:
    """The shipped word table, read once, on any thread; raises what `read_word_table` raises."""
    with _lock:
        return _shipped()


def unknown_words(prompt: str) -> tuple[str, ...]:
    """`WordTable.unknown_words` of the shipped table; raises what `load_word_table` raises."""
    return load_word_table().unknown_words(prompt)


def read_word_table(path: Path) -> WordTable:
    """A word table's file.

    Raises:
        WeightsError: the file is missing, damaged or not a word table.
    """
    if not path.is_file():
        raise WeightsError(f"The word table is missing: {path}.")
    try:
        with safe_open(path, framework="np") as file:
            words = (file.metadata() or {})["words"].split("\n")
            table = file.get_tensor("vectors")
            scales = file.get_tensor("scales")
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise WeightsError(f"The word table {path.name} is damaged: {error}") from error
    if table.dtype != np.int8 or table.ndim != 2 or scales.shape != table.shape[:1]:
        raise WeightsError(
            f"The word table {path.name} is damaged: vectors {table.dtype} {table.shape}, "
            f"scales {scales.shape}."
        )
    return WordTable(words, table.astype(np.float32) * scales[:, None].astype(np.float32))


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
