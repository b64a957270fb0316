"""`layerloom bench reliability`: the promises REL1 to REL7, as long as somebody has time for.

`--count 1000` is the night form. Every failure prints the seed that repeats it: give it to
`--seed` with `--count 1`.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Callable
from functools import partial

from app.benchmarks.reliability.crash import crash
from app.benchmarks.reliability.damage import damage
from app.benchmarks.reliability.engine_faults import engine_faults, isolation
from app.benchmarks.reliability.figure import Figure, timed
from app.benchmarks.reliability.saving import saving
from app.benchmarks.reliability.soak import soak
from app.benchmarks.reliability.undo import undo

# What a count of 1,000 means for each: kills, documents whose every fault point is tried, walks,
# documents, documents whose every step and end is tried, inputs per kind, commands.
PROMISES: dict[str, Callable[[int, int], Figure]] = {
    "rel1": crash,
    "rel2": lambda count, seed: saving(max(1, count // 50), seed),
    "rel3": undo,
    "rel4": lambda count, seed: isolation(max(1, count // 2), seed),
    "rel5": lambda count, seed: engine_faults(max(1, count // 50), seed),
    "rel6": lambda count, seed: damage(20 * count, seed),
    "rel7": lambda count, seed: soak(max(1000, 10 * count), seed),
}


def build_parser() -> argparse.ArgumentParser:
    """The command's arguments."""
    parser = argparse.ArgumentParser(
        prog="layerloom bench reliability",
        description="Tries to lose work: kills, failing disks, damaged files, long use.",
    )
    parser.add_argument("--count", type=int, default=30, help="how often; 1000 takes hours [30]")
    parser.add_argument("--seed", type=int, default=0, help="of the first run [0]")
    parser.add_argument(
        "--only",
        default=",".join(PROMISES),
        metavar="NAMES",
        help=f"some of {','.join(PROMISES)}",
    )
    return parser


def main(argv: list[str]) -> int:
    """Run the promises and print their figures; 1 when one is broken, 2 for bad arguments."""
    parser = build_parser()
    args = parser.parse_args(argv)
    if args.count < 1:
        parser.error("--count must be at least 1")
    names = [name for name in args.only.lower().split(",") if name]
    if unknown := [name for name in names if name not in PROMISES]:
        parser.error(f"there is no promise {unknown[0]!r}; choose from {','.join(PROMISES)}")
    logging.disable(logging.CRITICAL)  # thousands of refused files are no news here
    figures = []
    for name in names:
        figure = timed(partial(PROMISES[name], args.count, args.seed))
        print("\n".join(figure.lines()), flush=True)
        figures.append(figure)
    return 0 if all(figure.is_kept for figure in figures) else 1
