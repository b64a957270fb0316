"""Recolouring by the main colour's family: hues, neutral bodies, shades, and what must stay."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from engine.training.data.concepts import COLOURS, NEUTRALS, STAGES, concepts_of
from engine.training.data.pixels import TONES, oklab, recolour, recolour_main, srgb
from engine.training.data.sprites import SpritePack
from engine.training.eval.metrics import has_colour

# Main colour, its shade, and a detail of another family that must stay as it is.
BODIES = {
    "orange dog": ((242, 165, 85), (212, 130, 60), (40, 36, 40)),
    "brown bear": ((140, 84, 52), (112, 62, 38), (250, 250, 250)),
    "white sheep": ((236, 236, 240), (206, 208, 214), (50, 46, 52)),
    "grey elephant": ((158, 160, 166), (132, 134, 140), (250, 120, 130)),
    "black cat": ((62, 64, 70), (46, 48, 52), (120, 220, 90)),
    "green frog": ((96, 200, 60), (70, 160, 44), (250, 250, 250)),
    "blue whale": ((56, 148, 236), (36, 110, 200), (250, 250, 250)),
}


def body(name: str) -> np.ndarray:
    """A disc of the main colour, its lower third in the shade, with a detail in the middle."""
    main, shade, detail = BODIES[name]
    y, x = np.mgrid[:64, :64] - 31.5
    disc = np.zeros((64, 64, 4), np.uint8)
    disc[x * x + y * y < 900] = *main, 255
    disc[(x * x + y * y < 900) & (y > 12)] = *shade, 255
    disc[x * x + y * y < 50] = *detail, 255
    return disc


def test_every_colour_has_a_tone() -> None:
    assert set(TONES) == {*COLOURS, *NEUTRALS}
    grid = np.array(list(itertools.product(range(0, 256, 51), repeat=3)), np.float32)
    assert np.abs(srgb(oklab(grid)) - grid).max() < 0.6


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("colour", TONES)
def test_any_main_colour_becomes_any_colour(name: str, colour: str) -> None:
    sprite = body(name)
    painted = recolour_main(sprite, colour)
    assert has_colour(painted, colour)
    assert np.array_equal(painted[..., 3], sprite[..., 3])
    assert not painted[0, 0].any()
    detail = np.abs(painted[31, 31, :3].astype(int) - sprite[31, 31, :3])
    assert detail.max() <= 3
    # The shade stays darker than the body.
    light = painted[..., :3].astype(int).sum(-1)
    assert light[50, 31] < light[12, 31]


def test_nothing_visible_stays_nothing() -> None:
    assert not recolour_main(np.zeros((8, 8, 4), np.uint8), "red").any()


def test_only_packs_with_further_drawings_are_recoloured_by_the_main_colour() -> None:
    sheep, dog = body("white sheep"), body("orange dog")
    key = ("dog", "flat")
    early = SpritePack({key: (dog,)}, "early")
    late = SpritePack({key: (dog, sheep)}, "late")
    assert np.array_equal(early.coloured(*key, "blue"), recolour(dog, "blue"))
    assert np.array_equal(late.coloured(*key, "blue"), recolour_main(dog, "blue"))
    assert np.array_equal(late.coloured(*key, "blue", 1), recolour_main(sheep, "blue"))
    assert np.array_equal(late.coloured(*key, None, 1), sheep)


def test_the_last_stage_colours_animals_and_earlier_ones_do_not() -> None:
    for stage, coloured in ((3, False), (STAGES[-1], True)):
        concepts = concepts_of(stage)
        by_name = {noun.name: noun for noun in concepts.nouns}
        for name in ("dog", "cat", "elephant", "sheep", "bear", "rabbit"):
            assert bool(concepts.colours_of(by_name[name], "flat")) == coloured
            assert not concepts.colours_of(by_name[name], "ink")
    last = concepts_of(STAGES[-1])
    shares = [bool(last.colours_of(noun, "flat")) for noun in last.nouns]
    assert np.mean(shares) > 0.5


def test_natural_colours_hold_for_all_drawings_of_the_last_stage() -> None:
    now = {noun.name: noun for noun in concepts_of(STAGES[-1]).nouns}
    before = {noun.name: noun for noun in concepts_of(3).nouns}
    assert before["bell"].natural == ("golden",) and not now["bell"].natural
    assert now["lemon"].natural == before["lemon"].natural == ("yellow",)
