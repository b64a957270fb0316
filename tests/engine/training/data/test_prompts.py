"""Prompts: grammar, and that everything given is said once and nothing else is."""

import re
from itertools import pairwise

import numpy as np
import pytest

from engine.prompts.grammar import SIZE_WORDS, plural, with_article
from engine.training.data.concepts import (
    BACKGROUNDS_BY_NAME,
    BY_NAME,
    COLOURS,
    FIRST,
    LOOK_FRAMES,
    LOOK_WORDS,
    LOOKS,
    STAGES,
    concepts_of,
)
from engine.training.data.prompts import (
    Mention,
    join_words,
    mention_words,
    take_marks,
    write_prompt,
)
from engine.words import MAX_WORDS, tokenize, unknown_words


def says(prompt: str, words: str) -> bool:
    return re.search(rf"\b{re.escape(words)}\b", prompt.lower()) is not None


def says_noun(prompt: str, name: str) -> bool:
    forms = (name, *BY_NAME[name].synonyms)
    return any(says(prompt, form) or says(prompt, plural(form)) for form in forms)


def test_no_word_means_two_nouns_or_two_looks() -> None:
    words = [word for noun in BY_NAME.values() for word in (noun.name, *noun.synonyms)]
    assert len(words) == len(set(words))
    looks = [word for options in LOOK_WORDS.values() for word in options]
    assert len(looks) == len(set(looks))


def test_the_vocabulary_is_complete() -> None:
    assert set(LOOK_WORDS) == set(LOOK_FRAMES) == set(LOOKS)
    for background in BACKGROUNDS_BY_NAME.values():
        assert background.synonyms
        assert background.phrases
    for noun in BY_NAME.values():
        assert noun.band in ("sky", "ground", "any")
        assert noun.size in (1, 2, 3)


def test_the_word_table_knows_every_word_and_long_prompts_fit() -> None:
    rng = np.random.default_rng(8)
    everything = concepts_of(STAGES[-1])
    for start in range(0, len(everything.nouns), 3):
        nouns = [noun for noun in everything.nouns[start : start + 3] for _ in range(2)]
        for _ in range(40):
            prompt = write_prompt(
                rng,
                [Mention(noun, count, "pink", "big") for noun, count in zip(nouns, (1, 2) * 3)],
                look=everything.looks[rng.integers(5)],
                background=everything.backgrounds[rng.integers(len(everything.backgrounds))].name,
            )
            assert not unknown_words(prompt)
            assert len(tokenize(prompt)) < MAX_WORDS


@pytest.mark.parametrize(
    ("one", "many"),
    [
        ("dog", "dogs"),
        ("cactus", "cacti"),
        ("butterfly", "butterflies"),
        ("bunny", "bunnies"),
        ("snowman", "snowmen"),
        ("fish", "fish"),
        ("fox", "foxes"),
        ("bus", "buses"),
        ("coach", "coaches"),
        ("toy", "toys"),
        ("palm tree", "palm trees"),
        ("maple leaf", "maple leaves"),
        ("loaf of bread", "loaves of bread"),
        ("dice", "dice"),
        ("slice of pizza", "slices of pizza"),
    ],
)
def test_plural(one: str, many: str) -> None:
    assert plural(one) == many


def test_articles() -> None:
    assert with_article("orange car") == "an orange car"
    assert with_article("dog") == "a dog"
    assert with_article("unicorn") == "a unicorn"
    assert with_article("hourglass") == "an hourglass"


def test_mentions_say_count_colour_and_size() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        words = mention_words(rng, Mention(BY_NAME["car"], 2, "blue", "big"))
        assert re.fullmatch(r"(two|2) (big|large|huge) blue (cars|automobiles)", words)
        words = mention_words(rng, Mention(BY_NAME["elephant"]), article=False)
        assert words == "elephant"


def test_synonyms_are_said_in_a_fifth_of_the_mentions() -> None:
    rng = np.random.default_rng(1)
    dog = Mention(BY_NAME["dog"])
    others = np.mean([mention_words(rng, dog) != "a dog" for _ in range(3000)])
    assert 0.16 < others < 0.24


def test_join_keeps_the_order() -> None:
    rng = np.random.default_rng(2)
    parts = ["a cat", "two dogs", "a blue car", "the sun"]
    seen = set()
    for count in (1, 2, 3, 4):
        for _ in range(100):
            text = join_words(rng, parts[:count])
            places = [text.index(part) for part in parts[:count]]
            assert places == sorted(places)
            seen.add(text)
    assert len(seen) > 12


def test_prompts_say_everything_and_nothing_else() -> None:
    rng = np.random.default_rng(3)
    everything = set(BY_NAME)
    nouns = concepts_of(STAGES[-1]).nouns
    for _ in range(1500):
        names = [nouns[index].name for index in rng.permutation(len(nouns))[:4]]
        look = list(LOOKS)[rng.integers(5)] if rng.random() < 0.5 else None
        prompt = write_prompt(rng, [Mention(BY_NAME[name]) for name in names], look=look)
        assert all(says_noun(prompt, name) for name in names), prompt
        # A short noun may stand inside a longer one: "tree" in "palm tree".
        allowed = {other for other in everything for name in names if other in name.split()}
        allowed |= {
            other
            for other in everything
            for name in names
            for synonym in BY_NAME[name].synonyms
            if other in synonym.split()
        }
        # "pen and ink" is a look, and a pen is a thing.
        bare = re.sub("|".join(LOOK_WORDS["ink"]), "", prompt.lower())
        wrong = {name for name in everything - set(names) - allowed if says(bare, name)}
        assert not wrong, prompt
        named = {
            key
            for key in LOOKS
            if any(says(prompt, word) for word in LOOK_WORDS[key])
            or any(says(prompt, frame.format("").strip(" ,:")) for frame in LOOK_FRAMES[key])
        }
        assert (look in named) if look else not named, prompt


def test_nouns_are_named_in_the_given_order() -> None:
    rng = np.random.default_rng(4)
    names = ["castle", "penguin", "guitar", "frog"]
    for _ in range(300):
        prompt = write_prompt(rng, [Mention(BY_NAME[name]) for name in names], background="snow")
        forms = [(name, *BY_NAME[name].synonyms) for name in names]
        places = [
            min(prompt.lower().index(form) for form in options if form in prompt.lower())
            for options in forms
        ]
        assert all(a < b for a, b in pairwise(places)), prompt


@pytest.mark.parametrize("background", BACKGROUNDS_BY_NAME.values(), ids=lambda entry: entry.name)
def test_backgrounds_are_named(background) -> None:
    rng = np.random.default_rng(5)
    words = {background.name, *background.synonyms, *background.phrases}
    seen = set()
    for _ in range(200):
        prompt = write_prompt(rng, [Mention(BY_NAME["dog"])], background=background.name)
        assert any(says(prompt, word) for word in words), prompt
        alone = write_prompt(rng, [], background=background.name)
        assert any(says(alone, word) for word in words), alone
        seen.add(prompt)
    assert len(seen) > 20


def test_a_plain_colour_does_not_say_background_twice() -> None:
    rng = np.random.default_rng(9)
    for name in ("white background", "pastel background", "black background"):
        for _ in range(300):
            prompt = write_prompt(rng, [Mention(BY_NAME["dog"])], background=name)
            assert "background background" not in prompt.lower()


def test_prompts_are_tidy() -> None:
    rng = np.random.default_rng(6)
    nouns = concepts_of(STAGES[-1]).nouns
    for _ in range(2000):
        mentions = [
            Mention(
                nouns[index],
                1 + int(rng.random() < 0.1),
                list(COLOURS)[index % 7] if rng.random() < 0.3 else None,
                list(SIZE_WORDS)[index % 2] if rng.random() < 0.2 else None,
            )
            for index in rng.permutation(len(nouns))[: rng.integers(1, 7)]
        ]
        prompt = write_prompt(
            rng,
            mentions,
            look=[None, *LOOKS][rng.integers(6)],
            background=[None, *(b.name for b in FIRST.backgrounds)][rng.integers(7)],
            transparent=True,
            more=rng.random() < 0.1,
        )
        assert prompt == prompt.strip()
        assert "  " not in prompt
        assert " ," not in prompt
        assert not re.search(r"[{}]", prompt)
        assert not re.search(r"\ba ([aeio]|u(?!ni))", prompt.lower()), prompt
        assert not re.search(r"\ban (?!hour)[^aeiou]", prompt.lower()), prompt


def test_nothing_to_say_gives_an_empty_prompt_and_vague_ones_name_nothing() -> None:
    rng = np.random.default_rng(7)
    assert write_prompt(rng, []) == ""
    for _ in range(100):
        prompt = write_prompt(rng, [], vague=True)
        assert prompt
        assert not any(says(prompt, noun.name) for noun in FIRST.nouns)


def test_marks_are_taken_out_and_tell_where_each_mention_ends() -> None:
    rng = np.random.default_rng(3)
    names = ["dog", "car", "sun"]
    for _ in range(200):
        marked = write_prompt(
            rng, [Mention(BY_NAME[name]) for name in names], look="flat", background="snow",
            marked=True,
        )  # fmt: skip
        prompt, ends, scenery = take_marks(marked)
        assert prompt.isprintable()
        snow = BACKGROUNDS_BY_NAME["snow"]
        assert prompt[:scenery].lower().endswith((snow.name, *snow.synonyms, *snow.phrases))
        for name, end in zip(names, ends, strict=True):
            said = (name, *BY_NAME[name].synonyms)
            assert prompt[:end].lower().endswith(said), (prompt, end)
