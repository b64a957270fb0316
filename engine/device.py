"""Which device and precision to use, and how much memory there is. The only torch.cuda calls."""

from __future__ import annotations

import torch

from engine.errors import RequestError
from engine.work_estimate import free_memory


def choose_device(name: str = "auto") -> torch.device:
    """ "auto" takes CUDA, then MPS, then the CPU; RequestError where the asked one is not there."""
    available = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if name == "auto":
        return torch.device(next(kind for kind, there in available.items() if there))
    kind = name.split(":")[0]
    if not available.get(kind, False):
        there = ", ".join(kind for kind, is_there in available.items() if is_there)
        raise RequestError(f"There is no device {name!r} here.", f"Choose one of: auto, {there}.")
    return torch.device(name)


def precision(device: torch.device) -> torch.dtype:
    """bfloat16 on CUDA; float32 elsewhere, so that every CPU draws the same picture."""
    return torch.bfloat16 if device.type == "cuda" else torch.float32


def has_fast_bfloat16(device: torch.device) -> bool:
    """Whether products in bfloat16 are faster than in float32; CPUs without them emulate them."""
    if device.type == "cpu":
        return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return device.type == "cuda"


def wait_for(device: torch.device) -> None:
    """Return once the device has done what was asked of it; the CPU always has."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def free_bytes(device: torch.device) -> int:
    """Free memory of the device in bytes; on the CPU what programs could still get."""
    return torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else free_memory()


def default_cache_budget(device: torch.device) -> int:
    """A quarter of free memory, at most 1 GB."""
    return min(free_bytes(device) // 4, 2**30)
