"""Attention in rows of rectangles is attention stretch by stretch, gradients included."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from engine.models.art import attention
from engine.models.art.attention import KeyValue, Packing, attend_segments, padded_batches

HEADS, HEAD_DIM = 2, 8
TEXTS, IMAGES, CLEANS = (3, 1, 4, 2, 5), (7, 12, 1, 9, 4), (0, 6, 2, 0, 11)
TOTAL = sum(TEXTS) + sum(IMAGES)


def random_heads(tokens: int) -> Tensor:
    return torch.randn(1, HEADS, tokens, HEAD_DIM).requires_grad_()


def same_both_ways(
    monkeypatch: pytest.MonkeyPatch,
    lengths: list[int],
    attend: Callable[[list[Tensor]], Tensor],
) -> None:
    """Outputs and gradients of inputs of these lengths, in rows and stretch by stretch."""
    found = []
    for many in (2, 99):
        monkeypatch.setattr(attention, "MANY", many)
        torch.manual_seed(4)
        inputs = [random_heads(length) for length in lengths]
        out = attend(inputs)
        (out * torch.linspace(-1, 1, out.numel()).view_as(out)).sum().backward()
        found.append([out.detach(), *(x.grad for x in inputs)])
    assert len(found[0]) == len(lengths) + 1
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)


def test_pictures_with_finished_layers(monkeypatch: pytest.MonkeyPatch) -> None:
    def attend(x: list[Tensor]) -> Tensor:
        q, k, v, finished_k, finished_v = x
        return Packing(TEXTS, IMAGES, CLEANS).attend(q, k, v, KeyValue(finished_k, finished_v))

    same_both_ways(monkeypatch, [TOTAL] * 3 + [sum(CLEANS)] * 2, attend)


def test_pictures_without(monkeypatch: pytest.MonkeyPatch) -> None:
    def attend(x: list[Tensor]) -> Tensor:
        q, k, v = x
        return Packing(TEXTS, IMAGES, CLEANS).attend(q, k, v, None)

    same_both_ways(monkeypatch, [TOTAL] * 3, attend)


def test_layers_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    def attend(x: list[Tensor]) -> Tensor:
        q, k, v = x
        return attend_segments(q, k, v, IMAGES)

    same_both_ways(monkeypatch, [sum(IMAGES)] * 3, attend)


def test_every_token_has_one_place() -> None:
    queries, keys = padded_batches((2, 3), (1, 0), torch.device("cpu"))
    assert queries.shapes == ((2, 3),)
    assert queries.real.view(2, 3).tolist() == [[True, True, False], [True, True, True]]
    assert keys.shapes == ((2, 3),)
    assert keys.source.view(2, 3).tolist() == [[0, 1, 5], [2, 3, 4]]
    assert keys.real.all()
    assert keys.source[keys.target].tolist() == list(range(6))


def test_long_stretches_have_a_rectangle_of_their_own() -> None:
    """Fifty things in one picture of a batch must not widen the rows of the other pictures."""
    lengths = (30, 400, 28, 33, 5)
    where = padded_batches(lengths, None, torch.device("cpu")).keys
    assert where.shapes == ((1, 400), (3, 33), (1, 5))
    assert where.source[where.target].tolist() == list(range(sum(lengths)))
    assert int(where.real.sum()) == sum(lengths)


def test_stretches_of_very_different_length(monkeypatch: pytest.MonkeyPatch) -> None:
    lengths = (40, 3, 90, 41, 17, 2, 66)

    def attend(x: list[Tensor]) -> Tensor:
        q, k, v = x
        return attend_segments(q, k, v, lengths)

    assert len(padded_batches(lengths, None, torch.device("cpu")).keys.shapes) == 4
    same_both_ways(monkeypatch, [sum(lengths)] * 3, attend)
