"""The word of a layer, and which layers are outdated when the prompt changes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from app.document.contents import Contents, new_contents
from app.document.geometry import Rect, Size
from app.document.layer import Layer
from app.document.pixels import Pixels
from app.document.staleness import kept_as_is, outdated
from app.document.words import has_word, layer_names, shown_name, word_of


def made(contents: Contents, word: object) -> Layer:
    layer = contents.foregrounds[0]
    image = Pixels.of(np.full((layer.rect.height, layer.rect.width, 4), 255, np.uint8))
    record = {"prompt": contents.prompt, "word": word, "box": list(layer.rect.to_box())}
    return replace(layer, image=image, kind="generated", record=record)


def one_box(prompt: str) -> Contents:
    return new_contents(Size(256, 256), 32, boxes=[Rect(0, 0, 64, 64)], prompt=prompt)


@pytest.mark.parametrize(
    ("word", "prompt"),
    [
        ("dog", "a dog"), ("dog", "The DOG's bone"), ("dogs", "a dog"), ("dog", "two dogs"),
        ("cafe", "a Café"), ("boxes", "one box"), ("cherries", "a cherry"), ("leaf", "leaves"),
        ("castle", "a red\ncastle, seen from below"), ("glass", "a glass"),
    ],
)  # fmt: skip
def test_the_word_stands_in_the_prompt(word: str, prompt: str) -> None:
    """In either case and number, with accents and possessives."""
    assert has_word(prompt, word)


@pytest.mark.parametrize(
    ("word", "prompt"),
    [("dog", "a hotdog"), ("dog", "a do g"), ("dog", ""), ("glass", "a gla"), ("bus", "a bu")],
)
def test_the_word_has_left_the_prompt(word: str, prompt: str) -> None:
    assert not has_word(prompt, word)


def test_only_the_layer_whose_word_has_gone_is_outdated() -> None:
    """A prompt that says more, or says it in another order, changes no sign."""
    contents = one_box("a dog on a beach")
    dog, beach = made(contents, "dog"), made(contents, "beach")
    for prompt, found in (
        ("a beach with a dog", ("", "")),
        ("a blue dog on a beach at night", ("", "")),
        ("a rabbit on a beach", ("prompt", "")),
        ("a rabbit in the snow", ("prompt", "prompt")),
        ("", ("prompt", "prompt")),
    ):
        now = replace(contents, prompt=prompt)
        assert (outdated(dog, now), outdated(beach, now)) == found, prompt


@pytest.mark.parametrize("word", [None, "", " ", 7, ["dog"]])
def test_a_layer_without_a_word_is_not_marked(word: object) -> None:
    """Nothing is known of it: older files, and boxes that got no word."""
    contents = one_box("a dog")
    layer = made(contents, word)
    assert word_of(layer) == ""
    assert shown_name(layer) == "Layer 1"
    assert outdated(layer, replace(contents, prompt="a rabbit")) == ""


def test_marked_as_current_until_the_prompt_changes_again() -> None:
    contents = one_box("a dog")
    layer = made(contents, "dog")
    now = replace(contents, prompt="a rabbit")
    kept = replace(layer, record=kept_as_is(layer, now))
    assert outdated(kept, now) == ""
    assert outdated(kept, replace(now, prompt="a crown")) == "prompt"


def test_layers_are_called_by_their_word_and_the_background_by_its_name() -> None:
    contents = one_box("a dog on a beach")
    assert shown_name(made(contents, "dog")) == "dog"
    ground = replace(contents.background, record={"word": "beach"})
    assert shown_name(ground) == "Background"


def test_names_in_lists_begin_with_a_capital_and_are_numbered() -> None:
    """By the order of creation, not of the stack; a name typed by hand stays and is used once."""
    contents = new_contents(Size(256, 256), 32, boxes=[Rect(0, 0, 64, 64)] * 6)
    image = Pixels.of(np.full((64, 64, 4), 255, np.uint8))
    words = ("sunflower", "sunflower", "", "dog", "sunflower", "éclair")
    layers = [
        replace(layer, image=image, record={"word": word})
        for layer, word in zip(contents.foregrounds, words, strict=True)
    ]
    layers[3] = replace(layers[3], name="Sunflower 2")
    names = layer_names(reversed(layers))
    assert [names[layer.id] for layer in layers] == [
        *("Sunflower", "Sunflower 3", "Layer 3", "Sunflower 2", "Sunflower 4", "Éclair")
    ]
    assert layer_names(contents.layers)[contents.background.id] == "Background"
