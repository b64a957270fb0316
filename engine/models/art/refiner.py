"""Refiner: corrects the predicted tokens of one foreground layer at a time.

One or two steps leave a small error in every token: blotches, soft edges, lost detail. The refiner
reads a layer's own tokens, its word and the prompt, and no other layer, so that an edit of one
layer cannot change another. A plain transformer encoder with adaLN conditioning (DiT,
arXiv:2212.09748; one modulation head with a table per block, PixArt-alpha, arXiv:2310.00426) whose
last layer starts at zero: untrained, it returns its input.

Shapes: B layers, N tokens of the largest layer, C token width, D width, E text width.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.models.art.model import INNER_WAVES, Mlp, init_matrices, inner_features


@dataclass(frozen=True, slots=True, kw_only=True)
class RefinerConfig:
    """Sizes of the refiner; the defaults are the shipped model's."""

    token_width: int = 192  # numbers per image token, in and out
    text_width: int = 256  # numbers per text token from the text encoder
    width: int = 256
    heads: int = 4
    blocks: int = 6
    mlp_ratio: int = 4

    def __post_init__(self) -> None:
        if self.width % self.heads:
            raise ValueError(f"width {self.width} is not a multiple of heads {self.heads}")


class RefinerBlock(nn.Module):
    """Self-attention within a layer, then an MLP; both modulated and gated."""

    def __init__(self, width: int, heads: int, mlp_ratio: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)
        self.mlp = Mlp(width, mlp_ratio * width, width, act="gelu")

    def forward(self, x: Tensor, modulation: Tensor, mask: Tensor | None) -> Tensor:
        """(B, N, D) -> (B, N, D); shift, scale and gate of attention and MLP are (B, 1, 6 D).

        `mask` is (B, 1, 1, N), True for real tokens; None = all are real.
        """
        shift, scale, gate, mlp_shift, mlp_scale, mlp_gate = modulation.chunk(6, dim=-1)
        h = F.layer_norm(x, x.shape[-1:], eps=1e-6)
        qkv = self.qkv(torch.addcmul(shift, h, 1 + scale))  # (B, N, 3 D)
        q, k, v = qkv.unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        attended = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)  # (B, heads, N, D/heads)
        x = torch.addcmul(x, 1 + gate, self.proj(attended.transpose(1, 2).flatten(2)))
        h = F.layer_norm(x, x.shape[-1:], eps=1e-6)
        return torch.addcmul(x, 1 + mlp_gate, self.mlp(torch.addcmul(mlp_shift, h, 1 + mlp_scale)))


class Refiner(nn.Module):
    """Predicted tokens of foreground layers -> refined tokens, each layer by itself."""

    def __init__(self, config: RefinerConfig) -> None:
        super().__init__()
        self.config = config
        width = config.width
        self.token_in = nn.Linear(config.token_width, width)
        self.inner_in = Mlp(4 * INNER_WAVES + 2, width, width)
        self.word_in = nn.Linear(config.text_width, width)
        self.prompt_in = nn.Linear(config.text_width, width)
        self.modulation = nn.Linear(width, 6 * width)
        self.table = nn.Parameter(torch.zeros(config.blocks, 6 * width))
        self.blocks = nn.ModuleList(
            RefinerBlock(width, config.heads, config.mlp_ratio) for _ in range(config.blocks)
        )
        self.token_out = nn.Linear(width, config.token_width)

    @torch.no_grad()
    def init_weights(self) -> None:
        """Xavier for matrices; modulation and output start at zero."""
        init_matrices(self)
        for linear in (self.modulation, self.token_out):
            nn.init.zeros_(linear.weight)

    def forward(
        self,
        tokens: Tensor,  # (B, N, C) predicted tokens; padding may hold anything finite
        inner: Tensor,  # (B, N, 4) from `positions.inner_coordinates`; 1 in padding
        word: Tensor,  # (B, E) text token of the word that each layer shows
        prompt: Tensor,  # (B, E) text token of the whole prompt
        mask: Tensor | None = None,  # (B, N) True for real tokens; None = all are real
    ) -> Tensor:
        """(B, N, C) refined tokens of layers of any sizes, padded to the same number of tokens."""
        x = self.token_in(tokens) + self.inner_in(inner_features(inner))  # (B, N, D)
        condition = F.silu(self.word_in(word) + self.prompt_in(prompt))  # (B, D)
        shared = self.modulation(condition)[:, None]  # (B, 1, 6 D)
        keys = None if mask is None else mask[:, None, None]  # (B, 1, 1, N)
        for block, own in zip(self.blocks, self.table, strict=True):
            x = block(x, shared + own, keys)
        x = F.layer_norm(x, x.shape[-1:], eps=1e-6)
        return tokens + self.token_out(x)
