"""What a layer's noise decides at pure noise: which of a few drawings of a background it becomes.

A prediction at pure noise is the mean of all that a prompt may mean, and the mean of many
landscapes is a smear. So that each noise has one picture only, all tokens of a region share their
last few numbers of noise (`engine.sampling.region_noise`), and in training the signs of those that
go with a background say which drawing of it this is, and which background where the prompt names
none. The noise stays Gaussian: at run time the seed decides.

Shapes: B pictures, N tokens, R regions.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.training.concepts import Concepts

SHARED = 4  # numbers of noise that the tokens of a region have in common
DRAWING_BITS = 2
DRAWINGS = 2**DRAWING_BITS  # of each background
OPEN_BITS = SHARED - DRAWING_BITS
Signs = tuple[int, ...]  # one for each shared number: -1, 1, or 0 = open


def open_backgrounds(concepts: Concepts) -> tuple[str, ...]:
    """Those that a picture may have whose prompt names none, one for each pair of signs."""
    return concepts.background_names[: 2**OPEN_BITS]


def background_signs(drawing: int, name: str | None, concepts: Concepts) -> Signs:
    """The signs that go with a background.

    Args:
        drawing: 0 to DRAWINGS - 1.
        name: one of `open_backgrounds`, where the prompt does not say it; None = it says it.
    """
    signs = _signs(drawing, DRAWING_BITS)
    if name is None:
        return signs + (0,) * OPEN_BITS
    return signs + _signs(open_backgrounds(concepts).index(name), OPEN_BITS)


def _signs(number: int, bits: int) -> Signs:
    return tuple(1 if number >> bit & 1 else -1 for bit in range(bits))


def share_noise(noise: Tensor, owner: Tensor, signs: Tensor, shared: Tensor) -> Tensor:
    """Noise (B, N, C) whose last numbers are the same in all tokens of a region.

    Args:
        owner: (B, N) the region of each token; -1 = none, whose noise stays as it is.
        signs: (B, R, S) that the shared numbers get; 0 = their own.
        shared: (B, R, S) standard normal.
    """
    signed = torch.where(signs == 0, shared, shared.abs() * signs)
    count = signed.shape[-1]
    signed = F.pad(signed, (0, 0, 0, 1))  # owner -1 reads the last row
    index = (owner % signed.shape[1])[..., None].expand(-1, -1, count)
    last = torch.where(owner[..., None] < 0, noise[..., -count:], signed.gather(1, index))
    return torch.cat([noise[..., :-count], last], dim=-1)
