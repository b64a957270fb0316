"""The prompt for the text encoder: the words of training, and where each thing is named."""

from __future__ import annotations

import numpy as np
import pytest

from engine.prompts.encoder import EncoderPrompt, encoder_prompt, fill_counts
from engine.training.data.concepts import BY_NAME, concepts_of
from engine.training.data.prompts import Mention, write_prompt
from engine.words import MAX_WORDS, tokenize
from tests.engine.test_prompt_check import read


def written(prompt: str, boxes: int = 3, *, repeat: bool = False) -> EncoderPrompt:
    return encoder_prompt(read(prompt), boxes, repeat=repeat)


@pytest.mark.parametrize(
    ("prompt", "text"),
    [
        (
            "Draw me 1 bumblebee flying to 2 sunflowers at the seaside, 4k, no clouds",
            "a bee and two sunflowers on a beach",
        ),
        ("a robot and a tiny crimson limo, cartoon", "a small red car, glossy style"),
        ("an elephant, a pig, a frog at night", "an elephant, a pig and a frog under a night sky"),
        ("underwater", "underwater background"),
        ("", ""),
    ],
)
def test_the_words_are_those_of_training(prompt: str, text: str) -> None:
    assert written(prompt).texts == (text,)


def test_each_place_is_the_end_of_its_mention() -> None:
    made = written("a bunch of grapes, three pigs and a rose in the desert", 9)
    (text,) = made.texts
    ends = [text[:end].rsplit(" ", 1)[-1] for _, end in made.objects]
    assert ends == ["grapes", "pigs", "rose"]
    assert made.background is not None
    assert text[: made.background[1]].endswith("desert")


@pytest.mark.parametrize("seed", range(40))
def test_training_prompts_are_read_as_they_were_meant(seed: int) -> None:
    """Every way of saying it that training has, with synonyms, counts, colours and looks."""
    known, rng = concepts_of(4), np.random.default_rng(seed)
    names = rng.permutation(len(known.nouns))[:4].tolist()
    mentions = [
        Mention(known.nouns[i], int(rng.integers(1, 4)), None if n else "red")
        for n, i in enumerate(names)
    ]
    background = known.backgrounds[int(rng.integers(len(known.backgrounds)))].name
    look = known.looks[int(rng.integers(len(known.looks)))]
    prompt = write_prompt(rng, mentions, look=look, background=background)
    check = read(prompt, 4)
    expected = {mention.noun.name: mention.count for mention in mentions}
    found = {thing.noun: thing.count for thing in check.objects}
    assert found == expected, prompt
    assert check.background is not None, prompt
    assert check.background.name == background, prompt
    assert check.look == look, prompt


def test_unnamed_numbers_fill_the_boxes_that_others_leave() -> None:
    assert fill_counts([None, 2], 7) == (5, 2)
    assert fill_counts([None, None], 5) == (3, 2)
    assert fill_counts([None, 4], 2) == (1, 4)
    assert fill_counts([1, 1], 5) == (1, 1)
    assert fill_counts([1, 1], 5, repeat=True) == (3, 2)
    assert fill_counts([], 5, repeat=True) == ()
    assert written("balloons", 4).texts == ("four balloons",)


def test_more_things_than_words_fit_into_one_text_are_split() -> None:
    names = [name for name in BY_NAME if len(name.split()) < 3][:100]
    made = encoder_prompt(read(", ".join(names) + " on the beach, flat", 4), 50)
    assert len(made.objects) == len(names)
    assert len(made.texts) > 1
    for text in made.texts:
        assert len(tokenize(text + " and more")) <= MAX_WORDS
        assert text.endswith(", beach, flat style")
    for name, (number, end) in zip(names, made.objects, strict=True):
        assert made.texts[number][:end].endswith(name)
