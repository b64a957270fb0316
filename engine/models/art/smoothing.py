"""Deblocking and smoothing of decoded pixels, as in video codecs.

A prediction is off by a little everywhere, differently from cell to cell. A step across a border
between cells that is small, and that continues along it, is a seam and is spread over the two
cells; a large one is an edge and stays. Blotches inside areas go by smoothing: every colour becomes
the mean of the colours near it that are like it, with a small kernel and again with twice the
distance between its taps (Dammertz et al., "Edge-Avoiding A-Trous Wavelet Transform for fast Global
Illumination Filtering", HPG 2010). Alpha stays as it is.

Shapes: (..., 4, H, W) premultiplied pixels in [0, 1], one layer or several of one size. A layer's
result is the same to the last bit, whatever is smoothed with it.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

ALONG = 9  # pixels along a border between cells over which a step is averaged
KERNEL = (1 / 16, 4 / 16, 6 / 16, 4 / 16, 1 / 16)  # cubic B-spline
REACH = len(KERNEL) // 2
LEVELS = 2
UNSURE = 0.25  # colour below this alpha is mostly rounding; neighbours do not take it


def deblock(rgba: Tensor, size: int, seam: float) -> Tensor:
    """(C, H, W) -> the same without small steps at multiples of `size` pixels.

    A step of `seam` is an edge; those up to half of it are evened out wholly.
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


def smooth(rgba: Tensor, likeness: float) -> Tensor:
    """(..., 4, H, W) -> the same with colours evened out where they are alike.

    At a distance of `likeness`, in units of a channel and over 0, a colour still counts for .6 in
    the other's mean (the deviation of a normal distribution).
    """
    alpha = rgba[..., 3:, :, :]
    colour = (rgba[..., :3, :, :] / alpha.clamp(min=1e-3)).clamp(0, 1)
    trust = ((alpha - UNSURE) * 2).clamp(0, 1) + 1e-3 * alpha
    for level in range(LEVELS):
        colour = _evened_out(colour, trust, 2**level, likeness)
    return torch.cat([colour * alpha, alpha], dim=-3)


def _evened_out(colour: Tensor, trust: Tensor, gap: int, likeness: float) -> Tensor:
    """(..., 3, H, W) and (..., 1, H, W) -> (..., 3, H, W): one level, `gap` pixels between taps."""
    height, width = trust.shape[-2:]
    around = F.pad(torch.cat([colour, trust], dim=-3), (REACH * gap,) * 4, mode="replicate")
    pairs = _Pairs(around[..., :3, :, :], gap, likeness)
    total, weights = torch.zeros_like(colour), torch.zeros_like(trust)
    for row, down in enumerate(KERNEL):
        for column, across in enumerate(KERNEL):
            y, x = row * gap, column * gap
            near = around[..., y : y + height, x : x + width]
            offset = row - REACH, column - REACH
            weight = near[..., 3:, :, :]
            if offset != (0, 0):
                weight = weight * pairs.at(offset, (height, width))
            weight = weight * (down * across)
            total.addcmul_(weight, near[..., :3, :, :])
            weights += weight
    return torch.where(weights > 1e-9, total / weights.clamp(min=1e-9), colour)


class _Pairs:
    """How alike two colours are, 0 to 1, for all pairs of pixels of one level; each pair once.

    (..., 3, h, w) `around` has a margin of `REACH` times `gap`.
    """

    def __init__(self, around: Tensor, gap: int, likeness: float) -> None:
        self._gap = gap
        height, width = around.shape[-2:]
        self._of: dict[tuple[int, int], Tensor] = {}  # second pixel of a pair, seen from the first
        for down in range(REACH + 1):
            for across in range(-REACH if down else 1, REACH + 1):
                y, x = down * gap, across * gap
                first = around[..., : height - y, max(0, -x) : width - max(0, x)]
                second = around[..., y:, max(0, x) : width - max(0, -x)]
                squares = (second - first).square_()
                red, green, blue = squares.split(1, dim=-3)
                distance = (red + green).add_(blue)
                self._of[down, across] = distance.mul_(-0.5 / likeness**2).exp_()

    def at(self, offset: tuple[int, int], size: tuple[int, int]) -> Tensor:
        """(..., 1, *size): each pixel inside the margin with the one `offset` steps from it."""
        y = x = REACH * self._gap
        if offset < (0, 0):  # the other pixel is the first of the pair
            y, x = y + offset[0] * self._gap, x + offset[1] * self._gap
            offset = -offset[0], -offset[1]
        x -= max(0, -offset[1] * self._gap)
        return self._of[offset][..., y : y + size[0], x : x + size[1]]
