"""Backgrounds: right size, same seed same pixels, different kinds and seeds look different."""

import itertools

import numpy as np
import pytest

from engine.training.data.backgrounds import PAINTERS, PLAIN, draw_background
from engine.training.data.concepts import BACKGROUNDS_BY_NAME, STAGES, concepts_of
from engine.training.eval.judges import BackgroundJudge

NAMES = list(BACKGROUNDS_BY_NAME)


def draw(name: str, seed: int, size: tuple[int, int] = (256, 256)) -> np.ndarray:
    return draw_background(name, size, np.random.default_rng(seed))


def test_every_named_background_can_be_drawn() -> None:
    assert set(PAINTERS) == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", [(512, 512), (640, 384), (384, 640), (64, 64)])
def test_size_and_type(name: str, size: tuple[int, int]) -> None:
    picture = draw(name, 0, size)
    assert picture.shape == (size[1], size[0], 3)
    assert picture.dtype == np.uint8
    assert picture.flags.c_contiguous


@pytest.mark.parametrize("name", NAMES)
def test_the_seed_decides_every_pixel(name: str) -> None:
    assert np.array_equal(draw(name, 3), draw(name, 3))
    differences = [
        np.abs(draw(name, a).astype(int) - draw(name, b)).mean()
        for a, b in itertools.combinations(range(5), 2)
    ]
    # Two whites differ by little.
    assert min(differences) > (0.2 if name in PLAIN else 1.0)


@pytest.mark.parametrize("name", NAMES)
def test_shapes_are_large_and_soft(name: str) -> None:
    """Drawn at 512 and reduced to 256 little is lost: the model learns them at that size."""
    for seed in range(3):
        picture = draw(name, seed, (512, 512)).astype(np.float32)
        small = picture.reshape(256, 2, 256, 2, 3).mean((1, 3))
        assert np.abs(small.repeat(2, 0).repeat(2, 1) - picture).mean() < 1.5


def test_kinds_can_be_told_apart_by_their_coarse_colours() -> None:
    """The nearest mean of 4 x 4 coarse cells finds the kind of nearly every fresh picture."""

    def coarse(name: str, seed: int) -> np.ndarray:
        cells = draw(name, seed, (128, 128)).reshape(4, 32, 4, 32, 3)
        return cells.mean((1, 3), dtype=np.float32).ravel()

    means = np.stack([np.mean([coarse(name, seed) for seed in range(12)], 0) for name in NAMES])
    hits = [
        np.linalg.norm(means - coarse(name, seed), axis=1).argmin() == index
        for index, name in enumerate(NAMES)
        for seed in range(100, 108)
    ]
    assert np.mean(hits) > 0.9


def test_an_unknown_name_is_an_error() -> None:
    with pytest.raises(KeyError):
        draw("moonbase", 0)


def test_the_judge_names_fresh_drawings_of_every_kind() -> None:
    judge = BackgroundJudge(concepts=concepts_of(STAGES[-1]))
    hits = [judge(draw(name, seed)) == name for name in NAMES for seed in range(500, 506)]
    assert np.mean(hits) > 0.97


def test_a_plain_colour_is_that_colour_everywhere() -> None:
    hues = {"blue": 2, "green": 1, "red": 0}
    for seed in range(6):
        for word, channel in hues.items():
            pixels = draw(f"{word} background", seed).reshape(-1, 3).astype(int)
            others = np.delete(pixels, channel, axis=1).max(1)
            assert (pixels[:, channel] > others + 20).all(), word
        assert draw("white background", seed).min() > 238
        assert draw("black background", seed).max() < 120


def test_places_to_stand_in_have_a_ground_that_is_not_the_sky() -> None:
    for name in ("mountains", "farm", "street", "kitchen", "party", "autumn", "jungle", "rain"):
        for seed in range(4):
            picture = draw(name, seed).astype(np.float32)
            above, below = picture[60:90].mean((0, 1)), picture[-24:].mean((0, 1))
            assert np.abs(above - below).max() > 25, (name, seed)
