"""Words: splits a prompt into words and finds each in the shipped word table.

Numpy only: knows neither torch nor the model. Which of the words get trained vectors of their own
(colours, counts, sizes, looks) is the text encoder's business.

Shapes: n words of the table, 128 numbers each.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path

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
_TOKEN = re.compile(r"3\s?-?\s?d(?![^\W_])|[^\W\d_]+|\d+")
_POSSESSIVE = re.compile(r"['\u2019]s\b|['\u2019]")
_DOUBLED = re.compile(r"(.)\1$")
_SHORTEST_STEM = 3


def tokenize(prompt: str) -> list[str]:
    """Split a prompt into at most 48 lowercase words; accents and possessives go.

    Whole numbers up to 20 become words ("3 dogs" -> "three", "dogs"); longer ones stay digits,
    which no table knows, so that they are reported and not silently lost.
    """
    return [word for word, _, _ in located_words(prompt)[:MAX_WORDS]]


def located_words(prompt: str) -> list[tuple[str, int, int]]:
    """All words as `tokenize` makes them, with where each stands in the prompt: start, end.

    Also those after the 48th, which the model never reads.
    """
    plain, places = _plain(prompt)
    words = []
    for match in _TOKEN.finditer(plain):
        word = match.group()
        if word[0] == "3" and word[-1] == "d":
            word = "3d"
        elif word.isdecimal() and len(word) <= 2 and int(word) < len(NUMBER_WORDS):
            word = NUMBER_WORDS[int(word)]
        words.append((word, places[match.start()], places[match.end() - 1] + 1))
    return words


def _plain(prompt: str) -> tuple[str, list[int]]:
    """Lowercase without accents and possessives, and which character each came from."""
    chars, places = [], []
    for place, char in enumerate(prompt):
        for part in unicodedata.normalize("NFKD", char).lower():
            if not unicodedata.combining(part):
                chars.append(part)
                places.append(place)
    for match in reversed(list(_POSSESSIVE.finditer("".join(chars)))):
        del chars[match.start() : match.end()], places[match.start() : match.end()]
    return "".join(chars), places


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
        for candidate in _simpler_forms(word):
            if candidate in self._index:
                return self._index[candidate]
        return None

    def unknown_words(self, prompt: str) -> tuple[str, ...]:
        """The words of a prompt that have no row, in order, each once."""
        unknown = (word for word in tokenize(prompt) if self.index(word) is None)
        return tuple(dict.fromkeys(unknown))


def _simpler_forms(word: str) -> Iterator[str]:
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


_lock = threading.Lock()
_shipped: WordTable | None = None


def load_word_table(path: Path | None = None) -> WordTable:
    """The word table; the shipped one is read once and shared. Safe on any thread.

    Args:
        path: another table's file, read anew on each call; None = the shipped one.

    Raises:
        WeightsError: the file is missing, damaged or not a word table.
    """
    if path is not None:
        return _read(path)
    global _shipped
    with _lock:
        if _shipped is None:
            _shipped = _read(resource_path("model", "words.safetensors"))
        return _shipped


def unknown_words(prompt: str) -> tuple[str, ...]:
    """`WordTable.unknown_words` of the shipped table; raises what `load_word_table` raises."""
    return load_word_table().unknown_words(prompt)


def _read(path: Path) -> WordTable:
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
