"""Model files of older versions under today's names."""

from __future__ import annotations

from dataclasses import asdict

import pytest
import torch

from engine.model_files import default_path
from engine.models.art.older_files import current_card, current_configs, current_names
from engine.models.checkpoint import load_model
from tests.engine.tiny import TINY_ART

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
