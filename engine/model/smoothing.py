"""Smoothing: evens out blotches inside areas and keeps edges, as video codecs do after deblocking.

A prediction is off by a little everywhere, differently from cell to cell, which shows as blotches
on what should be plain. Every colour becomes the mean of the colours near it that are like it: with
a small kernel once, and again with twice the distance between its taps (Dammertz et al.,
"Edge-Avoiding A-Trous Wavelet Transform for fast Global Illumination Filtering", HPG 2010), which
reaches far for few taps. Alpha stays as it is.

Shapes: (4, H, W) premultiplied pixels in [0, 1].
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

KERNEL = (1 / 16, 4 / 16, 6 / 16, 4 / 16, 1 / 16)  # cubic B-spline
LEVELS = 2
UNSURE = 0.25  # colour below this alpha is mostly rounding, and lends itself to nobody


def smooth(rgba: Tensor, likeness: float) -> Tensor:
    """(4, H, W) -> the same with colours evened out where they are alike.

    Args:
        likeness: distance of two colours, in units of a channel, at which one still counts for .6
            in the other's mean (the deviation of a normal distribution). Over 0.
    """
    alpha = rgba[3:]
    colour = (rgba[:3] / alpha.clamp(min=1e-3)).clamp(0, 1)
    trust = ((alpha - UNSURE) * 2).clamp(0, 1) + 1e-3 * alpha
    height, width = alpha.shape[-2:]
    for level in range(LEVELS):
        gap = 2**level
        around = F.pad(torch.cat([colour, trust])[None], (2 * gap,) * 4, mode="replicate")[0]
        total, weights = torch.zeros_like(colour), torch.zeros_like(trust)
        for row, down in enumerate(KERNEL):
            for column, across in enumerate(KERNEL):
                y, x = row * gap, column * gap
                near = around[:, y : y + height, x : x + width]
                distance = (near[:3] - colour).square().sum(dim=0, keepdim=True)
                weight = torch.exp(distance * (-0.5 / likeness**2)) * near[3:] * (down * across)
                total.addcmul_(weight, near[:3])
                weights += weight
        colour = torch.where(weights > 1e-9, total / weights.clamp(min=1e-9), colour)
    return torch.cat([colour * alpha, alpha])
