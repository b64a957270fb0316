"""Attention of the transformer: rotary positions, packed sequences, context keys, padded batches.

Sequences of several passes are packed one behind the other, without padding. Every linear map sees
all tokens at once; attention runs within each segment: one pass, or one context layer.

Source: rotary positions over (layer, row, column) from ART, section 3.2 (docs/art.md), with
FLUX.1's split of the head size.

Shapes: B batch (1 where several passes are packed), S tokens, M context tokens, D width, P places
of padded batches, R rows and W width of one padded batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

# ---- rotary positions ----


def rotations(ids: Tensor, axes_dim: tuple[int, ...], theta: float) -> Tensor:
    """(..., S, axes) positions -> (..., S, sum(axes_dim) / 2) complex64 that rotate one head.

    Positions need not be whole. `axes_dim` are even; `theta` is the base of the frequencies. Angles
    are float64 inside: half precision loses positions above 256.
    """
    parts = []
    for axis, dim in enumerate(axes_dim):
        exponents = torch.arange(0, dim, 2, dtype=torch.float64, device=ids.device) / dim
        angles = ids[..., axis, None].double() * theta**-exponents  # (..., S, dim/2)
        parts.append(torch.polar(torch.ones_like(angles), angles))
    return torch.cat(parts, dim=-1).to(torch.complex64)  # (..., S, head_dim/2)


def rotate(x: Tensor, pe: Tensor) -> Tensor:
    """Rotate interleaved pairs of (..., B, heads, S, head_dim) by pe (B or 1, 1, S, head_dim/2).

    The result keeps the strides of `x`: `.contiguous()` would copy in every block.
    """
    pairs = x.float().unflatten(-1, (-1, 2))  # (..., S, head_dim/2, 2)
    if pairs.stride(-1) != 1:
        pairs = pairs.contiguous()
    return torch.view_as_real(torch.view_as_complex(pairs) * pe).flatten(-2).to(x.dtype)


def attention(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """softmax(q k / sqrt(head_dim)) v, heads joined: (B, heads, S, head_dim) -> (B, S, D)."""
    if q.requires_grad and q.device.type == "cpu" and q.dtype == torch.bfloat16:
        # The gradients of the fused kernel take 1.6 times as long as those of plain products.
        x = (q @ k.mT * q.shape[-1] ** -0.5).softmax(dim=-1) @ v
    else:
        x = F.scaled_dot_product_attention(q, k, v)
    return x.transpose(1, 2).flatten(2)  # (B, S, D)


# ---- keys and values of context layers ----


@dataclass(frozen=True, slots=True)
class KeyValue:
    """Normed keys and values, (B, heads, S, head_dim); the holder says whether keys are rotated."""

    k: Tensor
    v: Tensor

    def joined(self, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """The keys and values of a pass, followed by these."""
        if not self.k.shape[2]:
            return k, v
        return torch.cat([k, self.k], dim=2), torch.cat([v, self.v], dim=2)


@dataclass(frozen=True, slots=True)
class KeyValueBuffer:
    """Keys and values of `length` context tokens, with room behind them for those of a pass.

    One buffer serves all blocks and passes of a request; concatenating in each block took 7 % of an
    edit of ten layers. For inference only: each pass overwrites the room.
    """

    k: Tensor  # (B, heads, length + room, head_dim)
    v: Tensor
    length: int

    def joined(self, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """These, followed by the keys and values of a pass; the order does not matter."""
        end = self.length + k.shape[2]
        self.k[:, :, self.length : end] = k
        self.v[:, :, self.length : end] = v
        return self.k[:, :, :end], self.v[:, :, :end]


Context = KeyValue | KeyValueBuffer


# ---- packed sequences ----


@dataclass(frozen=True, slots=True)
class SegmentIds:
    """(B, S) the pass of each token, counted through the batch."""

    images: Tensor
    texts: Tensor
    all: Tensor


@dataclass(frozen=True, slots=True)
class Packing:
    """Lengths of the passes of a packed sequence: text 1, image 1, text 2, image 2, ..."""

    texts: tuple[int, ...]  # tokens of each pass
    images: tuple[int, ...]
    contexts: tuple[int, ...] | None = None  # that each pass reads; None = every pass reads all

    @property
    def lengths(self) -> list[int]:
        return [t + n for t, n in zip(self.texts, self.images, strict=True)]

    def segment_ids(self, batch: int, device: torch.device) -> SegmentIds:
        def numbered(counts: Sequence[int]) -> Tensor:
            passes = torch.arange(batch * len(counts), device=device).view(batch, -1)
            return passes.repeat_interleave(torch.tensor(counts, device=device), dim=1)

        return SegmentIds(numbered(self.images), numbered(self.texts), numbered(self.lengths))

    def interleave(self, txt: Tensor, img: Tensor, dim: int) -> Tensor:
        """All texts and all images -> one sequence, pass after pass."""
        if len(self.texts) == 1:
            return torch.cat([txt, img], dim=dim)
        pairs = zip(txt.split(self.texts, dim), img.split(self.images, dim), strict=True)
        return torch.cat([part for pair in pairs for part in pair], dim=dim)

    def split(self, x: Tensor, dim: int) -> tuple[Tensor, Tensor]:
        """One sequence -> all texts and all images: the inverse of `interleave`."""
        sizes = [size for pair in zip(self.texts, self.images, strict=True) for size in pair]
        parts = x.split(sizes, dim)
        if len(parts) == 2:
            return parts[0], parts[1]
        return torch.cat(parts[0::2], dim), torch.cat(parts[1::2], dim)

    def attend(self, q: Tensor, k: Tensor, v: Tensor, context: Context | None) -> Tensor:
        """Each pass attends to itself and its context: (B, heads, S, head_dim) -> (B, S, D)."""
        lengths, outputs = self.lengths, []
        is_batch = context is None or self.contexts is not None
        if q.requires_grad and len(lengths) >= MANY and is_batch:
            more = None if context is None else self.contexts
            where = padded_batches(tuple(lengths), more, q.device)
            if context is not None:
                k, v = torch.cat([k, context.k], dim=2), torch.cat([v, context.v], dim=2)
            return attend_padded(q, k, v, where)
        parts = zip(
            q.split(lengths, 2), k.split(lengths, 2), v.split(lengths, 2),
            self._split_context(context), strict=True,
        )  # fmt: skip
        for q_part, k_part, v_part, read in parts:
            if read is not None:
                k_part, v_part = read.joined(k_part, v_part)
            outputs.append(attention(q_part, k_part, v_part))
        return outputs[0] if len(outputs) == 1 else torch.cat(outputs, dim=1)

    def _split_context(self, context: Context | None) -> Sequence[Context | None]:
        if context is None or self.contexts is None:
            return [context] * len(self.texts)
        pairs = zip(context.k.split(self.contexts, 2), context.v.split(self.contexts, 2))
        return [KeyValue(k, v) for k, v in pairs]


def attend_segments(q: Tensor, k: Tensor, v: Tensor, lengths: Sequence[int]) -> Tensor:
    """Attention within each segment of a sequence: (B, heads, S, head_dim) -> (B, S, D)."""
    if len(lengths) == 1:
        return attention(q, k, v)
    if q.requires_grad and len(lengths) >= MANY and len(q) == 1:
        return attend_padded(q, k, v, padded_batches(tuple(lengths), None, q.device))
    parts = zip(*(x.split(list(lengths), 2) for x in (q, k, v)), strict=True)
    return torch.cat([attention(*part) for part in parts], dim=1)


# ---- padded batches: training has many short segments ----
#
# Segment by segment takes a dozen small operations each, forward and backward. One padded batch for
# all is mostly padding where lengths differ, as those of layers do and those of a scene of fifty
# things, and attention takes time with the square of the width. So segments of similar length share
# a padded batch.

MANY = 4  # segments from which on padded batches are worth their copies
SHORTEST = 0.7  # of a batch's width: shorter segments go into the next batch
NARROW = 12  # tokens: a batch as narrow as this holds all segments that are left
NEVER = -1e4  # added to logits for padding; safe in half precision


@dataclass(frozen=True, slots=True)
class PaddedBatches:
    """Places of the tokens of each segment in padded batches."""

    # R and W of each batch, the widest first; their places follow one another
    shapes: tuple[tuple[int, int], ...]
    source: Tensor  # (P,) the packed token at each place; the first one at padding
    real: Tensor  # (P,) False at padding
    target: Tensor  # (S,) the place of each packed token

    def split(self, placed: Tensor) -> list[Tensor]:
        """One tensor (R, W, ...) for each batch of (P, ...)."""
        parts = placed.split([rows * width for rows, width in self.shapes])
        return [part.unflatten(0, shape) for part, shape in zip(parts, self.shapes, strict=True)]


class QueriesAndKeys(NamedTuple):
    """Padded batches of queries and of keys; both hold the same segments in the same order."""

    queries: PaddedBatches
    keys: PaddedBatches


@lru_cache(maxsize=16)  # the blocks of a step ask for the same few
def padded_batches(
    lengths: tuple[int, ...], more: tuple[int, ...] | None, device: torch.device
) -> QueriesAndKeys:
    """The padded batches of segments of these lengths.

    `more` keys of each segment are in a second sequence, which lies behind the first.
    """
    none = (0,) * len(lengths)
    if more is None:
        same = _placed(lengths, none, _groups(lengths), device)
        return QueriesAndKeys(same, same)
    groups = _groups(tuple(a + b for a, b in zip(lengths, more, strict=True)))
    return QueriesAndKeys(
        _placed(lengths, none, groups, device), _placed(lengths, more, groups, device)
    )


def _groups(lengths: tuple[int, ...]) -> list[list[int]]:
    """The segments of each batch, by their numbers, the longest first."""
    groups: list[list[int]] = []
    least = 0.0
    for i in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        if not groups or lengths[i] < least:
            groups.append([])
            least = SHORTEST * lengths[i] if lengths[i] > NARROW else 0.0
        groups[-1].append(i)
    return groups


def _placed(
    lengths: tuple[int, ...], more: tuple[int, ...], groups: list[list[int]], device: torch.device
) -> PaddedBatches:
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
    source, real = torch.cat(sources), torch.cat(reals)  # (P,)
    target = torch.empty(first[-1] + sum(more), dtype=torch.long)
    target[source[real]] = real.nonzero()[:, 0]
    return PaddedBatches(tuple(shapes), *(part.to(device) for part in (source, real, target)))


def attend_padded(q: Tensor, k: Tensor, v: Tensor, where: QueriesAndKeys) -> Tensor:
    """Attention within each segment: (1, heads, S, head_dim) -> (1, S, D).

    `k` and `v` may hold more tokens than `q`, see `padded_batches`.
    """
    queries, keys = where
    outputs = []
    for q_rows, k_rows, v_rows, real in zip(
        _to_rows(q, queries),  # (R, heads, W, head_dim) each
        _to_rows(k, keys),
        _to_rows(v, keys),
        keys.split(keys.real),
        strict=True,
    ):
        x = _attend_rows(q_rows, k_rows, v_rows, real[:, None, None])
        outputs.append(x.transpose(1, 2).flatten(0, 1).flatten(1))  # (R W, D)
    flat = torch.cat(outputs)  # (P, D)
    return _Rearranged.apply(flat, queries.target, queries.source, queries.real)[None]


def _attend_rows(q: Tensor, k: Tensor, v: Tensor, real: Tensor) -> Tensor:
    """Attention of one batch: (R, heads, W, head_dim); `real` (R, 1, 1, W) marks the keys."""
    if q.device.type != "cpu":
        return F.scaled_dot_product_attention(q, k, v, attn_mask=real)
    scores = (q * q.shape[-1] ** -0.5) @ k.mT  # (R, heads, W, W)
    scores += (~real).to(scores.dtype) * NEVER
    return scores.softmax(dim=-1) @ v


def _to_rows(x: Tensor, where: PaddedBatches) -> list[Tensor]:
    """(1, heads, S, head_dim) -> (R, heads, W, head_dim) for each batch."""
    placed = _Rearranged.apply(x[0].transpose(0, 1), where.source, where.target, None)
    return [rows.transpose(1, 2) for rows in where.split(placed)]


class _Rearranged(torch.autograd.Function):
    """`x[take]`, whose gradient is a look-up as well, because every token has one place.

    The gradient of torch's indexing adds up instead, which is slow and would count the padding.
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
