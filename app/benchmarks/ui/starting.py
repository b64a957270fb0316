"""Rows about a first start: ready beside a window, the first prediction (UI14, UI17 to UI19).

Each figure comes from a fresh process.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from typing import Any

from app.benchmarks.ui.first import FIRST_JOBS
from app.benchmarks.ui.process import child
from app.benchmarks.ui.table import Row

READY_S = 8.0
READY_RATIO = 1.15
MEASURING_S = 2.0
OFF = 0.3
RIGHT = 0.9  # of the first jobs


def ready(pairs: int) -> Iterator[Row]:
    """UI14, UI17: the model is loaded with a window and without, in turn.

    Args:
        pairs: how often each; the medians count.
    """
    alone, shown = [], []
    for _ in range(pairs):
        alone.append(child("ready_alone")["ready_s"])
        shown.append(child("ready_in_window")["ready_s"])
    seconds, other = statistics.median(shown), statistics.median(alone)
    found = f"{seconds:.1f} s"
    yield Row("UI14", "engine ready after the window", found, "≤ 8 s", seconds <= READY_S)
    ratio = seconds / other
    yield Row(
        "UI17",
        "ready in the window / without one",
        f"{ratio:.2f} × ({seconds:.1f} / {other:.1f} s)",
        f"≤ {READY_RATIO} ×",
        ratio <= READY_RATIO,
    )


def first_jobs(count: int) -> Iterator[Row]:
    """UI18, UI19: how right the first prediction is, and how soon it is there.

    Args:
        count: of first starts, each with another job.
    """
    jobs = range(min(count, len(FIRST_JOBS)))
    found = [child("first_job", LAYERLOOM_BENCH_JOB=str(number)) for number in jobs]
    yield prediction(found)
    longest = max(each["measuring_s"] for each in found)
    what = "measured after ready, longest"
    yield Row("UI19", what, f"{longest:.1f} s", "≤ 2 s", longest <= MEASURING_S)


def prediction(found: list[dict[str, Any]]) -> Row:
    """The row of what was predicted and what the jobs took; unknown ones count as wrong.

    Args:
        found: of each first job "predicted" and "took", in seconds; None where unknown.
    """
    off = [
        each["predicted"] / each["took"] - 1
        for each in found
        if each["predicted"] is not None and each["took"]
    ]
    right = sum(abs(each) <= OFF for each in off)
    worst = f", worst {max(off, key=abs):+.0%}" if off else ""
    return Row(
        "UI18",
        "first prediction within 30 %",
        f"{right} of {len(found)}{worst}",
        "9 of 10",
        right >= RIGHT * len(found),
    )
