"""The trainers on toy art: a few real steps, resuming, shipping, and drawing with the result."""

from __future__ import annotations

import argparse
import functools
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.model_files import default_path
from engine.models.art.autoencoder import (
    Autoencoder,
    AutoencoderConfig,
    clamp_premultiplied,
    expected_composite_error,
)
from engine.models.art.backbone import art_of
from engine.models.checkpoint import load_model
from engine.pipeline import LayerPipeline
from engine.pixels import to_premultiplied, to_straight
from engine.training import export
from engine.training.data.sprites import SpritePack
from engine.training.trainers import autoencoder, context_classifier, refiner, transformer
from engine.training.trainers.autoencoder import deliver, start_from_pca
from engine.training.trainers.loop import PART_BYTES, Objective, RunFolder, load_run, train
from engine.training.trainers.optim import Muon, learning_rate, orthogonalize
from tests.engine.tiny import layer, picture
from tests.engine.training.toy_art import save_pack, toy_pack

SMALL = '{"width": 64, "heads": 1, "double_blocks": 1, "single_blocks": 1}'


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A folder with toy sprites; what the trainers count and measure on is small."""
    folder = tmp_path_factory.mktemp("runs")
    save_pack(toy_pack(), folder / "sprites.safetensors")
    with pytest.MonkeyPatch.context() as patch:
        # Each trainer and its worker reads the pack: once is enough here.
        patch.setattr(SpritePack, "load", functools.cache(SpritePack.load))
        patch.setattr(transformer, "SAMPLES_PER_NOUN", 5)
        patch.setattr(transformer, "HELD_OUT", 4)
        patch.setattr(context_classifier, "HELD_OUT", 4)
        patch.setattr(refiner, "HELD_OUT_SCENES", 2)
        patch.setattr(refiner, "HELD_OUT_GROUP", 2)
        patch.setattr(refiner, "PICTURES", 2)
        patch.setattr(autoencoder, "PCA_LAYERS", 60)
        patch.setattr(autoencoder, "HELD_OUT", 12)
        yield folder


def logged(run: Path) -> list[dict]:
    return [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # torch's workers fork
def test_train_resume_ship_and_draw(runs):
    """The whole way from sprites to layers, with runs of two steps."""
    common = ["--sprites", str(runs / "sprites.safetensors"), "--device", "cpu", "--threads", "1"]
    coder = [*common, "--run", str(runs / "coder"), "--batch", "2", "--crop", "64",
             "--delivered", "1"]  # fmt: skip
    assert autoencoder.main([*coder, "--steps", "1"]) == 0
    assert autoencoder.main([*coder, "--steps", "2"]) == 0
    steps = [line["step"] for line in logged(runs / "coder")]
    assert steps == [0, 1, 2], "the second call goes on where the first stopped"

    words = ["--autoencoder", str(runs / "coder"), "--run", str(runs / "art"), "--batch", "2"]
    words += ["--side-tokens", "2", "--variety", "0"]
    art = [*common, *words, "--max-tokens", "120", "--edit-share", "0.5", "--config", SMALL]
    assert transformer.main([*art, "--steps", "2"]) == 0
    assert transformer.main([*art, "--steps", "3"]) == 0
    last = logged(runs / "art")[-1]
    assert last["step"] == 3
    assert all(0 < last[f"val_{level}"] < 100 for level in ("low", "mid", "high"))

    model = runs / "model.safetensors"
    arguments = ["--sprites", str(runs / "sprites.safetensors"), "--out", str(model)]
    from_runs = ["--autoencoder", str(runs / "coder"), "--transformer", str(runs / "art")]
    assert export.main([*arguments, *from_runs, "--steps", "2"]) == 0
    generator = LayerPipeline.load(model, device="cpu", threads=1)
    finished = generator.run(picture(layer(0, (0, 0, 256, 256)), layer(1, (0, 0, 96, 96))))
    assert [r.rgba.shape for r in finished.results] == [(256, 256, 4), (96, 96, 4)]

    before = load_model(model).art.state_dict()
    alone = ["--weights", str(model), "--steps", "2", "--batch", "2", "--name", "Toy 2"]
    assert context_classifier.main([*common, *alone]) == 0
    seeing = load_model(model)
    assert seeing.context_classifier is not None
    assert seeing.card.name == "Toy 2"
    assert all(torch.equal(value, seeing.art.state_dict()[key]) for key, value in before.items())
    edit = picture(layer(1, (0, 0, 96, 96), finished.results[1].rgba), layer(2, (96, 96, 192, 192)))
    made = LayerPipeline.load(model, device="cpu", threads=1).run(edit)
    assert [r.layer_id for r in made.results] == [2]

    refining = ["--sprites", str(runs / "sprites.safetensors"), "--weights", str(model),
                "--run", str(runs / "refiner"), "--device", "cpu", "--workers", "0"]  # fmt: skip
    refining += ["--batch", "2", "--pool", "8", "--config", '{"width": 32, "blocks": 1}']
    assert refiner.main([*refining, "--steps", "1"]) == 0
    assert refiner.main([*refining, "--steps", "2"]) == 0
    assert [line["step"] for line in logged(runs / "refiner")] == [0, 0, 1, 2]
    refined = runs / "refined.safetensors"
    add = ["--transformer", str(model), "--refiner", str(runs / "refiner"), "--bits", "8"]
    assert export.main([*add, "--out", str(refined)]) == 0
    assert load_model(refined).refiner is not None
    assert load_model(refined).card.training.endswith("refiner 2 steps")
    assert load_model(refined).card.name == "Toy 2"
    redone = LayerPipeline.load(refined, device="cpu", threads=1).run(edit)
    assert [r.layer_id for r in redone.results] == [2]

    assert autoencoder.main([*coder, "--steps", "3"]) == 0
    better = runs / "better.safetensors"
    decoder = ["--autoencoder", str(runs / "coder"), "--transformer", str(model)]
    assert export.main([*arguments[:2], "--out", str(better), *decoder, "--name", "Toy 3"]) == 0
    redrawn = load_model(better)
    assert redrawn.card.name == "Toy 3"
    assert redrawn.card.training.endswith("decoder 3 steps more")
    for name, network in redrawn.networks().items():
        old = seeing.networks()[name].state_dict()
        same = all(torch.equal(value, old[key]) for key, value in network.state_dict().items())
        assert same == (name != "autoencoder"), name

    half = [*arguments[:2], "--out", str(runs / "half.safetensors"), *decoder, "--blend", "0.5"]
    assert export.main([*half, "--smoothing", "0.1"]) == 0
    blended = load_model(runs / "half.safetensors")
    assert (blended.card.smoothing, redrawn.card.smoothing) == (0.1, seeing.card.smoothing)
    ends = [found.autoencoder.state_dict() for found in (seeing, redrawn, blended)]
    for key, value in ends[2].items():
        torch.testing.assert_close(value, (ends[0][key] + ends[1][key]) / 2, atol=1e-3, rtol=1e-2)

    again = ["--run", str(runs / "again"), "--start-from", str(model), "--steps", "1"]
    assert transformer.main([*common, *words[:2], *again, "--batch", "2"]) == 0
    shipped, begun = art_of(generator).model.art.state_dict(), RunFolder(runs / "again").load()
    assert begun is not None
    drift = (begun[0]["ema.art.img_in.weight"] - shipped["img_in.weight"]).abs().max()
    assert drift < 0.01, "a run that starts from a model file starts with its weights"


def test_the_delivered_loss_sees_what_users_get():
    """The trainer's torch version of `to_straight`, premultiplied again."""
    torch.manual_seed(0)
    output = torch.rand(1, 4, 16, 16) * 1.4 - 0.2
    found = deliver(output)[0].movedim(0, -1).numpy()
    straight = to_straight(clamp_premultiplied(output)[0].movedim(0, -1).numpy())
    assert np.abs(found - to_premultiplied(straight)).max() < 1.5 / 255  # bytes are rounded twice


def test_two_processes_train_one_model(runs):
    """One starts with edits, the other with whole pictures, which use other heads (torchrun)."""
    run, sprites = runs / "together", str(runs / "sprites.safetensors")
    options = ["--device", "cpu", "--threads", "1", "--sprites", sprites, "--run", str(run)]
    options += ["--autoencoder", str(default_path()), "--batch", "2", "--max-tokens", "120"]
    # Begun here, so that the processes need not count words.
    assert transformer.main([*options, "--config", SMALL, "--steps", "0"]) == 0
    command = [sys.executable, "-m", transformer.__name__, *options, "--edit-share", "0.5"]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    group = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    processes = [
        subprocess.Popen(
            [*command, "--steps", "2"],
            env={**os.environ, **group, "RANK": rank, "LOCAL_RANK": rank},
        )
        for rank in "01"
    ]
    assert [process.wait(300) for process in processes] == [0, 0]
    assert logged(run)[-1]["step"] == 2


class Line(Objective):
    """Fits a line; batches are points of it, drawn by number."""

    def __init__(self):
        torch.manual_seed(0)
        self.model, self.averaged = torch.nn.Linear(2, 1), torch.nn.Linear(2, 1)
        self.optimizer = Muon([], self.model.parameters())
        self.state = {}

    def batch(self):
        generator = torch.Generator().manual_seed(self.state["step"])
        return torch.randn(8, 2, generator=generator)

    def loss(self, batch):
        error = self.model(batch) - batch.sum(dim=1, keepdim=True)
        return error.square().mean(), {"loss": error.square().mean().detach()}

    def validate(self):
        return {"off": (self.averaged.weight - 1).abs().max().item()}


def settings(steps, minutes=1e9):
    return argparse.Namespace(
        steps=steps, minutes=minutes, lr=0.2, decay=0.01, checkpoint_minutes=10
    )


def test_the_loop_learns_and_a_resumed_run_is_the_same_run(tmp_path):
    whole = Line()
    whole.begin()
    before = whole.validate()["off"]
    assert train(whole, settings(60), RunFolder(tmp_path / "whole"), warmup=10) == 60
    assert whole.validate()["off"] < before

    first, run = Line(), RunFolder(tmp_path / "parts")
    first.begin()
    train(first, settings(25), run, warmup=10)
    tensors, state = load_run(tmp_path / "parts", "transformer")
    second = Line()
    second.state = state
    second.resume(tensors)
    assert train(second, settings(60), run, warmup=10) == 60
    # The last step of the first part has a rate of 2 %: nearly the same line.
    assert torch.allclose(second.model.weight, whole.model.weight, atol=0.05)
    assert [line["step"] for line in logged(tmp_path / "whole")] == [50, 60]
    assert "elapsed" in (tmp_path / "whole" / "checkpoint.json").read_text()


def test_the_loop_ends_with_the_minutes_and_without_a_checkpoint(tmp_path):
    line = Line()
    line.begin()
    assert train(line, settings(100, minutes=1e-9)) == 1
    with pytest.raises(FileNotFoundError, match="layerloom train refiner"):
        load_run(tmp_path, "refiner")


def test_checkpoints_come_in_parts_under_16_mib_and_survive_a_torn_write(tmp_path):
    run = RunFolder(tmp_path)
    tensors = {"a": torch.randn(3000, 2000), "b": torch.tensor(3.0), "c": torch.arange(5)}
    run.save(tensors, {"step": 1})
    parts = sorted(tmp_path.glob("checkpoint-*"))
    assert len(parts) > 1
    assert max(p.stat().st_size for p in parts) < 16 * 2**20
    assert PART_BYTES < 16 * 2**20
    (tmp_path / "checkpoint.json.tmp").write_text("{torn")  # a kill while the next one is written
    (tmp_path / "checkpoint-9-0.safetensors").write_bytes(b"torn")
    loaded = run.load()
    assert loaded is not None
    assert loaded[1] == {"step": 1}
    for name, tensor in tensors.items():
        assert torch.equal(loaded[0][name].to(tensor.dtype), tensor)


def test_pca_start_is_the_best_linear_code():
    """Encoding and decoding at the start is the projection whose error is the rest of the PCA."""
    torch.manual_seed(0)
    basis = torch.randn(6, 4 * 256)
    cells = torch.randn(300, 6) @ basis  # six dimensions: 48 channels must keep them all
    crops = cells.reshape(300, 4, 16, 16)
    model = Autoencoder(AutoencoderConfig())
    start_from_pca(model, crops)
    with torch.no_grad():
        latents = model.encode_pixels(crops)
        decoded = model.decoder.linear(latents)
    assert latents.square().mean().item() == pytest.approx(1, rel=0.1)
    assert (decoded - crops).square().mean() < 1e-4 * crops.square().mean()


def test_expected_composite_error_is_the_mean_over_backgrounds():
    """The closed form against 200,000 drawn backgrounds."""
    torch.manual_seed(0)
    a, b = torch.rand(1, 4, 1, 1), torch.rand(1, 4, 1, 1)
    a[:, :3] *= a[:, 3:]
    b[:, :3] *= b[:, 3:]
    backgrounds = torch.rand(200_000, 3, 1, 1)
    over = [x[:, :3] + (1 - x[:, 3:]) * backgrounds for x in (a, b)]
    drawn = (over[0] - over[1]).square().mean()
    assert expected_composite_error(a, b).item() == pytest.approx(drawn.item(), rel=0.02)


def test_orthogonalize_gives_near_orthogonal_rows():
    values = torch.linalg.svdvals(orthogonalize(torch.randn(2, 16, 64), steps=5))
    assert values.min() > 0.5
    assert values.max() < 1.3


def test_muon_learns_and_its_state_round_trips():
    torch.manual_seed(0)
    target, x = torch.randn(8, 8), torch.randn(64, 8)
    weight, bias = torch.nn.Parameter(torch.zeros(8, 8)), torch.nn.Parameter(torch.zeros(8))
    optimizer = Muon([weight], [bias], weight_decay=0.0)
    first = None
    for _ in range(60):
        loss = (x @ weight.T + bias - x @ target.T).square().mean()
        first = first or loss.item()
        loss.backward()
        optimizer.step(0.1)
    assert loss.item() < 0.1 * first
    state = {name: tensor.clone() for name, tensor in optimizer.state().items()}
    other = Muon([weight], [bias])
    other.load_state(state)
    for name, tensor in other.state().items():
        torch.testing.assert_close(tensor, state[name])


def test_learning_rate_holds_and_decays():
    rates = [learning_rate(progress, 1.0, 0.4) for progress in (0, 0.3, 0.6, 0.8, 1)]
    assert rates == pytest.approx([1, 1, 1, 0.5, 0.02])
