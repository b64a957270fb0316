"""Seams between cells go, edges of the picture stay, and nothing moves where there is no step."""

from __future__ import annotations

import torch

from engine.models.art.smoothing import deblock

CELL = 16


def test_a_small_step_between_two_cells_becomes_a_slope():
    picture = torch.zeros(4, 32, 32)
    picture[:, :, :16], picture[:, :, 16:] = 0.5, 0.58
    mended = deblock(picture, CELL, 0.3)
    assert mended.diff(dim=-1).abs().max() < 0.01
    torch.testing.assert_close(mended.mean(), picture.mean())
    torch.testing.assert_close(deblock(picture.mT, CELL, 0.3), mended.mT)


def test_an_edge_of_the_picture_stays():
    picture = torch.zeros(4, 32, 32)
    picture[:, :, 16:] = 0.8
    assert torch.equal(deblock(picture, CELL, 0.3), picture)


def test_a_slope_across_cells_is_no_step():
    picture = torch.linspace(0, 1, 64).expand(4, 48, 64).contiguous()
    torch.testing.assert_close(deblock(picture, CELL, 0.3), picture)


def test_colours_stay_where_one_channel_has_an_edge():
    """A red cell beside a slightly bluer green one: no channel is smoothed by itself."""
    picture = torch.zeros(4, 16, 32)
    picture[0, :, :16], picture[1, :, 16:], picture[2, :, 16:] = 0.9, 0.9, 0.1
    assert torch.equal(deblock(picture, CELL, 0.3), picture)


def test_a_single_cell_and_cells_apart_are_left_alone():
    single = torch.rand(4, 16, 16)
    assert torch.equal(deblock(single, CELL, 0.3), single)
