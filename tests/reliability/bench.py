"""`layerloom bench reliability`: the promises REL1 to REL7, short or for a night.

`--count 1000` is the night form. Every failure prints the seed that repeats it: give it to
`--seed` with `--count 1`. With `--log` a run that was cut short goes on where it was.
"""

from __future__ import annotations

import argparse
import importlib
import json
import logging
import signal
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from tests.reliability.damage import KINDS
from tests.reliability.figure import Figure, Part, in_process, run_parts, table

MODULE = "tests.reliability.bench"
LIMIT_S = 7200.0  # a part takes minutes; a machine with other work may take twenty times as long


@dataclass(frozen=True, slots=True)
class Promise:
    """What is run for one row of the table."""

    per_thousand: int  # runs that a count of 1,000 means; `least` runs are meant by any
    part: int  # so many runs are one process
    function: str  # "module.function" of this folder, which makes `count` runs from a seed on
    first: tuple[str, ...] = ()  # its first arguments; with `takes_model` the last is a model file
    least: int = 1
    takes_model: bool = False


_WHOLE = 10**9  # one process for all runs: what is measured grows with them

PROMISES: dict[str, Promise] = {
    "rel1": Promise(1000, 25, "crash.crash"),
    # Documents, of which every fault point is tried.
    "rel2": Promise(20, 2, "saving.saving"),
    "rel3": Promise(1000, 25, "random_edits.undo"),
    "rel4": Promise(500, 50, "jobs.isolation", takes_model=True),
    # Documents, each with every step and every end of a job.
    "rel5": Promise(20, 2, "in_window.window_faults"),
    **{f"rel6-{kind}": Promise(20_000, 2000, "damage.damage", first=(kind,)) for kind in KINDS},
    "rel7": Promise(10_000, _WHOLE, "in_window.window_soak", least=500),
}


def main(argv: list[str]) -> int:
    """Run the promises and print their figures; 1 when one is broken, 2 for bad arguments."""
    parser = argparse.ArgumentParser(
        prog="layerloom bench reliability",
        description="Tries to lose work: kills, failing disks, damaged files, long use.",
    )
    add = parser.add_argument
    add("--count", type=int, default=30, help="how often; 1000 is a night [30]")
    add("--seed", type=int, default=0, help="of the first run [0]")
    some = f"some of {', '.join(PROMISES)}; a beginning such as rel6 means all that begin so"
    add("--only", default="", metavar="NAMES", help=some)
    add("--jobs", type=int, default=1, help="processes at once [1]")
    kept = "keep each part's result in this file, and do not run again what is kept there"
    add("--log", type=Path, metavar="FILE", help=kept)
    add("--model", type=Path, metavar="FILE", help="for rel4 [the shipped one]")
    args = parser.parse_args(argv)
    if args.count < 1 or args.jobs < 1:
        parser.error("--count and --jobs must be at least 1")
    names = _chosen(parser, args.only)
    parts = [each for name in names for each in _parts(name, args.count, args.seed)]
    left = {name: sum(1 for each in parts if each.name == name) for name in names}
    figures: dict[str, Figure] = {}

    def run(part: Part) -> Figure:
        command = [sys.executable, "-P", "-m", MODULE, part.name, str(part.seed), str(part.count)]
        return in_process([*command, *([str(args.model)] if args.model else [])], part, LIMIT_S)

    former = signal.signal(signal.SIGTERM, _end)
    try:
        for part, figure in run_parts(parts, run, jobs=args.jobs, log=args.log):
            known = figures.setdefault(part.name, Figure(figure.promise, figure.unit))
            known.add(figure)
            left[part.name] -= 1
            if not left[part.name]:
                print("\n".join(known.lines()), flush=True)
    finally:
        signal.signal(signal.SIGTERM, former)
    found = [figures[name] for name in names]
    print("\n" + table(found))
    return 0 if all(figure.is_kept for figure in found) else 1


def _end(*_: object) -> None:
    """End this process, and with it the parts that run."""
    for child in psutil.Process().children(recursive=True):
        child.kill()
    sys.exit(128 + signal.SIGTERM)


def _chosen(parser: argparse.ArgumentParser, text: str) -> list[str]:
    asked = [name for name in text.lower().split(",") if name]
    chosen: set[str] = set()
    for name in asked:
        found = [key for key in PROMISES if key == name or key.split("-")[0] == name]
        if not found:
            parser.error(f"there is no promise {name!r}; choose from {', '.join(PROMISES)}")
        chosen.update(found)
    return [key for key in PROMISES if key in chosen or not asked]


def _parts(name: str, count: int, seed: int) -> Iterator[Part]:
    promise = PROMISES[name]
    runs = max(promise.least, promise.per_thousand * count // 1000)
    for first in range(0, runs, promise.part):
        yield Part(name, seed + first, min(promise.part, runs - first))


def run_part(name: str, seed: str, count: str, *model: str) -> None:
    """One part, in its own process; a line of JSON."""
    logging.disable(logging.CRITICAL)  # thousands of refused files are no news here
    promise = PROMISES[name]
    module, _, function = promise.function.partition(".")
    # Imported now: a part needs its own modules only, and starts sooner without torch and Qt.
    run = getattr(importlib.import_module(f"tests.reliability.{module}"), function)
    more = {"weights": Path(*model)} if promise.takes_model and model else {}
    print(json.dumps(asdict(run(*promise.first, int(count), int(seed), **more))), flush=True)


if __name__ == "__main__":
    run_part(*sys.argv[1:])
