"""Taking times, memory and operations: several things in turn, in one process, with their spread.

What is computed instead of measured has a type of its own, so that no table can mix the two up.
Operations come from a formula (`docs/art.md` 6.1), or from a counter that sees every matrix product
that torch is asked for. A multiplication with its addition counts as two.
"""

from __future__ import annotations

import ctypes
import gc
import re
import statistics
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch.overrides import TorchFunctionMode

_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
Work = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Measured:
    """A median, the smallest and the largest of `runs` values."""

    median: float
    low: float
    high: float
    runs: int


@dataclass(frozen=True, slots=True)
class Computed:
    """A number that follows from a formula, not from a clock."""

    value: float


@dataclass(frozen=True, slots=True)
class Missing:
    """Neither measured nor computed, and why."""

    why: str


def summary(values: Sequence[float]) -> Measured:
    """Median and spread of at least one value."""
    return Measured(statistics.median(values), min(values), max(values), len(values))


def once(value: float) -> Measured:
    """A single measurement, such as a peak of memory."""
    return Measured(value, value, value, 1)


def ratios(over: Sequence[float], under: Sequence[float]) -> Measured:
    """Per round `over` / `under`: what slows a whole round does not touch its ratio."""
    return summary([a / b for a, b in zip(over, under, strict=True)])


def seconds(work: Work) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def alternate(
    works: Mapping[str, Work], runs: int, between: Callable[[str], object] = lambda name: None
) -> dict[str, list[float]]:
    """Seconds of each work, `runs` times, one round after the other.

    Args:
        between: called with the name before each work, outside the clock.
    """
    taken: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(runs):
        for name, work in works.items():
            between(name)
            taken[name].append(seconds(work))
    return taken


# ---- memory ----


def resident_bytes(field: str = "VmRSS") -> int | None:
    """Resident memory of this process, now or (`VmHWM`) at its peak; None where unknown."""
    try:
        found = re.search(rf"{field}:\s+(\d+) kB", _STATUS.read_text(encoding="ascii"))
    except OSError:
        return None
    return int(found[1]) * 1024 if found else None


def peak_growth(work: Work) -> int | None:
    """Bytes by which resident memory rose at the peak of `work`; None where it cannot be known.

    What an earlier work left free in the heap is given back first: it would hide growth.
    """
    gc.collect()
    try:
        ctypes.CDLL(None).malloc_trim(0)  # glibc only
    except (AttributeError, OSError, TypeError):
        pass
    before = resident_bytes()
    try:
        _CLEAR.write_text("5", encoding="ascii")  # Linux: the peak counts from now
    except OSError:
        before = None
    work()
    peak = resident_bytes("VmHWM")
    return None if before is None or peak is None else max(0, peak - before)


def peak_mb(work: Work) -> Measured | Missing:
    """`peak_growth` as a table's cell, in megabytes (10^6)."""
    grown = peak_growth(work)
    return Missing("this system does not say") if grown is None else once(grown / 1e6)


# ---- operations ----


def block_flops(tokens: int, width: int, mlp_ratio: int = 4) -> int:
    """One block, double or single, over `tokens` of text and image together.

    Query, key, value and output are 4 width^2 per token, the MLP 2 ratio width^2, and attention
    reads every token from every token, for the scores and again for the values.
    """
    return 2 * tokens * width**2 * (4 + 2 * mlp_ratio) + 4 * tokens**2 * width


@dataclass(frozen=True, slots=True)
class Product:
    """Shape of a matrix product: `kind` "linear" is (rows, in) x (in, out); "attention" is
    (batch x heads, queries, keys, head_dim), both of its products.
    """

    kind: str
    shape: tuple[int, ...]

    @property
    def flops(self) -> int:
        total = 4 if self.kind == "attention" else 2
        for size in self.shape:
            total *= size
        return total


class ProductCounter(TorchFunctionMode):
    """Counts the matrix products between enter and exit, by shape.

    Attributes:
        found: how often each shape was asked for.
    """

    def __init__(self) -> None:
        super().__init__()
        self.found: Counter[Product] = Counter()

    def __torch_function__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if func is F.linear:
            x, weight = args[:2]
            rows = x.numel() // x.shape[-1]
            self.found[Product("linear", (rows, weight.shape[1], weight.shape[0]))] += 1
        elif func is F.scaled_dot_product_attention:
            q, k = args[:2]
            batch = q.shape[:-2].numel()
            self.found[Product("attention", (batch, q.shape[-2], k.shape[-2], q.shape[-1]))] += 1
        elif func in (torch.mm, torch.matmul, torch.Tensor.matmul, torch.Tensor.__matmul__):
            x, y = args[:2]
            rows = x.numel() // x.shape[-1]
            self.found[Product("linear", (rows, x.shape[-1], y.shape[-1]))] += 1
        elif func is torch.addmm:
            x, y = args[1:3]
            self.found[Product("linear", (x.shape[0], x.shape[1], y.shape[1]))] += 1
        return func(*args, **kwargs)


def total_flops(found: Counter[Product]) -> int:
    """All products together."""
    return sum(product.flops * count for product, count in found.items())
