"""The word of a layer, and which layers are outdated when the prompt changes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.document import Document
from app.document.commands import AddCandidates, Command, DeleteLayers, DiscardCandidates
from app.document.contents import Contents, new_contents
from app.document.geometry import Rect, Size
from app.document.layer import Candidate, Layer
from app.document.pixels import Pixels
from app.document.staleness import kept_as_is, outdated
from app.document.storage.journal.records import applied, difference, document_out
from app.document.storage.ora.file import load_project, save_project
from app.document.storage.ora.project import ProjectError, json_bytes, read_project
from app.document.words import (
    MAX_PROMPTS,
    has_word,
    layer_names,
    remembered,
    shown_name,
    together,
    word_of,
)
from tests.app.document.examples import add_box, picture, run, small_document


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


@pytest.mark.parametrize(
    ("prompt", "word", "expected"),
    [
        ("two ice creams and a dog", "ice cream", True),
        ("ice on a cream cake", "ice cream", True),
        ("an ice lolly", "ice cream", False),
        ("a 🐱 at night", "🐱", True),
        ("a dog at night", "🐱", False),
        ("a cat at the seaside", "seaside", True),
    ],
)
def test_a_phrase_needs_all_its_words(prompt: str, word: str, expected: bool) -> None:
    assert has_word(prompt, word) is expected


def offer(document: Document, layer_id: int, prompt: str) -> Command:
    """A result for the layer that waits in the strip."""
    rect = document.layer(layer_id).rect
    pixels = Pixels.of(picture(rect.width, rect.height, len(prompt)))
    item = Candidate(pixels, {"seed": 1, "prompt": prompt}, rect)
    return run(document, AddCandidates({layer_id: item}))


def test_the_last_two_hundred_distinct_ones() -> None:
    """Newest first, one place each, white space collapsed, the oldest goes."""
    history: tuple[str, ...] = ()
    for count in range(201):
        history = remembered(history, f"prompt {count}")
    assert (len(history), history[0], history[-1]) == (MAX_PROMPTS, "prompt 200", "prompt 1")
    assert remembered(("b", "a"), " a\n ") == ("a", "b")
    assert remembered(("a",), "  ") == ("a",)
    assert remembered((), "a \ud800") == ("a ?",)  # as the record of the result has it
    assert together(["a", "b"], ["c", "b", "d"]) == ["a", "b", "c", "d"]


def test_what_was_generated_with_is_kept_and_undone_with_it() -> None:
    """Part of the result's own step; discarding or deleting the picture leaves it."""
    document = small_document()
    box = add_box(document, Rect(0, 0, 32, 32))
    first, before = document.contents, document.content_hash()
    command = offer(document, box, "a castle")
    assert list(document.contents.prompts) == ["a castle"]
    command.undo(document)
    assert document.contents == first
    assert document.content_hash() == before
    command.do(document)
    offer(document, box, "a dog")
    hashes = [item.pixel_hash for item in document.layer(box).candidates]
    run(document, DiscardCandidates({box: hashes}))
    run(document, DeleteLayers([box]))
    assert list(document.contents.prompts) == ["a dog", "a castle"]


def test_the_history_is_in_the_file_and_in_the_journal(tmp_path: Path) -> None:
    """ "prompt, prompt history, settings"; a copy for sharing has none of it."""
    document = small_document()
    box = add_box(document, Rect(0, 0, 32, 32))
    start = document.contents
    offer(document, box, "a castle")
    path = tmp_path / "a.ora"
    save_project(document.contents, path)
    assert load_project(path).contents.prompts == ("a castle",)
    save_project(document.contents, path, for_sharing=True)
    assert load_project(path).contents.prompts == ()
    patch = difference(start, document.contents)
    read = read_project(json_bytes(applied(document_out(start), patch)))
    assert read.base.prompts == ("a castle",)


def test_files_of_before_the_history_open_and_wrong_ones_do_not() -> None:
    """No history is an empty one; anything but at most 200 texts is damage."""
    whole = document_out(small_document().contents)
    del whole["prompt_history"]
    assert read_project(json.dumps(whole).encode()).base.prompts == ()
    for wrong in ("a castle", [4], ["a"] * 201, ["a" * 20_001], None):
        with pytest.raises(ProjectError):
            read_project(json.dumps({**whole, "prompt_history": wrong}).encode())
