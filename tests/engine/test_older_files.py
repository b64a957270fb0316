"""Model files and runs of older versions under today's names."""

from __future__ import annotations

from dataclasses import asdict

import pytest
import torch

from engine.model_files import default_path
from engine.models.art.older_files import current_card, current_configs, current_names
from engine.models.art.text import TextConfig
from engine.models.checkpoint import load_model
from engine.training.trainers.optim import Muon, split_parameters
from engine.training.trainers.text_to_layers import TextToLayers
from engine.training.trainers.transformer import PLAIN
from tests.engine.tiny import TINY_ART
from tools import convert_run

OLD_ART = {
    "token_width": 32, "text_width": 32, "width": 64, "heads": 2, "double_blocks": 1,
    "single_blocks": 2, "mlp_ratio": 4, "axes_dim": (8, 12, 12), "theta": 100.0,
    "pooled_width": 32, "guidance_embed": False, "shared_modulation": True,
    "region_features": True, "planning": True, "word_modulation": True, "choices": 4,
}  # fmt: skip


def test_the_shipped_file_loads_whatever_its_names_are() -> None:
    model = load_model(default_path())
    assert model.context_classifier is not None
    assert model.refiner is not None
    assert model.art.config.seed_signs == 4


def test_names_and_configs_of_older_files() -> None:
    one = torch.ones(1)
    old = {"art.plan_in.weight": one, "art.plan_seen_key.bias": one, "text.word_in.weight": one}
    assert set(current_names(old)) == {"art.word_in.weight", "text.word_in.weight"}
    found = current_configs({"art": OLD_ART, "autoencoder": {"encoder_widths": None}})
    assert found["art"] == asdict(TINY_ART)
    assert found["autoencoder"] == {}
    assert current_card({"side_tokens": 4, "most_tokens": 6}) == {"side_tokens": 4}


@pytest.mark.parametrize(
    "switch", [{"planning": False}, {"pooled_width": None}, {"guidance_embed": True}]
)
def test_files_that_lack_a_part_are_refused(switch: dict) -> None:
    with pytest.raises(ValueError, match="older version"):
        current_configs({"art": {**OLD_ART, **switch}, "autoencoder": {}})


def stepped() -> tuple[TextToLayers, Muon]:
    torch.manual_seed(0)
    model = TextToLayers(TextConfig(vocabulary=("dog", "red"), near_words=3), TINY_ART)
    model.init_weights()
    optimizer = Muon(*split_parameters(model, PLAIN))
    sum(((i + 1) * p).square().sum() for i, p in enumerate(model.parameters())).backward()
    optimizer.step(1e-3)
    return model, optimizer


def test_a_run_is_converted_with_its_moments() -> None:
    """An old checkpoint, written with the old names in their old order, gives the same tensors."""
    model, optimizer = stepped()
    new = {f"model.{name}": value for name, value in model.state_dict().items()}
    new |= {f"ema.{name}": value for name, value in model.named_parameters()}
    new |= {f"optimizer.{name}": value for name, value in optimizer.state().items()}
    numbers = {now: before for before, now in convert_run._numbers(model).items()}
    assert any(now != before for now, before in numbers.items()), "the order did change"
    old = {}
    for name, value in new.items():
        kind, _, rest = name.partition(".")
        if kind in ("model", "ema"):
            old[f"{kind}.{convert_run.old_name(rest)}"] = value
        elif rest.startswith("adamw."):
            _, number, moment = rest.split(".")
            old[f"optimizer.adamw.{numbers[int(number)]}.{moment}"] = value
        else:
            old[name] = value
    state = {"art": OLD_ART, "vocabulary": ("dog", "red"), "near_words": 3, "step": 1}
    found, found_state = convert_run.convert(old, {**state, "most_tokens": 0})
    assert found.keys() == new.keys()
    assert all(torch.equal(found[name], value) for name, value in new.items())
    assert found_state["art"] == asdict(TINY_ART)
    assert "most_tokens" not in found_state
    with pytest.raises(ValueError, match="today's names"):
        convert_run.convert(found, found_state)
