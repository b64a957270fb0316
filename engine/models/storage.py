"""How a model file stores its numbers: matrices in 8 bits with a scale per row, the rest in 16.

A matrix row (the first axis; all further axes flattened) is stored as whole numbers from -127 to
127 and one float32 scale, the largest magnitude of the row divided by 127. Vectors, small tensors
and the linear maps between pixels and latents stay in half precision: latents must not change with
the storage.
"""

from __future__ import annotations

import torch
from torch import Tensor

SCALE = ".row_scale"
LARGEST = 127
FEWEST = 4096  # numbers of a tensor that is worth rows of 8 bits
EXACT = ("autoencoder.encoder.", "autoencoder.decoder.linear.")


def to_half(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Everything in half precision."""
    return {name: value.half().contiguous() for name, value in tensors.items()}


def to_8_bits(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Large matrices as int8, each with a float32 tensor `NAME.row_scale`; the rest as float16.

    Raises:
        ValueError: a tensor's name ends like that of a scale.
    """
    stored: dict[str, Tensor] = {}
    for name, value in tensors.items():
        if name.endswith(SCALE):
            raise ValueError(f"the name {name} is reserved for the scales of 8-bit rows")
        if value.ndim < 2 or value.numel() < FEWEST or name.startswith(EXACT):
            stored[name] = value.half().contiguous()
            continue
        rows = value.float().flatten(1)  # (R, numbers of a row)
        scale = rows.abs().amax(dim=1) / LARGEST  # (R,)
        steps = rows / scale.clamp(min=torch.finfo(torch.float32).tiny)[:, None]
        stored[name] = steps.round().clamp(-LARGEST, LARGEST).to(torch.int8).view_as(value)
        stored[name + SCALE] = scale
    return stored


def to_float(stored: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of `to_half` or `to_8_bits` in float32."""
    tensors = {}
    for name, value in stored.items():
        if name.endswith(SCALE):
            continue
        tensors[name] = value.float()
        if value.dtype == torch.int8:
            scale = stored[name + SCALE]
            tensors[name] *= scale.view(-1, *[1] * (value.ndim - 1))
    return tensors
