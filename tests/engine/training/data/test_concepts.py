"""The vocabulary's stages: what each holds, that all of it can be drawn, and that none moves."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from engine.training.data.concepts import (
    COLOURLESS_LOOKS,
    FIRST,
    ICON_COLUMNS,
    LOOKS,
    NEUTRALS,
    STAGES,
    concepts_of,
    data_rows,
    stage_path,
)
from engine.training.data.pixels import NEUTRAL_TONES, recolour
from engine.training.data.scenes import SceneSettings, compose, evaluation_scenes
from engine.training.data.sprites import SpritePack, fill_inside
from engine.training.eval.judges import neutral_shares
from engine.training.eval.metrics import has_colour


@pytest.mark.parametrize(
    ("stage", "sizes"),
    [(3, (200, 5, 11, 12)), (4, (279, 5, 11, 28))],
)
def test_each_stage_has_its_size_and_holds_the_one_before(stage: int, sizes: tuple) -> None:
    now = concepts_of(stage)
    parts = (now.noun_names, now.looks, now.colours, now.background_names)
    assert tuple(map(len, parts)) == sizes
    if stage > STAGES[0]:
        old = concepts_of(stage - 1)
        before = (old.noun_names, old.looks, old.colours, old.background_names)
        assert all(new[: len(known)] == known for new, known in zip(parts, before, strict=True))


def test_there_is_no_other_stage() -> None:
    for stage in (2, 5):
        with pytest.raises(ValueError, match=f"stage {stage}"):
            concepts_of(stage)
    assert stage_path(Path("runs/a.b"), 3) == Path("runs/a-3.b")


@pytest.mark.parametrize("stage", STAGES)
def test_every_noun_has_a_cut_out_icon_in_at_least_three_looks(stage: int) -> None:
    rows = {row["label"]: row for row in data_rows("concepts.tsv")}
    now = concepts_of(stage)
    for noun in now.nouns:
        looks = [look for look in now.looks if look not in noun.without]
        assert len(looks) >= 3
        for look in looks:
            column = ICON_COLUMNS.get(LOOKS[look], LOOKS[look])
            assert rows[noun.label][column], noun.label
            assert column not in rows[noun.label]["full_bleed_in"].split("|"), noun.label


def test_the_scenes_of_an_earlier_stage_never_change() -> None:
    """Figures of later models are compared with those of earlier ones on the same scenes."""
    rng, now = np.random.default_rng(5), concepts_of(3)
    scenes = [compose(rng, SceneSettings(concepts=now, stranger_share=0.3)) for _ in range(300)]
    scenes += evaluation_scenes(40, 2026, SceneSettings(concepts=now))
    # Codes of drawings came later, and no thing of these stages has one.
    text = repr(scenes).replace(", code=None", "")
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == "87d84303a88497e7"


@pytest.mark.parametrize("stage", STAGES)
def test_scenes_of_a_stage_use_all_of_it_and_nothing_else(stage: int) -> None:
    now = concepts_of(stage)
    rng = np.random.default_rng(3)
    scenes = [compose(rng, SceneSettings(concepts=now)) for _ in range(1500)]
    scenes += evaluation_scenes(60, 1, SceneSettings(concepts=now))
    by_name = {noun.name: noun for noun in now.nouns}
    things = [thing for scene in scenes for thing in scene.things]
    assert {thing.noun for thing in things} == set(by_name)
    assert {thing.look for thing in things} == set(now.looks)
    assert {thing.colour for thing in things} == {None, *now.colours}
    assert {scene.background for scene in scenes} == {None, *now.background_names}
    for thing in things:
        noun = by_name[thing.noun]
        assert thing.look not in noun.without
        assert thing.colour is None or thing.colour in now.colours_of(noun, thing.look)
        assert thing.colour is None or thing.look not in COLOURLESS_LOOKS


def test_the_colour_share_says_how_many_colourable_things_get_a_colour() -> None:
    for share in (0.0, 1.0):
        rng = np.random.default_rng(4)
        for _ in range(100):
            for thing in compose(rng, SceneSettings(colour_share=share)).things:
                noun = next(noun for noun in FIRST.nouns if noun.name == thing.noun)
                can_have = bool(FIRST.colours_of(noun, thing.look))
                assert (thing.colour is not None) == (can_have and share == 1.0)


def red_disc_with_a_white_eye() -> np.ndarray:
    y, x = np.mgrid[:64, :64] - 31.5
    disc = np.zeros((64, 64, 4), np.uint8)
    disc[x * x + y * y < 900] = 220, 30, 40, 255
    disc[x * x + y * y < 60] = 250, 250, 250, 255
    return disc


@pytest.mark.parametrize("colour", NEUTRALS)
def test_neutral_colours_are_painted_and_recognised(colour: str) -> None:
    disc = red_disc_with_a_white_eye()
    painted = recolour(disc, colour)
    assert has_colour(painted, colour)
    assert not any(has_colour(painted, other) for other in NEUTRALS if other != colour)
    assert not has_colour(disc, colour)
    assert np.array_equal(painted[32, 32], disc[32, 32])
    assert np.array_equal(painted[..., 3], disc[..., 3])
    assert set(NEUTRAL_TONES) == set(NEUTRALS)


def test_nothing_visible_has_no_colour() -> None:
    assert not any(neutral_shares(np.zeros((8, 8, 4), np.uint8)).values())


def test_line_art_is_filled_inside_only() -> None:
    ring = np.zeros((20, 20, 4), np.uint8)
    ring[4:16, 4:16] = 0, 0, 0, 255
    ring[8:12, 8:12] = 0
    filled = fill_inside(ring)
    assert filled[10, 10].tolist() == [255, 255, 255, 255]
    assert filled[5, 5].tolist() == [0, 0, 0, 255]
    assert filled[1, 1, 3] == 0


def test_a_pack_of_an_earlier_stage_is_refused() -> None:
    with pytest.raises(ValueError, match="--stage 3"):
        SpritePack({}, "none").check(FIRST)
