"""The measures of flat layers, on layers whose values are known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from engine.training.data.concepts import FIRST
from engine.training.eval.flat_layers import (
    BACKDROPS,
    connected,
    edges,
    fills,
    flat_rows,
    regions_of,
    survives,
)
from engine.training.eval.metrics import composite_psnr
from tests.engine.tiny import tiny_generator
from tests.engine.training.toy_art import toy_pack


def flat(side: int = 40) -> np.ndarray:
    """(side, side, 4) uint8: red with a blue square of 6 px, opaque but for a frame of 4 px."""
    layer = np.zeros((side, side, 4), np.uint8)
    layer[4:-4, 4:-4] = (200, 0, 0, 255)
    layer[10:16, 10:16] = (0, 0, 200, 255)
    return layer


def premultiplied(layer: np.ndarray) -> np.ndarray:
    pixels = layer.astype(np.float32) / 255
    return np.concatenate([pixels[..., :3] * pixels[..., 3:], pixels[..., 3:]], axis=-1)


def test_fills_are_pairs_inside_that_differ():
    layer = flat()
    pairs = 32 * 31  # inside the frame
    assert fills([layer]) == pytest.approx(2 * 6 / pairs)  # the left and right side of the square
    noisy = layer.copy()
    noisy[4:-4, 4:-4, :3] = np.arange(32)[None, :, None] % 2 * 2  # 2 of 255 up and down
    assert fills([noisy]) == 1
    noisy[4:-4, 4:-4, :3] //= 2
    assert fills([noisy]) == 0
    assert fills([np.zeros_like(layer)]) == 0


def test_edges_of_a_sharp_layer_are_twice_those_of_a_soft_one():
    sharp, soft = np.zeros((40, 40, 4), np.uint8), np.zeros((40, 40, 4), np.uint8)
    sharp[:, 20:, 3] = 255
    soft[:, 19, 3], soft[:, 20:, 3] = 128, 255
    assert edges(sharp) == pytest.approx(39 / 76, abs=0.02)  # 39 steps of 1 among 76 gradients
    assert edges(soft) == pytest.approx(0.5, abs=0.02)


def test_psnr_counts_what_is_seen_over_both_backdrops():
    layer = flat()
    assert composite_psnr(premultiplied(layer), premultiplied(layer), BACKDROPS) == math.inf
    other = layer.copy()
    other[4:-4, 4:-4, 1] = 51  # one channel off by .2 in 1024 of 1600 pixels
    wanted = -10 * np.log10(0.04 / 3 * 1024 / 1600)
    assert composite_psnr(premultiplied(other), premultiplied(layer), BACKDROPS) == pytest.approx(
        wanted, abs=0.01
    )


def test_a_region_survives_as_long_as_it_is_nearer_to_its_colour_than_to_its_surroundings():
    layer = flat()
    (region,) = regions_of(premultiplied(layer))
    assert region.mask.sum() == 36
    assert survives(layer, region)
    gone = layer.copy()
    gone[10:16, 10:16] = (150, 0, 50, 255)
    assert not survives(gone, region)
    small = flat()
    small[10:16, 10:16] = (200, 0, 0, 255)
    small[10:13, 10:14] = (0, 0, 200, 255)  # 12 px
    assert not regions_of(premultiplied(small))


def test_connected_parts_wind_and_do_not_touch_at_corners():
    keys = np.array([[1, 1, 1, 2], [2, 2, 1, 2], [1, 1, 1, 2], [1, 2, 2, 1]])
    found = connected(keys)
    assert found.tolist() == [[0, 0, 0, 3], [4, 4, 0, 3], [0, 0, 0, 3], [0, 13, 13, 15]]


def test_the_rows_are_measured_with_and_without_the_decision():
    requests = []
    generator = tiny_generator()

    def run(request):
        requests.append(request)
        return generator.run(request)

    table, columns = flat_rows(run, toy_pack(), FIRST, share=0.02)
    assert set(columns) == {"colours decided", "undecided", "art"}
    assert {request.clean_colours for request in requests} == {"on", "off"}
    assert columns["art"]["fills"] <= 1
    assert "PSNR to the art, dB, colours decided" in table
    assert columns["colours decided"]["of those seen undecided"] >= 0
