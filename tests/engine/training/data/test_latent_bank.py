"""Things fill the tokens that they are drawn on, so that the box's size leaves nothing open."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.models.art.autoencoder import Autoencoder, AutoencoderConfig
from engine.training.data.regions import LatentBank, draw_in_box
from engine.training.data.scenes import Thing
from engine.training.data.sprites import SpritePack
from tests.engine.training.toy_art import toy_pack


def thing(side: int) -> Thing:
    pack = toy_pack()
    noun, look = next(iter(pack.sprites))
    return Thing(noun, look, None, False, (0, 0, side, side), (0.0, 0.0, side, side))


def test_boxes_of_the_same_token_size_show_the_same_pixels():
    """Both are drawn on four by four tokens: the network is told the place alone."""
    bank = LatentBank(toy_pack(), Autoencoder(AutoencoderConfig()))
    odd, even = bank.draw(thing(224), (4, 4)), bank.draw(thing(256), (4, 4))
    assert odd.shape == even.shape == (128, 128, 4)
    np.testing.assert_array_equal(odd, even)
    assert bank.draw(thing(224)).shape == (224, 224, 4)
    assert draw_in_box(bank.sprite(thing(224)), thing(224), 0.5, 0.5).shape == (112, 112, 4)


def test_things_on_square_tokens_are_one_picture_for_all_boxes_of_a_token_size():
    """Not stretched with the box: the sprite's proportions are the drawing's."""
    bank = LatentBank(toy_pack(), Autoencoder(AutoencoderConfig()))
    flat, high = (replace(thing(96), box=(0, 0, *box)) for box in ((160, 128), (224, 160)))
    drawn = bank.draw_framed(flat, (3, 4))
    np.testing.assert_array_equal(drawn, bank.draw_framed(high, (3, 4)))
    assert drawn.shape == (96, 128, 4)
    rows, cols = np.nonzero(drawn[..., 3] > 0.5)
    sprite = bank.sprite(flat)
    wanted = sprite.shape[1] / sprite.shape[0]
    assert (np.ptp(cols) + 1) / (np.ptp(rows) + 1) == pytest.approx(wanted, rel=0.05)
    assert bank.framed_layer(flat, (3, 4)) is bank.framed_layer(high, (3, 4))


def test_packs_of_several_drawings_leave_a_margin_around_things():
    """So that nothing looks cut at the edge of its box."""
    pack = toy_pack()
    first, second = list(pack.sprites)[:2]
    both = (pack.sprites[first], pack.sprites[second])
    several = SpritePack({**pack.drawings, first: both}, "toy")
    for found, margin in ((pack, 0), (several, 4)):
        drawn = LatentBank(found, Autoencoder(AutoencoderConfig())).draw_framed(thing(128), (4, 4))
        rows, cols = np.nonzero(drawn[..., 3] > 0.02)
        least = min(rows.min(), cols.min(), 127 - rows.max(), 127 - cols.max())
        assert least >= margin
        assert margin or least == 0
