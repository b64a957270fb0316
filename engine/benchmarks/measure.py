"""Taking times and memory: several things in turn, in one process, medians with their spread.

What is computed instead of measured has a type of its own, so that no table can mix the two up.
Knows neither models nor files.
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
        _CLEAR.write_text("5", encoding="ascii")  # Linux: the peak starts anew
    except OSError:
        before = None
    work()
    peak = resident_bytes("VmHWM")
    return None if before is None or peak is None else max(0, peak - before)


def peak_mb(work: Work) -> Measured | Missing:
    """`peak_growth` as a table's cell, in megabytes (10^6)."""
    grown = peak_growth(work)
    return Missing("this system does not tell") if grown is None else once(grown / 1e6)
