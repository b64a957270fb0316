"""Modulation (adaLN-Zero): what noise level, prompt, word and choice do to tokens in each block.

Tokens of a region are modulated alike, so that heads work on a row for each region and for each
pass, and a block spreads the rows over the tokens when its turn comes: for a picture of eleven
layers eleven rows instead of three hundred, and one block's modulations in memory at a time.

Shapes: B batch, S tokens, R rows, D width.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True, slots=True)
class Modulation:
    """adaLN-Zero: (B, 1, D) each, or (B, S, D) where tokens differ."""

    shift: Tensor
    scale: Tensor
    gate: Tensor

    def apply(self, x: Tensor) -> Tensor:
        """LayerNorm without affine, then scale and shift."""
        x = F.layer_norm(x, x.shape[-1:], eps=1e-6)
        return torch.addcmul(self.shift, x, 1 + self.scale)

    def spread(self) -> Modulation:
        """Itself: there is nothing to spread."""
        return self


@dataclass(frozen=True, slots=True)
class ModulationRows:
    """Modulations of a few kinds of tokens, and which kind each token is.

    Attributes:
        values: (R, 3 D) shift, scale and gate.
        rows: (B, S) the row of each token.
    """

    values: Tensor
    rows: Tensor

    def spread(self) -> Modulation:
        """Each token's own."""
        return Modulation(*spread_rows(self.values, self.rows).chunk(3, dim=-1))

    def narrow(self, first: int, length: int) -> ModulationRows:
        """Those of a stretch of the tokens."""
        return ModulationRows(self.values, self.rows.narrow(1, first, length))


Modulations = Modulation | ModulationRows


class ModulationHead(nn.Module):
    """vec (B, D) -> `count` modulations. Starts at zero, so that blocks start as identity.

    With `rows` (B, S), `vec` is (R, D) and has a row for each kind of tokens.
    """

    def __init__(self, width: int, count: int) -> None:
        super().__init__()
        self.count = count
        self.lin = nn.Linear(width, 3 * count * width)

    def forward(self, vec: Tensor, rows: Tensor | None = None) -> list[Modulations]:
        return self._split(self.lin(F.silu(vec)), rows)

    def per_block(
        self, vec: Tensor, tables: Tensor, rows: Tensor | None = None
    ) -> list[list[Modulations]]:
        """For a head shared by blocks: `tables` (blocks, 3 count D) are the blocks' offsets."""
        out = self.lin(F.silu(vec))
        return [self._split(out + table, rows) for table in tables]

    def _split(self, out: Tensor, rows: Tensor | None) -> list[Modulations]:
        parts = out.chunk(self.count, dim=-1)
        if rows is None:
            return [Modulation(*part[:, None].chunk(3, dim=-1)) for part in parts]
        return [ModulationRows(part, rows) for part in parts]


def spread_rows(out: Tensor, rows: Tensor | None) -> Tensor:
    """(B, D) -> (B, 1, D), or (B, S, D) with the row of each token."""
    if rows is None:
        return out[:, None]
    return out.index_select(0, rows.flatten()).unflatten(0, rows.shape)


@dataclass(frozen=True, slots=True)
class Told:
    """What regions are told beside noise level and prompt: their word, and their seed's choice.

    Attributes:
        values: (R, D) added to what modulates the tokens of each region.
        first: (R,) the first token of each region, counted through the whole batch.
        regions: (B, N) the region of each image token.
    """

    values: Tensor
    first: Tensor
    regions: Tensor

    @classmethod
    def nothing(cls, layer: Tensor, images: tuple[int, ...], width: int) -> Told:
        """For regions that know nothing yet.

        Args:
            layer: (B, N) the place of each token's region in the layer list of its picture.
            images: image tokens of each pass that is packed.
        """
        begins = torch.ones_like(layer, dtype=torch.bool)
        begins[:, 1:] = layer[:, 1:] != layer[:, :-1]
        ends = torch.tensor(images[:-1], dtype=torch.long, device=layer.device).cumsum(0)
        begins[:, ends] = True  # a picture's last layer may have the number of the next one's first
        first = begins.flatten().nonzero()[:, 0]
        regions = (begins.flatten().cumsum(0) - 1).view_as(layer)
        return cls(torch.zeros(len(first), width, device=layer.device), first, regions)

    def of_regions(self, x: Tensor) -> Tensor:
        """(B, N, ...) the same in all tokens of a region -> (R, ...)."""
        return x.flatten(0, 1).index_select(0, self.first)

    def more(self, values: Tensor) -> Told:
        """With `values` (R, D) on top."""
        return Told(self.values + values, self.first, self.regions)

    def beside(self, other: Told) -> Told:
        """Both packed one behind the other (B = 1)."""
        count, tokens = len(self.first), self.regions.shape[1]
        return Told(
            torch.cat([self.values, other.values]),
            torch.cat([self.first, other.first + tokens]),
            torch.cat([self.regions, other.regions + count], dim=1),
        )

    def narrow(self, first: int, length: int) -> Told:
        """For a stretch of the tokens; to be read, not to be told more."""
        return Told(self.values, self.first, self.regions.narrow(1, first, length))
