"""`layerloom bench engine`: what region crop and region cache are worth, measured side by side.

Everything on one model in one process; what is compared is timed in turn; medians of `--runs` with
the smallest and the largest value. Writes markdown, CSV and plots into a folder.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from engine.benchmarks import cache, crop, edit, start
from engine.benchmarks.harness import Context
from engine.benchmarks.report import Section, can_plot, describe, draw
from engine.pipeline import LayerPipeline
from engine.training.eval.report import around_markers, update_page

BENCHES: dict[str, Callable[[Context], Section]] = {
    "edit": edit.bench,
    "crop": crop.bench,
    "cache": cache.bench,
    "start": start.bench,
}


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="layerloom bench engine", description=__doc__)
    add = parser.add_argument
    add("--weights", type=Path, default=None, help="model file (the shipped one)")
    add("--threads", type=int, default=os.cpu_count())
    add("--runs", type=int, default=5, help="rounds of everything (5)")
    add("--quick", action="store_true", help="few and small cases, under 3 minutes")
    add("--only", default=",".join(BENCHES), metavar="NAMES", help=f"some of {','.join(BENCHES)}")
    add("--most-layers", type=int, default=50, help="skip what has more layers")
    add("--out", type=Path, default=Path("out/bench"), help="folder (out/bench)")
    add("--page", type=Path, help="also write tables and plots into docs/benchmarks.md")
    args = parser.parse_args(argv)
    names = [name for name in args.only.split(",") if name]
    if unknown := [name for name in names if name not in BENCHES]:
        parser.error(f"there is no bench {unknown[0]!r}; choose from {','.join(BENCHES)}")
    if args.runs < 1:
        parser.error("--runs must be at least 1")
    for name in names if args.page is not None else ():
        try:  # before minutes of work, not after them
            around_markers(args.page, f"bench:{name}")
        except (OSError, ValueError) as error:
            parser.error(f"--page: {error}")
    generator = LayerPipeline.load(args.weights, device="cpu", threads=args.threads)
    context = Context(
        generator=generator, runs=args.runs, quick=args.quick, most_layers=args.most_layers,
        weights=args.weights,
    )  # fmt: skip
    has_plots = can_plot()
    if not has_plots:
        print("matplotlib is not installed, so the plots are skipped: pip install layerloom[bench]",
              file=sys.stderr)  # fmt: skip
    args.out.mkdir(parents=True, exist_ok=True)
    texts = []
    for name in names:
        measured_on = describe(generator, command_line(args, name))
        section = BENCHES[name](context)
        texts.append(write(section, measured_on, args.out, args.page, has_plots))
        print(texts[-1], flush=True)
    (args.out / "report.md").write_text("\n".join(texts), encoding="utf-8")
    return 0


def command_line(args: argparse.Namespace, name: str) -> str:
    """The command that repeats one bench: what changes numbers, and no paths."""
    parts = ["layerloom bench engine", "--only", name, "--runs", str(args.runs)]
    parts += ["--threads", str(args.threads)]
    if args.quick:
        parts.append("--quick")
    if args.most_layers != 50:
        parts += ["--most-layers", str(args.most_layers)]
    return " ".join(parts)


def write(section: Section, measured_on: str, out: Path, page: Path | None, has_plots: bool) -> str:
    """One bench into its files and, where asked, into the page; returns its markdown."""
    (out / f"{section.name}.csv").write_text(section.csv(), encoding="utf-8")
    drawn = [path for plot in section.plots if has_plots for path in draw(plot, out)]
    if page is not None:
        folder_of_plots = page.parent / page.stem  # docs/benchmarks.md -> docs/benchmarks/
        for path in drawn:
            folder_of_plots.mkdir(exist_ok=True)
            shutil.copyfile(path, folder_of_plots / path.name)
        folder = folder_of_plots.name if has_plots else None
        update_page(page, f"bench:{section.name}", section.markdown(measured_on, folder))
    return section.markdown(measured_on, "" if has_plots else None)
