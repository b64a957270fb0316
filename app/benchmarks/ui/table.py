"""Rows of the result and how they are printed. Knows nothing of what is measured."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass


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
