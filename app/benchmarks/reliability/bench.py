"""`layerloom bench reliability`: the promises REL1 to REL7, as long as somebody has time for.

`--count 1000` is the night form. Every failure prints the seed that repeats it: give it to
`--seed` with `--count 1`. With `--log` a run that was cut short goes on where it was.
"""

from __future__ import annotations

import argparse
import logging
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from app.benchmarks.reliability.figure import Figure, table
from app.benchmarks.reliability.inputs import KINDS
from app.benchmarks.reliability.parts import Part, run_parts


@dataclass(frozen=True, slots=True)
class Promise:
    """What is run for one row of the table.

    Attributes:
        per_thousand: runs that a count of 1,000 means.
        least: runs that any count means.
        part: so many runs are one process.
        run: makes `count` runs from a seed on.
    """

    per_thousand: int
    part: int
    run: Callable[[int, int, Path | None], Figure]
    least: int = 1

    def runs(self, count: int) -> int:
        """How many runs a count means."""
        return max(self.least, self.per_thousand * count // 1000)


# Imported when run: a part needs its own modules only, and forks sooner without torch and Qt.


def _crash(count: int, seed: int, weights: Path | None) -> Figure:
    from app.benchmarks.reliability.crash import crash

    return crash(count, seed)


def _saving(count: int, seed: int, weights: Path | None) -> Figure:
    from app.benchmarks.reliability.saving import saving

    return saving(count, seed)


def _undo(count: int, seed: int, weights: Path | None) -> Figure:
    from app.benchmarks.reliability.undo import undo

    return undo(count, seed)


def _isolation(count: int, seed: int, weights: Path | None) -> Figure:
    from app.benchmarks.reliability.isolation import isolation

    return isolation(count, seed)


def _isolation_real(count: int, seed: int, weights: Path | None) -> Figure:
    from app.benchmarks.reliability.isolation import isolation_real

    return isolation_real(count, seed, weights)


def _engine_faults(count: int, seed: int, weights: Path | None) -> Figure:
    from app.benchmarks.reliability.engine_faults import engine_faults

    return engine_faults(count, seed)


def _window_faults(count: int, seed: int, weights: Path | None) -> Figure:
    from app.benchmarks.reliability.window_faults import window_faults

    return window_faults(count, seed)


def _damage(kind: str, count: int, seed: int, weights: Path | None) -> Figure:
    from app.benchmarks.reliability.damage import damage

    return damage(kind, count, seed)


def _soak(count: int, seed: int, weights: Path | None) -> Figure:
    from app.benchmarks.reliability.soak import soak

    return soak(count, seed)


def _window_soak(count: int, seed: int, weights: Path | None) -> Figure:
    from app.benchmarks.reliability.window_soak import window_soak

    return window_soak(count, seed)


_WHOLE = 10**9  # one process for all runs: what is measured grows with them

PROMISES: dict[str, Promise] = {
    "rel1": Promise(1000, 25, _crash),
    "rel2": Promise(20, 2, _saving),  # documents, of which every fault point is tried
    "rel3": Promise(1000, 25, _undo),
    "rel4": Promise(500, 50, _isolation),
    "rel4-real": Promise(500, 50, _isolation_real),
    "rel5": Promise(20, 5, _engine_faults),  # documents, each with every step and every end
    "rel5-window": Promise(20, 2, _window_faults),
    **{f"rel6-{kind}": Promise(20_000, 2000, partial(_damage, kind)) for kind in KINDS},
    "rel7": Promise(10_000, _WHOLE, _soak, least=1000),
    "rel7-window": Promise(10_000, _WHOLE, _window_soak, least=500),
}


def build_parser() -> argparse.ArgumentParser:
    """The command's arguments."""
    parser = argparse.ArgumentParser(
        prog="layerloom bench reliability",
        description="Tries to lose work: kills, failing disks, damaged files, long use.",
    )
    parser.add_argument("--count", type=int, default=30, help="how often; 1000 is a night [30]")
    parser.add_argument("--seed", type=int, default=0, help="of the first run [0]")
    parser.add_argument(
        "--only",
        default="",
        metavar="NAMES",
        help=f"some of {', '.join(PROMISES)}; a beginning such as rel6 means all that begin so",
    )
    parser.add_argument("--jobs", type=int, default=1, help="processes at once [1]")
    parser.add_argument(
        "--log",
        type=Path,
        metavar="FILE",
        help="keep each part's result in this file, and do not run again what is kept there",
    )
    parser.add_argument(
        "--model", type=Path, metavar="FILE", help="for rel4-real [the shipped one]"
    )
    return parser


def main(argv: list[str]) -> int:
    """Run the promises and print their figures; 1 when one is broken, 2 for bad arguments."""
    parser = build_parser()
    args = parser.parse_args(argv)
    if args.count < 1 or args.jobs < 1:
        parser.error("--count and --jobs must be at least 1")
    names = _chosen(parser, args.only)
    logging.disable(logging.CRITICAL)  # thousands of refused files are no news here
    parts = [each for name in names for each in _parts(name, args.count, args.seed)]
    left = {name: sum(1 for each in parts if each.name == name) for name in names}
    figures: dict[str, Figure] = {}
    run = partial(_run, args.model)
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
    """Told to end: the parts that run are ended too."""
    sys.exit(128 + signal.SIGTERM)


def _chosen(parser: argparse.ArgumentParser, text: str) -> list[str]:
    """Names of promises in their usual order."""
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
    runs = promise.runs(count)
    for first in range(0, runs, promise.part):
        yield Part(name, seed + first, min(promise.part, runs - first))


def _run(weights: Path | None, part: Part) -> Figure:
    return PROMISES[part.name].run(part.count, part.seed, weights)
