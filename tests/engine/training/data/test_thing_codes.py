"""Codes of drawings: the seed names one of an object's drawings, in training and at run time."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import torch

from engine.layout import FIRST_FOREGROUND
from engine.models.art.autoencoder import Autoencoder, AutoencoderConfig
from engine.sampling import is_mirrored, thing_code
from engine.training.data.concepts import (
    CHOICES,
    DRAWINGS,
    FIRST,
    concepts_of,
    thing_choice,
    thing_codes,
)
from engine.training.data.regions import LatentBank, entries
from engine.training.data.scenes import SceneSettings, compose
from engine.training.data.sprites import SpritePack
from tests.engine.tiny import layer, picture, pipeline_of, tiny_model
from tests.engine.training.toy_art import toy_pack


def pack_of_drawings() -> SpritePack:
    """Two drawings of each toy sprite; the second is upside down."""
    pack = toy_pack()
    return SpritePack({key: (rgba, rgba[::-1]) for key, rgba in pack.sprites.items()}, "toy")


def test_every_code_has_signs_of_its_own_and_seeds_reach_all_of_them():
    codes = {thing_choice(code) for code in range(DRAWINGS)}
    assert len(codes) == DRAWINGS
    seen = {tuple(int(n) for n in thing_code(seed, CHOICES)) for seed in range(100)}
    assert seen == codes


def test_drawing_and_mirror_image_are_independent():
    pairs = [(tuple(thing_code(seed, CHOICES).tolist()), is_mirrored(seed)) for seed in range(800)]
    counts = [pairs.count(pair) for pair in set(pairs)]
    assert len(counts) == 2 * DRAWINGS
    assert min(counts) > 60, "each of the eight comes up about a hundred times"


def test_a_code_names_a_drawing_and_counts_on_where_there_are_fewer():
    bank = LatentBank(pack_of_drawings(), Autoencoder(AutoencoderConfig()))
    scene = compose(np.random.default_rng(2), SceneSettings(canvas=(512, 512), count=1))
    thing = dataclasses.replace(scene.things[0], colour=None, flip=False)
    drawn = [bank.sprite(dataclasses.replace(thing, code=code)) for code in (None, 0, 1, 2, 3)]
    same = [np.array_equal(drawn[0], other) for other in drawn[1:]]
    assert same == [True, False, True, False]
    tokens = [bank.framed_layer(dataclasses.replace(thing, code=code), (4, 4)) for code in (0, 1)]
    assert not torch.equal(*tokens)


def test_scenes_have_codes_from_the_fourth_stage_on_and_entries_their_signs():
    assert thing_codes(concepts_of(3)) == 0
    later = dataclasses.replace(FIRST, stage=4)
    assert thing_codes(later) == DRAWINGS
    bank = LatentBank(pack_of_drawings(), Autoencoder(AutoencoderConfig()))
    for concepts, coded in ((FIRST, False), (later, True)):
        scene = compose(
            np.random.default_rng(5), SceneSettings(canvas=(512, 512), count=4, concepts=concepts)
        )
        assert scene.things
        assert all((thing.code is not None) == coded for thing in scene.things)
        found = entries(scene, bank, np.random.default_rng(1), side_tokens=4, framed=True)
        for entry in found:
            if entry.index >= FIRST_FOREGROUND:
                code = scene.things[entry.index - FIRST_FOREGROUND].code
                assert entry.choice == (() if code is None else thing_choice(code))


def test_scenes_of_earlier_stages_stay_as_they_were():
    """A code is drawn for no scene that an older model is compared on."""
    first, again = (
        compose(np.random.default_rng(9), SceneSettings(concepts=concepts_of(3))) for _ in range(2)
    )
    assert first == again
    assert {thing.code for thing in first.things} <= {None}


def test_pack_reads_drawings_in_their_order(tmp_path):
    import io

    from PIL import Image
    from safetensors.numpy import save_file

    tensors = {}
    for number, name in enumerate(("a|flat", "a|flat|1", "a|flat|2", "b|flat")):
        data = io.BytesIO()
        Image.new("RGBA", (2, 2), (number, 0, 0, 255)).save(data, "WEBP", lossless=True)
        tensors[name] = np.frombuffer(data.getvalue(), np.uint8)
    save_file(dict(reversed(tensors.items())), tmp_path / "pack")
    pack = SpritePack.load(tmp_path / "pack")
    reds = [rgba[0, 0, 0] for rgba in pack.drawings["a", "flat"]]
    assert reds == [0, 1, 2]
    assert len(pack.drawings["b", "flat"]) == 1
    assert pack.sprites["a", "flat"] is pack.drawings["a", "flat"][0]


def test_a_model_with_codes_draws_seeds_of_one_noise_differently():
    """The same noise under two codes: only the signs differ, and they change the pixels."""
    model = tiny_model()
    seeds = list(range(40))
    by_code = {tuple(thing_code(seed, CHOICES).tolist()): seed for seed in seeds}
    box = (0, 0, 96, 96)
    plain = pipeline_of(model)
    requests = [picture(layer(1, box, seed=seed - 1)) for seed in by_code.values()]
    before = [plain.run(request).results[0].rgba for request in requests]
    model.card = dataclasses.replace(model.card, thing_codes=True)
    coded = pipeline_of(model)
    after = [coded.run(request).results[0].rgba for request in requests]
    assert len(by_code) == DRAWINGS
    assert all((old != new).any() for old, new in zip(before, after, strict=True))
    for one, two in itertools.combinations(after, 2):
        assert (one != two).any()
