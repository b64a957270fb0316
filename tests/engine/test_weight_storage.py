"""Storage in 16 and 8 bits: how far a number may move, and what stays exact."""

from __future__ import annotations

import pytest
import torch

from engine.models.checkpoint import (
    EIGHT_BITS,
    SCALE,
    load_model,
    save_model,
    to_8_bits,
    to_float,
    to_half,
)
from tests.engine.tiny import tiny_model, tiny_refiner


@pytest.mark.parametrize("shape", [(64, 64), (128, 33), (16, 16, 5, 5), (300, 17)])
@pytest.mark.parametrize("spread", [1e-6, 1e-2, 1.0, 1e4])
def test_a_number_moves_by_half_a_step_of_its_row_at_most(shape, spread):
    value = torch.randn(shape, generator=torch.Generator().manual_seed(1)) * spread
    value[1] = 0  # a row without any
    value[2] *= 1000  # a large row does not cost the others precision
    back = to_float(to_8_bits({"matrix": value}))["matrix"]
    steps = value.flatten(1).abs().amax(dim=1) / 127
    assert ((back - value).flatten(1).abs() <= steps[:, None] * 0.5001).all()
    assert (back[1] == 0).all()


def test_vectors_and_small_tensors_stay_in_half_precision():
    tensors = {"bias": torch.randn(5000), "small": torch.randn(8, 8)}
    stored = to_8_bits(tensors)
    assert {name: value.dtype for name, value in stored.items()} == dict.fromkeys(
        tensors, torch.float16
    )


def test_latents_do_not_change_with_the_storage():
    linear = {"autoencoder.encoder.linear.weight": torch.randn(48, 4, 16, 16)}
    assert torch.equal(*(to_float(pack(linear)).popitem()[1] for pack in (to_8_bits, to_half)))


def test_storing_again_changes_nothing():
    once = to_float(to_8_bits({"matrix": torch.randn(80, 80)}))
    torch.testing.assert_close(to_float(to_8_bits(once)), once, atol=0, rtol=1e-6)


def test_a_name_like_that_of_a_scale_is_refused():
    with pytest.raises(ValueError, match="reserved"):
        to_8_bits({"matrix" + SCALE: torch.ones(2)})


def test_a_model_file_in_8_bits_is_half_as_large_and_nearly_the_same(tmp_path):
    model = tiny_model()
    model.refiner = tiny_refiner()
    save_model(tmp_path / "half", model)
    save_model(tmp_path / "eight", model, bits=8)
    sizes = [(tmp_path / name).stat().st_size for name in ("eight", "half")]
    assert sizes[0] < 0.8 * sizes[1], "tiny tensors stay in half precision"
    half, eight = load_model(tmp_path / "half"), load_model(tmp_path / "eight")
    assert eight.refiner is not None
    for name, network in half.networks().items():
        for key, value in network.state_dict().items():
            stored = eight.networks()[name].state_dict()[key]
            torch.testing.assert_close(stored, value, atol=float(value.abs().max()) / 120, rtol=0)
    with pytest.raises(ValueError, match="16 or 8 bits"):
        save_model(tmp_path / "four", model, bits=4)
    assert EIGHT_BITS.encode() in (tmp_path / "eight").read_bytes()[:4000]
