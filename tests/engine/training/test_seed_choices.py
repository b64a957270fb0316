"""What the noise decides: tokens of a region share it, and its signs go with one drawing each."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest
import torch

from engine.layout import BACKGROUND
from engine.model.autoencoder import Autoencoder, AutoencoderConfig
from engine.model.text import Vocabulary
from engine.sampling import region_noise
from engine.training.concepts import FIRST, concepts_of
from engine.training.entries import entries
from engine.training.latent_bank import LatentBank
from engine.training.pictures import collate
from engine.training.scenes import compose
from engine.training.seed_choices import (
    DRAWINGS,
    SHARED,
    background_signs,
    open_backgrounds,
    share_noise,
)
from engine.words import load_word_table
from tests.engine.training.toy_art import toy_pack


@pytest.fixture(scope="module")
def bank() -> LatentBank:
    return LatentBank(toy_pack(), Autoencoder(AutoencoderConfig()))


def scene_of(seed: int, background: bool = True):
    rng = np.random.default_rng(seed)
    return compose(rng, canvas=(512, 512), count=2, with_background=background)


def test_every_drawing_and_every_open_background_has_signs_of_its_own():
    concepts = concepts_of(3)
    names = open_backgrounds(concepts)
    assert len(names) == 4
    found = {
        background_signs(drawing, name, concepts)
        for drawing, name in itertools.product(range(DRAWINGS), names)
    }
    assert len(found) == DRAWINGS * len(names)
    assert {len(signs) for signs in found} == {SHARED}
    said = {background_signs(drawing, None, concepts) for drawing in range(DRAWINGS)}
    assert len(said) == DRAWINGS
    assert all(signs[2:] == (0, 0) and 0 not in signs[:2] for signs in said)


def test_shared_noise_is_normal_the_same_in_a_region_and_has_the_asked_signs():
    generator = torch.Generator().manual_seed(5)
    noise = torch.randn(400, 7, 9, generator=generator)
    shared = torch.randn(400, 2, SHARED, generator=generator)
    owner = torch.tensor([0, 0, 0, 1, 1, -1, -1]).expand(400, -1)
    signs = torch.zeros(400, 2, SHARED, dtype=torch.long)
    signs[::2, 0, 0], signs[1::2, 0, 0] = 1, -1
    made = share_noise(noise, owner, signs, shared)
    assert torch.equal(made[..., :-SHARED], noise[..., :-SHARED])
    assert torch.equal(made[:, 5:], noise[:, 5:]), "tokens of no region keep theirs"
    last = made[..., -SHARED:]
    assert torch.equal(last[:, 0], last[:, 1]) and torch.equal(last[:, 3], last[:, 4])
    assert not torch.equal(last[:, 0], last[:, 3])
    assert (last[::2, 0, 0] > 0).all() and (last[1::2, 0, 0] < 0).all()
    assert last[:, 0].mean().abs() < 0.1 and abs(last[:, 0].std() - 1) < 0.1


def test_the_engine_makes_the_noise_that_training_shows():
    plain, shared = region_noise(3, 4, 5, 12), region_noise(3, 4, 5, 12, SHARED)
    assert torch.equal(plain[:, :-SHARED], shared[:, :-SHARED])
    assert (shared[:, -SHARED:] == shared[0, -SHARED:]).all()
    assert torch.equal(shared[0], plain[0])
    assert not torch.equal(shared[0], region_noise(4, 4, 5, 12, SHARED)[0])


def test_a_drawing_of_a_background_is_always_the_same_and_fills_any_canvas(bank):
    pixels, tokens = bank.fixed_background("beach", (512, 512), 1)
    again = LatentBank(bank.pack, bank.autoencoder).fixed_background("beach", (512, 512), 1)
    assert np.array_equal(pixels, again[0]) and torch.equal(tokens, again[1])
    assert not np.array_equal(pixels, bank.fixed_background("beach", (512, 512), 2)[0])
    wide, wide_tokens = bank.fixed_background("beach", (640, 384), 1)
    assert wide.shape == (192, 320, 4) and len(wide_tokens) == 6 * 10
    assert (wide[..., 3] == 1).all()


def test_batches_carry_the_signs_of_their_backgrounds(bank):
    vocabulary = Vocabulary((), load_word_table())
    rng = np.random.default_rng(1)
    scenes = [scene_of(seed) for seed in range(6)]
    pictures = [(s, entries(s, bank, rng, concepts=FIRST)[0], []) for s in scenes]
    batch = collate(pictures, vocabulary, bank.token_px, SHARED)
    for i, (scene, layers, _) in enumerate(pictures):
        assert layers[0].index == BACKGROUND
        assert tuple(batch.signs[i, 0].tolist()) == layers[0].signs
        assert (batch.signs[i, 1:] == 0).all(), "things are not decided by their noise"
        if scene.background_said_at:
            assert layers[0].signs[2:] == (0, 0)
    plain = collate(pictures, vocabulary, bank.token_px)
    assert plain.signs.shape[-1] == 0


def test_a_prompt_without_a_background_has_one_that_the_noise_can_tell(bank):
    names = open_backgrounds(FIRST)
    rng = np.random.default_rng(7)
    unsaid = 0
    for _ in range(300):
        scene = compose(rng, with_background=True, unsaid_backgrounds=names)
        if not scene.background_said_at:
            unsaid += 1
            assert scene.background in names
            layers, _ = entries(
                dataclasses.replace(scene, things=(), said_at=()), bank, rng, concepts=FIRST
            )
            assert 0 not in layers[0].signs
    assert unsaid > 30
