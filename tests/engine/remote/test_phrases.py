"""Which box shows which phrase: what users say first, then what boxes showed, then their place."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine import LayerRequest
from engine.prompts.open_text import read_open_prompt
from engine.remote.fitting import MOST_ASPECT, fit_background, fit_cut_out, picture_size
from engine.remote.phrases import (
    assign_phrases,
    background_prompt,
    layer_prompt,
    negative_prompt,
    phrase_of,
)
from tests.engine.remote.scripted import background, box, request

SKY, LOW, WIDE = box(1, 30, 10, 90, 90), box(2, 60, 250, 100, 110), box(3, 200, 230, 260, 150)


def shown(prompt: str, *layers: LayerRequest, **more: object) -> dict[int, str]:
    found = assign_phrases(request(prompt, *layers, **more), read_open_prompt(prompt))
    return {layer: phrase.word for layer, phrase in found.by_layer.items()}


def test_known_things_go_where_they_belong() -> None:
    prompt = "a castle, a dog and the moon"
    assert shown(prompt, SKY, LOW, WIDE) == {1: "moon", 2: "dog", 3: "castle"}
    swapped = (replace(SKY, layer_id=3), LOW, replace(WIDE, layer_id=1))
    assert shown(prompt, *swapped) == {3: "moon", 2: "dog", 1: "castle"}


def test_others_go_in_the_order_of_the_boxes() -> None:
    assert shown("a golem, an elf and a katana", SKY, LOW, WIDE) == {
        1: "golem", 2: "elf", 3: "katana",
    }  # fmt: skip
    assert shown("a golem, an elf and the moon", SKY, LOW, WIDE) == {
        1: "moon",
        2: "golem",
        3: "elf",
    }


def test_what_the_user_says_of_a_box_comes_first() -> None:
    """Also where the prompt has no such thing; one that it has is taken."""
    pinned = replace(WIDE, shows="golem made of moss")
    assert shown("a golem and an elf", SKY, pinned) == {1: "elf", 3: "golem made of moss"}
    free = replace(SKY, shows="an old clock, rusty")
    assert shown("a golem", free, LOW) == {1: "an old clock, rusty", 2: "golem"}


def test_boxes_keep_what_they_showed_while_the_prompt_has_it() -> None:
    was = (replace(SKY, showed="elf"), replace(LOW, showed="golem"))
    assert shown("a golem and an elf", *was) == {1: "elf", 2: "golem"}
    assert shown("a mossy golem and an elf", *was) == {1: "elf", 2: "mossy golem"}
    assert shown("a golem and a katana", *was) == {1: "katana", 2: "golem"}


def test_a_few_boxes_show_one_of_each_before_the_second() -> None:
    prompt = "three golems, an elf"
    found = assign_phrases(request(prompt, SKY, LOW), read_open_prompt(prompt))
    assert {each.word for each in found.by_layer.values()} == {"golem", "elf"}
    assert [(each.typed, each.count) for each in found.not_placed] == [("golems", 2)]


def test_an_unnamed_number_fills_the_boxes() -> None:
    assert shown("goblins", SKY, LOW, WIDE) == {1: "goblin", 2: "goblin", 3: "goblin"}
    assert shown("goblins and an elf", SKY, LOW, WIDE) == {1: "goblin", 2: "elf", 3: "goblin"}


def test_the_same_request_gives_the_same_phrases() -> None:
    layers = [box(n, 37 * n, 11 * n, 60 + n, 70) for n in range(1, 9)]
    prompt = "a castle, two dogs, the moon, three golems and a house"
    assert shown(prompt, *layers) == shown(prompt, *layers)
    assert len(shown(prompt, *layers)) == 8


def test_the_word_of_a_record_stands_in_the_prompt() -> None:
    """`outdated` compares the two; a plural without a rule is kept as typed."""
    prompt = "two old children and three cats"
    child, cat = read_open_prompt(prompt).check.objects
    assert (phrase_of(child, prompt).text, phrase_of(child, prompt).word) == (
        "old child", "old children",
    )  # fmt: skip
    assert phrase_of(cat, prompt).word == "cat"


def test_what_servers_are_asked() -> None:
    found = read_open_prompt("a golem and an elf, in a cave, ink drawing, no bats")
    (golem, _) = found.check.objects
    assert layer_prompt(phrase_of(golem, ""), found) == "golem, ink drawing"
    assert background_prompt(found).startswith("cave, ink drawing, empty background")
    assert negative_prompt(found, is_background=False) == "bats"
    assert negative_prompt(found, is_background=True) == "bats, golem, elf"
    assert background_prompt(read_open_prompt("a golem")).startswith("plain, softly lit backdrop")


# ---- sizes and fitting ----


@pytest.mark.parametrize("size", [(64, 64), (1, 1), (2000, 100), (30, 2000), (333, 517)])
def test_sizes_have_the_proportions_of_the_box(size: tuple[int, int]) -> None:
    width, height = picture_size((0, 0, *size))
    assert width % 16 == height % 16 == 0 and 0.9 < width * height / 1024**2 < 1.1
    aspect = min(MOST_ASPECT, max(1 / MOST_ASPECT, size[0] / size[1]))
    assert abs(width / height / aspect - 1) < 0.05


def test_a_cut_out_keeps_its_proportions_and_its_edges() -> None:
    """A one-pixel ramp of alpha stays a ramp; no colour bleeds in from what is transparent."""
    picture = np.zeros((256, 256, 4), np.uint8)
    picture[..., :3] = 0, 255, 0  # green where nothing is seen
    picture[100:140, 60:180] = 200, 10, 10, 255
    picture[100:140, 60] = 200, 10, 10, 128
    made = fit_cut_out(picture, (10, 10, 130, 110))
    assert made.shape == (100, 120, 4)
    rows = np.flatnonzero(made[..., 3].any(axis=1))
    assert (rows[0], rows[-1]) == (30, 69), "40 of 100 rows, in the middle"
    assert (made[40:60, 1:, 3] == 255).all() and 120 < made[50, 0, 3] < 136
    assert (made[made[..., 3] > 0][:, 1] < 20).all()


def test_nothing_to_be_seen_is_no_cut_out() -> None:
    with pytest.raises(ValueError, match="empty"):
        fit_cut_out(np.zeros((8, 8, 4), np.uint8), (0, 0, 4, 4))


@pytest.mark.parametrize("size", [(512, 384), (100, 400), (33, 17)])
def test_a_background_fills_the_canvas(size: tuple[int, int]) -> None:
    picture = np.full((96, 128, 4), 255, np.uint8)
    picture[..., 0] = np.linspace(0, 255, 128).astype(np.uint8)
    made = fit_background(picture, size)
    assert made.shape == (size[1], size[0], 4) and (made[..., 3] == 255).all()
    assert made[0, -1, 0] > made[0, 0, 0]
    assert background().box == (0, 0, 512, 384)
