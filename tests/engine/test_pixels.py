"""Straight bytes and premultiplied floats: there and back, and what becomes of unsure alpha."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.pixels import (
    MOST_STRETCH,
    deliver,
    fit,
    resample,
    to_opaque,
    to_premultiplied,
    to_straight,
)


@given(st.tuples(*[st.integers(0, 255)] * 3), st.sampled_from([0, 255]))
def test_solid_and_empty_pixels_survive_a_round_trip(rgb, alpha):
    pixel = np.array([[[*rgb, alpha]]], np.uint8)
    back = to_straight(to_premultiplied(pixel))
    assert back.tolist() == ([[[*rgb, 255]]] if alpha else [[[0, 0, 0, 0]]])


def test_haze_becomes_empty_and_almost_solid_becomes_solid():
    hazy = np.array([[[0.01, 0.01, 0.01, 0.02], [0.97, 0.5, 0.0, 0.97]]], np.float32)
    straight = to_straight(hazy)
    assert straight[0, 0].tolist() == [0, 0, 0, 0]
    assert straight[0, 1, 3] == 255


def test_half_transparent_stays_half_transparent():
    assert to_straight(np.array([[[0.25, 0, 0, 0.5]]], np.float32))[0, 0].tolist() == [
        128,
        0,
        0,
        128,
    ]


def test_an_opaque_background_has_no_black_holes():
    unsure = np.array([[[0.4, 0.3, 0.2, 0.5]]], np.float32)
    assert to_opaque(unsure)[0, 0].tolist() == [204, 153, 102, 255]


def test_resampling_averages_enlarges_and_keeps_colours_valid():
    rng = np.random.default_rng(0)
    rgba = to_premultiplied(rng.integers(0, 256, (8, 12, 4), dtype=np.uint8))
    small = resample(rgba, (4, 6))
    np.testing.assert_allclose(small[0, 0], rgba[:2, :2].mean((0, 1)), rtol=1e-5)
    large = resample(small, (8, 12))
    assert large.shape == rgba.shape
    assert (large[..., :3] <= large[..., 3:]).all()
    assert resample(rgba, (8, 12)) is rgba


def soft_disc(side: int) -> np.ndarray:
    """(side, side, 4) premultiplied red disc whose edge is four pixels wide."""
    rows, cols = np.indices((side, side)) - (side - 1) / 2
    alpha = np.clip(0.5 + (side * 0.35 - np.hypot(rows, cols)) / 4, 0, 1)[..., None]
    return np.concatenate([alpha, alpha * 0, alpha * 0, alpha], axis=-1).astype(np.float32)


@pytest.mark.parametrize("size", [(32, 32), (64, 64), (192, 192), (80, 48)])
def test_what_is_delivered_has_narrow_edges_at_every_size(size):
    """Reduced edges are smooth, enlarged ones as narrow as drawn ones; neither loses its colour."""
    layer = fit(soft_disc(64), size)
    assert layer.shape == (*size, 4)
    alpha = layer[..., 3]
    edges = ((alpha > 12) & (alpha < 243)).sum() / (np.pi * 0.35 * sum(size))
    assert 0.3 < edges < 2.6, "pixels of edge per pixel of outline"
    assert (layer[alpha > 0][:, 0] == 255).all()
    assert (layer[alpha == 0] == 0).all()
    assert alpha[size[0] // 2, size[1] // 2] == 255


@pytest.mark.parametrize("size", [(64, 64), (128, 112), (96, 64), (64, 160), (240, 80)])
def test_a_disc_stays_one_in_boxes_of_other_proportions(size):
    """Stretched by a tenth at most, in the middle, as large as the box allows."""
    delivered = deliver(soft_disc(128), (128, 128), size)
    assert delivered.shape == (*size, 4)
    rows, cols = np.nonzero(delivered[..., 3] > 127)
    high, wide = np.ptp(rows) + 1, np.ptp(cols) + 1
    assert max(high / wide, wide / high) < MOST_STRETCH * 1.06  # a pixel of rounding
    assert abs(rows.mean() - (size[0] - 1) / 2) < 1
    assert abs(cols.mean() - (size[1] - 1) / 2) < 1
    assert min(high, wide) > 0.65 * min(size)  # the disc itself fills .7 of its frame


def test_what_lies_outside_the_frame_is_cut_off():
    drawn = np.ones((128, 64, 4), np.float32)
    drawn[:, 10:54] = [0, 0, 0, 0]
    assert not deliver(drawn, (128, 128 / 3), (192, 64)).any()
