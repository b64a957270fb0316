"""Coordinates as waves, and means over regions: arithmetic without weights.

Shapes: B batch, N tokens, R regions, D width.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

INNER_WAVES = 4
PLACE_WAVES = 3


def region_means(x: Tensor, owner: Tensor, regions: int) -> Tensor:
    """(B, N, D) tokens -> (B, R, D) means; `owner` (B, N) outside 0..R-1 counts nowhere."""
    belongs = owner[:, None] == torch.arange(regions, device=owner.device)[None, :, None]
    shares = belongs.to(x.dtype)
    return shares @ x / shares.sum(dim=-1, keepdim=True).clamp(min=1)


def waves(x: Tensor, count: int) -> Tensor:
    """(..., n) in [0, 1] -> (..., 2 n count) sines and cosines of pi k x, k = 1..count."""
    k = torch.arange(1, count + 1, device=x.device, dtype=x.dtype) * math.pi
    angles = (x[..., None] * k).flatten(-2)
    return torch.cat([angles.sin(), angles.cos()], dim=-1)


def inner_features(inner: Tensor) -> Tensor:
    """(..., 4) of `layout.inner_coordinates` -> (..., 4 INNER_WAVES + 2)."""
    return torch.cat([waves(inner[..., :2], INNER_WAVES), inner[..., 2:].log2() / 4], dim=-1)


def place_features(place: Tensor) -> Tensor:
    """(..., 4) of `layout.place_on_canvas` -> (..., 8 PLACE_WAVES)."""
    return waves(place, PLACE_WAVES)
