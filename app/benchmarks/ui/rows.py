"""Rows of the result: how they are printed, and the fresh process that some of them come from."""

from __future__ import annotations

import json
import math
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

_CHILD_LIMIT_S = 180


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    Attributes:
        id: such as "UI1".
        what: in a few words.
        found: the measured figures as text.
        budget: as text.
        is_met: None where there is nothing to compare.
    """

    id: str
    what: str
    found: str
    budget: str
    is_met: bool | None


def timed(
    id: str,
    what: str,
    milliseconds: Sequence[float],
    *,
    median: float | None = None,
    p95: float | None = None,
    most: float | None = None,
) -> Row:
    """A row of times with the budgets that apply, in milliseconds."""
    found = (statistics.median(milliseconds), percentile(milliseconds, 95), max(milliseconds))
    limits = (median, p95, most)
    names = ("median", "p95", "max")
    budget = ", ".join(
        f"{name} ≤ {limit:g}" for name, limit in zip(names, limits, strict=True) if limit
    )
    text = " / ".join(f"{value:.1f}" for value in found)
    is_met = all(
        value <= limit for value, limit in zip(found, limits, strict=True) if limit is not None
    )
    return Row(id, what, f"{text} ms", f"{budget} ms", is_met)


def percentile(values: Sequence[float], part: float) -> float:
    """The smallest value that is not exceeded by `part` percent of all."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * part / 100) - 1)]


def as_text(rows: Sequence[Row], head: str) -> str:
    """A table that can be pasted into a review."""
    lines = [
        head,
        "",
        "| Id | What | Median / p95 / max | Budget | |",
        "| --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        sign = {True: "ok", False: "over", None: "–"}[row.is_met]
        lines.append(f"| {row.id} | {row.what} | {row.found} | {row.budget} | {sign} |")
    return "\n".join(lines)


def child(part: str, *, scale: str = "1", **environment: str) -> dict[str, Any]:
    """Run one part of this bench in a fresh interpreter; its figures.

    Args:
        part: a name in `process.PARTS`.
        scale: Qt's scale factor.
        environment: more variables of the process.

    Raises:
        subprocess.SubprocessError: it failed or hung.
    """
    done = subprocess.run(
        [sys.executable, "-m", "app.benchmarks.ui.bench", "--child", part],
        capture_output=True,
        text=True,
        timeout=_CHILD_LIMIT_S,
        check=True,
        env={
            **os.environ,
            "QT_SCALE_FACTOR": scale,
            "LAYERLOOM_BENCH_T0": str(time.time()),
            **environment,
        },
    )
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found
