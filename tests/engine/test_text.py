"""Text encoder: what a word's token reads, and that padding changes nothing."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from engine.models.art.text import TextConfig, TextEncoder
from tests.engine.tiny import TINY_TEXT


def encoder(config: TextConfig) -> TextEncoder:
    torch.manual_seed(0)
    text = TextEncoder(config)
    text.init_weights()
    with torch.no_grad():
        for parameter in text.parameters():
            if not parameter.any():
                parameter.normal_(std=0.1)
    return text.eval()


def words(count: int, batch: int = 1) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    vectors = torch.randn(batch, count, 128, generator=generator)
    return vectors, torch.randint(0, 4, (batch, count), generator=generator)


@pytest.mark.parametrize("near", [0, 1, 3])
def test_without_attention_a_word_reads_itself_and_the_words_right_before_it(near: int) -> None:
    text = encoder(dataclasses.replace(TINY_TEXT, depth=0, near_words=near))
    vectors, known = words(9)
    changed = vectors.clone()
    changed[0, 3] += 1
    with torch.no_grad():
        differs = (text(vectors, known) != text(changed, known)).any(dim=-1)[0].tolist()
    assert [i for i, d in enumerate(differs) if d] == list(range(4, 5 + near))  # 0 is the prompt's


def test_padding_changes_no_token() -> None:
    text = encoder(TINY_TEXT)
    vectors, known = words(6, batch=2)
    mask = torch.ones(2, 6, dtype=torch.bool)
    mask[1, 4:] = False
    with torch.no_grad():
        together = text(vectors, known, mask)
        alone = text(vectors[1:, :4], known[1:, :4])
    assert torch.allclose(together[1:, :5], alone, atol=1e-5)


def test_new_near_words_start_as_nothing() -> None:
    torch.manual_seed(0)
    text = TextEncoder(TINY_TEXT)
    text.init_weights()
    plain = TextEncoder(dataclasses.replace(TINY_TEXT, near_words=0))
    weights = {k: v for k, v in text.state_dict().items() if not k.startswith("near_in")}
    plain.load_state_dict(weights)
    with torch.no_grad():
        assert torch.equal(text(*words(5)), plain(*words(5)))
