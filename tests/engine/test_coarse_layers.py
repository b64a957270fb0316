"""Large layers on few tokens: whole in their boxes, and as exact in the cache as all others."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from engine.api import GenerateRequest, Preview
from engine.models.art.backbone import art_of
from engine.pipeline import LayerPipeline
from engine.sampling import is_mirrored
from tests.engine.tiny import layer, picture, random_pixels, tiny_generator

FULL, LARGE, SMALL = (0, 0, 256, 256), (32, 0, 192, 224), (160, 160, 224, 224)


@pytest.fixture(scope="module")
def generator() -> LayerPipeline:
    """Two tokens of 32 px along the longer side: LARGE, 160 x 224, is drawn at a quarter."""
    generator = tiny_generator()
    art_of(generator).model.card = dataclasses.replace(
        art_of(generator).model.card, side_tokens=2, deblocking=0.3
    )
    return generator


def test_a_large_layer_fills_its_box_with_few_tokens(generator):
    previews = []
    request = dataclasses.replace(picture(layer(1, LARGE), layer(2, SMALL)), preview_every=1)
    finished = generator.run(request, emit=previews.append)
    assert [r.rgba.shape for r in finished.results] == [(224, 160, 4), (64, 64, 4)]
    assert finished.results[0].rgba[..., 3].any()
    assert any(isinstance(event, Preview) and event.layer_id == 1 for event in previews)


def assert_cached_equals_uncached(generator: LayerPipeline, request: GenerateRequest, hits: int):
    """To one step of 8 bits, as for all layers (docs/art.md 6.3, rule 7)."""
    generator.run(request)
    cached = generator.run(request)
    assert (cached.cache_hits, cached.cache_misses) == (hits, 0)
    generator.cache.clear()
    uncached = generator.run(request)
    difference = np.abs(cached.results[0].rgba.astype(int) - uncached.results[0].rgba).max()
    assert difference <= 1


def test_the_cache_holds_large_layers_exactly(generator):
    kept = layer(1, LARGE, random_pixels(LARGE, 1))
    request = picture(layer(0, FULL, random_pixels(FULL)), kept, layer(2, SMALL))
    assert_cached_equals_uncached(generator, request, hits=2)


def test_a_model_without_the_rule_has_a_token_per_cell(generator):
    plain = tiny_generator()
    assert art_of(plain).model.card.side_tokens == 0
    large = plain.run(picture(layer(1, LARGE))).results[0].rgba
    coarse = generator.run(picture(layer(1, LARGE))).results[0].rgba
    assert large.shape == coarse.shape
    assert not np.array_equal(large, coarse)


def test_layers_of_one_size_in_tokens_are_whole_and_exact_in_the_cache():
    """Small and large boxes alike; a kept layer is read the same wherever it lies."""
    generator = tiny_generator()
    art_of(generator).model.card = dataclasses.replace(art_of(generator).model.card, side_tokens=3)
    request = picture(layer(1, LARGE), layer(2, SMALL), prompt="two dogs")
    assert [region.size for region in art_of(generator).regions(request)] == [(3, 2), (3, 3)]
    previews = []
    made = generator.run(dataclasses.replace(request, preview_every=1), emit=previews.append)
    assert [r.rgba.shape for r in made.results] == [(224, 160, 4), (64, 64, 4)]
    seen = {event.layer_id: event.rgba.shape for event in previews if isinstance(event, Preview)}
    assert {i: h / w for i, (h, w, _) in seen.items()} == pytest.approx(
        {1: 224 / 160, 2: 1}, rel=0.1
    )
    kept = layer(1, LARGE, made.results[0].rgba)
    assert_cached_equals_uncached(generator, picture(kept, layer(2, SMALL)), hits=1)
    moved = layer(1, (64, 32, 224, 256), made.results[0].rgba)
    assert generator.run(picture(moved, layer(2, SMALL))).cache_hits == 1


def test_every_other_seed_shows_a_thing_mirrored_and_never_the_background():
    plain, mirroring = tiny_generator(), tiny_generator()
    art_of(mirroring).model.card = dataclasses.replace(art_of(mirroring).model.card, mirrors=True)
    turned = set()
    for seed in range(8):
        request = picture(
            dataclasses.replace(layer(0, FULL), seed=seed),
            dataclasses.replace(layer(1, LARGE), seed=seed),
        )
        scenery, drawn = (r.rgba.astype(int) for r in plain.run(request).results)
        same, seen = (r.rgba.astype(int) for r in mirroring.run(request).results)
        np.testing.assert_array_equal(same, scenery)
        wanted = drawn[:, ::-1] if is_mirrored(seed) else drawn
        np.testing.assert_allclose(seen, wanted, atol=1)  # of 255: resampled the other way round
        turned.add(is_mirrored(seed))
    assert turned == {True, False}
