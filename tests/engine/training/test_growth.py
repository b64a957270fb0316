"""Growth: a grown model says of every prompt what it said before, and its training goes on."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pytest
import torch

from engine.models.art.model import ARTConfig
from engine.models.art.text import TextConfig, Tokenizer
from engine.training.data.concepts import concepts_of
from engine.training.trainers import transformer
from engine.training.trainers.loop import RunFolder
from engine.training.trainers.optim import Muon, split_parameters
from engine.training.trainers.text_to_layers import TextToLayers, art_config, text_config
from engine.training.trainers.transformer import (
    PLAIN,
    TABLE,
    grow,
    grown_vocabulary,
    prompt_vocabulary,
)
from engine.words import load_word_table

OLD = ("a", "and", "dog", "cat", "blue", "car")
ART = {"width": 64, "heads": 1, "double_blocks": 1, "single_blocks": 1}
PROMPTS = ("a dog and a blue car", "a cat", "", "a horse beside a dog", "an ocelot and a cat")


@pytest.fixture(scope="module")
def old_run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A run of stage 3 that has stepped once, as the trainer saves it."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    model = TextToLayers(TextConfig(vocabulary=OLD), ARTConfig(**ART))
    model.init_weights()
    optimizer = Muon(*split_parameters(model, PLAIN))
    sum(p.square().sum() for p in model.parameters()).backward()
    optimizer.step(1e-3)
    tensors = {f"model.{name}": value for name, value in model.state_dict().items()}
    tensors |= {f"ema.{name}": value * 1.01 for name, value in model.named_parameters()}
    tensors |= {f"optimizer.{name}": value for name, value in optimizer.state().items()}
    run = RunFolder(tmp_path_factory.mktemp("old"))
    art = asdict(ARTConfig(**ART))
    state = {"step": 7, "elapsed": 5.0, "vocabulary": OLD, "art": art}
    run.save(tensors, {**state, "stage": 3, "near_words": 0, "side_tokens": 0})
    return run


@pytest.fixture(scope="module")
def new_run(old_run: RunFolder, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """The old run grown to stage 4, its words counted in few prompts."""
    run = RunFolder(tmp_path_factory.mktemp("new"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transformer, "SAMPLES_PER_NOUN", 3)
        grow(old_run.path, run, 4)
    return run


def load(run: RunFolder) -> tuple[TextToLayers, dict, dict]:
    tensors, state = run.load() or ({}, {})
    model = TextToLayers(text_config(state), art_config(state))
    model.load_state_dict({k[6:]: v for k, v in tensors.items() if k.startswith("model.")})
    return model.eval(), tensors, state


def tokens(run: RunFolder, prompt: str) -> torch.Tensor:
    model, _, state = load(run)
    vectors, known = Tokenizer(state["vocabulary"], load_word_table()).encode(prompt)
    with torch.no_grad():
        return model.text(torch.from_numpy(vectors)[None], torch.from_numpy(known)[None])


def test_a_grown_run_gives_the_same_text_tokens_for_old_and_new_words(
    old_run: RunFolder, new_run: RunFolder
) -> None:
    _, _, state = load(new_run)
    assert state["stage"] == 4
    assert state["step"] == 7
    assert tuple(state["vocabulary"][: len(OLD)]) == OLD
    assert "horse" in state["vocabulary"]
    for prompt in PROMPTS:
        assert torch.equal(tokens(old_run, prompt), tokens(new_run, prompt)), prompt


def test_every_weight_stays_new_parts_add_nothing_and_moments_start_anew(
    old_run: RunFolder, new_run: RunFolder
) -> None:
    model, after, _ = load(new_run)
    _, before, _ = load(old_run)
    kept = {name: tensor for name, tensor in before.items() if not name.startswith("optimizer.")}
    assert set(kept) < set(after)
    assert not any(name.startswith("optimizer.") for name in after)
    grown = {name for name in kept if after[name].shape != kept[name].shape}
    assert grown == {f"model.{TABLE}", f"ema.{TABLE}"}
    for name, tensor in kept.items():
        assert torch.equal(after[name][: len(tensor)] if name in grown else after[name], tensor)
    assert not model.text.near_in.out_layer.weight.any()
    assert model.text.near_in.in_layer.weight.any(), "or nothing could ever be learned"


def test_what_cannot_grow_is_refused(old_run: RunFolder, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is of stage 3"):
        grow(old_run.path, RunFolder(tmp_path / "new"), 3)
    with pytest.raises(FileExistsError):
        grow(old_run.path, old_run, 4)
    with pytest.raises(FileNotFoundError):
        grow(tmp_path / "nothing", RunFolder(tmp_path / "new"), 4)


def test_the_vocabulary_keeps_old_places_and_counts_words_of_its_stage() -> None:
    assert grown_vocabulary(("b", "a"), ("a", "c", "b")) == ("b", "a", "c")
    words = prompt_vocabulary(concepts_of(4), 400, 1)
    assert {"bold", "brown", "desert", "robot"} <= set(words)
    assert not {"robot", "jungle"} & set(prompt_vocabulary(concepts_of(3), 400, 1))
