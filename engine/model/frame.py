"""What stands still while the transformer steps, and what it holds half-way through a pass.

Shapes: B batch, T text tokens, N image tokens, D width.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.model.layers import Modulation
from engine.model.packing import Clean, Packing, Rows

UNDECIDED = -1  # a region without a word in a plan


@dataclass(frozen=True, slots=True)
class Frame:
    """What no step of a request changes.

    Attributes:
        fixed: (B, N, D) added to the embedded tokens: where they sit, and what is planned.
        txt: (B, T, D) text.
        pe: rotations of the woven text and image tokens.
        packing: how they are woven.
    """

    fixed: Tensor | None
    txt: Tensor
    pe: Tensor
    packing: Packing

    def beside(self, other: Frame) -> Frame:
        """Both passes as one, attending apart; N and T become the sums (B = 1)."""
        fixed = None
        if self.fixed is not None and other.fixed is not None:
            fixed = torch.cat([self.fixed, other.fixed], dim=1)
        first, second = self.packing, other.packing
        return Frame(
            fixed,
            torch.cat([self.txt, other.txt], dim=1),
            torch.cat([self.pe, other.pe], dim=2),
            Packing(first.texts + second.texts, first.images + second.images),
        )


@dataclass(frozen=True, slots=True)
class Reading:
    """Half-way through the single blocks, where the plan is read off."""

    x: Tensor  # (B, T + N, D)
    frame: Frame
    vec: Tensor
    rows: Rows | None
    mods: list[Modulation]
    clean: Sequence[Clean | None]
