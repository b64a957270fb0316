"""Spatial plus temporal attention: the third way of ART's comparison (`docs/art.md` 9).

Uncropped layers, but instead of one attention over everything two small ones: every token reads
its own layer and the text (spatial), and the tokens of the other layers at its own place on the
canvas (temporal); both answers are averaged. The paper gives no more detail than the two names.
Projections, norms, positions and MLPs are those of the real blocks: only `Packing.attend` differs.

Shapes: B batch, T text tokens, N image tokens, P places on the canvas, M layers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.layout import Region
from engine.models.art.attention import Context, Packing


@dataclass(frozen=True, slots=True, kw_only=True)
class DividedPacking(Packing):
    """A packing that attends within layers and across them, never everywhere.

    Attributes:
        layers: image tokens of each layer of one pass, summing up to N.
        groups: (P, M) per place the image token of each layer that covers it.
    """

    layers: tuple[int, ...]
    groups: Tensor

    def attend(self, q: Tensor, k: Tensor, v: Tensor, context: Context | None) -> Tensor:
        """(B, heads, S, head_dim) -> (B, S, D); whole pictures only, without context layers."""
        assert context is None
        outputs = []
        lengths = self.lengths
        passes = zip(q.split(lengths, 2), k.split(lengths, 2), v.split(lengths, 2), strict=True)
        for texts, (q_part, k_part, v_part) in zip(self.texts, passes, strict=True):
            spatial = self._spatial(texts, q_part, k_part, v_part)
            image = [part[:, :, texts:] for part in (q_part, k_part, v_part)]
            spatial[:, :, texts:].add_(self._temporal(*image)).mul_(0.5)
            outputs.append(spatial.transpose(1, 2).flatten(2))
        return torch.cat(outputs, dim=1)

    def _spatial(self, texts: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Text reads everything; each layer reads the text and itself."""
        sizes = [texts, *self.layers]
        q_parts, k_parts, v_parts = q.split(sizes, 2), k.split(sizes, 2), v.split(sizes, 2)
        out = [F.scaled_dot_product_attention(q_parts[0], k, v)]
        for i in range(1, len(sizes)):
            keys = torch.cat([k_parts[0], k_parts[i]], dim=2)
            values = torch.cat([v_parts[0], v_parts[i]], dim=2)
            out.append(F.scaled_dot_product_attention(q_parts[i], keys, values))
        return torch.cat(out, dim=2)

    def _temporal(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Each place reads itself through all layers; (B, heads, N, head_dim).

        A background's token that covers several places is asked once per place and averaged.
        """
        index = self.groups.flatten()

        def gathered(x: Tensor) -> Tensor:
            return x[:, :, index].unflatten(2, self.groups.shape).transpose(1, 2)  # B P heads M hd

        out = F.scaled_dot_product_attention(gathered(q), gathered(k), gathered(v))
        out = out.transpose(1, 2).flatten(2, 3)  # (B, heads, P M, head_dim)
        counts = torch.bincount(index, minlength=q.shape[2])[:, None].to(q.dtype)
        return torch.zeros_like(q).index_add_(2, index, out) / counts


def divided(packing: Packing, regions: Sequence[Region]) -> DividedPacking:
    """The same tokens, attending in layers and across. Every region must cover the canvas."""
    rows, cols = (max(r.size[axis] * r.scale for r in regions) for axis in (0, 1))
    groups, start = [], 0
    for region in regions:
        row = torch.arange(rows) // region.scale
        col = torch.arange(cols) // region.scale
        groups.append(start + (row[:, None] * region.size[1] + col[None, :]).flatten())
        start += region.count
    index = torch.stack(groups, dim=1)
    layers = tuple(r.count for r in regions)
    return DividedPacking(packing.texts, packing.images, layers=layers, groups=index)
