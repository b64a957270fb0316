"""The ablations: what tells the variants apart, and that each trains, is scored and is kept."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from engine.model.autoencoder import Autoencoder, AutoencoderConfig
from engine.model.text import Vocabulary
from engine.training import ablations
from engine.training.ablation_data import CANVAS, NOUNS, WORLD, Encoding, batch_of, held_out_scenes
from engine.training.ablation_scores import decide, decode, held_out_loss
from engine.training.ablations import VARIANTS, Budget, build, run_variant, table
from engine.training.concepts import BY_NAME
from engine.training.judge import Judge
from engine.training.latent_bank import LatentBank
from engine.training.objective import TextToLayers
from engine.training.pictures import Batch
from engine.training.scenes import is_held_out
from engine.training.sprites import SpritePack
from engine.words import load_word_table
from tests.engine.training.toy_art import ToyJudge, toy_pack

SIZES = {"width": 128, "heads": 2, "double_blocks": 1, "single_blocks": 2, "mlp_ratio": 1}
WORDS = tuple(WORLD.noun_names)
PACK = toy_pack()


@pytest.fixture(scope="module")
def bank() -> LatentBank:
    torch.manual_seed(0)
    config = AutoencoderConfig(decoder_widths=(8, 8, 8, 8), decoder_depths=(1, 1, 1, 1))
    autoencoder = Autoencoder(config).eval().requires_grad_(False)
    return LatentBank(PACK, autoencoder)


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    return Vocabulary(WORDS, load_word_table())


def variant(name: str, bank: LatentBank) -> TextToLayers:
    """A variant whose gates are open: untrained ones pass no attention on."""
    model = build(VARIANTS[name], WORDS, bank.autoencoder.token_width, SIZES, 0).eval()
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in model.art.parameters():
            if not parameter.any():
                parameter.normal_(0, 0.1)
    return model


def edit(bank: LatentBank, vocabulary: Vocabulary, encoding: Encoding | None = None) -> Batch:
    """One picture, one noisy thing and at least two clean ones."""
    scene = next(s for s in held_out_scenes(bank, 12) if len(s.things) > 2)
    return batch_of([scene], [{0}], bank, vocabulary, encoding or Encoding(), False, 0)


@torch.no_grad()
def predicted(model: TextToLayers, batch: Batch) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(batch.tokens.shape, generator=generator)
    return model.predict(batch, noise, torch.full((len(noise),), 0.9)).tokens


@torch.no_grad()
def clean_keys(model: TextToLayers, batch: Batch, monkeypatch: pytest.MonkeyPatch) -> Tensor:
    """Keys of the clean tokens in the last block, before rotation: (M, heads * head_dim)."""
    kept = []
    art_clean = model.art.clean

    def keep(*args: object) -> object:
        kept.append(art_clean(*args))  # type: ignore[arg-type]
        return kept[-1]

    with monkeypatch.context() as patch:
        patch.setattr(model.art, "clean", keep)
        predicted(model, batch)
    return kept[0][-1].k[0].transpose(0, 1).flatten(1)


@pytest.mark.parametrize(("name", "apart"), [("base", True), ("joint-clean", False)])
def test_clean_layers_read_each_other_under_c1_only(
    name: str, apart: bool, bank: LatentBank, vocabulary: Vocabulary,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    batch, model = edit(bank, vocabulary), variant(name, bank)
    first, other = batch.clean_owner[0] == 0, batch.clean_owner[0] == 1
    before = clean_keys(model, batch, monkeypatch)
    changed = batch.clean_tokens.clone()
    changed[0, first] += 1
    after = clean_keys(model, replace(batch, clean_tokens=changed), monkeypatch)
    assert not torch.equal(before[first], after[first])
    assert torch.equal(before[other], after[other]) == apart


@pytest.mark.parametrize("name", ["base", "joint-clean"])
def test_clean_layers_read_neither_noise_nor_words(
    name: str, bank: LatentBank, vocabulary: Vocabulary, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch, model = edit(bank, vocabulary), variant(name, bank)
    before = clean_keys(model, batch, monkeypatch)
    other = replace(batch, vectors=batch.vectors + 1, ids=batch.ids + 1)
    assert torch.equal(before, clean_keys(model, other, monkeypatch))


def test_two_way_clean_tokens_read_the_noisy_ones(bank: LatentBank, vocabulary: Vocabulary) -> None:
    """Seen in the last block's input; and clean rows do not follow the noise level."""
    batch, model = edit(bank, vocabulary), variant("two-way", bank)
    heard: list[Tensor] = []
    handle = model.art.single_blocks[-1].register_forward_pre_hook(
        lambda module, args: heard.append(args[0].clone())
    )
    with torch.no_grad():
        for noise in (torch.zeros_like(batch.tokens), torch.ones_like(batch.tokens)):
            model.predict(batch, noise, torch.full((1,), 0.9))
    handle.remove()
    clean = batch.clean_tokens.shape[1]
    assert not torch.allclose(heard[0][:, -clean:], heard[1][:, -clean:], atol=1e-4)


def test_without_clean_layers_all_clean_variants_are_one(
    bank: LatentBank, vocabulary: Vocabulary
) -> None:
    scene = held_out_scenes(bank, 1)[0]
    every = set(range(-1, len(scene.things)))
    batch = batch_of([scene], [every], bank, vocabulary, Encoding(), False, 0)
    base = predicted(variant("base", bank), batch)
    assert torch.equal(base, predicted(variant("joint-clean", bank), batch))
    assert torch.equal(base, predicted(variant("two-way", bank), batch))


@pytest.mark.parametrize(("name", "flat"), [("base", False), ("flat-rope", True)])
def test_flat_rope_does_not_know_the_order_of_layers(
    name: str, flat: bool, bank: LatentBank, vocabulary: Vocabulary
) -> None:
    scene = held_out_scenes(bank, 1)[0]
    every = set(range(-1, len(scene.things)))
    batch = batch_of([scene], [every], bank, vocabulary, Encoding(), False, 0)
    ids = batch.ids.clone()
    ids[..., 0] = 9 - ids[..., 0]
    model = variant(name, bank)
    same = torch.equal(predicted(model, batch), predicted(model, replace(batch, ids=ids)))
    assert same == flat


def test_uncropped_layers_have_the_tokens_of_the_canvas(
    bank: LatentBank, vocabulary: Vocabulary
) -> None:
    scene = held_out_scenes(bank, 1)[0]
    things = set(range(len(scene.things)))
    cropped = batch_of([scene], [things], bank, vocabulary, Encoding(), False, 0)
    uncropped = batch_of([scene], [things], bank, vocabulary, Encoding(cropped=False), False, 0)
    per_layer = (CANVAS[0] // 32) * (CANVAS[1] // 32)
    assert int(uncropped.noisy_mask.sum()) == per_layer * len(things)
    assert int(cropped.noisy_mask.sum()) < int(uncropped.noisy_mask.sum())
    for number in range(len(things)):  # what the layers hold, and where they belong, is the same
        mine = [b.owner[0] == number for b in (cropped, uncropped)]
        places = [b.place[0, m][0] for b, m in zip((cropped, uncropped), mine, strict=True)]
        assert torch.equal(*places)
    pictures = [
        decode(bank.autoencoder, batch, batch.tokens, 0, scene, things)
        for batch in (cropped, uncropped)
    ]
    assert [p.shape for p in pictures[0].values()] == [p.shape for p in pictures[1].values()]
    for number, thing in enumerate(scene.things):
        x0, y0, x1, y1 = thing.box
        inside = (y1 - y0) // 32 * ((x1 - x0) // 32)
        assert int((cropped.owner[0] == number).sum()) == inside


def test_uncropped_tokens_are_those_of_the_encoded_canvas(
    bank: LatentBank, vocabulary: Vocabulary
) -> None:
    """Also where the bank has seen a thing of this size elsewhere on the canvas."""
    for scene in held_out_scenes(bank, 6):
        things = set(range(len(scene.things)))
        batch = batch_of([scene], [things], bank, vocabulary, Encoding(cropped=False), False, 0)
        for number, thing in enumerate(scene.things):
            whole = bank.encode(bank.draw(replace(thing, box=(0, 0, *CANVAS)))).float()
            mine = batch.tokens[0, batch.ids[0, :, 0] == number + 2]
            assert (mine - whole).abs().max() < 0.05 * whole.abs().max()


@pytest.mark.parametrize("targets", [None, {0}], ids=["whole", "edit"])
def test_the_held_out_loss_counts_the_same_tokens(
    targets: set[int] | None, bank: LatentBank, vocabulary: Vocabulary
) -> None:
    """A prediction of zeros has the loss of the clean tokens, whatever else is in the batch."""

    class Zeros(TextToLayers):
        def predict(self, batch: Batch, noisy: Tensor, t: Tensor, **_: object):  # type: ignore[no-untyped-def, override]
            answer = super().predict(batch, noisy, t)
            return replace(answer, tokens=torch.zeros_like(noisy))

    model = variant("base", bank)
    model.__class__ = Zeros
    scene = held_out_scenes(bank, 1)[0]
    noisy = targets or set(range(-1, len(scene.things)))
    losses = []
    for encoding, merged in ((Encoding(), False), (Encoding(), True), (Encoding(False), False)):
        batch = batch_of([scene], [noisy], bank, vocabulary, encoding, merged, 0)
        with torch.no_grad():
            losses.append(held_out_loss(model, batch, [scene], [noisy]))
    assert losses[1] == pytest.approx(losses[0], rel=1e-4)
    assert losses[2] == pytest.approx(losses[0], rel=1e-4)


def test_plans_are_decided_for_every_region(bank: LatentBank, vocabulary: Vocabulary) -> None:
    batch = edit(bank, vocabulary)
    with torch.no_grad():
        shows, right = decide(variant("base", bank), batch)
    assert (shows >= 0).all()
    assert right.total == int((batch.shows > 0).sum())


def test_the_scenes_are_held_out_and_of_the_small_world(bank: LatentBank) -> None:
    for scene in held_out_scenes(bank, 10):
        names = [thing.noun for thing in scene.things]
        assert is_held_out(names)
        assert set(names) <= {noun.name for noun in WORLD.nouns} <= set(BY_NAME)
        assert 2 <= len(names) <= 5
    assert len(WORLD.nouns) == NOUNS


@pytest.mark.parametrize("name", VARIANTS)
def test_every_variant_trains_and_is_scored(name: str, bank: LatentBank) -> None:
    result = run_variant(
        name, Budget(steps=2, batch=2), bank.autoencoder, PACK, ToyJudge(PACK),
        sizes=SIZES, words=WORDS, scenes=2,
    )  # fmt: skip
    assert result.steps == 2
    assert all(np.isfinite(value) for value in result.means.values())
    assert (result.rates_with_composite is not None) == (name == "composite")
    text = table([result], "the command")
    assert VARIANTS[name].title in text
    assert "the command" in text


def test_variants_start_with_the_same_weights(bank: LatentBank) -> None:
    width = bank.autoencoder.token_width
    states = [build(v, WORDS, width, SIZES, 3).state_dict() for v in VARIANTS.values()]
    for state in states[1:]:
        assert state.keys() == states[0].keys()
        assert all(torch.equal(state[key], states[0][key]) for key in state)


def test_a_finished_variant_is_kept_and_another_budget_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bank: LatentBank
) -> None:
    made: list[str] = []

    def run(name: str, budget: Budget, *_: object, **sizes: int) -> ablations.Result:
        made.append(name)
        kept = {**asdict(budget), "scenes": sizes["scenes"]}
        means = dict.fromkeys(
            ("flow loss, whole", "flow loss, edit", "seconds per training step",
             "seconds per sampling step"), 1.0,
        )  # fmt: skip
        return ablations.Result(name, kept, {}, 1, 2, {"plan right": (1, 2)}, means)

    monkeypatch.setattr(ablations, "run_variant", run)
    monkeypatch.setattr(ablations, "load_autoencoder", lambda _: bank.autoencoder)
    monkeypatch.setattr(SpritePack, "load", lambda _: PACK)
    monkeypatch.setattr(Judge, "load", lambda *_, **__: Judge)
    monkeypatch.setattr(ablations, "prompt_vocabulary", lambda **_: WORDS)
    monkeypatch.setattr(torch, "set_num_threads", lambda _: None)
    arguments = ["--out", str(tmp_path), "--only", "base,flat-rope"]
    assert ablations.main([*arguments, "--steps", "2"]) == 0
    assert ablations.main([*arguments, "--steps", "2"]) == 0
    assert made == ["base", "flat-rope"]
    assert json.loads((tmp_path / "base.json").read_text())["steps"] == 2
    text = (tmp_path / ablations.TABLE).read_text()
    assert "2-D RoPE" in text
    assert "50.0 %" in text
    with pytest.raises(ValueError, match="use another --out"):
        ablations.main([*arguments, "--steps", "3"])
