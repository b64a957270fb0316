"""RegionTokenCache: what it keeps, what it forgets first."""

from __future__ import annotations

import numpy as np
import torch

from engine.cache import PixelHashes, RegionTokenCache, pixel_hash
from engine.models.art.attention import KeyValue


def entry(floats: int) -> KeyValue:
    return KeyValue(torch.zeros(floats // 2), torch.zeros(floats - floats // 2))


def key(name: str) -> tuple[str, str, int, int, int]:
    return ("model", name, 1, 1, 1)


def test_computes_once_and_finds_again():
    cache, calls = RegionTokenCache(1000), []
    for _ in range(3):
        cache.get(key("a"), lambda: calls.append(1) or entry(10))
    stats = cache.stats()
    assert len(calls) == 1
    assert (stats.hits, stats.misses, stats.entries, stats.bytes) == (2, 1, 1, 40)


def test_the_least_recently_used_goes_first():
    cache = RegionTokenCache(100)
    for name in ("a", "b", "a", "c"):  # each 40 bytes: the third does not fit beside two
        cache.get(key(name), lambda: entry(10))
    assert cache.stats().evictions == 1
    before = cache.stats().misses
    cache.get(key("a"), lambda: entry(10))
    assert cache.stats().misses == before, "a was used after b and must still be there"
    cache.get(key("b"), lambda: entry(10))
    assert cache.stats().misses == before + 1


def test_an_entry_over_the_budget_is_used_and_not_kept():
    cache = RegionTokenCache(100)
    assert cache.get(key("big"), lambda: entry(1000)).k.numel() == 500
    assert cache.stats().entries == 0
    assert cache.stats().bytes == 0


def test_what_was_joined_counts_and_goes_with_the_next_miss_or_when_emptied():
    cache = RegionTokenCache(budget_bytes=100)
    cache.get(key("a"), lambda: entry(10))
    cache.keep_joined("both", "joined", 60)
    assert cache.stats().bytes == 100
    assert cache.joined("both") == "joined"
    cache.get(key("a"), lambda: entry(10))
    assert cache.joined("both") == "joined", "a hit changes nothing"
    cache.get(key("b"), lambda: entry(10))
    assert cache.joined("both") is None
    assert cache.stats().bytes == 80
    cache.keep_joined("both", "joined", 21)
    assert cache.joined("both") is None, "over the budget"
    cache.keep_joined("both", "joined", 20)
    assert cache.joined("another") is None
    assert cache.joined("both") is None, "one of another key is forgotten"
    cache.keep_joined("both", "joined", 20)
    cache.clear()
    assert cache.joined("both") is None
    assert cache.stats().bytes == 0


def test_pixel_hash_sees_shape_and_bytes():
    flat = np.zeros((2, 8, 4), np.uint8)
    assert pixel_hash(flat) != pixel_hash(flat.reshape(8, 2, 4))
    other = flat.copy()
    other[1, 7, 3] = 1
    assert pixel_hash(flat) != pixel_hash(other)
    assert pixel_hash(other[:, ::-1]) != pixel_hash(other)  # views are hashed by what they show


def test_hashes_are_known_only_of_arrays_that_cannot_change():
    hashes = PixelHashes()
    pixels = np.zeros((4, 4, 4), np.uint8)
    before = hashes.of(pixels)
    pixels[0, 0] = 9
    assert hashes.of(pixels) == pixel_hash(pixels) != before
    view = pixels[:2]
    view.flags.writeable = False
    before = hashes.of(view)
    pixels[0, 0] = 7
    assert hashes.of(view) == pixel_hash(view) != before, "its owner may write"
    pixels.flags.writeable = False
    assert hashes.of(pixels) == hashes.of(pixels) == pixel_hash(pixels)


def test_hashes_of_arrays_that_are_gone_are_forgotten():
    hashes = PixelHashes()
    for value in range(50):  # freed memory comes back under the same address
        pixels = np.full((4, 4, 4), value, np.uint8)
        pixels.flags.writeable = False
        assert hashes.of(pixels) == pixel_hash(pixels)
        del pixels
    assert not hashes._known
