"""Tables of words: how they are read, and what they say of single words.

The tables are in `resources/words`:

- `nouns.tsv`, `backgrounds.tsv`: the vocabulary, with the synonyms that training uses.
- `kinds.tsv`: further words that are drawn as a noun ("poodle" as dog).
- `near.tsv`: words that are not drawn, with the nearest noun.
- `scenery.tsv`: further words for a background.
- `open.tsv`: places, clothes, styles and the like, for models that draw anything.
- `roles.tsv`: words that name neither a thing nor a background.
- `parts_of_speech.tsv`: n(oun), v(erb), a(djective), r (adverb), for all words that are not nouns
  alone; from the word lists of lemminflect 0.2.3 (MIT).
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from functools import cache

from engine.errors import WeightsError
from engine.paths import resource_path
from engine.prompts.grammar import NUMBER_WORDS
from engine.words import WordTable, load_word_table, simpler_forms, tokenize


@cache
def parts_of_speech() -> dict[str, str]:
    """Word -> letters of its parts of speech; a word that is missing is a noun alone."""
    return {
        word: row["parts"] for row in rows_of("parts_of_speech") for word in split(row["words"])
    }


def parts_of(word: str) -> str:
    """The parts of speech of a word; of its simpler form where it has no entry itself."""
    table = parts_of_speech()
    if word in table:
        return table[word]
    for form in simpler_forms(word):
        parts = table.get(form, "")
        if "v" in parts and word.endswith(("ing", "ed", "er")):
            return "n" if word.endswith("er") else "v"
        if "v" in parts and word.endswith("s"):
            return "nv"
    return "n"


@cache
def abstract_words() -> frozenset[str]:
    """Nouns that name no visible thing, such as "surface" and "hope"; singular."""
    return frozenset(word for row in rows_of("abstract") for word in split(row["words"]))


def is_abstract(word: str) -> bool:
    """Whether a noun, or the singular of one, names no visible thing."""
    known = abstract_words()
    return word in known or (
        word.endswith("s") and any(form in known for form in simpler_forms(word))
    )


def count_of(roles: frozenset[str]) -> int | None:
    """The number that a phrase such as "a pair of" names."""
    for name, count in (("two", 2), ("three", 3), ("four", 4), ("six", 6), ("twelve", 12)):
        if name in roles:
            return count
    return None


def number_of(word: str) -> int | None:
    """The number that a word or its digits name, up to 9999; None for another word."""
    if word in NUMBER_VALUES:
        return NUMBER_VALUES[word]
    word = word.removesuffix("x").removeprefix("x")  # "3x", "x3"
    return int(word) if word.isdecimal() and word.isascii() and len(word) <= 4 else None


MULTIPLES = {"dozen": 12, "hundred": 100, "thousand": 1000}
NUMBER_VALUES = (
    {word: value for value, word in enumerate(NUMBER_WORDS) if value}
    | {
        word: value
        for value, word in enumerate(
            "thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty".split(), 13
        )
    }
    | {
        word: 10 * tens
        for tens, word in enumerate("thirty forty fifty sixty seventy eighty ninety".split(), 3)
    }
    | MULTIPLES
)


def background_phrase(name: str) -> str:
    """How a sentence ends with a background: "on a beach"."""
    for row in rows_of("backgrounds"):
        if row["name"] == name:
            return split(row["phrases"])[0]
    return f"in front of a {name}"


@cache
def all_roles() -> dict[tuple[str, ...], frozenset[str]]:
    """Phrase -> its roles in `roles.tsv`."""
    found: dict[tuple[str, ...], set[str]] = {}
    for row in rows_of("roles"):
        for phrase in split(row["words"]):
            found.setdefault(tuple(tokenize(phrase)), set()).add(row["role"])
    found.pop((), None)
    return {words: frozenset(roles) for words, roles in found.items()}


@cache
def rows_of(name: str) -> tuple[dict[str, str], ...]:
    """The rows of a table. Raises WeightsError: it is missing."""
    path = resource_path("words", f"{name}.tsv")
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return tuple(csv.DictReader(file, delimiter="\t"))
    except OSError as error:
        raise WeightsError(f"The table of words {path.name} is missing: {path}.") from error


def split(field: str) -> Sequence[str]:
    """The words of a field."""
    return field.split("|") if field else ()


def word_table() -> WordTable | None:
    """The shipped word table; None where it is missing."""
    try:
        return load_word_table()
    except WeightsError:  # the model, which needs the table, reports that it is missing
        return None
