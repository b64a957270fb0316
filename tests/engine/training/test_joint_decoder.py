"""The joint decoder and its counterpart: who reads whom, where both start, and the command."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.model.autoencoder import Autoencoder, AutoencoderConfig
from engine.model.joint_decoder import JointDecoder, JointDecoderConfig
from engine.training import joint_decoder
from engine.training.autoencoder import start_from_pca
from engine.training.joint_decoder import build, picture_loss
from engine.training.joint_decoder_data import (
    Picture,
    World,
    held_out_pictures,
    training_pictures,
)
from engine.training.joint_decoder_scores import (
    ALPHA,
    RGB,
    PictureDecoder,
    edit_effects,
    fidelity_at,
)
from engine.training.latent_bank import LatentBank
from engine.training.layer_data import random_layer
from tests.engine.training.toy_art import save_pack, toy_pack

SIZES = {"width": 16, "heads": 1, "blocks": 2, "mlp_ratio": 1, "axes_dim": [4, 6, 6]}
PACK = toy_pack()


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def autoencoder() -> Autoencoder:
    torch.manual_seed(0)
    config = AutoencoderConfig(decoder_widths=(8, 8, 8, 8), decoder_depths=(1, 1, 1, 1))
    model = Autoencoder(config).eval().requires_grad_(False)
    rng, sprites = np.random.default_rng(0), list(PACK.sprites.values())
    crops = np.stack([random_layer(rng, sprites, 128) for _ in range(48)])
    start_from_pca(model, torch.from_numpy(crops).movedim(-1, 1))
    return model


@pytest.fixture(scope="module")
def pictures(autoencoder: Autoencoder) -> list[Picture]:
    return held_out_pictures(2, LatentBank(PACK, autoencoder), World())


def opened(name: str, autoencoder: Autoencoder) -> JointDecoder:
    """A variant whose residual is not zero."""
    model = build(name, autoencoder.token_width, SIZES, 0)
    assert model is not None
    torch.manual_seed(1)
    torch.nn.init.normal_(model.token_out.weight, std=0.2)
    return model.eval()


@pytest.mark.parametrize(("name", "apart"), [("joint", False), ("alone", True), ("", True)])
def test_only_joint_decoding_changes_the_other_layers(
    name: str, apart: bool, autoencoder: Autoencoder, pictures: list[Picture]
) -> None:
    """When the topmost layer is emptied and when it is taken away."""
    decode = PictureDecoder(autoencoder, opened(name, autoencoder) if name else None)
    effects = edit_effects(decode, pictures, 0.1)
    assert effects["pictures"] == 2
    assert effects["untouched"] == (2 if apart else 0)
    assert (effects["changed"] == 0) == (effects["largest"] == 0) == apart


@pytest.mark.parametrize(("name", "apart"), [("joint", False), ("alone", True)])
def test_a_packed_layer_reads_its_picture_or_itself(
    name: str, apart: bool, autoencoder: Autoencoder, pictures: list[Picture]
) -> None:
    """In training, where whole pictures lie side by side; never another picture."""
    model = opened(name, autoencoder)
    tokens = torch.cat([p.tokens for p in pictures])
    ids = torch.cat([p.ids for p in pictures])
    counts = [p.counts for p in pictures]
    first, whole = counts[0][0], sum(counts[0])
    changed = tokens.clone()
    changed[:first] += 1
    with torch.no_grad():
        before, after = model(tokens, ids, counts), model(changed, ids, counts)
    assert not torch.equal(before[:first], after[:first])
    assert torch.equal(before[first:whole], after[first:whole]) == apart
    assert torch.equal(before[whole:], after[whole:])


@pytest.mark.parametrize("name", ["joint", "alone"])
def test_untrained_variants_are_the_plain_decoder(
    name: str, autoencoder: Autoencoder, pictures: list[Picture]
) -> None:
    untrained = PictureDecoder(autoencoder, build(name, autoencoder.token_width, SIZES, 0))
    plain = PictureDecoder(autoencoder)
    for picture in pictures:
        arguments = picture.noised(0.1, 0), picture.ids, picture.sizes
        for mended, layer in zip(untrained(*arguments), plain(*arguments), strict=True):
            assert torch.equal(mended, layer)


def test_scores_depend_on_relative_positions_only(
    autoencoder: Autoencoder, pictures: list[Picture]
) -> None:
    """The standard place of the rotation: a picture moved on the canvas is mended the same."""
    model, picture = opened("joint", autoencoder), pictures[0]
    with torch.no_grad():
        here = model.mend(picture.tokens, picture.ids, picture.counts)
        moved = model.mend(picture.tokens, picture.ids + torch.tensor([1, 3, 5]), picture.counts)
        spread = model.mend(picture.tokens, picture.ids * 2, picture.counts)
    assert torch.allclose(here, moved, atol=1e-4)
    assert not torch.allclose(here, spread, atol=1e-4)


def test_variants_differ_in_nothing_but_who_reads_whom(autoencoder: Autoencoder) -> None:
    """The same weights, and in every step the same pictures with the same noise."""
    models = [build(name, autoencoder.token_width, SIZES, 3) for name in ("joint", "alone")]
    first, second = (model.state_dict() for model in models if model is not None)
    assert first.keys() == second.keys()
    assert all(torch.equal(first[key], second[key]) for key in first)
    streams = []
    for _ in models:
        bank = LatentBank(PACK, autoencoder)
        streams.append([p for s in range(2) for p in training_pictures(3, s, 2, bank, World())])
    for one, other in zip(*streams, strict=True):
        assert one.sizes == other.sizes
        assert torch.equal(one.noised(0.1, 7), other.noised(0.1, 7))


def test_tokens_stand_for_the_pixels(autoencoder: Autoencoder, pictures: list[Picture]) -> None:
    for picture in pictures:
        assert len(picture.tokens) == len(picture.ids) == sum(picture.counts)
        for (h, w), pixels in zip(picture.sizes, picture.pixels, strict=True):
            assert pixels.shape == (4, 32 * h, 32 * w)
        again = autoencoder.encode(picture.pixels)
        assert torch.allclose(again, picture.tokens, atol=0.02)  # the bank keeps half precision


@pytest.mark.parametrize("name", ["joint", "alone"])
def test_a_variant_learns_what_it_is_shown(name: str, autoencoder: Autoencoder) -> None:
    """Gradients come through the frozen decoder: the same pictures and noise get better."""
    pictures = training_pictures(0, 0, 2, LatentBank(PACK, autoencoder), World())
    model = build(name, autoencoder.token_width, SIZES, 0)
    assert model is not None
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    losses = []
    for _ in range(8):
        torch.manual_seed(5)
        loss = picture_loss(model, autoencoder, pictures, 1.0)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]


def test_scores_tell_a_better_decoder(autoencoder: Autoencoder, pictures: list[Picture]) -> None:
    decode = PictureDecoder(autoencoder)
    clean, noisy = (fidelity_at(decode, pictures, level) for level in (0.0, 2.0))
    for name in (RGB, ALPHA):
        assert clean[f"{name}, decoded"] > noisy[f"{name}, decoded"]
        assert clean[f"{name}, delivered"] > noisy[f"{name}, delivered"]


def test_sizes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="width 100"):
        JointDecoderConfig(token_width=192, joint=True, width=100)


def test_the_command_trains_both_and_keeps_what_is_finished(
    tmp_path: Path, autoencoder: Autoencoder, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    save_pack(PACK, tmp_path / "sprites.safetensors")
    monkeypatch.setattr(joint_decoder, "load_autoencoder", lambda _: autoencoder)
    arguments = [
        "--steps", "2", "--batch", "2", "--pictures", "1", "--threads", "1",
        "--config", json.dumps(SIZES), "--sprites", str(tmp_path / "sprites.safetensors"),
        "--out", str(tmp_path / "out"),
    ]  # fmt: skip
    assert joint_decoder.main(arguments) == 0
    rows = (tmp_path / "out" / joint_decoder.TABLE).read_text(encoding="utf-8").splitlines()
    rows = [row for row in rows if row.startswith("| ")][2:]
    assert len(rows) == 6, "three variants at two noise levels"
    same = [json.loads((tmp_path / "out" / f"{name}.json").read_text())["effects"]["untouched"]
            for name in ("joint", "alone", "untouched")]  # fmt: skip
    assert same == [0, 1, 1]
    assert (tmp_path / "out" / "joint.safetensors").exists()
    capsys.readouterr()
    assert joint_decoder.main(arguments) == 0
    assert "alone: kept" in capsys.readouterr().out
    with pytest.raises(ValueError, match="use another --out"):
        joint_decoder.main([*arguments, "--steps", "3"])
