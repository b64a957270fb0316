"""The engine and its prompts: boxes left empty, things without a box, bad input, older records."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from engine.api import Finished, GenerateRequest, Started
from engine.models.art.backbone import ALL_PLACED, NOTHING_NAMED, art_of
from engine.models.art.decoding import decode_layers
from engine.pipeline import LayerPipeline
from tests.engine.tiny import layer, picture, random_pixels, tiny_generator

FULL = (0, 0, 256, 256)
BOXES = [(x, y, x + 64, y + 64) for y in (0, 64, 128, 192) for x in (0, 64, 128, 192)]


@pytest.fixture(scope="module")
def generator() -> LayerPipeline:
    return tiny_generator()


@pytest.fixture(scope="module")
def shipped() -> LayerPipeline:
    return LayerPipeline.load(threads=1)


def asking(prompt: str, boxes: int, **more) -> GenerateRequest:
    layers = [layer(0, FULL), *(layer(i, BOXES[(i - 1) % 16]) for i in range(1, boxes + 1))]
    return picture(*layers, prompt=prompt, **more)


def words(done: Finished) -> list[str | None]:
    return sorted((r.word for r in done.results[1:] if r.left_empty is None), key=str)


def empty(done: Finished) -> list[int]:
    return [r.layer_id for r in done.results if r.left_empty is not None]


def test_spare_boxes_stay_transparent_and_say_why(generator: LayerPipeline) -> None:
    done = generator.run(asking("a dog and two castles", 6))
    assert words(done) == ["castles", "castles", "dog"]
    assert [result.layer_id for result in done.results] == list(range(7))
    assert len(empty(done)) == 3
    for result in done.results:
        if result.left_empty is not None:
            assert result.left_empty == ALL_PLACED
            assert result.rgba.shape == (64, 64, 4)
            assert not result.rgba.any()
        else:
            assert result.rgba.any()


def test_spare_boxes_repeat_things_where_asked(generator: LayerPipeline) -> None:
    done = generator.run(asking("a dog and a castle", 5, spare_boxes="repeat"))
    assert words(done) == ["castle", "castle", "dog", "dog", "dog"]


def test_boxes_left_empty_are_neither_sampled_nor_decoded(
    generator: LayerPipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After planning, their tokens are gone."""
    decoded, sampled = [], []
    decode, forward = decode_layers, art_of(generator).model.art.forward

    def decoding(model, tokens, targets, *args, **more):
        decoded.append([region.request.layer_id for region in targets])
        return decode(model, tokens, targets, *args, **more)

    def stepping(tokens, *args, **more):
        sampled.append(tokens.shape[1])
        return forward(tokens, *args, **more)

    monkeypatch.setattr("engine.models.art.backbone.decode_layers", decoding)
    monkeypatch.setattr(art_of(generator).model.art, "forward", stepping)
    generator.run(asking("a dog", 9, cfg_scale=1.0, steps=2))
    (shown,) = decoded
    assert len(shown) == 2  # background and dog
    with_nine = set(sampled)
    sampled.clear()
    generator.run(asking("a dog", 1, cfg_scale=1.0, steps=2))
    assert with_nine == set(sampled)


def test_things_without_a_box_are_reported_as_typed(generator: LayerPipeline) -> None:
    done = generator.run(asking("three puppies and a fortress", 2))
    assert len(words(done)) == 2
    missing = {each.typed: each.count for each in done.not_placed}
    placed = {word: words(done).count(word) for word in ("puppies", "fortress")}
    assert missing.get("puppies", 0) + placed["puppies"] == 3
    assert missing.get("fortress", 0) + placed["fortress"] == 1


def test_undrawable_words_get_no_box_and_are_told_at_the_start(generator: LayerPipeline) -> None:
    events: list = []
    done = generator.run(asking("a dog, a sofa and a qwertz", 3), emit=events.append)
    assert words(done) == ["dog"]
    (started,) = [event for event in events if isinstance(event, Started)]
    assert started.check == done.check
    assert done.check is not None
    assert [each.typed for each in done.check.undrawable] == ["sofa", "qwertz"]
    assert done.unknown_words == started.unknown_words == ("qwertz",)


@pytest.mark.parametrize(
    "prompt",
    ["", "   ", "sofa, desk and qwertz", "no dog", "\x00\x07\x1b", "собака и 猫", "x" * 20_000],
)
def test_a_prompt_that_names_nothing_leaves_the_boxes_empty(
    generator: LayerPipeline, prompt: str
) -> None:
    done = generator.run(asking(prompt, 3))
    assert empty(done) == [1, 2, 3]
    assert {r.left_empty for r in done.results[1:]} == {NOTHING_NAMED}
    assert done.results[0].rgba[..., 3].min() == 255  # the background is there


def test_a_job_in_which_nothing_is_drawn_ends_well(generator: LayerPipeline) -> None:
    done = generator.run(picture(layer(1, BOXES[0]), layer(2, BOXES[1]), prompt="a sofa"))
    assert empty(done) == [1, 2]
    done = generator.run(picture(layer(1, BOXES[0]), prompt="a sofa", steps=1, cfg_scale=1.0))
    assert empty(done) == [1]


def test_fifty_boxes_and_one_word(generator: LayerPipeline) -> None:
    done = generator.run(asking("dog", 50, steps=1))
    assert (len(words(done)), len(empty(done))) == (1, 49)
    done = generator.run(asking("dogs", 50, steps=1))
    assert (len(words(done)), len(empty(done))) == (50, 0)


def test_one_word_hundreds_of_times_fills_the_boxes(generator: LayerPipeline) -> None:
    done = generator.run(asking("dog " * 300, 4, steps=1))
    assert words(done) == ["dog"] * 4
    assert [(each.typed, each.count) for each in done.not_placed] == [("dog", 252)]
    assert done.check is not None
    assert done.check.unread == 44


def test_mixed_scripts_and_a_megabyte_of_text(generator: LayerPipeline) -> None:
    done = generator.run(asking("ein 犬 and a dög, кошка and a castle " + "щ" * 1_000_000, 4))
    assert "castle" in words(done)


def test_more_things_than_one_text_holds(generator: LayerPipeline, shipped: LayerPipeline) -> None:
    nouns = art_of(shipped).model.card.nouns[:70]
    request = asking(", ".join(nouns), 50)
    prompt = art_of(shipped).encode_prompt(request)
    assert prompt.slots is not None
    assert prompt.text.shape[1] == len(prompt.words) + 1
    shown = [prompt.words[token - 1] for token in prompt.slots.tokens]
    assert shown == list(nouns)


def test_an_edit_leaves_the_finished_layers_alone_and_takes_what_is_left(
    generator: LayerPipeline,
) -> None:
    """Without a recogniser nothing is known of the finished ones; the box is filled."""
    kept = random_pixels(BOXES[0])
    request = picture(layer(1, BOXES[0], kept), layer(2, BOXES[1]), prompt="a dog and a castle")
    done = generator.run(request)
    assert words(dataclasses.replace(done, results=(done.results[0], *done.results)))
    assert not empty(done)


def test_the_older_reading_gives_every_box_something(generator: LayerPipeline) -> None:
    done = generator.run(asking("a dog", 4, reading=1))
    assert (done.reading, done.check, empty(done)) == (1, None, [])
    assert all(r.rgba.any() for r in done.results)
    new = generator.run(asking("a dog", 4))
    assert new.reading == 2


def test_the_older_reading_sends_the_words_as_typed(shipped: LayerPipeline) -> None:
    """Byte for byte what the text encoder got before prompts were taken apart."""
    typed = "a robot and no pengiun in the snow, 4k"
    prompt = art_of(shipped).encode_prompt(asking(typed, 2, reading=1))
    vectors, known = art_of(shipped).prompts.tokenizer.encode(typed)
    text = art_of(shipped).model.text(
        torch.from_numpy(vectors)[None], torch.from_numpy(known)[None]
    )
    assert torch.equal(prompt.text, text)
    assert prompt.slots is None
    assert prompt.words == ["a", "robot", "and", "no", "in", "the", "snow"]


def test_the_same_request_gives_the_same_pixels(generator: LayerPipeline) -> None:
    request = asking("two dogs, a castle", 5)
    first, second = generator.run(request), tiny_generator().run(request)
    for one, other in zip(first.results, second.results, strict=True):
        assert np.array_equal(one.rgba, other.rgba)
        assert one.word == other.word


def test_words_of_backgrounds_go_without_what_leads_to_them(shipped: LayerPipeline) -> None:
    prompt = art_of(shipped).encode_prompt(asking("a cat on a sandy beach", 1))
    assert prompt.slots is not None
    assert prompt.words[prompt.slots.background - 1] == "sandy beach"
