"""`layerloom bench ui`: prints every budget of the window next to what was measured.

No network and no display: Qt paints offscreen unless the environment says otherwise. Times say
something only on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import NoReturn

from app.benchmarks.ui.rows import Row, as_text, child

QUICK, FULL = 60, 200
PROMPT = "draw me a happy robot and three red balloons next to a castle on green hills, flat style"


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="layerloom bench ui", description=__doc__)
    parser.add_argument("--only", metavar="ID", nargs="*", help="such as UI1 UI6 ME3")
    parser.add_argument("--quick", action="store_true", help="fewer repeats")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the rows here")
    parser.add_argument(
        "--cpu", action="store_true", help="processor time instead of the clock, on a busy machine"
    )
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    if options.child:
        run_child(options.child)
    if options.cpu:
        from app.benchmarks.window import Watch  # needs Qt, and the platform is chosen now

        Watch.now, Watch.now_of_all = time.thread_time, time.process_time
    rows = list(measure(options.only or [], QUICK if options.quick else FULL))
    cores = os.cpu_count()
    head = f"{platform.machine()}, {cores} cores, Python {platform.python_version()}, offscreen"
    print(as_text(rows, head))
    if options.json is not None:
        options.json.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")
    return 0


def measure(only: Sequence[str], moves: int) -> Iterable[Row]:
    # Imported here: they need Qt, and the platform must be chosen before.
    from app.benchmarks.ui import idle, interaction, process, starting
    from app.benchmarks.window import filled

    repeats = max(8, moves // 10)
    starts = 3 if moves >= FULL else 1
    jobs = 10 if moves >= FULL else 3
    parts: list[tuple[tuple[str, ...], Callable[[], Iterable[Row]]]] = [
        (("UI1", "UI2"), lambda: interaction.dragging(moves)),
        (("UI3",), lambda: [Row(**child("scaled", QT_SCALE_FACTOR="2"))]),
        (("UI4", "UI5"), lambda: interaction.drawing(moves)),
        (("UI6", "UI9", "UI10"), lambda: interaction.changing(repeats)),
        (("UI7",), lambda: [interaction.typing(3.0)]),
        (("UI8", "UI11", "UI12"), lambda: interaction.lists(repeats)),
        (("UI13", "UI15", "ME3"), process.starting),
        (("UI14", "UI17"), lambda: starting.ready(starts)),
        (("UI18", "UI19"), lambda: starting.first_jobs(jobs)),
        (("UI16",), idle.idle),
        (("UI20",), lambda: [interaction.checking(PROMPT)]),
        (("ME1", "ME2"), lambda: process.steps(filled(50, mixed=True))),
        (("ME4",), lambda: [Row(**child("pictures"))]),
    ]
    for ids, part in parts:
        if not only or set(ids) & set(only):
            for row in part():
                if not only or row.id in only:
                    print(f"{row.id}: {row.found}", file=sys.stderr, flush=True)
                    yield row


def run_child(part: str) -> NoReturn:
    """One measurement in this fresh process; a line of JSON."""
    from app.benchmarks.ui import process

    born = float(os.environ.get("LAYERLOOM_BENCH_T0", time.time()))
    print(json.dumps(process.PARTS[part](born)), flush=True)
    # torch aborts a process that ends amid an operation.
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
