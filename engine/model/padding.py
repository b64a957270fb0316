"""Attention of many short stretches at once, as training has them: rows of a padded rectangle.

Stretch by stretch takes a dozen small operations each, forward and backward, and a GPU would mostly
wait for the next one; on two cores a step takes 2 to 3 % less time. Batches hold pictures of
similar length, so that little of the rectangle is padding.

Shapes: S tokens of all stretches, R stretches, W tokens of the longest, D width.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

MANY = 4  # stretches from which on the rectangle is worth its copies
NEVER = -1e4  # a score that softmax makes nothing of, in half precision too


@dataclass(frozen=True, slots=True)
class Rectangle:
    """Where the tokens of each stretch stand.

    Attributes:
        rows, width: R and W.
        source: (R W,) the packed token at each place; the first one where there is none.
        real: (R W,) False where there is none.
        target: (S,) the place of each packed token.
    """

    rows: int
    width: int
    source: Tensor
    real: Tensor
    target: Tensor


@lru_cache(maxsize=16)  # the blocks of a step ask for the same few
def rectangle(
    lengths: tuple[int, ...], more: tuple[int, ...] | None, device: torch.device
) -> Rectangle:
    """The rectangle of a packed sequence.

    Args:
        lengths: tokens of each stretch.
        more: tokens that each stretch has in a second sequence, which lies behind the first.
    """
    behind = more or (0,) * len(lengths)
    width = max(a + b for a, b in zip(lengths, behind, strict=True))
    source = torch.zeros(len(lengths), width, dtype=torch.long)
    real = torch.zeros(len(lengths), width, dtype=torch.bool)
    target = torch.zeros(sum(lengths) + sum(behind), dtype=torch.long)
    first, second = 0, sum(lengths)
    for row, (count, extra) in enumerate(zip(lengths, behind, strict=True)):
        tokens = torch.cat([
            torch.arange(first, first + count), torch.arange(second, second + extra)
        ])  # fmt: skip
        source[row, : len(tokens)] = tokens
        real[row, : len(tokens)] = True
        target[tokens] = row * width + torch.arange(len(tokens))
        first, second = first + count, second + extra
    parts = (source.flatten(), real.flatten(), target)
    return Rectangle(len(lengths), width, *(part.to(device) for part in parts))


def attend_in_rows(q: Tensor, k: Tensor, v: Tensor, queries: Rectangle, keys: Rectangle) -> Tensor:
    """Attention within each stretch: (1, heads, S, head_dim) -> (1, S, D).

    `k` and `v` may hold more tokens than `q`, see `rectangle`.
    """
    rows_q = _to_rows(q, queries)  # (R, heads, W, head_dim)
    rows_k, rows_v = _to_rows(k, keys), _to_rows(v, keys)
    real = keys.real.view(keys.rows, 1, 1, keys.width)
    if q.device.type == "cpu":
        # The fused kernel's gradients take 1.6 times as long there as those of plain products.
        scores = rows_q @ rows_k.mT * q.shape[-1] ** -0.5
        x = scores.masked_fill(~real, NEVER).softmax(dim=-1) @ rows_v
    else:
        x = F.scaled_dot_product_attention(rows_q, rows_k, rows_v, attn_mask=real)
    flat = x.transpose(1, 2).reshape(queries.rows * queries.width, -1)
    return _Rearranged.apply(flat, queries.target, queries.source, queries.real)[None]


def _to_rows(x: Tensor, where: Rectangle) -> Tensor:
    """(1, heads, S, head_dim) -> (R, heads, W, head_dim)."""
    placed = _Rearranged.apply(x[0].transpose(0, 1), where.source, where.target, None)
    return placed.unflatten(0, (where.rows, where.width)).transpose(1, 2)


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
