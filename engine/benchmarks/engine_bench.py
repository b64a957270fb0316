"""`layerloom bench engine`: what the region token cache saves, and what fifty boxes need.

Everything in one process on the shipped model; pictures and edits alternate; medians of `--runs`.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import statistics
import time
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np

from engine.api import Box, GenerateRequest, LayerRequest
from engine.generator import Generator

CANVAS = (512, 512)
PROMPT = "a red balloon, a dog and a castle under a blue sky"
BOX_PX = 160


def equal_boxes(count: int, side: int = BOX_PX) -> list[Box]:
    """`count` boxes of one size, spread over the canvas; they overlap where they must."""
    columns = int(np.ceil(np.sqrt(count)))
    rows = int(np.ceil(count / columns))

    def at(i: int, n: int, extent: int) -> int:
        return round(i * (extent - side) / max(1, n - 1) / 32) * 32

    corners = [(at(i % columns, columns, 512), at(i // columns, rows, 512)) for i in range(count)]
    return [(x, y, x + side, y + side) for x, y in corners]


def picture(boxes: list[Box], pixels: dict[int, np.ndarray], background: bool) -> GenerateRequest:
    """Background 0 and foregrounds 1.. of which those in `pixels` are finished."""
    entries = [(0, "background", (0, 0, *CANVAS))] if background else []
    entries += [(i + 1, "foreground", box) for i, box in enumerate(boxes)]
    layers = tuple(
        LayerRequest(layer_id=i, kind=kind, box=box, seed=i, pixels=pixels.get(i))  # type: ignore[arg-type]
        for i, kind, box in entries
    )
    return GenerateRequest(job_id=1, canvas=CANVAS, prompt=PROMPT, layers=layers, preview_every=0)


def seconds(work) -> float:  # type: ignore[no-untyped-def]
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def bench_edit(generator: Generator, layers: int, runs: int, background: bool) -> dict[str, float]:
    """Median seconds of the picture and of one layer anew: warm, cold, and without the cache."""
    boxes = equal_boxes(layers)
    whole = picture(boxes, {}, background)
    done = {r.layer_id: r.rgba for r in generator.run(whole).results}
    edit = picture(boxes, {i: rgba for i, rgba in done.items() if i != 2}, background)
    times: dict[str, list[float]] = {"picture": [], "cold": [], "warm": [], "uncached": []}
    for _ in range(runs):
        times["picture"].append(seconds(lambda: generator.run(whole)))
        generator.cache.clear()
        times["cold"].append(seconds(lambda: generator.run(edit)))
        times["warm"].append(seconds(lambda: generator.run(edit)))
        times["uncached"].append(seconds(lambda: generator.run(edit, use_cache=False)))
        generator.run(edit)
    return {name: statistics.median(values) for name, values in times.items()}


def main(argv: list[str]) -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="layerloom bench engine", description=__doc__)
    parser.add_argument("--weights", type=Path, default=None)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="six layers only, no fifty boxes")
    args = parser.parse_args(argv)
    generator = Generator.load(args.weights, device="cpu", threads=args.threads)
    steps = generator.info.default_steps
    print(f"{platform.machine()}, {args.threads} threads, {steps} steps, boxes of {BOX_PX} px, "
          f"medians of {args.runs}, model {generator.info.file_hash[:12]}\n")  # fmt: skip
    print("| layers | background | picture s | one layer, uncached s | cold s | warm s | "
          "picture / warm |")  # fmt: skip
    print("| --- | --- | --- | --- | --- | --- | --- |")
    counts = [(6, False), (6, True)] if args.quick else [(6, False), (6, True), (10, True)]
    for layers, background in counts:
        t = bench_edit(generator, layers, args.runs, background)
        print(f"| {layers} | {'yes' if background else 'no'} | {t['picture']:.2f} | "
              f"{t['uncached']:.2f} | {t['cold']:.2f} | {t['warm']:.2f} | "
              f"{t['picture'] / t['warm']:.1f} |", flush=True)  # fmt: skip
    if not args.quick:
        took = seconds(lambda: generator.run(picture(equal_boxes(50, 96), {}, True)))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        print(f"\n50 boxes of 96 px and a background: {took:.1f} s, peak {peak:.2f} GB of memory.")
    return 0


if __name__ == "__main__":
    import sys

    raise SystemExit(main(sys.argv[1:]))
