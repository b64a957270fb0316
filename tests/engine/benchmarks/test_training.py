"""The throughput of training: what is counted is what a step multiplies."""

from __future__ import annotations

import pytest
import torch

from engine.benchmarks.measure import ProductCounter
from engine.benchmarks.training import PARTS, Trainer, report
from engine.models.art.text import Tokenizer
from engine.models.checkpoint import Model
from engine.training.data.pictures import Batch, PictureMix, Pictures
from engine.training.data.scenes import SceneSettings
from engine.words import load_word_table
from tests.engine.tiny import tiny_model
from tests.engine.training.toy_art import save_pack, toy_pack


@pytest.fixture(scope="module")
def model() -> Model:
    torch.set_num_threads(1)
    return tiny_model()


@pytest.fixture(scope="module")
def batch(model: Model, tmp_path_factory: pytest.TempPathFactory) -> Batch:
    sprites = tmp_path_factory.mktemp("sprites") / "sprites.safetensors"
    save_pack(toy_pack(24), sprites)
    tokenizer = Tokenizer(model.text.config.vocabulary, load_word_table())
    mix = PictureMix(
        scenes=SceneSettings(size=0.5), edit_share=0.0, composite_share=0.0, max_tokens=300,
        most_things=2,
    )  # fmt: skip
    return next(iter(Pictures(sprites, model.autoencoder, tokenizer, batch=2, mix=mix, seed=0)))


def test_products_alone_are_those_of_forward_and_backward():
    """A map and an attention, whose operations are counted twice over in the backward pass."""
    linear, x = torch.nn.Linear(7, 3, bias=False), torch.rand(5, 7, requires_grad=True)
    q, k = torch.rand(1, 2, 5, 4, requires_grad=True), torch.rand(1, 2, 6, 4)
    with ProductCounter() as counter:
        loss = linear(x).sum() + torch.nn.functional.scaled_dot_product_attention(q, k, k).sum()
        loss.backward()
    assert counter.flops >= 3 * 2 * 5 * 7 * 3 + 3 * 4 * 2 * 5 * 6 * 4
    with ProductCounter() as again:
        for product, count in counter.found.items():
            for _ in range(count):
                product.alone()()
    assert (again.flops, again.found) == (counter.flops, counter.found)


def test_a_step_counts_all_of_its_tokens(model: Model, batch: Batch):
    """The widest map of a single block reads every text and image token of the batch."""
    trainer = Trainer(model)
    config = model.art.config
    counter = trainer.products(batch)
    widest = (3 + config.mlp_ratio) * config.width
    shapes = [[a[0] for a in p.arguments if isinstance(a, tuple)] for p in counter.found]
    rows = {
        read[0]
        for (*_, read, weights) in (each for each in shapes if len(each) >= 2)
        if weights == (config.width, widest)
    }
    images = int(batch.noisy_mask.sum())
    assert len(rows) == 1
    assert images < rows.pop() <= images + int(batch.text_mask.sum()) + len(batch.tokens)
    assert counter.flops > 0
    assert all(p.grad is None for p in trainer.model.parameters())


def test_a_step_at_rate_0_leaves_the_weights_alone(model: Model, batch: Batch):
    trainer = Trainer(model)
    before = [p.detach().clone() for p in trainer.model.parameters()]
    trainer.step(batch)
    assert all(torch.equal(a, b) for a, b in zip(before, trainer.model.parameters(), strict=True))
    assert {part: len(values) for part, values in trainer.spent.items()} == dict.fromkeys(PARTS, 1)


def test_the_table_names_both_shares(model: Model, batch: Batch, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("engine.benchmarks.training.LARGE", 64)
    text = report(Trainer(model), [batch], 2, "layerloom train throughput")
    assert "share of the products' rate" in text
    assert "share of the large product's rate" in text
    assert "forward, backward, optimizer" in text
