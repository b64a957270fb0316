"""What stands still while the transformer steps, and what it holds half-way through a pass.

Shapes: B batch, T text tokens, N image tokens, D width.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.model.modulation import ModulationRows, Modulations, Told
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
        told: what modulates a region's tokens beside noise level and prompt; None in a model that
            was not made for it.
    """

    fixed: Tensor | None
    txt: Tensor
    pe: Tensor
    packing: Packing
    told: Told | None = None

    def beside(self, other: Frame) -> Frame:
        """Both passes as one, attending apart; N and T become the sums (B = 1)."""
        first, second = self.packing, other.packing
        return Frame(
            _joined(self.fixed, other.fixed),
            torch.cat([self.txt, other.txt], dim=1),
            torch.cat([self.pe, other.pe], dim=2),
            Packing(first.texts + second.texts, first.images + second.images),
            None if self.told is None or other.told is None else self.told.beside(other.told),
        )

    def alone(self, index: int) -> Frame:
        """One of the passes that lie `beside` each other."""
        packing = self.packing
        texts, images, woven = packing.texts[index], packing.images[index], packing.lengths[index]
        first = sum(packing.images[:index])
        return Frame(
            None if self.fixed is None else self.fixed.narrow(1, first, images),
            self.txt.narrow(1, sum(packing.texts[:index]), texts),
            self.pe.narrow(2, sum(packing.lengths[:index]), woven),
            Packing((texts,), (images,)),
            None if self.told is None else self.told.narrow(first, images),
        )


def _joined(first: Tensor | None, second: Tensor | None) -> Tensor | None:
    if first is None or second is None:
        return None
    return torch.cat([first, second], dim=1)


@dataclass(frozen=True, slots=True)
class Reading:
    """Half-way through the single blocks, where the plan is read off."""

    x: Tensor  # (B, T + N, D)
    frame: Frame
    vec: Tensor
    rows: Rows | None
    mods: Sequence[Modulations]
    clean: Sequence[Clean | None]

    def alone(self, index: int) -> Reading:
        """One of several packed passes, each with a row of `vec`, to be finished by itself."""
        lengths = self.frame.packing.lengths
        first, length = sum(lengths[:index]), lengths[index]
        mods: list[Modulations] = []
        for mod in self.mods:
            assert isinstance(mod, ModulationRows)  # several passes have a row each at least
            mods.append(mod.narrow(first, length))
        return Reading(
            self.x.narrow(1, first, length),
            self.frame.alone(index),
            self.vec[index : index + 1],
            None,
            mods,
            self.clean,
        )
