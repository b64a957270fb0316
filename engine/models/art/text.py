"""Text encoder: words -> text tokens, by a small trained transformer over frozen word vectors.

Every word starts from its row of the frozen word table (`engine.words`); words of the training
vocabulary (colours, counts, sizes, looks, nouns) add a trained vector of their own, because the
table is weak on them. Words in neither are skipped and reported by `engine.words.unknown_words`.

Shapes: B prompts, T words, 128 numbers per word of the table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.models.art.model import Mlp, init_matrices
from engine.words import MAX_WORDS, WordTable, tokenize


@dataclass(frozen=True, slots=True, kw_only=True)
class TextConfig:
    """Sizes of the text encoder."""

    vocabulary: tuple[str, ...]  # words with a trained vector; index 0 of the table means none
    word_width: int = 128
    width: int = 256
    heads: int = 4
    depth: int = 2
    max_words: int = MAX_WORDS
    # How many words before it each word is read together with, so that "blue" stays with its
    # balloon; attention over absolute positions alone gave things their neighbour's colour.
    near_words: int = 0


class TextBlock(nn.Module):
    """Pre-norm attention and MLP."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1 = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)
        self.norm2 = nn.LayerNorm(width)
        self.up = nn.Linear(width, 4 * width)
        self.down = nn.Linear(4 * width, width)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        q, k, v = self.qkv(self.norm1(x)).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        attended = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        x = x + self.proj(attended.transpose(1, 2).flatten(2))
        return x + self.down(F.gelu(self.up(self.norm2(x))))


class TextEncoder(nn.Module):
    """Words -> (B, T + 1, width); the first token stands for the whole prompt."""

    def __init__(self, config: TextConfig) -> None:
        super().__init__()
        self.config = config
        self.word_in = nn.Linear(config.word_width, config.width)
        self.word_embed = nn.Embedding(len(config.vocabulary) + 1, config.width)
        self.position_embed = nn.Parameter(torch.zeros(config.max_words + 1, config.width))
        self.start_embed = nn.Parameter(torch.zeros(config.width))
        self.null_embed = nn.Parameter(torch.zeros(config.width))
        if config.near_words:
            self.near_in = Mlp((config.near_words + 1) * config.width, config.width, config.width)
        self.blocks = nn.ModuleList(
            TextBlock(config.width, config.heads) for _ in range(config.depth)
        )
        self.norm_out = nn.LayerNorm(config.width)

    @torch.no_grad()
    def init_weights(self) -> None:
        init_matrices(self)
        if self.config.near_words:
            nn.init.zeros_(self.near_in.out_layer.weight)
        for table in (self.word_embed.weight, self.position_embed, self.start_embed,
                      self.null_embed):  # fmt: skip
            nn.init.normal_(table, std=0.3)

    def forward(self, vectors: Tensor, known: Tensor, mask: Tensor | None = None) -> Tensor:
        """(B, T, 128) rows of the word table, zeros where it has none -> (B, T + 1, width).

        `known` (B, T) are indices into the trained vocabulary, 0 = none; `mask` (B, T) is True
        where a word stands.
        """
        x = self.word_in(vectors) + self.word_embed(known)  # (B, T, D)
        if self.config.near_words:
            near = [
                F.pad(x, (0, 0, back, 0))[:, : x.shape[1]]
                for back in range(1, self.config.near_words + 1)
            ]
            x = x + self.near_in(torch.cat([x, *near], dim=-1))
        start = self.start_embed.expand(len(x), 1, -1)
        x = torch.cat([start, x], dim=1) + self.position_embed[: x.shape[1] + 1]
        keys = None
        if mask is not None:
            keys = F.pad(mask, (1, 0), value=True)[:, None, None]  # (B, 1, 1, T + 1)
        for block in self.blocks:
            x = block(x, keys)
        return self.norm_out(x)

    def null(self) -> Tensor:
        """(1, 1, width): the text tokens of no prompt at all (classifier-free guidance)."""
        return self.norm_out(self.null_embed[None, None])


class Tokenizer:
    """Prompt -> what `TextEncoder` reads: table rows and indices of trained words."""

    def __init__(self, words: Sequence[str], table: WordTable) -> None:
        self.index = {word: i + 1 for i, word in enumerate(words)}
        self.table = table

    def words(self, prompt: str) -> list[str]:
        """The words that become text tokens 1, 2, ...; token 0 stands for the whole prompt."""
        words = tokenize(prompt)
        return [word for word in words if word in self.index or self.table.index(word) is not None]

    def count(self, text: str) -> int:
        """How many text tokens the beginning of a prompt has, token 0 not counted."""
        return len(self.words(text))

    def encode(self, prompt: str) -> tuple[np.ndarray, np.ndarray]:
        """((T, 128) float32, (T,) int64); words known to neither side are skipped."""
        rows, known = [], []
        for word in self.words(prompt):
            row, index = self.table.index(word), self.index.get(word, 0)
            rows.append(self.table.vectors[row] if row is not None else np.zeros(128, np.float32))
            known.append(index)
        vectors = np.stack(rows) if rows else np.zeros((0, 128), np.float32)
        return vectors.astype(np.float32), np.asarray(known, np.int64)
