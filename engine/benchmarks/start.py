"""From the start of a process to the engine, to the first preview and to the first picture.

Each run is a process of its own; the first one of a session reads the model from the disk, later
ones find it in the system's cache.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence

from engine.benchmarks.harness import Context
from engine.benchmarks.measure import Missing, summary
from engine.benchmarks.report import ROOT, Cell, Section, Table

EVENTS = ("interpreter and the engine's face", "engine ready", "first preview", "first picture")
QUICK_RUNS = 3
LIMIT_S = 300

TEXT = (
    "Seconds since the process was started, each run in a process of its own, files warm in the "
    "system's cache. The picture has three boxes and a background; the engine runs on its "
    "thread, with previews, as in the window."
)


def bench(context: Context) -> Section:
    runs = min(context.runs, QUICK_RUNS) if context.quick else context.runs
    weights = str(context.weights.resolve()) if context.weights else "-"
    engine = ["engine.benchmarks.start_probe", weights, str(context.generator.info.threads)]
    rows = _rows(context, engine, runs)
    table = Table(f"From the start of the process, {runs} processes", ["until", "seconds"], rows)
    return Section("start", "Start", TEXT, [table])


def _rows(context: Context, command: Sequence[str], runs: int) -> list[list[Cell]]:
    stamps: dict[str, list[float]] = {event: [] for event in EVENTS}
    for run in range(runs):
        context.say(f"start: {run + 1} of {runs}")
        try:
            found = events_of(command)
        except RuntimeError as error:
            context.say(str(error))
            return [[event, Missing("the process failed")] for event in EVENTS]
        for event in EVENTS:
            stamps[event].append(found[event])
    return [[event, summary(values)] for event, values in stamps.items()]


def events_of(command: Sequence[str]) -> dict[str, float]:
    """Run a module in a fresh process; seconds since its start by the event's name."""
    start = time.time()
    command = [sys.executable, "-P", "-m", *command]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LIMIT_S)
    if done.returncode != 0:
        raise RuntimeError(f"{command[3]} ended with {done.returncode}: {done.stderr[-500:]}")
    events = {}
    for line in done.stdout.splitlines():
        stamp, _, name = line.partition(" ")
        events[name] = float(stamp) - start
    return events
