"""Taking times, memory and operations: several things in turn, in one process, with their spread.

What is computed instead of measured has a type of its own, so that no table can mix the two up.
"""

from __future__ import annotations

import ctypes
import gc
import re
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
Work = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Measured:
    """A median, the smallest and the largest of `runs` values."""

    median: float
    low: float
    high: float
    runs: int

    def __str__(self) -> str:
        if self.runs == 1:
            return number(self.median)
        return f"{number(self.median)} ({number(self.low)}–{number(self.high)})"


@dataclass(frozen=True, slots=True)
class Computed:
    """A number that follows from a formula, not from a clock."""

    value: float

    def __str__(self) -> str:
        return f"{number(self.value)} (computed)"


@dataclass(frozen=True, slots=True)
class Missing:
    """Neither measured nor computed, and why."""

    why: str

    def __str__(self) -> str:
        return f"– ({self.why})"


def number(value: float) -> str:
    """Three significant digits, without an exponent."""
    for limit, digits in ((100, 0), (10, 1), (1, 2), (0.1, 3)):
        if abs(value) >= limit:
            return f"{value:,.{digits}f}"
    return f"{value:.4f}" if value else "0"


def summary(values: Sequence[float]) -> Measured:
    return Measured(statistics.median(values), min(values), max(values), len(values))


def ratios(over: Sequence[float], under: Sequence[float]) -> Measured:
    """Per round `over` / `under`: what slows a whole round does not touch its ratio."""
    return summary([a / b for a, b in zip(over, under, strict=True)])


def seconds(work: Work) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def alternate(
    works: Mapping[str, Work], runs: int, between: Callable[[str], object] = lambda name: None
) -> dict[str, list[float]]:
    """Seconds of each work, `runs` times, one round after the other.

    `between` is called with the name before each work, outside the clock.
    """
    taken: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(runs):
        for name, work in works.items():
            between(name)
            taken[name].append(seconds(work))
    return taken


# ---- memory ----


def _status_mb(field: str) -> float:
    """A line of Linux's own account of this process, in 10^6 bytes. Raises OSError elsewhere."""
    found = re.search(rf"{field}:\s+(\d+) kB", _STATUS.read_text(encoding="ascii"))
    return int(found[1]) * 1024 / 1e6 if found else 0.0


def peak_mb(work: Work) -> Measured | Missing:
    """By how much resident memory rose at the peak of `work`, 10^6 bytes.

    What an earlier work left free in the heap is given back first: it would hide growth.
    """
    gc.collect()
    try:
        ctypes.CDLL(None).malloc_trim(0)  # glibc only
        _CLEAR.write_text("5", encoding="ascii")  # Linux: the peak counts from now
        before = _status_mb("VmRSS")
    except (AttributeError, OSError, TypeError):
        work()
        return Missing("this system does not say")
    work()
    return summary([max(0.0, _status_mb("VmHWM") - before)])


# ---- operations ----


def block_flops(tokens: int, width: int, mlp_ratio: int = 4) -> int:
    """One block, double or single, over `tokens` of text and image together (`docs/art.md` 6.1).

    Query, key, value and output are 4 width^2 per token, the MLP 2 ratio width^2, and attention
    reads every token from every token, for the scores and again for the values. A multiplication
    with its addition counts as two.
    """
    return 2 * tokens * width**2 * (4 + 2 * mlp_ratio) + 4 * tokens**2 * width
