"""Free memory of this machine. Does not import torch."""

from __future__ import annotations

import psutil


def free_memory() -> int:
    """Bytes that programs could still get, caches of files included."""
    return int(psutil.virtual_memory().available)
