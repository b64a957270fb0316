"""Rows of the result: how they are printed, and the fresh process that some of them come from."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

_CHILD_LIMIT_S = 180


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table; `is_met` is None where there is nothing to compare."""

    id: str
    what: str
    found: str
    budget: str
    is_met: bool | None


def single(
    id: str, what: str, value: float, limit: float, unit: str = " s", digits: int = 2
) -> Row:
    """A row of one number, which may be at most `limit`."""
    return Row(id, what, f"{value:.{digits}f}{unit}", f"≤ {limit:g}{unit}", value <= limit)


def timed(id: str, what: str, milliseconds: Sequence[float], **limits: float) -> Row:
    """A row of times, and the budgets in milliseconds for "median", "p95" or "max" of them."""
    found = {
        "median": statistics.median(milliseconds),
        "p95": float(np.percentile(milliseconds, 95, method="inverted_cdf")),
        "max": max(milliseconds),
    }
    text = " / ".join(f"{value:.1f}" for value in found.values())
    budget = ", ".join(f"{name} ≤ {limit:g}" for name, limit in limits.items())
    is_met = all(found[name] <= limit for name, limit in limits.items())
    return Row(id, what, f"{text} ms", f"{budget} ms", is_met)


def as_text(rows: Sequence[Row], head: str) -> str:
    lines = [head, "", "| Id | What | Median / p95 / max | Budget | |", "|" + " --- |" * 5]
    for row in rows:
        sign = {True: "ok", False: "over", None: "–"}[row.is_met]
        lines.append(f"| {row.id} | {row.what} | {row.found} | {row.budget} | {sign} |")
    return "\n".join(lines)


def child(part: str, **environment: str) -> dict[str, Any]:
    """The figures of a part in `process.PARTS`, in a fresh interpreter with these variables."""
    done = subprocess.run(
        [sys.executable, "-m", "app.benchmarks.ui.bench", "--child", part],
        capture_output=True,
        text=True,
        timeout=_CHILD_LIMIT_S,
        check=True,
        env={**os.environ, "LAYERLOOM_BENCH_T0": str(time.time()), **environment},
    )
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found
