"""Which look a prompt names, and in which of them colours are cleaned."""

from __future__ import annotations

import pytest

from engine.colour_decision import cleans_colours
from engine.prompts.lexicon import lexicon_of
from engine.prompts.parser import check_prompt
from engine.prompts.result import Vocabulary
from engine.training.data.concepts import LOOK_FRAMES, LOOK_WORDS, LOOKS
from engine.training.data.prompts import LOOK_TEMPLATES

ALL = tuple(LOOKS)


def look_named(prompt, looks):
    nouns = ("dog", "cat", "car", "lion")
    return check_prompt(prompt, lexicon_of(Vocabulary(nouns, looks, ("red",), ("beach",)))).look


@pytest.mark.parametrize("look", ALL)
def test_every_way_in_which_training_prompts_name_a_look_is_read(look):
    said = [frame.format("two dogs") for frame in LOOK_FRAMES[look]]
    for words in (look, *LOOK_WORDS[look]):
        said += [t.format(look=words, a_look=f"a {words}", text="a cat") for t in LOOK_TEMPLATES]
    assert {prompt: look_named(prompt, ALL) for prompt in said} == dict.fromkeys(said, look)


@pytest.mark.parametrize(
    ("prompt", "look"),
    [
        ("a red car on a beach", None),
        ("", None),
        ("3 dogs", None),
        ("two dogs, 3-D", "3d"),
        ("Line art of a bold lion", "ink"),  # the first one counts
        ("a line of art books", None),
        ("a shiny car, flat", "flat"),  # shiny says something of the car
    ],
)
def test_the_first_look_that_is_named_counts(prompt, look):
    assert look_named(prompt, ALL) == look


def test_a_look_that_the_model_lacks_is_not_read():
    assert look_named("an ink drawing of a dog", ("flat", "glossy")) is None


@pytest.mark.parametrize(
    ("choice", "prompt", "looks", "cleans"),
    [
        ("automatic", "a dog", ALL, True),  # the first look is flat
        ("automatic", "a bold drawing of a dog", ALL, True),
        ("automatic", "a 3d render of a dog", ALL, False),
        ("automatic", "a glossy dog", ALL, False),
        ("automatic", "a dog", (), False),  # nothing says that its art has flat fills
        ("on", "a 3d render of a dog", ALL, True),
        ("off", "flat art of a dog", ALL, False),
    ],
)
def test_automatic_follows_the_look_and_a_choice_wins(choice, prompt, looks, cleans):
    assert cleans_colours(choice, look_named(prompt, looks), looks) is cleans
