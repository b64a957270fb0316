"""What the seed decides for a whole layer: one drawing of a background for each of its choices."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest
import torch

from engine.layout import BACKGROUND
from engine.models.art.autoencoder import Autoencoder, AutoencoderConfig
from engine.models.art.text import Tokenizer
from engine.sampling import region_choice
from engine.training.data.concepts import (
    CHOICES,
    DRAWINGS,
    FIRST,
    background_choice,
    concepts_of,
    open_backgrounds,
)
from engine.training.data.pictures import collate
from engine.training.data.regions import LatentBank, entries
from engine.training.data.scenes import SceneSettings, compose
from engine.training.trainers.context_classifier import ClassifierObjective
from engine.words import load_word_table
from tests.engine.training.toy_art import toy_pack


@pytest.fixture(scope="module")
def bank() -> LatentBank:
    return LatentBank(toy_pack(), Autoencoder(AutoencoderConfig()))


@pytest.mark.parametrize("stage", [3, 4])
def test_every_drawing_and_every_open_background_has_a_choice_of_its_own(stage: int):
    concepts, rng = concepts_of(stage), np.random.default_rng(0)
    names = open_backgrounds(concepts)
    assert len(names) == 4
    assert set(names) <= set(concepts.background_names)
    found = {
        background_choice(drawing, name, concepts, rng)
        for drawing, name in itertools.product(range(DRAWINGS), names)
    }
    assert len(found) == DRAWINGS * len(names) == 2**CHOICES
    assert set(itertools.chain(*found)) == {-1, 1}
    said = {background_choice(2, None, concepts, rng) for _ in range(60)}
    assert len(said) == 4, "a background that is said leaves the other signs open"
    assert len({choice[:2] for choice in said}) == 1


def test_seeds_choose_evenly_and_always_the_same():
    chosen = [tuple(region_choice(seed, CHOICES).tolist()) for seed in range(800)]
    assert chosen == [tuple(region_choice(seed, CHOICES).tolist()) for seed in range(800)]
    counts = [chosen.count(choice) for choice in itertools.product((-1.0, 1.0), repeat=CHOICES)]
    assert min(counts) > 20, "each of the sixteen comes up about fifty times"


def test_a_drawing_of_a_background_is_always_the_same_and_fills_any_canvas(bank):
    tokens = bank.fixed_background("beach", (512, 512), 1)
    again = LatentBank(bank.pack, bank.autoencoder).fixed_background("beach", (512, 512), 1)
    assert torch.equal(tokens, again)
    assert not torch.equal(tokens, bank.fixed_background("beach", (512, 512), 2))
    wide = bank.fixed_background("beach", (640, 384), 1)
    assert len(wide) == 6 * 10
    assert (wide != 0).any(dim=1).all(), "opaque everywhere: an empty token is zero"


def test_batches_tell_backgrounds_their_choice_and_things_nothing(bank):
    tokenizer = Tokenizer((), load_word_table())
    rng = np.random.default_rng(1)
    scenes = [
        compose(
            np.random.default_rng(seed),
            SceneSettings(canvas=(512, 512), count=2, with_background=True),
        )
        for seed in range(6)
    ]
    pictures = [(s, entries(s, bank, rng, concepts=FIRST), []) for s in scenes]
    batch = collate(pictures, tokenizer, bank.token_px)
    for i, (_, layers, _) in enumerate(pictures):
        background = layers[0]
        assert background.index == BACKGROUND and len(background.choice) == CHOICES
        count = len(background.tokens)
        assert (batch.choice[i, :count] == torch.tensor(background.choice)).all()
        assert (batch.choice[i, count:] == 0).all()
    drawn_anew = [(s, entries(s, bank, rng), []) for s in scenes]
    assert (collate(drawn_anew, tokenizer, bank.token_px).choice == 0).all()


def test_a_background_may_weigh_more_than_a_thing(bank):
    scene = compose(
        np.random.default_rng(3), SceneSettings(canvas=(512, 512), count=2, with_background=True)
    )
    layers = entries(scene, bank, np.random.default_rng(1), concepts=FIRST)
    picture, tokenizer = [(scene, layers, [])], Tokenizer((), load_word_table())
    plain, heavy = (
        collate(picture, tokenizer, bank.token_px, background_weight=weight).weight[0]
        for weight in (1.0, 3.0)
    )
    count = len(layers[0].tokens)
    torch.testing.assert_close(heavy[:count], 3 * plain[:count])
    assert torch.equal(heavy[count:], plain[count:])


def test_a_prompt_without_a_background_has_one_that_the_seed_can_tell(bank):
    names = open_backgrounds(FIRST)
    rng = np.random.default_rng(7)
    found = set()
    for _ in range(300):
        scene = compose(rng, SceneSettings(with_background=True, unsaid_backgrounds=names))
        if not scene.background_said_at:
            assert scene.background in names
            alone = dataclasses.replace(scene, things=(), said_at=())
            choice = entries(alone, bank, rng, concepts=FIRST)[0].choice
            found.add((scene.background, choice[2:]))
    assert len(found) == len(names), "one pair of signs for each"


def test_batches_without_a_finished_layer_are_passed_over(bank):
    """Pictures of one thing have the same size and end up in one batch (`train recogniser`)."""
    tokenizer, rng = Tokenizer((), load_word_table()), np.random.default_rng(1)
    scene = compose(
        np.random.default_rng(3), SceneSettings(canvas=(512, 512), count=2, with_background=True)
    )
    layers = entries(scene, bank, rng)
    alone = collate([(scene, layers, [])], tokenizer, bank.token_px)
    beside = collate([(scene, layers[1:], layers[:1])], tokenizer, bank.token_px)
    objective = object.__new__(ClassifierObjective)
    objective.device, objective.batches = torch.device("cpu"), iter([alone, beside, alone])
    assert torch.equal(objective.batch().clean_owner, beside.clean_owner)
