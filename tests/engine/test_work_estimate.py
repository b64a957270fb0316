"""Estimates count what the pipeline then does."""

from __future__ import annotations

import dataclasses

import pytest

from engine.models.art.backbone import art_of
from engine.work_estimate import estimate
from tests.engine.tiny import layer, picture, random_pixels, tiny_generator

FULL, LEFT, RIGHT = (0, 0, 256, 256), (0, 0, 96, 96), (128, 32, 224, 160)


@pytest.mark.parametrize("side_tokens", [0, 3])
def test_tokens_are_those_of_the_regions(side_tokens: int) -> None:
    generator = tiny_generator()
    model = art_of(generator).model
    model.card = dataclasses.replace(model.card, side_tokens=side_tokens)
    request = picture(layer(0, FULL), layer(1, LEFT), layer(2, RIGHT, random_pixels(RIGHT)))
    regions = art_of(generator).regions(request)
    found = estimate(request, generator.info)
    assert found.seen == sum(region.count for region in regions)
    made = sum(region.count for region in regions if region.request.is_target)
    assert found.tokens == 2 * made, "two branches of guidance"
    assert found.drawn == made * generator.info.token_px**2
    assert found.pixels == 256 * 256 + 96 * 96


def test_steps_and_passes_are_those_that_the_pipeline_takes() -> None:
    generator = tiny_generator()
    model = art_of(generator).model
    model.card = dataclasses.replace(model.card, steps=3, edit_steps=2, cfg_scale=1.0)
    whole = picture(layer(0, FULL), layer(1, LEFT), layer(2, RIGHT))
    edit = picture(layer(1, LEFT, random_pixels(LEFT)), layer(2, RIGHT))
    assert [estimate(r, generator.info).steps for r in (whole, edit)] == [
        generator.run(r).steps for r in (whole, edit)
    ]
    assert estimate(whole, generator.info).planning == 3
    assert estimate(edit, generator.info).planning == 0, "it shares the pass of its first step"
    assert estimate(dataclasses.replace(edit, steps=7), generator.info).steps == 7
