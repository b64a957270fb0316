"""Recogniser: what a finished layer shows is read off the layer's own cached values."""

from __future__ import annotations

import torch

from engine.denoising import Denoiser
from engine.generator import Generator
from engine.model.recogniser import feature_count, layer_features
from engine.training.recogniser import new_recogniser
from engine.weights import load_model, save_model
from tests.engine.tiny import layer, picture, random_pixels, tiny_model

FINISHED, TARGET = (0, 0, 64, 64), (96, 96, 192, 192)


def with_recogniser():
    model = tiny_model()
    torch.manual_seed(3)
    model.recogniser = new_recogniser(model).eval()
    return model


def test_features_do_not_depend_on_the_order_of_tokens() -> None:
    values = torch.randn(3, 2, 7, 32)
    features = layer_features(values)
    assert features.shape == (feature_count(3, 64),)
    torch.testing.assert_close(layer_features(values[:, :, torch.randperm(7)]), features)
    changed = values.clone()
    changed[1, 0, 4, 0] += 100
    assert not torch.equal(layer_features(changed), features)


def test_the_file_keeps_it(tmp_path) -> None:
    model = with_recogniser()
    save_model(tmp_path / "model.safetensors", model)
    loaded = load_model(tmp_path / "model.safetensors")
    assert model.recogniser is not None
    assert loaded.recogniser is not None
    assert loaded.recogniser.config == model.recogniser.config
    for name, value in model.recogniser.state_dict().items():
        torch.testing.assert_close(loaded.recogniser.state_dict()[name], value.half().float())
    assert loaded.parameters() == model.parameters() > tiny_model().parameters()
    save_model(tmp_path / "older.safetensors", tiny_model())
    assert load_model(tmp_path / "older.safetensors").recogniser is None


def test_words_of_finished_layers_are_marked_for_the_planning(monkeypatch) -> None:
    """A word that a finished layer is sure to show is taken: the new layer shows another."""
    model = with_recogniser()
    asked = picture(layer(1, FINISHED, random_pixels(FINISHED)), layer(2, TARGET), steps=1)
    seen_by_planning = []
    planner = Denoiser._planner

    def spy(self, *args):
        made = planner(self, *args)
        seen_by_planning.append(made._seen)
        return made

    monkeypatch.setattr(Denoiser, "_planner", spy)

    def words_marked() -> list[float] | None:
        generator = Generator(model, device="cpu", threads=1, cache_bytes=2**28)
        generator.run(asked, emit=lambda event: None, should_stop=lambda: False)
        return None if seen_by_planning[-1] is None else seen_by_planning[-1][0].tolist()

    assert model.recogniser is not None
    width = model.recogniser.config.features

    class SeesTheLastWord(torch.nn.Module):
        def forward(self, features, txt):
            assert features.shape == (1, 1, width)
            logits = torch.zeros(1, 1, txt.shape[1])
            logits[..., -1] = 9.0
            return logits

    model.recogniser = SeesTheLastWord()  # type: ignore[assignment]
    assert words_marked() == [0, 0, 0, 1]
    model.recogniser = None
    assert words_marked() is None
