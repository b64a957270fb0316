"""The model file: round trip, and one clear error for every way in which it can be wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from engine.errors import WeightsError
from engine.models.checkpoint import load_model, save_model
from tests.engine.tiny import tiny_model


@pytest.fixture
def path(tmp_path):
    save_model(tmp_path / "model.safetensors", tiny_model())
    return tmp_path / "model.safetensors"


def rewrite(path, change) -> None:
    with safe_open(path, framework="pt") as file:
        metadata = dict(file.metadata())
        tensors = {name: file.get_tensor(name) for name in file.keys()}
    change(tensors, metadata)
    save_file(tensors, path, metadata=metadata)


def test_round_trip(path):
    model, loaded = tiny_model(), load_model(path)
    for name in ("autoencoder", "text", "art"):
        mine, theirs = getattr(model, name).state_dict(), getattr(loaded, name).state_dict()
        assert mine.keys() == theirs.keys()
        for key, value in mine.items():
            torch.testing.assert_close(theirs[key], value.half().float(), rtol=0, atol=0)
    assert loaded.card == model.card
    assert loaded.art.config == model.art.config


def test_metadata_names_configs_vocabulary_and_licences(path):
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
    assert json.loads(metadata["text"])["vocabulary"] == ["red", "dog", "castle"]
    assert json.loads(metadata["card"])["credits"] == ["nobody"]
    assert len(metadata["sha256"]) == 64


def test_missing(tmp_path):
    with pytest.raises(WeightsError, match="missing") as caught:
        load_model(tmp_path / "nothing.safetensors")
    assert caught.value.advice == "Check the name of the file."  # the package is all right


@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.99])
def test_cut_short(path, share):
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(WeightsError):
        load_model(path)


def test_one_flipped_bit(path):
    data = bytearray(path.read_bytes())
    data[-100] ^= 4
    path.write_bytes(bytes(data))
    with pytest.raises(WeightsError, match="damaged"):
        load_model(path)


def test_another_kind_of_safetensors(tmp_path):
    save_file({"x": torch.zeros(1)}, tmp_path / "x.safetensors")
    with pytest.raises(WeightsError, match="not a Layerloom model"):
        load_model(tmp_path / "x.safetensors")


def test_a_newer_format(path):
    rewrite(path, lambda tensors, metadata: metadata.update(version="9"))
    with pytest.raises(WeightsError, match="format 9"):
        load_model(path)


@pytest.mark.parametrize("kind", ["missing tensor", "extra tensor", "wrong width"])
def test_loading_is_strict(path, kind):
    """Nothing is dropped or left at its initial value in silence."""
    from engine.models.checkpoint import tensors_hash

    def change(tensors, metadata):
        if kind == "missing tensor":
            tensors.pop("art.img_in.bias")
        elif kind == "extra tensor":
            tensors["art.layer_pe"] = torch.zeros(3)
        else:
            metadata["art"] = metadata["art"].replace('"mlp_ratio": 4', '"mlp_ratio": 2')
        metadata["sha256"] = tensors_hash(tensors)

    rewrite(path, change)
    with pytest.raises(WeightsError, match="does not fit"):
        load_model(path)


def test_not_a_file(tmp_path):
    with pytest.raises(WeightsError):
        load_model(tmp_path)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (PermissionError(13, "Permission denied"), "there is no permission"),
        (OSError(5, "Input/output error"), "cannot be read: input/output error"),
        (OSError(36, "File name too long"), "cannot be read: file name too long"),
        (FileNotFoundError(2, "No such file"), "is missing"),
    ],
)
@pytest.mark.parametrize("call", ["exists", "open"])
def test_the_cause_is_told(path, error, text, call, monkeypatch):
    """safetensors itself says "No such file" whatever the cause."""

    def refuse(*_):
        raise error

    monkeypatch.setattr(Path, call, refuse)
    with pytest.raises(WeightsError, match=text):
        load_model(path)


def test_what_is_no_file(tmp_path):
    with pytest.raises(WeightsError, match="it is not a file"):
        load_model(tmp_path)
