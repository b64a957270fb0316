"""Suggested layouts: every thing has a box, in its band, with its usual size, and none covered."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from engine import check_prompt
from engine.api import Box
from engine.composition import (
    Layout,
    place_one,
    suggest_layouts,
    suggest_things,
    traits_of,
    usual_size,
)
from engine.prompts.result import PromptCheck, PromptObject
from engine.training.data.concepts import concepts_of

CANVASES = [(512, 512), (640, 384), (448, 576)]
SCENERY = ["on a beach", "in a forest", "at night", "in the snow"]


def random_prompts(count: int) -> list[tuple[str, tuple[int, int]]]:
    """Prompts with one to twelve things of the vocabulary, and a canvas for each."""
    rng = np.random.default_rng(11)
    names = concepts_of(3).noun_names
    found = []
    for number in range(count):
        chosen = rng.choice(names, int(rng.integers(1, 13)), replace=False)
        listed = ", ".join(f"a {name}" for name in chosen)
        found.append((f"{listed} {rng.choice(SCENERY)}", CANVASES[number % len(CANVASES)]))
    return found


def overlap(a: Box, b: Box) -> float:
    """Of the smaller box."""
    width, height = (min(a[i + 2], b[i + 2]) - max(a[i], b[i]) for i in (0, 1))
    smaller = min((box[2] - box[0]) * (box[3] - box[1]) for box in (a, b))
    return max(width, 0) * max(height, 0) / smaller


def boxes_of(layout: Layout) -> list[Box]:
    return [thing.box for thing in layout.things]


def test_layouts_keep_the_rules_of_scenes() -> None:
    """Shares over many prompts: overlapping pairs, bands, margins, and order of sizes."""
    pairs, bands, margins, sizes = [], [], [], []
    for number, (prompt, (width, height)) in enumerate(random_prompts(40)):
        check = check_prompt(prompt)
        for layout in suggest_layouts(check, (width, height), seed=number):
            assert sorted(t.noun for t in layout.things) == sorted(o.noun for o in check.objects)
            pairs += [overlap(a, b) > 0.1 for a, b in combinations(boxes_of(layout), 2)]
            for thing in layout.things:
                x0, y0, x1, y1 = thing.box
                assert x0 % 32 == y0 % 32 == x1 % 32 == y1 % 32 == 0
                band = traits_of(thing.noun).band
                if band != "any":
                    bands.append(y0 + y1 <= height if band == "sky" else y1 >= 0.6 * height)
                margins.append(min(x0 / width, y0 / height, 1 - x1 / width, 1 - y1 / height))
            for a, b in combinations(layout.things, 2):
                first, second = traits_of(a.noun).size, traits_of(b.noun).size
                areas = [(t.box[2] - t.box[0]) * (t.box[3] - t.box[1]) for t in (a, b)]
                sizes.append((first - second) * (areas[0] - areas[1]) >= 0)
    assert np.mean(pairs) <= 0.05
    assert np.mean(bands) >= 0.97
    assert min(margins) >= 0.03
    assert np.mean(sizes) >= 0.97


def test_three_to_five_different_layouts_and_the_same_ones_again() -> None:
    for prompt, canvas in random_prompts(20):
        check = check_prompt(prompt)
        found = suggest_layouts(check, canvas, seed=3)
        assert 2 <= len(found) <= 5
        assert len({tuple(boxes_of(layout)) for layout in found}) == len(found)
        assert found == suggest_layouts(check, canvas, seed=3)
        assert found != suggest_layouts(check, canvas, seed=4)


def test_counts_colours_and_sizes_of_the_prompt_reach_the_boxes() -> None:
    check = check_prompt("a big red car, a tiny car, three balloons and some apples")
    for layout in suggest_layouts(check, (640, 512)):
        shows = sorted(thing.shows for thing in layout.things)
        assert shows == ["apple"] * 3 + ["balloon"] * 3 + ["car", "red car"]
        width = {thing.shows: thing.box[2] - thing.box[0] for thing in layout.things}
        assert width["red car"] > width["car"]


def test_a_box_has_the_proportions_of_its_thing() -> None:
    (tall_w, tall_h), (wide_w, wide_h) = (
        usual_size(n, (1024, 1024)) for n in ("lantern", "racing car")
    )
    assert tall_h > tall_w
    assert wide_w > wide_h


def test_without_a_horizon_things_may_be_anywhere() -> None:
    check = check_prompt("a rocket, a star and a comet in space")
    bottoms = [
        (thing.box[1] + thing.box[3]) / 2
        for seed in range(4)
        for layout in suggest_layouts(check, (512, 512), seed=seed)
        for thing in layout.things
    ]
    assert max(bottoms) > 300


@pytest.mark.parametrize("prompt", ["", "on a beach", "a stapler", "no cats", "\u200b"])
def test_where_nothing_is_named_there_is_nothing_to_place(prompt: str) -> None:
    assert suggest_layouts(check_prompt(prompt), (512, 512)) == ()


@pytest.mark.parametrize("canvas", [(64, 64), (512, 512), (2048, 2048), (2048, 64)])
def test_many_things_on_any_canvas_stay_inside_and_are_at_most_as_many_as_boxes(canvas) -> None:
    check = check_prompt("forty cats, 999 dogs and a house")
    for layout in suggest_layouts(check, canvas, most=50):
        assert len(layout.things) == 50
        for x0, y0, x1, y1 in boxes_of(layout):
            assert 0 <= x0 < x1 <= canvas[0]
            assert 0 <= y0 < y1 <= canvas[1]


def test_one_thing_more_is_placed_where_it_covers_no_other() -> None:
    check = check_prompt("a house, a dog and a tree on a beach")
    layout = suggest_layouts(check, (512, 512))[0]
    box = place_one(PromptObject("moon", "moon", ()), (512, 512), boxes_of(layout)).box
    assert box[1] + box[3] <= 512
    assert max(overlap(box, other) for other in boxes_of(layout)) <= 0.1


def test_one_thing_more_finds_a_place_on_a_full_canvas() -> None:
    cat = PromptObject("cat", "cat", (), colour="blue")
    placed = place_one(cat, (512, 512), [(0, 0, 512, 512)] * 3)
    assert placed.shows == "blue cat"
    box = placed.box
    assert 0 <= box[0] < box[2] <= 512


@pytest.mark.parametrize(
    ("prompt", "allowed"),
    [
        ("a cat on a beach", {"palm tree", "crab", "seashell", "sailboat", "umbrella", "sun"}),
        ("a cow and a pig", {"horse", "sheep", "dog", "cat", "bird", "duck", "rabbit", "lion"}),
    ],
)
def test_things_for_spare_boxes_suit_prompt_and_place(prompt: str, allowed: set[str]) -> None:
    check = check_prompt(prompt)
    nouns = ["cat", "hammer", "castle", "telephone", *sorted(allowed)]
    boxes = [(40, 20, 130, 110), (200, 200, 320, 330), (350, 220, 450, 330)]
    found = suggest_things(check, nouns, (512, 384), boxes, ["cat"])
    assert len(set(found)) == 3 and set(found) <= allowed
    assert traits_of(found[0]).band != "ground"
    assert suggest_things(check, nouns, (512, 384), boxes, ["cat"]) == found


def test_spare_boxes_get_words_also_where_nothing_suits() -> None:
    boxes = [(0, 0, 64, 64)] * 3
    found = suggest_things(PromptCheck(), ["anchor", "dice"], (256, 256), boxes)
    assert len(found) == 3 and set(found) == {"anchor", "dice"}
