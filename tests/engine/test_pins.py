"""Pinned words: what the user says that a box shows stands in the text and in no other box."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.api import Assigned, Event, GenerateRequest, LayerRequest, Progress
from engine.errors import RequestError
from engine.paths import resource_path
from engine.pipeline import LayerPipeline
from engine.prompts.lexicon import lexicon_of
from engine.prompts.pins import join_pins, nearest_pin, read_pin
from engine.training.data.concepts import concepts_of
from tests.engine.test_prompt_check import read

LEXICON = lexicon_of(concepts_of(3).vocabulary)
BOXES = [(0, 0, 64, 64), (96, 0, 192, 96), (0, 128, 128, 256), (160, 160, 256, 256)]


def merged(prompt: str, *pins: str) -> tuple[list[tuple[str, str | None, int | None]], list[int]]:
    """Noun, colour and count of all things, and the place of each pin's."""
    found = [read_pin(text, LEXICON) for text in pins]
    things, places = join_pins(read(prompt), [each.thing for each in found if each is not None])
    return [(each.noun, each.colour, each.count) for each in things], list(places)


@pytest.mark.parametrize(
    ("text", "noun", "colour"),
    [
        ("sunflower", "sunflower", None),
        ("  Cat ", "cat", None),
        ("a blue dog", "dog", "blue"),
        ("kitten", "cat", None),
        ("ice cream", "ice cream", None),
        ("apples", "apple", None),
    ],
)
def test_a_pin_is_one_thing_of_the_vocabulary(text: str, noun: str, colour: str | None) -> None:
    pin = read_pin(text, LEXICON)
    assert pin is not None and pin.look is None
    thing = pin.thing
    assert (thing.noun, thing.colour, thing.count, thing.typed) == (noun, colour, 1, text.strip())


@pytest.mark.parametrize(
    ("text", "look", "colour"),
    [
        ("ink cat", "ink", None),
        ("cat in ink style", "ink", None),
        ("small 3d red cat", "3d", "red"),
    ],
)
def test_a_pin_may_name_a_look(text: str, look: str, colour: str | None) -> None:
    pin = read_pin(text, LEXICON)
    assert pin is not None
    assert (pin.thing.noun, pin.thing.colour, pin.look) == ("cat", colour, look)


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("stapler", None),
        ("elefant", "elephant"),
        ("two cats", "cat"),
        ("a cat and a dog", "cat"),
        ("beach", None),
        ("", None),
        ("\u200b\x07", None),
        ("no cat", None),
        ("\u05d7\u05ea\u05d5\u05dc", None),
        ("cat " * 40, "cat"),
    ],
)
def test_other_texts_are_no_pins(text: str, near: str | None) -> None:
    assert read_pin(text, LEXICON) is None
    assert nearest_pin(text, LEXICON) == near


@pytest.mark.parametrize(
    ("prompt", "pins", "things", "places"),
    [
        ("", ["cat"], [("cat", None, 1)], [0]),
        ("a dog", ["cat"], [("dog", None, 1), ("cat", None, 1)], [1]),
        ("a dog and a cat", ["cat"], [("dog", None, 1), ("cat", None, 1)], [1]),
        ("a cat", ["cat", "cat"], [("cat", None, 2)], [0, 0]),
        ("two cats", ["cat"], [("cat", None, 2)], [0]),
        ("balloons", ["balloon", "balloon"], [("balloon", None, None)], [0, 0]),
        ("a dog", ["blue dog"], [("dog", "blue", 1)], [0]),
        ("a red dog", ["blue dog"], [("dog", "red", 1), ("dog", "blue", 1)], [1]),
        ("a red dog", ["dog"], [("dog", "red", 1)], [0]),
        ("two dogs", ["blue dog"], [("dog", None, 2), ("dog", "blue", 1)], [1]),
        ("a dog, a blue dog", ["blue dog"], [("dog", None, 1), ("dog", "blue", 1)], [1]),
    ],
)
def test_pins_join_the_things_of_the_prompt(prompt, pins, things, places) -> None:
    assert merged(prompt, *pins) == (things, places)


@pytest.fixture(scope="module")
def pipeline() -> LayerPipeline:
    return LayerPipeline.load(resource_path("model", "layerloom.safetensors"), device="cpu")


def asked(prompt: str, *shows: str, **changes) -> GenerateRequest:
    layers = [
        LayerRequest(layer_id=number, kind="foreground", box=box, seed=number, shows=text)
        for number, (box, text) in enumerate(zip(BOXES, shows), 1)
    ]
    request = GenerateRequest(
        job_id=1, canvas=(256, 256), prompt=prompt, layers=tuple(layers), steps=1, preview_every=0
    )
    return replace(request, **changes)


def words_of(pipeline: LayerPipeline, request: GenerateRequest) -> list[str | None]:
    return [result.word for result in pipeline.run(request).results]


@pytest.mark.parametrize("seed", range(3))
def test_a_pin_beats_the_models_decision_whatever_the_seed(pipeline, seed) -> None:
    request = asked("a dog, a cat and a sunflower", "sunflower", "", "crown", "")
    layers = tuple(replace(each, seed=each.seed + 10 * seed) for each in request.layers)
    words = words_of(pipeline, replace(request, layers=layers))
    assert (words[0], words[2]) == ("sunflower", "crown")
    assert {words[1], words[3]} == {"cat", "dog"}


def test_pins_need_no_prompt_and_leave_other_boxes_empty(pipeline) -> None:
    finished = pipeline.run(asked("", "cat", "blue dog", "", ""))
    assert [result.word for result in finished.results] == ["cat", "blue dog", None, None]
    assert [result.left_empty is None for result in finished.results] == [True, True, False, False]
    assert all(result.rgba[..., 3].any() for result in finished.results[:2])
    assert not finished.not_placed


def test_a_repaint_with_another_pin_shows_it_and_reads_the_pins_of_the_others(pipeline) -> None:
    request = asked("a dog", "dog", "moon", "", "")
    made = pipeline.run(request).results
    layers = list(request.layers)
    layers[0] = replace(layers[0], pixels=made[0].rgba)
    layers[1] = replace(layers[1], shows="star")
    edit = replace(request, layers=tuple(layers[:2]))
    (again,) = pipeline.run(edit).results
    assert again.word == "star"
    assert not np.array_equal(again.rgba, made[1].rgba)
    (twice,) = pipeline.run(edit).results
    assert np.array_equal(again.rgba, twice.rgba)
    # The dog is pinned to the finished layer, so that the open box has nothing to show.
    layers[1] = replace(layers[1], shows="")
    (empty,) = pipeline.run(replace(edit, layers=tuple(layers[:2]))).results
    assert empty.left_empty is not None


@pytest.mark.parametrize("shows", ["stapler", "elefant", "two cats", "  ", "cat" * 100])
def test_a_word_that_cannot_be_drawn_is_refused_before_anything_runs(pipeline, shows) -> None:
    with pytest.raises(RequestError, match="cannot draw") as refused:
        pipeline.run(asked("a dog", shows))
    assert ("elephant" in refused.value.advice) == (shows == "elefant")


def test_a_background_and_an_older_record_have_no_pins(pipeline) -> None:
    background = LayerRequest(layer_id=9, kind="background", box=(0, 0, 256, 256), shows="cat")
    with pytest.raises(RequestError, match="background"):
        pipeline.run(asked("a dog", layers=(background,)))
    with pytest.raises(RequestError, match="older version"):
        pipeline.run(asked("a dog", "cat", reading=1))


def test_a_look_of_its_own_repaints_one_thing_and_leaves_the_others(pipeline) -> None:
    """The others are as without it; the steps say that it was painted twice."""
    plain = {
        each.layer_id: each for each in pipeline.run(asked("", "cat", "castle", "dog")).results
    }
    events: list[Event] = []
    request = asked("", "ink cat", "castle", "3d dog")
    finished = pipeline.run(request, emit=events.append)
    made = {each.layer_id: each for each in finished.results}
    assert [each.word for each in finished.results] == ["ink cat", "castle", "3d dog"]
    assert [each.clean_colours for each in finished.results] == [False, None, False]
    assert finished.clean_colours
    assert np.array_equal(made[2].rgba, plain[2].rgba)
    seen = made[1].rgba[made[1].rgba[..., 3] > 200][:, :3].astype(int)
    assert np.ptp(seen, axis=1).mean() < 30  # black and white
    (assigned,) = [each for each in events if isinstance(each, Assigned)]
    assert assigned.words == ((1, "ink cat"), (2, "castle"), (3, "3d dog"))
    steps = [(each.step, each.total) for each in events if isinstance(each, Progress)]
    assert steps == [(step, 4) for step in (1, 2, 3, 4)]
    again = {each.layer_id: each for each in pipeline.run(request).results}
    assert all(np.array_equal(again[number].rgba, made[number].rgba) for number in (1, 2, 3))


def test_targets_of_one_look_are_painted_once(pipeline) -> None:
    events: list[Event] = []
    (made,) = pipeline.run(asked("a dog, ink", "3d cat"), emit=events.append).results
    assert [each.total for each in events if isinstance(each, Progress)] == [2, 2]
    (same,) = pipeline.run(asked("a dog, 3d", "cat")).results
    assert np.array_equal(made.rgba, same.rgba)
    pipeline.run(asked("a dog, ink", "ink cat"), emit=events.append)
    assert [each.total for each in events if isinstance(each, Progress)] == [2] * 4
