"""Grammar of prompts: plurals, articles and number words, as training writes them."""

from __future__ import annotations

from engine.prompts.result import SizeWord

SIZE_WORDS: dict[SizeWord, tuple[str, ...]] = {
    "big": ("big", "large", "huge"),
    "small": ("small", "little", "tiny"),
}
# fmt: off
NUMBER_WORDS = (  # by count
    "zero", "one", "two", "three", "four", "five", "six",
    "seven", "eight", "nine", "ten", "eleven", "twelve",
)
# fmt: on
ALWAYS_PLURAL = frozenset(
    "glasses sunglasses spectacles eyeglasses jeans trousers scissors".split()
)
UNCHANGED = ALWAYS_PLURAL | frozenset("fish sheep deer reindeer dice".split())
IRREGULAR_PLURALS = {
    **{word: word for word in UNCHANGED},
    **dict(
        pair.split(":")
        for pair in (
            "cactus:cacti snowman:snowmen man:men mouse:mice calf:calves leaf:leaves loaf:loaves "
            "wolf:wolves tomato:tomatoes volcano:volcanoes die:dice gentleman:gentlemen "
            "policeman:policemen workman:workmen woman:women"
        ).split()
    ),
}


def plural(words: str) -> str:
    """The plural of a noun phrase: "slice of pizza" gives "slices of pizza"."""
    head, of, rest = words.partition(" of ")
    front, space, last = head.rpartition(" ")
    if last in IRREGULAR_PLURALS:
        last = IRREGULAR_PLURALS[last]
    elif last.endswith(("s", "x", "ch", "sh")):
        last += "es"
    elif last.endswith("y") and last[-2] not in "aeiou":
        last = last[:-1] + "ies"
    else:
        last += "s"
    return front + space + last + of + rest


def with_article(words: str) -> str:
    """Put a or an before a phrase of the vocabulary, by its sound; none before "scissors"."""
    if words.split()[-1] in ALWAYS_PLURAL and not words.startswith("pair"):
        return words
    sounds = words.startswith("hour") or (words[0] in "aeiou" and not words.startswith("uni"))
    return ("an " if sounds else "a ") + words


_SINGULARS = {many: one for one, many in IRREGULAR_PLURALS.items() if one != many} | {
    "children": "child",
    "feet": "foot",
    "geese": "goose",
    "knives": "knife",
    "people": "person",
    "scarves": "scarf",
    "teeth": "tooth",
}
# Singulars with the ending of a plural.
_NOT_PLURAL = ("ss", "us", "is", "ous")


def is_plural_word(word: str) -> bool:
    """Whether a word that no table has looks like a plural noun."""
    if word in _SINGULARS:
        return True
    is_one = word in ALWAYS_PLURAL or word.endswith(_NOT_PLURAL)
    return len(word) > 3 and word.endswith("s") and not is_one


def singular(word: str) -> str:
    """The singular of a plural noun ("ponies" gives "pony"); another word as it is."""
    if not is_plural_word(word):
        return word
    if word in _SINGULARS:
        return _SINGULARS[word]
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "xes", "ches", "shes", "zzes")):
        return word[:-2]
    return word[:-1]
