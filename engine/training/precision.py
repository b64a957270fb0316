"""Mixed precision of all trainers: products in bfloat16 where that is faster, else float32."""

from __future__ import annotations

import torch

from engine.device import has_fast_bfloat16


def product_dtype(device: torch.device) -> torch.dtype:
    """Of matrix products and convolutions in training."""
    return torch.bfloat16 if has_fast_bfloat16(device) else torch.float32


def mixed_precision(device: torch.device) -> torch.autocast:
    """The context of forward passes; losses and optimizers stay outside of it or in float32."""
    return torch.autocast(device.type, torch.bfloat16, enabled=has_fast_bfloat16(device))
