"""Blotches go, edges and outlines stay."""

from __future__ import annotations

import torch

from engine.models.art.smoothing import smooth

LIKENESS = 0.06


def halves(noise: float) -> torch.Tensor:
    """(4, 32, 48): dark left and light right half, opaque in the middle rows only."""
    torch.manual_seed(0)
    rgba = torch.zeros(4, 32, 48)
    rgba[:3, 4:28, :24], rgba[:3, 4:28, 24:], rgba[3, 4:28] = 0.2, 0.7, 1
    rgba[:3, 4:28] += noise * torch.randn(3, 24, 48)
    return rgba.clamp(0, 1)


def test_blotches_are_evened_out_and_the_edge_between_areas_stays():
    smoothed = smooth(halves(0.02), LIKENESS)
    for area, value in ((slice(0, 24), 0.2), (slice(24, 48), 0.7)):
        inside = smoothed[:3, 4:28, area]
        assert (inside - value).abs().mean() < 0.4 * 0.02 * 0.8  # the mean of normal noise is .8
    assert (smoothed[:3, 16, 24] - smoothed[:3, 16, 23]).min() > 0.45


def test_alpha_stays_and_nothing_is_drawn_where_nothing_was():
    rgba = halves(0.02)
    smoothed = smooth(rgba, LIKENESS)
    assert torch.equal(smoothed[3], rgba[3])
    assert not smoothed[:, :4].any()
    assert (smoothed[:3] <= smoothed[3:] + 1e-6).all()


def test_what_is_plain_stays_as_it_is():
    rgba = halves(0)
    torch.testing.assert_close(smooth(rgba, LIKENESS), rgba, atol=1e-4, rtol=0)


def test_almost_empty_pixels_do_not_colour_their_neighbours():
    """Their colour is mostly rounding; were it trusted, the rows inside would move by .004."""
    rgba = halves(0)
    rgba[:3, 3, :24], rgba[3, 3, :24] = 0.25 * 0.1, 0.1  # a little lighter than the thing
    smoothed = smooth(rgba, LIKENESS)
    torch.testing.assert_close(smoothed[:, 4:28], rgba[:, 4:28], atol=1e-3, rtol=0)
