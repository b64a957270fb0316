"""Prompts with invisible characters, emoji, other scripts, units, broken bytes; and old ones."""

from __future__ import annotations

import random
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.words import load_word_table, located_words, tokenize, unknown_words

INVISIBLE = {
    "soft hyphen": "\u00ad",
    "word joiner": "\u2060",
    "zero width joiner": "\u200d",
    "zero width non-joiner": "\u200c",
    "byte order mark": "\ufeff",
    "left-to-right mark": "\u200e",
    "right-to-left embedding": "\u202b",
    "isolate": "\u2068",
    "grapheme joiner": "\u034f",
    "variation selector": "\ufe0e",
    "tag": "\U000e0061",
}


def as_before(prompt: str) -> list[str]:
    """What records of older versions were made with, kept here word for word as a yardstick."""
    chars = []
    for char in prompt:
        for part in unicodedata.normalize("NFKD", char).lower():
            if not unicodedata.combining(part):
                chars.append(part)
    plain = re.sub(r"['\u2019]s\b|['\u2019]", "", "".join(chars))
    numbers = (
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen"
    )
    names = [*numbers.split(), "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty"]
    words = []
    for match in re.finditer(r"3\s?-?\s?d(?![^\W_])|[^\W\d_]+|\d+", plain):
        word = match.group()
        if word[0] == "3" and word[-1] == "d":
            word = "3d"
        elif word.isdecimal() and len(word) <= 2 and int(word) < len(names):
            word = names[int(word)]
        words.append(word)
    return words[:48]


ORDINARY = (
    "A red balloon, a dog!", "3D 3-d 3 d", "3 dogs and 3dogs", "the dog's fir-tree", "don’t",
    "a café\nin 1990", "12 cats, 100 mice; 20 houses", "“A crêpe” — naïve, coöperate",
    "it’s 5 o'clock",
    "3-d castle, flat_style", "Ångström's piñata", "two  tabs\tand\r\nlines", "", "…", "a.b.c",
)  # fmt: skip


@pytest.mark.parametrize("prompt", ORDINARY)
def test_ordinary_prompts_are_read_as_before(prompt: str) -> None:
    """The same record must give the same pixels."""
    assert tokenize(prompt) == as_before(prompt)


def test_random_english_is_read_as_before() -> None:
    words = load_word_table().words
    marks = [" ", ", ", "-", ". ", "\n", "'s ", "’s ", ": ", " – ", "/", "_", " (", ") ", " & "]
    for seed in range(300):
        rng = random.Random(seed)
        text = ""
        for _ in range(rng.randint(1, 60)):
            word = rng.choice(words) if rng.random() < 0.9 else str(rng.randrange(2000))
            text += rng.choice([word, word.title(), word.upper()]) + rng.choice(marks)
        assert tokenize(text) == as_before(text), seed


@pytest.mark.parametrize("char", INVISIBLE.values(), ids=INVISIBLE)
def test_invisible_characters_do_not_part_a_word(char: str) -> None:
    for seed in range(20):
        rng = random.Random(seed)
        words = rng.sample(load_word_table().words, 4)
        text = " ".join(words)
        spoilt = "".join(each + char * rng.randint(0, 2) for each in text)
        assert tokenize(spoilt) == tokenize(text), spoilt.encode("unicode_escape")
    assert tokenize(f"a red bal{char}loon") == ["a", "red", "balloon"]


def test_a_zero_width_space_parts_words() -> None:
    """It stands where a line may break between words."""
    assert tokenize("red\u200bballoon") == ["red", "balloon"]


@pytest.mark.parametrize(
    "word",
    ["हिन्दी", "कुत्ता", "чайка", "ёлка", "собака", "كَلْب", "أرنب", "مدرسة", "강아지", "สุนัข", "ガラス",
     "犬", "கோட்டை", "ქალაქი", "שָׁלוֹם", "μπαλόνι", "ខ្លា", "བོད"],
)  # fmt: skip
def test_words_of_other_scripts_are_reported_whole(word: str) -> None:
    shown = unicodedata.normalize("NFC", word)
    for typed in (word, unicodedata.normalize("NFD", word)):
        prompt = f"a {typed}, a dog"
        assert unknown_words(prompt) == (shown,)
        ((_, start, end),) = [each for each in located_words(prompt) if each[0] == shown]
        assert prompt[start:end].startswith(typed[0])


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        ("🎈", ["balloon"]),
        ("a 🎈 and a 🐶", ["a", "balloon", "and", "a", "dog"]),
        ("🐱🐕🦊", ["cat", "dog", "fox"]),
        ("two🎈dogs", ["two", "balloon", "dogs"]),
        ("a ❤️ and ☀", ["a", "red", "heart", "and", "sun"]),
        ("🍎🌳", ["red", "apple", "deciduous", "tree"]),
        ("👍 👍🏽 😀 👨‍👩‍👧 🪿🫎", ["👍", "👍🏽", "😀", "👨‍👩‍👧", "goose", "moose"]),
        ("\U0001fbfe x", ["\U0001fbfe", "x"]),  # not a character yet
        ("1️⃣ dog, © me™", ["one", "dog", "metm"]),
        ("dog → cat ★ 5 € ‼", ["dog", "cat", "five"]),
    ],
)
def test_emoji_are_words(prompt: str, words: list[str]) -> None:
    assert tokenize(prompt) == words


def test_emoji_without_a_known_name_are_unknown() -> None:
    assert unknown_words("a dog 😀 👍 🎈") == ("😀", "👍")
    prompt = "a ❤️ 😀!"
    assert [prompt[start:end] for _, start, end in located_words(prompt)] == ["a", "❤️", "❤️", "😀"]


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        ("4k photo, 85mm", ["4k", "photo", "85mm"]),
        ("4K 8k 1080p 35mm f2 mp4 r2d2 h2o 1980s 1st 2nd 1080x1920", []),
        ("3d 13d x3d", ["3d", "13d", "x3d"]),
        ("3dogs 2cats dog2", ["three", "dogs", "two", "cats", "dog", "two"]),
        ("m² and ½", ["m2", "and", "one", "two"]),
    ],
)
def test_units_are_read_as_typed(prompt: str, words: list[str]) -> None:
    """A unit is no count: no picture gets four things because of "4k"."""
    assert tokenize(prompt) == (words or prompt.lower().split())


@given(
    st.text(max_size=300)
    | st.binary(max_size=60).map(lambda data: data.decode("utf-8", "surrogateescape"))
)
def test_any_text_has_words_in_their_places(prompt: str) -> None:
    words = located_words(prompt)
    assert all(word and 0 <= start < end <= len(prompt) for word, start, end in words)
    assert [start for _, start, _ in words] == sorted(start for _, start, _ in words)
