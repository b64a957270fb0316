"""The transformer's loss: what counts, and how much."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor

from engine.models.art.assignment import ASSIGNMENT_T
from engine.models.art.attention import KeyValue
from engine.training.trainers.text_to_layers import ContextProbe, draw_levels, flow_loss, summarise
from tests.engine.tiny import TINY_ART


def case(errors: list[float], owner: list[int]) -> tuple[Any, Any]:
    """A prediction that is off by `errors`, one number per token of one picture."""
    tokens = torch.zeros(1, len(errors), 4)
    off = torch.tensor(errors)[None, :, None].expand_as(tokens)
    weight = torch.full((1, len(errors)), 1 / len(errors))
    batch = SimpleNamespace(tokens=tokens, weight=weight, owner=torch.tensor([owner]))
    return SimpleNamespace(tokens=off), batch


def loss(errors: list[float], **options: Any) -> float:
    owner = options.pop("owner", [0] * len(errors))
    prediction, batch = case(errors, owner)
    return flow_loss(prediction, batch, torch.ones(1), **options).item()


def test_errors_are_squared_and_averaged() -> None:
    assert loss([1.0, 3.0]) == pytest.approx(5.0)


def test_huber_squares_small_errors_and_measures_large_ones() -> None:
    small, large, double = (loss([error], huber=0.25) for error in (0.01, 10.0, 20.0))
    assert small == pytest.approx(0.01**2, rel=0.01)
    assert double == pytest.approx(2 * large, rel=0.03)


def test_huber_takes_the_majority_where_squares_take_the_mean() -> None:
    """Of two pictures that a token may show, 7 to 3, it settles on the likelier one."""

    def best(**options: Any) -> float:
        tries = [step / 100 for step in range(101)]
        return min(tries, key=lambda x: 0.7 * loss([x], **options) + 0.3 * loss([1 - x], **options))

    assert best() == pytest.approx(0.3, abs=0.011)
    assert best(huber=0.05) < 0.05


def test_only_regions_that_are_asked_count() -> None:
    """Tokens that no region owns always do."""
    asked = torch.tensor([[True, False]])
    owner = [0, 1, 1, -1]
    assert loss([1.0, 9.0, 9.0, 1.0], owner=owner, counts_for=asked) == pytest.approx(2 / 4)


def test_the_share_of_pure_noise_is_what_was_asked_for() -> None:
    torch.manual_seed(0)

    def share(levels: Tensor) -> float:
        return (levels == ASSIGNMENT_T).float().mean().item()

    assert share(draw_levels(4000, torch.device("cpu"), 0.65)) == pytest.approx(0.65, abs=0.05)
    assert share(draw_levels(4000, torch.device("cpu"), 0.0)) < 0.05


def test_a_layers_summary_is_of_its_own_tokens() -> None:
    stored = [KeyValue(torch.randn(1, 2, 7, 32), torch.randn(1, 2, 7, 32)) for _ in range(3)]
    owner = torch.tensor([[0, 0, 0, 1, 1, 1, -1]])
    both = summarise(stored, owner, 2)
    first = [KeyValue(kv.k[:, :, :3], kv.v[:, :, :3]) for kv in stored]
    torch.testing.assert_close(both[:, :1], summarise(first, torch.zeros(1, 3), 1))
    assert ContextProbe(TINY_ART)(both, torch.randn(1, 4, TINY_ART.text_width)).shape == (1, 2, 4)
