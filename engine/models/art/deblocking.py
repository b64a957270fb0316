"""Deblocking: evens out small steps between latent cells, as video decoders do between blocks.

Cells are predicted one by one; what is wrong by a little shows as a seam long before it shows as
an error. A step across a border that is small, and that continues along it, is a seam and is spread
over the two cells; a large one is an edge of the picture and stays.

Shapes: (..., H, W) channels of premultiplied pixels in [0, 1]; s pixels per cell side.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

ALONG = 9  # pixels along the border over which a step is averaged


def deblock(rgba: Tensor, size: int, seam: float) -> Tensor:
    """(C, H, W) -> the same without small steps at multiples of `size` pixels.

    Args:
        seam: a step this high is an edge; those up to half of it are evened out wholly.
    """
    across = _deblock_columns(rgba, size, seam)
    return _deblock_columns(across.transpose(-1, -2), size, seam).transpose(-1, -2).contiguous()


def _deblock_columns(x: Tensor, size: int, seam: float) -> Tensor:
    channels, height, width = x.shape
    if width <= size:
        return x
    cells = x.unflatten(-1, (width // size, size))  # (C, H, w, s)
    left, right = cells[:, :, :-1], cells[:, :, 1:]
    # Where both sides lead to, half a pixel on.
    before = 1.5 * left[..., -1] - 0.5 * left[..., -2]
    after = 1.5 * right[..., 0] - 0.5 * right[..., 1]
    step = (after - before).permute(0, 2, 1)  # (C, w - 1, H)
    pad = ALONG // 2
    step = F.avg_pool1d(F.pad(step, (pad, pad), mode="replicate"), ALONG, 1)
    # All channels of a pixel move together or not at all: else colours would change.
    height_of_step = step.abs().amax(dim=0, keepdim=True)
    step = step * (2 - 2 * height_of_step / seam).clamp(0, 1)
    ramp = torch.arange(size, device=x.device, dtype=x.dtype).add(0.5).div(size).sub(1).clamp(max=0)
    change = step.permute(0, 2, 1)[..., None] / 2  # (C, H, w - 1, 1)
    out = cells.clone()
    out[:, :, 1:] += change * ramp  # falls from the border on
    out[:, :, :-1] -= change * ramp.flip(0)
    return out.flatten(-2).reshape(channels, height, width)
