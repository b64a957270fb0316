"""Attention of many short stretches at once, as training has them: rows of padded rectangles.

Stretch by stretch takes a dozen small operations each, forward and backward, and a GPU would mostly
wait for the next one. One rectangle for all is mostly padding where lengths differ, as those of
layers do and those of a scene of fifty things, and attention takes time with the square of the
width. So stretches of similar length share a rectangle: .44 of the time of a step on two cores.

Shapes: S tokens of all stretches, P places of all rectangles, R stretches of one rectangle,
W its width, D the network's width.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

MANY = 4  # stretches from which on rectangles are worth their copies
SHORTEST = 0.7  # of a rectangle's width: shorter stretches go into the next rectangle
NARROW = 12  # tokens: a rectangle as narrow as this holds all stretches that are left
NEVER = -1e4  # added to a score, leaves nothing of it after softmax, in half precision too


@dataclass(frozen=True, slots=True)
class Rectangles:
    """Where the tokens of each stretch stand.

    Attributes:
        shapes: R and W of each rectangle, the widest first; their places follow one another.
        source: (P,) the packed token at each place; the first one where there is none.
        real: (P,) False where there is none.
        target: (S,) the place of each packed token.
    """

    shapes: tuple[tuple[int, int], ...]
    source: Tensor
    real: Tensor
    target: Tensor

    def split(self, placed: Tensor) -> list[Tensor]:
        """One tensor (R, W, ...) for each rectangle of (P, ...)."""
        parts = placed.split([rows * width for rows, width in self.shapes])
        return [
            part.unflatten(0, shape) for part, shape in zip(parts, self.shapes, strict=True)
        ]  # fmt: skip


class Places(NamedTuple):
    """The rectangles of queries and those of keys; they hold the same stretches in turn."""

    queries: Rectangles
    keys: Rectangles


@lru_cache(maxsize=16)  # the blocks of a step ask for the same few
def places(lengths: tuple[int, ...], more: tuple[int, ...] | None, device: torch.device) -> Places:
    """The rectangles of a packed sequence.

    Args:
        lengths: tokens of each stretch.
        more: keys that each stretch has in a second sequence, which lies behind the first.
    """
    if more is None:
        groups = _groups(lengths)
        alone = _rectangles(lengths, (0,) * len(lengths), groups, device)
        return Places(alone, alone)
    groups = _groups(tuple(a + b for a, b in zip(lengths, more, strict=True)))
    return Places(
        _rectangles(lengths, (0,) * len(lengths), groups, device),
        _rectangles(lengths, more, groups, device),
    )


def _groups(lengths: tuple[int, ...]) -> list[list[int]]:
    """The stretches of each rectangle, by their numbers, the longest first."""
    groups: list[list[int]] = []
    least = 0.0
    for i in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        if not groups or lengths[i] < least:
            groups.append([])
            least = SHORTEST * lengths[i] if lengths[i] > NARROW else 0.0
        groups[-1].append(i)
    return groups


def _rectangles(
    lengths: tuple[int, ...], more: tuple[int, ...], groups: list[list[int]], device: torch.device
) -> Rectangles:
    first = torch.tensor((0, *lengths)).cumsum(0).tolist()
    second = (sum(lengths) + torch.tensor((0, *more)).cumsum(0)).tolist()
    shapes, sources, reals = [], [], []
    for group in groups:
        width = max(lengths[i] + more[i] for i in group)
        source = torch.zeros(len(group), width, dtype=torch.long)
        real = torch.zeros(len(group), width, dtype=torch.bool)
        for row, i in enumerate(group):
            tokens = [*range(first[i], first[i + 1]), *range(second[i], second[i + 1])]
            source[row, : len(tokens)] = torch.tensor(tokens)
            real[row, : len(tokens)] = True
        shapes.append((len(group), width))
        sources.append(source.flatten())
        reals.append(real.flatten())
    source, real = torch.cat(sources), torch.cat(reals)
    target = torch.empty(first[-1] + sum(more), dtype=torch.long)
    target[source[real]] = real.nonzero()[:, 0]
    return Rectangles(tuple(shapes), *(part.to(device) for part in (source, real, target)))


def attend_in_rows(q: Tensor, k: Tensor, v: Tensor, where: Places) -> Tensor:
    """Attention within each stretch: (1, heads, S, head_dim) -> (1, S, D).

    `k` and `v` may hold more tokens than `q`, see `places`.
    """
    queries, keys = where
    outputs = []
    for rows_q, rows_k, rows_v, real in zip(
        _to_rows(q, queries),  # (R, heads, W, head_dim) each
        _to_rows(k, keys),
        _to_rows(v, keys),
        keys.split(keys.real),
        strict=True,
    ):
        x = _attend(rows_q, rows_k, rows_v, real[:, None, None])
        outputs.append(x.transpose(1, 2).flatten(0, 1).flatten(1))
    flat = torch.cat(outputs)  # (P, D)
    return _Rearranged.apply(flat, queries.target, queries.source, queries.real)[None]


def _attend(q: Tensor, k: Tensor, v: Tensor, real: Tensor) -> Tensor:
    """Attention of one rectangle: (R, heads, W, head_dim); `real` is (R, 1, 1, W of the keys)."""
    if q.device.type != "cpu":
        return F.scaled_dot_product_attention(q, k, v, attn_mask=real)
    # The fused kernel's gradients take 1.6 times as long on a CPU as those of plain products.
    scores = (q * q.shape[-1] ** -0.5) @ k.mT
    scores += (~real).to(scores.dtype) * NEVER
    return scores.softmax(dim=-1) @ v


def _to_rows(x: Tensor, where: Rectangles) -> list[Tensor]:
    """(1, heads, S, head_dim) -> (R, heads, W, head_dim) for each rectangle."""
    placed = _Rearranged.apply(x[0].transpose(0, 1), where.source, where.target, None)
    return [rows.transpose(1, 2) for rows in where.split(placed)]


class _Rearranged(torch.autograd.Function):
    """`x[take]`, whose gradient is a look-up as well: no token stands in two places.

    torch's own adds up, which is slow, and would count the padding.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, take: Tensor, give: Tensor, real: Tensor | None) -> Tensor:
        ctx.give, ctx.real = give, real
        return x.index_select(0, take)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None, None]:
        back = grad.index_select(0, ctx.give)
        if ctx.real is not None:
            back = back * ctx.real.view(-1, *[1] * (back.ndim - 1))
        return back, None, None, None
