"""Shares of looks come out as asked for."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from engine.training.data.scenes import USUAL_LOOKS, LookMix

LOOKS = ("flat", "bold", "ink")
DRAWS = 6_000


def shares(mix: LookMix) -> dict[tuple[str, bool], float]:
    rng = np.random.default_rng(0)
    counts = Counter(mix.draw(rng, LOOKS) for _ in range(DRAWS))
    return {drawn: count / DRAWS for drawn, count in counts.items()}


def test_named_looks_are_all_alike_and_the_rest_is_mostly_the_first():
    drawn = shares(USUAL_LOOKS)
    for look in LOOKS:
        assert drawn[look, True] == pytest.approx(0.65 / 3, abs=0.03)
    assert drawn["flat", False] == pytest.approx(0.35 * 0.8, abs=0.03)
    assert drawn["ink", False] == pytest.approx(0.35 * 0.1, abs=0.02)


def test_the_first_look_may_be_named_less_often_than_the_others():
    """What a prompt without a look shows is learned there already."""
    drawn = shares(LookMix(named=0.8, first=0.1, open=0))
    assert drawn["flat", True] == pytest.approx(0.08, abs=0.02)
    assert drawn["bold", True] == pytest.approx(0.36, abs=0.03)
    assert drawn["flat", False] == pytest.approx(0.2, abs=0.03)
    assert ("bold", False) not in drawn


def test_it_may_never_be_named():
    assert ("flat", True) not in shares(LookMix(named=1, first=0, open=0))
