"""What the benches compare is what it is called: crop and uncropped; operations are counted."""

from __future__ import annotations

import dataclasses

import pytest
import torch
import torch.nn.functional as F
from torch.utils.flop_counter import FlopCounterMode, flop_registry

from engine.benchmarks.harness import Step, regions_of, uncropped
from engine.benchmarks.measure import block_flops
from engine.models.art.attention import Packing
from engine.models.art.backbone import ARTBackbone, RequestState, art_of
from engine.models.art.model import ART, Conditioning
from engine.models.art.positions import ids_of
from engine.pipeline import LayerPipeline
from tests.engine.tiny import TINY_ART, layer, picture, tiny_generator

FULL, LEFT, RIGHT = (0, 0, 256, 256), (0, 0, 96, 96), (128, 32, 224, 160)


@pytest.fixture(scope="module")
def generator() -> LayerPipeline:
    return tiny_generator()


def test_one_region_over_the_whole_canvas_is_the_uncropped_picture(generator):
    request = picture(layer(0, FULL), layer(1, FULL))
    assert torch.equal(Step(generator, request)(), Step(generator, uncropped(request))())


@pytest.mark.parametrize("cfg_scale", [1.0, 2.0])
def test_a_step_is_the_step_of_the_engine(generator, monkeypatch, cfg_scale):
    """Without assignment, which the step of the bench leaves out; with and without guidance."""
    card = dataclasses.replace(art_of(generator).model.card, cfg_scale=cfg_scale)
    monkeypatch.setattr(art_of(generator).model, "card", card)
    art = ART(TINY_ART).eval().requires_grad_(False)
    art.init_weights()  # seed codes start without effect
    monkeypatch.setattr(art_of(generator).model, "art", art)
    request = picture(layer(0, FULL), layer(1, LEFT), layer(2, RIGHT))
    step = Step(generator, request)

    def unassigned(self: ARTBackbone, state: RequestState, canvas: tuple[int, int]) -> Conditioning:
        state.shows = [0] * len(state.targets)
        return self.condition(state.targets, state.prompt.text, canvas)

    monkeypatch.setattr(ARTBackbone, "_assign", unassigned)
    prompt = art_of(generator).encode_prompt(request)
    state = art_of(generator).begin(request, prompt, cfg_scale, lambda: None)
    assert torch.equal(state.noise, step.noise)
    predicted = art_of(generator).predict(state, step.noise, 0.5)
    assert torch.allclose(step(0.5), predicted, atol=1e-6)


@torch.no_grad()
def test_the_crop_leaves_out_the_tokens_outside_the_boxes_and_nothing_else(generator):
    """In the boxes, the cropped result is that of whole canvases whose outside no token may read.

    With equal features of places, which differ by design: they say where a token is in its box.
    """
    torch.manual_seed(0)
    art = ART(TINY_ART).eval()
    art.init_weights()
    for parameter in art.parameters():
        if parameter.abs().max() == 0:
            parameter.normal_(std=0.05)
    request = picture(layer(1, LEFT), layer(2, RIGHT))
    whole = regions_of(generator, uncropped(request))
    ids = torch.cat([ids_of(r, art_of(generator).token_px) for r in whole])
    cropped_ids = torch.cat(
        [ids_of(r, art_of(generator).token_px) for r in regions_of(generator, request)]
    )
    kept = torch.tensor([bool((row == cropped_ids).all(1).any()) for row in ids])
    assert torch.equal(ids[kept], cropped_ids), "the crop is a slice of the canvas's grid"

    tokens = torch.randn(1, len(ids), TINY_ART.token_width)
    text, vec = torch.randn(1, 3, TINY_ART.text_width), art.vec(torch.full((1,), 0.5))
    nothing = torch.ones(1, len(ids), 4)
    readable = torch.cat([torch.ones(3, dtype=torch.bool), kept])[None, None, None]

    class Masked(Packing):
        def attend(self, q, k, v, context):
            out = F.scaled_dot_product_attention(q, k, v, attn_mask=readable)
            return out.transpose(1, 2).flatten(2)

    packing = Masked((3,), (len(ids),))
    frame = art.condition(ids[None], nothing, nothing, text, packing=packing)
    uncropped_result = art(tokens, frame, vec)
    frame = art.condition(cropped_ids[None], nothing[:, kept], nothing[:, kept], text)
    cropped_result = art(tokens[:, kept], frame, vec)
    assert torch.allclose(cropped_result, uncropped_result[:, kept], atol=1e-5)


def test_counted_operations_are_those_of_the_formula(generator):
    """The blocks' share; embedding, modulation and output are the small rest."""
    step = Step(generator, picture(layer(0, FULL), layer(1, LEFT), layer(2, RIGHT)))
    # torch's table has the kernel of attention on a GPU only; the operations are the same.
    aten = torch.ops.aten
    flops = flop_registry[aten._scaled_dot_product_flash_attention]
    flop_registry[aten._scaled_dot_product_flash_attention_for_cpu] = flops
    # In inference mode torch does not take the operators apart that are counted.
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        Step.__call__.__wrapped__(step)  # type: ignore[attr-defined]
    blocks = TINY_ART.double_blocks + TINY_ART.single_blocks
    # Text and image of a double block have weights of their own, but every token passes one set.
    texts = step.sequence - step.tokens
    null = art_of(generator).model.text.null().shape[1] + step.tokens
    expected = blocks * sum(
        block_flops(tokens, TINY_ART.width, TINY_ART.mlp_ratio)
        for tokens in (texts + step.tokens, null)
    )
    assert expected <= counter.get_total_flops() <= 1.3 * expected
