"""3-D rotary positions over (layer, row, column), and attention on rotated queries and keys.

Knows nothing of regions or text. Source: `docs/art.md` 3.3, FLUX.1's split of the head size.

Shapes: B batch, S sequence, heads, head_dim.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def rotations(ids: Tensor, axes_dim: tuple[int, ...], theta: float) -> Tensor:
    """Unit complex numbers that rotate one head.

    Args:
        ids: (..., S, axes) positions; need not be whole.
        axes_dim: rotary dimensions per axis, each even.
        theta: base of the frequencies.

    Returns:
        (..., S, sum(axes_dim) / 2) complex64. Angles are float64 and float32 inside: half
        precision loses positions above 256.
    """
    parts = []
    for axis, dim in enumerate(axes_dim):
        exponents = torch.arange(0, dim, 2, dtype=torch.float64, device=ids.device) / dim
        angles = ids[..., axis, None].double() * theta**-exponents  # (..., S, dim/2)
        parts.append(torch.polar(torch.ones_like(angles), angles))
    return torch.cat(parts, dim=-1).to(torch.complex64)


def rotate(x: Tensor, pe: Tensor) -> Tensor:
    """Turn interleaved pairs of (..., B, heads, S, head_dim) by pe (B or 1, 1, S, head_dim/2).

    Heads keep the order in memory that they have: sorting them first is a copy in every block.
    """
    pairs = x.float().unflatten(-1, (-1, 2))
    if pairs.stride(-1) != 1:
        pairs = pairs.contiguous()
    return torch.view_as_real(torch.view_as_complex(pairs) * pe).flatten(-2).to(x.dtype)


def attention(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """softmax(q k / sqrt(head_dim)) v, heads joined: (B, heads, S, head_dim) -> (B, S, D)."""
    if q.requires_grad and q.device.type == "cpu" and q.dtype == torch.bfloat16:
        # The fused kernel's gradients take 1.6 times as long there as those of plain products.
        x = (q @ k.mT * q.shape[-1] ** -0.5).softmax(dim=-1) @ v
    else:
        x = F.scaled_dot_product_attention(q, k, v)
    return x.transpose(1, 2).flatten(2)
