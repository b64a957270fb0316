"""Parts of the MMDiT: embedders, norms, modulation, double-stream and single-stream blocks.

The clean layers of an edit run through the same blocks as the noisy ones, but alone: `clean`
methods give their keys (before rotation) and values, which the region token cache stores; `forward`
reads them as more keys. Source: FLUX.1 (`docs/art.md` 4); rules of the cache: 6.3 there.

GELU is the exact one: FLUX.1's approximation by tanh differs by 5e-4 at most and took four times as
long on CPUs, a fifth of what the linear maps around it take.

Shapes: B batch, T text tokens, N image tokens to generate, M clean image tokens, D width,
S = T + N queries, K = S + M keys.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.model.modulation import Modulation, Modulations, spread_rows
from engine.model.packing import Clean, KeyValue, Packing, attend_apart
from engine.model.rope import rotate


class TimeEmbedder(nn.Module):
    """Noise level t in [0, 1] -> (B, D): sinusoids of 1000 t, then an MLP."""

    def __init__(self, width: int, frequencies: int = 256) -> None:
        super().__init__()
        self.frequencies = frequencies
        self.in_layer = nn.Linear(frequencies, width)
        self.out_layer = nn.Linear(width, width)

    def forward(self, t: Tensor) -> Tensor:
        half = self.frequencies // 2
        rates = torch.exp(-math.log(10000) * torch.arange(half, device=t.device) / half)
        angles = 1000 * t.float()[:, None] * rates  # (B, half)
        waves = torch.cat([angles.cos(), angles.sin()], dim=-1)
        return self.out_layer(F.silu(self.in_layer(waves.to(self.in_layer.weight.dtype))))


class Mlp(nn.Module):
    """Linear -> activation -> Linear."""

    def __init__(self, width_in: int, hidden: int, width_out: int, act: str = "silu") -> None:
        super().__init__()
        self.in_layer = nn.Linear(width_in, hidden)
        self.out_layer = nn.Linear(hidden, width_out)
        self.act = act

    def forward(self, x: Tensor) -> Tensor:
        x = self.in_layer(x)
        x = F.gelu(x) if self.act == "gelu" else F.silu(x)
        return self.out_layer(x)


class QkNorm(nn.Module):
    """RMS norm of queries and keys over head_dim, with learned gains.

    Both at once: in a step of few tokens the number of operations counts, not their size.
    """

    def __init__(self, head_dim: int) -> None:
        super().__init__()
        self.query = nn.Parameter(torch.ones(head_dim))
        self.key = nn.Parameter(torch.ones(head_dim))

    def forward(self, qk: Tensor) -> Tensor:
        """(2, B, heads, S, head_dim) -> the same."""
        gains = torch.stack([self.query, self.key]).to(qk.dtype)[:, None, None, None]
        return F.rms_norm(qk, self.query.shape, eps=1e-6) * gains


def split_heads(qkv: Tensor, heads: int) -> tuple[Tensor, Tensor]:
    """(B, S, 3 D) -> q and k (2, B, heads, S, head_dim), v (B, heads, S, head_dim)."""
    x = qkv.unflatten(-1, (3, heads, -1)).permute(2, 0, 3, 1, 4)
    return x[:2], x[2]


class Stream(nn.Module):
    """One side (text or image) of a double-stream block."""

    def __init__(self, width: int, heads: int, mlp_ratio: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.norm = QkNorm(width // heads)
        self.proj = nn.Linear(width, width)
        self.mlp = Mlp(width, mlp_ratio * width, width, act="gelu")

    def project(self, x: Tensor, mod: Modulation) -> tuple[Tensor, Tensor]:
        """Normed queries and keys, and values, as `split_heads` gives them."""
        qk, v = split_heads(self.qkv(mod.apply(x)), self.heads)
        return self.norm(qk), v

    def update(self, x: Tensor, attended: Tensor, mods: list[Modulation]) -> Tensor:
        x = torch.addcmul(x, mods[0].gate, self.proj(attended))
        return torch.addcmul(x, mods[1].gate, self.mlp(mods[1].apply(x)))


class DoubleBlock(nn.Module):
    """Text and image with weights of their own, one joint attention."""

    def __init__(self, width: int, heads: int, mlp_ratio: int) -> None:
        super().__init__()
        self.img = Stream(width, heads, mlp_ratio)
        self.txt = Stream(width, heads, mlp_ratio)

    def forward(
        self,
        img: Tensor,
        txt: Tensor,
        mods: tuple[Sequence[Modulations], Sequence[Modulations]],
        pe: Tensor,
        packing: Packing,
        clean: Clean | None,
    ) -> tuple[Tensor, Tensor]:
        """`pe` rotates the woven sequence; `clean` holds rotated keys; `mods` are (image, text)."""
        img_mods, txt_mods = ([mod.spread() for mod in side] for side in mods)
        img_qk, img_v = self.img.project(img, img_mods[0])
        txt_qk, txt_v = self.txt.project(txt, txt_mods[0])
        q, k = rotate(packing.weave(txt_qk, img_qk, 3), pe)
        attended = packing.attend(q, k, packing.weave(txt_v, img_v, 2), clean)  # (B, S, D)
        txt_attended, img_attended = packing.unweave(attended, 1)
        img = self.img.update(img, img_attended, img_mods)
        txt = self.txt.update(txt, txt_attended, txt_mods)
        return img, txt

    def clean(
        self, img: Tensor, given: Sequence[Modulations], pe: Tensor, lengths: Sequence[int]
    ) -> tuple[Tensor, KeyValue]:
        """Clean layers, each by itself; returns new tokens and keys BEFORE rotation."""
        mods = [mod.spread() for mod in given]
        qk, v = self.img.project(img, mods[0])
        q, k = rotate(qk, pe)
        attended = attend_apart(q, k, v, lengths)
        return self.img.update(img, attended, mods), KeyValue(qk[1], v)


class SingleBlock(nn.Module):
    """Text and image as one sequence; attention and MLP side by side."""

    def __init__(self, width: int, heads: int, mlp_ratio: int) -> None:
        super().__init__()
        self.heads = heads
        self.widths = [3 * width, mlp_ratio * width]
        self.linear1 = nn.Linear(width, sum(self.widths))
        self.linear2 = nn.Linear(width + mlp_ratio * width, width)
        self.norm = QkNorm(width // heads)

    def project(self, x: Tensor, mod: Modulation) -> tuple[Tensor, Tensor, Tensor]:
        """Normed queries and keys, values, and the MLP's hidden numbers."""
        qkv, hidden = self.linear1(mod.apply(x)).split(self.widths, dim=-1)
        qk, v = split_heads(qkv, self.heads)
        return self.norm(qk), v, hidden

    def update(self, x: Tensor, attended: Tensor, hidden: Tensor, mod: Modulation) -> Tensor:
        # linear2 of both side by side, without the copy that joins them: 8 % of a step.
        weight, width = self.linear2.weight, attended.shape[-1]
        hidden = F.gelu(hidden).flatten(0, 1)
        out = F.linear(attended, weight[:, :width], self.linear2.bias).flatten(0, 1)
        out = torch.addmm(out, hidden, weight[:, width:].T)
        return torch.addcmul(x, mod.gate, out.view_as(x))

    def forward(
        self,
        x: Tensor,
        mods: Modulations,
        pe: Tensor,
        packing: Packing,
        clean: Clean | None,
    ) -> Tensor:
        mod = mods.spread()
        qk, v, hidden = self.project(x, mod)
        q, k = rotate(qk, pe)
        attended = packing.attend(q, k, v, clean)
        return self.update(x, attended, hidden, mod)

    def clean(
        self, x: Tensor, mods: Modulations, pe: Tensor, lengths: Sequence[int]
    ) -> tuple[Tensor, KeyValue]:
        """Clean layers, each by itself; returns new tokens and keys BEFORE rotation."""
        mod = mods.spread()
        qk, v, hidden = self.project(x, mod)
        q, k = rotate(qk, pe)
        attended = attend_apart(q, k, v, lengths)
        return self.update(x, attended, hidden, mod), KeyValue(qk[1], v)


class FinalLayer(nn.Module):
    """Modulated norm and projection to token numbers."""

    def __init__(self, width: int, token_width: int) -> None:
        super().__init__()
        self.modulation = nn.Linear(width, 2 * width)
        self.linear = nn.Linear(width, token_width)

    def forward(self, x: Tensor, vec: Tensor, rows: Tensor | None = None) -> Tensor:
        scale, shift = spread_rows(self.modulation(F.silu(vec)), rows).chunk(2, dim=-1)
        x = F.layer_norm(x, x.shape[-1:], eps=1e-6)
        return self.linear(torch.addcmul(shift, x, 1 + scale))
