"""How much the cache of finished layers may take, and what a small budget costs."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import psutil
import pytest
import torch

import engine
from engine import device
from engine.api import GenerateRequest
from engine.device import default_cache_budget
from tests.engine.tiny import layer, picture, pipeline_of, random_pixels, tiny_generator, tiny_model

BOXES = {1: (0, 0, 96, 96), 2: (128, 32, 224, 128), 3: (64, 160, 160, 256)}
CPU = torch.device("cpu")
GB = 2**30


@pytest.mark.parametrize(("free", "budget"), [(2 * GB, GB // 2), (4 * GB, GB), (64 * GB, GB)])
def test_a_quarter_of_free_memory_and_at_most_one_gigabyte(
    monkeypatch: pytest.MonkeyPatch, free: int, budget: int
) -> None:
    """Where the settings leave it to the engine."""
    monkeypatch.setattr(device, "free_bytes", lambda where: free)
    assert default_cache_budget(CPU) == budget
    assert pipeline_of(tiny_model()).cache.budget_bytes == budget


def test_free_memory_is_what_programs_could_get(monkeypatch: pytest.MonkeyPatch) -> None:
    """After much reading hardly anything is idle; a quarter of that kept nothing."""
    assert 2**20 < device.free_bytes(CPU) < 2**50  # a wrong unit would be noticed
    told = SimpleNamespace(free=40, available=2_000_000)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: told)
    assert device.free_bytes(CPU) == engine.free_memory() == 2_000_000


def test_a_small_budget_recomputes_and_changes_nothing() -> None:
    """It holds at every moment, the least used goes, and the pixels are the same."""
    roomy, tight = tiny_generator(), tiny_generator()
    wanted = roomy.run(edit()).results[0].rgba
    roomy.cache.joined("another request's")  # forgets what was joined: entries alone are counted
    one_entry = roomy.cache.stats().bytes // roomy.cache.stats().entries
    tight.cache.budget_bytes = one_entry
    for _ in range(2):
        finished = tight.run(edit())
        stats = tight.cache.stats()
        assert stats.bytes <= one_entry
        assert np.array_equal(finished.results[0].rgba, wanted)
    assert finished.cache_misses >= 1, "what had to go is computed again"
    assert stats.evictions >= 1
    assert roomy.run(edit()).cache_misses == 0


def edit() -> GenerateRequest:
    """Layer 1 anew over two finished ones of one size."""
    finished = [layer(n, BOXES[n], random_pixels(BOXES[n], n)) for n in (2, 3)]
    return picture(layer(1, BOXES[1]), *finished)
