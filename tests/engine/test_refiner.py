"""The refiner: each layer by itself, named foregrounds only, and nothing before training."""

from __future__ import annotations

import pytest
import torch

from engine.layout import Region
from engine.models.art.decoding import refine_layers
from engine.models.art.positions import inner_coordinates
from engine.models.art.refiner import Refiner, RefinerConfig
from tests.engine.tiny import TINY_REFINER, layer, picture, pipeline_of, tiny_model, tiny_refiner

SIZES = [(4, 3), (2, 4), (1, 1), (4, 4)]
BOX = (0, 0, 96, 96)


def targets() -> list[Region]:
    regions = [Region(layer(0, (0, 0, 256, 256)), 1, 2, (4, 4))]
    return regions + [Region(layer(i + 1, BOX), 2 + i, 1, size) for i, size in enumerate(SIZES)]


def inputs(seed: int = 3) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    count = sum(region.count for region in targets())
    tokens = torch.randn(count, TINY_REFINER.token_width, generator=generator)
    return tokens, torch.randn(1, 4, TINY_REFINER.text_width, generator=generator)


def split(tokens: torch.Tensor) -> list[torch.Tensor]:
    return list(tokens.split([region.count for region in targets()]))


def test_an_untrained_refiner_returns_its_input():
    refiner = Refiner(TINY_REFINER)
    refiner.init_weights()
    tokens, text = inputs()
    refined = refine_layers(refiner, tokens, targets(), [1, 1, 2, 3, 1], text)
    assert torch.equal(refined, tokens)


def test_named_foregrounds_change_and_nothing_else():
    tokens, text = inputs()
    refined = refine_layers(tiny_refiner(), tokens, targets(), [1, 2, 0, 3, 1], text)
    changed = [
        not torch.equal(old, new) for old, new in zip(split(tokens), split(refined), strict=True)
    ]
    # The background is named too, but only foregrounds are refined.
    assert changed == [False, True, False, True, True]


def test_without_an_assignment_nothing_changes():
    tokens, text = inputs()
    assert torch.equal(refine_layers(tiny_refiner(), tokens, targets(), [], text), tokens)


@torch.no_grad()
def test_a_layer_is_the_same_alone_and_in_company():
    tokens, text = inputs()
    shows = [0, 1, 2, 3, 1]
    together = split(refine_layers(tiny_refiner(), tokens, targets(), shows, text))
    for i, region in enumerate(targets()):
        alone = refine_layers(tiny_refiner(), split(tokens)[i], [region], [shows[i]], text)
        torch.testing.assert_close(alone, together[i], atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_padding_is_not_read():
    refiner, (h, w) = tiny_refiner(), (2, 3)
    tokens = torch.randn(1, 8, TINY_REFINER.token_width)
    inner = torch.ones(1, 8, 4)
    inner[0, : h * w] = inner_coordinates(h, w)
    mask = torch.arange(8)[None] < h * w
    word, prompt = torch.randn(2, 1, TINY_REFINER.text_width)
    first = refiner(tokens, inner, word, prompt, mask)
    tokens[:, h * w :] = 100
    second = refiner(tokens, inner, word, prompt, mask)
    assert torch.equal(first[:, : h * w], second[:, : h * w])


@torch.no_grad()
def test_word_and_prompt_are_read():
    refiner = tiny_refiner()
    tokens = torch.randn(1, 4, TINY_REFINER.token_width)
    inner = inner_coordinates(2, 2)[None]
    one, two = torch.randn(2, 1, TINY_REFINER.text_width)
    as_given = refiner(tokens, inner, one, two)
    assert not torch.allclose(refiner(tokens, inner, two, two), as_given)
    assert not torch.allclose(refiner(tokens, inner, one, one), as_given)


def test_a_width_that_the_heads_do_not_divide_is_refused():
    with pytest.raises(ValueError, match="width 30 is not a multiple of heads 4"):
        RefinerConfig(width=30, heads=4)


def test_the_generator_refines_what_it_delivers():
    """Every layer of a job passes the refiner before it is decoded; the background does not."""
    request = picture(layer(0, (0, 0, 256, 256)), layer(1, (0, 0, 96, 96)), prompt="a red dog")
    model = tiny_model()
    plain = pipeline_of(model).run(request)
    model.refiner = tiny_refiner()
    refined = pipeline_of(model).run(request)
    by_kind = {
        old.kind: (old.word, (old.rgba == new.rgba).all())
        for old, new in zip(plain.results, refined.results, strict=True)
    }
    assert by_kind["background"][1]
    word, is_same = by_kind["foreground"]
    assert (word is None) == is_same
