"""Context classifier: what a finished layer shows is read from the layer's own cached values."""

from __future__ import annotations

import torch

from engine.models.art.assignment import feature_count, layer_features
from engine.models.art.backbone import ARTBackbone
from engine.models.checkpoint import load_model, save_model
from engine.training.recogniser import new_recogniser
from tests.engine.tiny import layer, picture, pipeline_of, random_pixels, tiny_model

FINISHED, TARGET = (0, 0, 64, 64), (96, 96, 192, 192)


def with_recogniser():
    model = tiny_model()
    torch.manual_seed(3)
    model.context_classifier = new_recogniser(model).eval()
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
    assert model.context_classifier is not None
    assert loaded.context_classifier is not None
    assert loaded.context_classifier.config == model.context_classifier.config
    for name, value in model.context_classifier.state_dict().items():
        torch.testing.assert_close(
            loaded.context_classifier.state_dict()[name], value.half().float()
        )
    assert loaded.parameters() == model.parameters() > tiny_model().parameters()
    save_model(tmp_path / "older.safetensors", tiny_model())
    assert load_model(tmp_path / "older.safetensors").context_classifier is None


def test_words_of_finished_layers_are_marked_for_the_planning(monkeypatch) -> None:
    """A word that a finished layer is sure to show is taken: the new layer shows another."""
    model = with_recogniser()
    asked = picture(layer(1, FINISHED, random_pixels(FINISHED)), layer(2, TARGET), steps=1)
    seen_by_planning = []
    make_assigner = ARTBackbone._assigner

    def spy(self, *args):
        made = make_assigner(self, *args)
        seen_by_planning.append(made.seen)
        return made

    monkeypatch.setattr(ARTBackbone, "_assigner", spy)

    def words_marked() -> list[float] | None:
        generator = pipeline_of(model, cache_bytes=2**28)
        generator.run(asked, emit=lambda event: None, should_stop=lambda: False)
        return None if seen_by_planning[-1] is None else seen_by_planning[-1][0].tolist()

    assert model.context_classifier is not None
    width = model.context_classifier.config.features

    class SeesTheLastWord(torch.nn.Module):
        def forward(self, features, txt):
            assert features.shape == (1, 1, width)
            logits = torch.zeros(1, 1, txt.shape[1])
            logits[..., -1] = 9.0
            return logits

    model.context_classifier = SeesTheLastWord()  # type: ignore[assignment]
    assert words_marked() == [0, 0, 0, 1]
    model.context_classifier = None
    assert words_marked() is None
