"""Layers that are decoded together are those that are decoded alone, to the last bit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from engine.api import LayerRequest
from engine.errors import Cancelled, RequestError
from engine.layout import FIRST_FOREGROUND, Region
from engine.models.art.autoencoder import TOGETHER as AT_ONCE
from engine.models.art.autoencoder import Autoencoder, channels_last
from engine.models.art.decoding import _draw, decode_layers
from engine.models.art.smoothing import smooth
from engine.models.checkpoint import Model
from tests.engine.tiny import layer, picture, tiny_generator, tiny_model

BOXES = [(0, 0, 96, 96)] * 5 + [(0, 0, 64, 96)] * 2 + [(0, 0, 192, 192)]


@pytest.fixture(scope="module")
def model() -> Model:
    """The decoder has the shipped one's widths: sizes decide which kernels torch chooses."""
    model = tiny_model()
    torch.manual_seed(1)
    autoencoder = Autoencoder(replace(model.autoencoder.config, decoder_widths=(224, 128, 80, 32)))
    torch.nn.init.normal_(autoencoder.decoder.conv_out.weight, std=0.05)
    autoencoder = channels_last(autoencoder).eval().requires_grad_(False)
    card = replace(model.card, side_tokens=4, mirrors=True, deblocking=0.3, smoothing=0.04)
    return replace(model, autoencoder=autoencoder, card=card)


def regions() -> list[Region]:
    """Things of three sizes on 4 x 4 or 3 x 4 tokens, and a background of 4 x 4."""
    found = [
        Region(LayerRequest(layer_id=0, kind="background", box=(0, 0, 256, 256)), 1, 2, (4, 4))
    ]
    for number, box in enumerate(BOXES, start=1):
        request = LayerRequest(layer_id=number, kind="foreground", box=box, seed=number)
        rows, cols = (4, 4) if box[2] == box[3] else (4, 3)
        found.append(Region(request, FIRST_FOREGROUND + number, 1, (rows, cols)))
    return found


def tokens_of(targets: list[Region], width: int) -> torch.Tensor:
    torch.manual_seed(2)
    return torch.randn(sum(region.count for region in targets), width)


@pytest.mark.parametrize("threads", [1, 2])
def test_together_is_alone(model, threads):
    targets = regions()
    tokens = tokens_of(targets, model.autoencoder.token_width)
    parts = tokens.split([region.count for region in targets])
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        with torch.inference_mode():
            together = decode_layers(
                model, tokens, targets, [None] * len(targets), lambda: None, clean_colours=True
            )
            for region, part, made in zip(targets, parts, together, strict=True):
                (alone,) = decode_layers(
                    model, part, [region], ["dog"], lambda: None, clean_colours=True
                )
                assert np.array_equal(made.rgba, alone.rgba), region.request.layer_id
                assert made.layer_id == region.request.layer_id
                assert alone.word == "dog"
            drawn = _draw(model, torch.stack(parts[1:6]), (4, 4))  # floats: also the last bit
            alone_drawn = [_draw(model, part[None], (4, 4)) for part in parts[1:6]]
        assert np.array_equal(drawn, np.concatenate(alone_drawn))
    finally:
        torch.set_num_threads(before)


def test_a_group_is_decoded_one_by_one_where_side_by_side_gives_other_bits(model, monkeypatch):
    """As on machines whose kernels depend on the number of layers: found out by the first group."""
    autoencoder = Autoencoder(model.autoencoder.config).eval().requires_grad_(False)
    decode_latents, passes = autoencoder.decode_latents, []

    def rounded_otherwise(latents: torch.Tensor) -> torch.Tensor:
        passes.append(len(latents))
        return decode_latents(latents) + 1e-7 * (len(latents) - 1)

    monkeypatch.setattr(autoencoder, "decode_latents", rounded_otherwise)
    tokens = torch.randn(AT_ONCE, 4, autoencoder.token_width) + 1
    with torch.inference_mode():
        first, second = (autoencoder.decode_alike(tokens, (2, 2)) for _ in range(2))
        alone = autoencoder.decode(tokens.flatten(0, 1), [(2, 2)] * AT_ONCE)
    assert torch.equal(first, second)
    assert torch.equal(first, torch.stack(alone))
    assert passes == [AT_ONCE] + [1] * 3 * AT_ONCE, "the second group is not tried again"


def test_smoothing_several_layers_is_smoothing_each():
    torch.manual_seed(0)
    alpha = torch.rand(5, 1, 40, 56)
    rgba = torch.cat([torch.rand(5, 3, 40, 56) * alpha, alpha], dim=1)
    together = smooth(rgba, 0.1)
    assert all(torch.equal(smooth(one, 0.1), other) for one, other in zip(rgba, together))


def test_a_job_is_cancelled_between_groups(model):
    targets = regions()
    calls = 0

    def check() -> None:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise Cancelled

    tokens = tokens_of(targets, model.autoencoder.token_width)
    with torch.inference_mode(), pytest.raises(Cancelled):
        decode_layers(model, tokens, targets, [None] * len(targets), check)


def test_the_choice_of_the_request_reaches_the_pixels_and_the_event():
    """Automatic in a model of flat things is on; backgrounds stay as they are."""
    generator = tiny_generator()
    made = {
        choice: generator.run(
            picture(layer(0, (0, 0, 256, 256)), layer(1, (0, 0, 96, 96)), clean_colours=choice)
        )
        for choice in ("automatic", "on", "off")
    }
    assert [made[choice].clean_colours for choice in made] == [True, True, False]
    pixels = {choice: [r.rgba for r in finished.results] for choice, finished in made.items()}
    assert all(map(np.array_equal, pixels["automatic"], pixels["on"]))
    assert np.array_equal(pixels["on"][0], pixels["off"][0])


def test_another_word_for_the_choice_is_refused():
    request = picture(layer(1, (0, 0, 96, 96)), clean_colours="maybe")
    with pytest.raises(RequestError, match="automatic, on, off"):
        tiny_generator().run(request)
