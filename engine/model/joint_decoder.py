"""Mends latent tokens in front of the decoder, with or without a look at the other layers.

Both kinds have the same parameters and differ only in what a token reads. Joint: the tokens of all
layers of its picture, as ART's decoder does. Alone: those of its own layer, so that no layer's
pixels depend on another's. The output is a residual that starts at zero, and the per-layer decoder
behind it (`Autoencoder.decode`) is the same for both. Knows neither pixels nor boxes.
Source: ART's decoder (`docs/art.md` 7), two differences: the rotation is on queries and keys, where
the published code rotates their input; and a token is 2 x 2 cells of 16 px, not one of 8 px.

Shapes: N tokens of all layers of all pictures, C numbers per token, D width.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from engine.model.layers import Mlp, split_heads
from engine.model.packing import attend_apart
from engine.model.rope import rotate, rotations


@dataclass(frozen=True, slots=True, kw_only=True)
class JointDecoderConfig:
    """Sizes; the split of a head over (layer, row, column) is that of ART 6.3."""

    token_width: int
    joint: bool
    width: int = 192
    blocks: int = 3
    heads: int = 3
    mlp_ratio: int = 4
    axes_dim: tuple[int, int, int] = (8, 28, 28)
    theta: float = 10_000.0

    def __post_init__(self) -> None:
        if self.width != self.heads * sum(self.axes_dim):
            raise ValueError(
                f"width {self.width} is not {self.heads} heads of {sum(self.axes_dim)} (axes_dim)"
            )


class MendingBlock(nn.Module):
    """Pre-norm attention and MLP."""

    def __init__(self, config: JointDecoderConfig) -> None:
        super().__init__()
        width = config.width
        self.heads = config.heads
        self.norm1 = nn.LayerNorm(width, eps=1e-6)
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)
        self.norm2 = nn.LayerNorm(width, eps=1e-6)
        self.mlp = Mlp(width, config.mlp_ratio * width, width, act="gelu")

    def forward(self, x: Tensor, pe: Tensor, lengths: Sequence[int]) -> Tensor:
        """(1, N, D), rotations (1, 1, N, head_dim/2); attention within each of `lengths`."""
        qk, v = split_heads(self.qkv(self.norm1(x)), self.heads)
        q, k = rotate(qk, pe)  # behind the projections: scores know relative positions only
        x = x + self.proj(attend_apart(q, k, v, lengths))
        return x + self.mlp(self.norm2(x))


class JointDecoder(nn.Module):
    """Tokens plus a residual; the untrained network changes nothing."""

    def __init__(self, config: JointDecoderConfig) -> None:
        super().__init__()
        self.config = config
        self.token_in = nn.Linear(config.token_width, config.width)
        self.blocks = nn.ModuleList([MendingBlock(config) for _ in range(config.blocks)])
        self.norm = nn.LayerNorm(config.width, eps=1e-6)
        self.token_out = nn.Linear(config.width, config.token_width)
        nn.init.zeros_(self.token_out.weight)
        nn.init.zeros_(self.token_out.bias)

    def forward(self, tokens: Tensor, ids: Tensor, pictures: Sequence[Sequence[int]]) -> Tensor:
        """Mend the tokens of whole pictures at once.

        Args:
            tokens: (N, C), layer after layer, picture after picture.
            ids: (N, 3) (layer, row, column) in grid cells of the canvas (`layout.region_ids`).
            pictures: per picture, the number of tokens of each of its layers.

        Returns:
            (N, C) mended tokens.
        """
        counts = [list(layers) for layers in pictures]
        if self.config.joint:
            lengths = [sum(layers) for layers in counts]
        else:
            lengths = [count for layers in counts for count in layers]
        pe = rotations(ids[None], self.config.axes_dim, self.config.theta)[:, None]
        x = self.token_in(tokens[None])  # (1, N, D)
        for block in self.blocks:
            x = block(x, pe, lengths)
        return tokens + self.token_out(self.norm(x))[0]

    def mend(self, tokens: Tensor, ids: Tensor, layers: Sequence[int]) -> Tensor:
        """One picture, as an edit would ask for it: (N, C) tokens of `layers` -> (N, C).

        Alone goes layer by layer: in one product with others, a layer that comes or goes would
        change the product's shape and with it the rounding of the rest.
        """
        if self.config.joint or len(layers) == 1:
            return self(tokens, ids, [layers])
        sizes = list(layers)
        parts = zip(tokens.split(sizes), ids.split(sizes), sizes, strict=True)
        return torch.cat([self(part, at, [[size]]) for part, at, size in parts])
