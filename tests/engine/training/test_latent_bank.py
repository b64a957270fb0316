"""Things fill the tokens that they are drawn on, so that the box's size leaves nothing open."""

from __future__ import annotations

import numpy as np

from engine.model.autoencoder import Autoencoder, AutoencoderConfig
from engine.training.latent_bank import LatentBank
from engine.training.scenes import Thing
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
    assert bank.draw_reduced(thing(224), 2).shape == (112, 112, 4)
