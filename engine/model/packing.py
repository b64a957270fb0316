"""How token sequences lie in one: no padding anywhere, and no mask in attention.

A picture is one pass. Generation packs both guidance branches, training packs a whole batch; all of
it goes through every matrix together, and attention runs pass by pass.

Shapes: B batch (1 where there are several passes), S tokens of all passes, M clean tokens, D width.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.model.padding import MANY, attend_in_rows, places
from engine.model.rope import attention


@dataclass(frozen=True, slots=True)
class KeyValue:
    """Keys (normed; see the holder for whether rotated) and values, (B, heads, S, head_dim)."""

    k: Tensor
    v: Tensor

    def after(self, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """These behind the keys and values of a pass."""
        if not self.k.shape[2]:
            return k, v
        return torch.cat([k, self.k], dim=2), torch.cat([v, self.v], dim=2)


@dataclass(frozen=True, slots=True)
class KeyValueBuffer:
    """Keys and values of `length` clean tokens with room behind them for those of a pass.

    A request joins them once and not anew in each block of each pass, which took a fourteenth of an
    edit of ten layers. For inference alone: each pass writes over the one before.

    Attributes:
        k, v: (B, heads, length + room, head_dim).
    """

    k: Tensor
    v: Tensor
    length: int

    def after(self, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """These in front of the keys and values of a pass, which attention takes alike."""
        end = self.length + k.shape[2]
        self.k[:, :, self.length : end] = k
        self.v[:, :, self.length : end] = v
        return self.k[:, :, :end], self.v[:, :, :end]


Clean = KeyValue | KeyValueBuffer


@dataclass(frozen=True, slots=True)
class Rows:
    """(B, S) which pass each token belongs to, counted through the batch."""

    images: Tensor
    texts: Tensor
    woven: Tensor


@dataclass(frozen=True, slots=True)
class Packing:
    """How the sequences of several passes lie in one: text 1, image 1, text 2, image 2, ...

    A single pass is the usual text, then image.

    Attributes:
        texts, images: tokens of each pass.
        cleans: clean tokens that each pass reads; None = every pass reads all of them.
    """

    texts: tuple[int, ...]
    images: tuple[int, ...]
    cleans: tuple[int, ...] | None = None

    @property
    def lengths(self) -> list[int]:
        return [t + n for t, n in zip(self.texts, self.images, strict=True)]

    def rows(self, batch: int, device: torch.device) -> Rows:
        """The number of each token's pass."""

        def numbered(counts: Sequence[int]) -> Tensor:
            passes = torch.arange(batch * len(counts), device=device).view(batch, -1)
            return passes.repeat_interleave(torch.tensor(counts, device=device), dim=1)

        return Rows(numbered(self.images), numbered(self.texts), numbered(self.lengths))

    def weave(self, txt: Tensor, img: Tensor, dim: int) -> Tensor:
        """All texts and all images -> one sequence, pass after pass."""
        if len(self.texts) == 1:
            return torch.cat([txt, img], dim=dim)
        pairs = zip(txt.split(self.texts, dim), img.split(self.images, dim), strict=True)
        return torch.cat([part for pair in pairs for part in pair], dim=dim)

    def unweave(self, x: Tensor, dim: int) -> tuple[Tensor, Tensor]:
        """The inverse of `weave`."""
        sizes = [size for pair in zip(self.texts, self.images, strict=True) for size in pair]
        parts = x.split(sizes, dim)
        if len(parts) == 2:
            return parts[0], parts[1]
        return torch.cat(parts[0::2], dim), torch.cat(parts[1::2], dim)

    def attend(self, q: Tensor, k: Tensor, v: Tensor, clean: Clean | None) -> Tensor:
        """Each pass reads itself and its clean layers: (B, heads, S, head_dim) -> (B, S, D)."""
        lengths, outputs = self.lengths, []
        if q.requires_grad and len(lengths) >= MANY and (clean is None or self.cleans is not None):
            more = None if clean is None else self.cleans
            where = places(tuple(lengths), more, q.device)
            if clean is not None:
                k, v = torch.cat([k, clean.k], dim=2), torch.cat([v, clean.v], dim=2)
            return attend_in_rows(q, k, v, where)
        cleans = self._split_clean(clean)
        parts = zip(q.split(lengths, 2), k.split(lengths, 2), v.split(lengths, 2), strict=True)
        for (q_part, k_part, v_part), finished in zip(parts, cleans, strict=True):
            if finished is not None:
                k_part, v_part = finished.after(k_part, v_part)
            outputs.append(attention(q_part, k_part, v_part))
        return outputs[0] if len(outputs) == 1 else torch.cat(outputs, dim=1)

    def _split_clean(self, clean: Clean | None) -> Sequence[Clean | None]:
        if clean is None or self.cleans is None:
            return [clean] * len(self.texts)
        pairs = zip(clean.k.split(self.cleans, 2), clean.v.split(self.cleans, 2), strict=True)
        return [KeyValue(k, v) for k, v in pairs]


def attend_apart(q: Tensor, k: Tensor, v: Tensor, lengths: Sequence[int]) -> Tensor:
    """Attention within each stretch of a packed sequence: (B, heads, S, head_dim) -> (B, S, D)."""
    if len(lengths) == 1:
        return attention(q, k, v)
    if q.requires_grad and len(lengths) >= MANY and len(q) == 1:
        return attend_in_rows(q, k, v, places(tuple(lengths), None, q.device))
    parts = zip(*(x.split(list(lengths), 2) for x in (q, k, v)), strict=True)
    return torch.cat([attention(*part) for part in parts], dim=1)
