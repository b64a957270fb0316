"""Colour decision: noisy fills become flat, borders stay in place, small layers are left alone."""

from __future__ import annotations

import numpy as np
import pytest

from engine.colour_decision import (
    ALIKE,
    MOST_COLOURS,
    STRIP,
    decide_colours,
    find_palette,
    fit_flat,
    fit_flat_layers,
    to_lab,
)
from engine.pixels import fit

RED, BLUE = (0.9, 0.1, 0.1), (0.1, 0.2, 0.8)


def two_halves(side: int = 64, noise: float = 0.02, seed: int = 0) -> np.ndarray:
    """A disc, red on the left and blue on the right, with noise in its colours; premultiplied."""
    y, x = np.mgrid[:side, :side]
    alpha = (np.hypot(x - side / 2, y - side / 2) < side * 0.4).astype(np.float32)
    rgb = np.where((x < side / 2)[..., None], RED, BLUE)
    rgb = (rgb + np.random.default_rng(seed).normal(0, noise, rgb.shape)).clip(0, 1)
    return np.concatenate([rgb * alpha[..., None], alpha[..., None]], axis=-1).astype(np.float32)


@pytest.mark.parametrize("size", [(64, 64), (144, 144), (30, 40), (192, 100)])
def test_two_noisy_halves_become_two_fills(size):
    decided = decide_colours(two_halves())
    assert decided is not None
    assert len(decided.palette) == 2
    for wanted in (RED, BLUE):
        assert np.abs(decided.palette - wanted).max(axis=1).min() < 0.03
    pixels = fit_flat(two_halves(), size)
    assert pixels is not None
    assert pixels.shape == (*size, 4)
    solid = pixels[..., 3] > 230
    right = np.arange(size[1]) >= size[1] / 2
    far = [np.abs(pixels[..., :3] / 255 - colour).sum(axis=-1) for colour in (RED, BLUE)]
    agrees = (far[1] < far[0]) == right[None]
    assert agrees[solid].mean() > 0.98, "the border stays where it was"
    assert (pixels[pixels[..., 3] == 0] == 0).all()


def test_the_same_pixels_give_the_same_layer():
    first, again = (fit_flat(two_halves(), (96, 96)) for _ in range(2))
    assert first is not None
    assert np.array_equal(first, again)


def test_a_mirrored_drawing_is_decided_too():
    mirrored = fit_flat(two_halves()[:, ::-1], (96, 96))
    copied = fit_flat(two_halves()[:, ::-1].copy(), (96, 96))
    assert mirrored is not None
    assert np.array_equal(mirrored, copied)


def test_specks_lose_the_vote_and_larger_marks_win_it():
    layer = two_halves(noise=0)
    layer[20, 20, :3] = (1, 1, 0)  # one pixel
    layer[36:41, 14:19, :3] = (1, 1, 0)  # an eye
    pixels = fit_flat(layer, (64, 64))
    assert pixels is not None
    assert pixels[38, 16, :3] / 255 == pytest.approx((1, 1, 0), abs=0.02)
    assert pixels[20, 20, :3] / 255 == pytest.approx(RED, abs=0.02)


def test_alpha_is_decided_as_without_colours():
    layer = two_halves(noise=0)
    layer *= 0.6  # unsure everywhere inside
    pixels = fit_flat(np.maximum(layer, two_halves(noise=0) * 0.9), (64, 64))
    assert pixels is not None
    assert pixels[32, 20, 3] == 255
    assert (pixels[0, 0] == 0).all()


@pytest.mark.parametrize("solid", [0, 1, 15])
def test_a_layer_with_few_solid_pixels_has_no_palette(solid):
    layer = np.zeros((32, 32, 4), np.float32)
    layer.reshape(-1, 4)[:solid] = 1
    assert decide_colours(layer) is None
    assert fit_flat(layer, (32, 32)) is None
    (fitted,) = fit_flat_layers([layer], [(32, 32)])
    assert np.array_equal(fitted, fit(layer, (32, 32)))


def test_many_colours_are_few_afterwards_and_none_look_alike():
    colours = np.random.default_rng(1).random((5000, 3)).astype(np.float32)
    palette = find_palette(colours)
    assert 2 <= len(palette) <= MOST_COLOURS
    lab = to_lab(palette)
    apart = np.linalg.norm(lab[:, None] - lab[None], axis=-1) + 1e3 * np.eye(len(lab))
    assert apart.min() >= ALIKE
    assert len(find_palette(np.full((100, 3), 0.5, np.float32))) == 1


def test_lab_of_known_colours():
    """sRGB white, black and pure red under D65 (CIE 15:2004)."""
    found = to_lab(np.array([[1.0, 1, 1], [0, 0, 0], [1, 0, 0]]))
    wanted = [[100, 0, 0], [0, 0, 0], [53.24, 80.09, 67.20]]
    np.testing.assert_allclose(found, wanted, atol=0.05)


def test_neighbouring_pixels_of_a_fill_are_equal():
    """Predicted noise is gone from inside, and the outline is narrow."""
    pixels = fit_flat(two_halves(noise=0.04), (192, 192))
    assert pixels is not None
    inside = pixels[60:130, 60:90]
    assert (inside == inside[0, 0]).all()
    soft = (pixels[..., 3] > 12) & (pixels[..., 3] < 243)
    assert soft.sum() < 2.5 * 2 * np.pi * 0.4 * 192


def test_a_layer_of_one_pixel_and_an_empty_one_are_delivered_as_without_it():
    for layer in (np.ones((1, 1, 4), np.float32), np.zeros((128, 128, 4), np.float32)):
        for size in ((1, 1), (40, 30)):
            (fitted,) = fit_flat_layers([layer], [size])
            assert np.array_equal(fitted, fit(layer, size))


@pytest.mark.parametrize("shape", [(1, 40), (40, 1), (4, 4)])
def test_the_thinnest_layers_that_have_a_palette_are_decided(shape):
    pixels = fit_flat(np.ones((*shape, 4), np.float32), (32, 32))
    assert pixels is not None
    assert (pixels == 255).all()


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (16, 16)])
def test_a_layer_is_reduced_to_the_mean_of_its_cells(size):
    pixels = fit_flat(np.ones((128, 128, 4), np.float32), size)
    assert pixels is not None
    assert pixels.shape == (*size, 4)
    assert (pixels == 255).all()


def test_ten_thousand_colours_become_few():
    rng = np.random.default_rng(0)
    layer = np.ones((128, 128, 4), np.float32)
    layer[..., :3] = rng.random((128, 128, 3))
    assert len(np.unique(layer.reshape(-1, 4), axis=0)) > 10_000
    decided = decide_colours(layer)
    assert decided is not None
    assert len(decided.palette) <= MOST_COLOURS
    assert decided.pixels((192, 192)).shape == (192, 192, 4)


def test_a_layer_of_8192_pixels_is_made_in_strips_that_fit_in_little_memory():
    """Lower than wide, so that the suite stays short."""
    layer = two_halves(noise=0)
    size = (128, 8192)
    decided = decide_colours(layer)
    assert decided is not None
    cells = [labels.numel() for labels, _ in decided._strips(size)]
    assert len(cells) > 50
    assert max(cells) <= STRIP
    pixels = decided.pixels(size)
    assert pixels.shape == (*size, 4)
    assert set(map(tuple, pixels[64, [2000, 6000]])) == {(230, 26, 26, 255), (26, 51, 204, 255)}
