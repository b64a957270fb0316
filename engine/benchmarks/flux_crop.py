"""Region crop at the size of the paper's network: one double and one single block of FLUX.

Our blocks at FLUX.1's width with random weights, on ART's own sequence (512 text tokens, the merged
image, the background and the layers, 16 px per token). Runs while memory and the time budget last;
what does not fit is computed from the number of operations, and marked so.

Shapes: T text tokens, N image tokens, D width.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial

import torch
from torch import nn

from engine.benchmarks.context import Context
from engine.benchmarks.flops import block_flops
from engine.benchmarks.measure import (
    Computed,
    Measured,
    Missing,
    alternate,
    ratios,
    seconds,
    summary,
)
from engine.benchmarks.pictures import box_side, equal_boxes
from engine.benchmarks.report import Cell, Line, Plot, Section, Table
from engine.device import free_bytes
from engine.models.art.attention import Packing, rotations
from engine.models.art.model import DoubleBlock, Modulation, SingleBlock
from engine.models.art.positions import region_ids

LAYERS, QUICK_LAYERS = (10, 1, 5, 20, 50), (10, 1, 50)  # in the order of their worth
WAYS = ("crop", "uncropped")

TEXT = (
    "One double-stream and one single-stream block, one pass, in float32. The sequence is ART's: "
    "{} text tokens, merged image and background over the whole canvas, and the layers in their "
    "boxes or over the whole canvas. *Runs* is how many rounds fitted into the time budget; ten "
    "layers, about the paper's mean, are measured first. Times marked *computed* are operations "
    "divided by the rate that the last measured case reached, or before any by that of one small "
    "product; ratios marked so contain such a time. A FLUX.1 step has 19 double and 38 single "
    "blocks, and guidance takes two passes."
)


@dataclass(frozen=True, slots=True)
class Size:
    """Dimensions of the network and of its sequence; the defaults are FLUX.1's and ART's."""

    width: int = 3072
    heads: int = 24
    axes_dim: tuple[int, int, int] = (16, 56, 56)
    theta: float = 10000.0
    text: int = 512
    canvas: int = 512
    token_px: int = 16

    @property
    def canvas_tokens(self) -> int:
        return (self.canvas // self.token_px) ** 2

    def boxes(self, layers: int, way: str) -> list[tuple[int, int, int, int]]:
        """Merged image, background, layers."""
        full = (0, 0, self.canvas, self.canvas)
        if way == "uncropped":
            return [full] * (layers + 2)
        return [full, full, *equal_boxes(layers, canvas=(self.canvas, self.canvas))]

    def image_tokens(self, layers: int, way: str) -> int:
        """N."""
        boxes = self.boxes(layers, way)
        return sum((x1 - x0) * (y1 - y0) for x0, y0, x1, y1 in boxes) // self.token_px**2

    def bytes_needed(self, image: int) -> int:
        """Rough peak of a pass in float32: the single block's projections are the widest."""
        return (self.text + image) * self.width * 4 * 20


class Blocks:
    """The two blocks with random weights."""

    @torch.no_grad()
    def __init__(self, size: Size) -> None:
        self.size = size
        with torch.device("meta"):
            double = DoubleBlock(size.width, size.heads, 4)
            single = SingleBlock(size.width, size.heads, 4)
        self.double: nn.Module = double.to_empty(device="cpu").eval()
        self.single: nn.Module = single.to_empty(device="cpu").eval()
        for parameter in (*self.double.parameters(), *self.single.parameters()):
            parameter.uniform_(-0.02, 0.02)
        self._mod = Modulation(torch.rand(1, 3 * size.width) * 0.1, None)

    @torch.no_grad()
    def work(self, layers: int, way: str) -> Callable[[], None]:
        """Both blocks once, on random tokens laid out as `way` says."""
        size = self.size
        image = size.image_tokens(layers, way)
        boxes = enumerate(size.boxes(layers, way))
        ids = torch.cat([region_ids(i, box, size.token_px) for i, box in boxes])
        ids = torch.cat([ids.new_zeros(size.text, 3), ids])[None]
        pe = rotations(ids, size.axes_dim, size.theta).unsqueeze(-3)
        packing = Packing((size.text,), (image,))
        txt, img = torch.randn(1, size.text, size.width), torch.randn(1, image, size.width)
        mods = [self._mod, self._mod]

        @torch.no_grad()
        def run() -> None:
            img_out, txt_out = self.double(img, txt, (mods, mods), pe, packing, None)
            x = packing.interleave(txt_out, img_out, 1)
            del img_out, txt_out
            self.single(x, self._mod, pe, packing, None)

        return run


class Budget:
    """Decides what still fits, from the rate of operations reached so far."""

    def __init__(self, limit_s: float, rate: float) -> None:
        self.left_s, self.rate = limit_s, rate

    def runs(self, flops: float, wanted: int) -> int:
        """How many rounds of `flops` operations fit, at most `wanted`, after one to warm up."""
        fits = int(self.left_s * self.rate / flops) - 1
        return max(0, min(wanted, fits))


def bench(context: Context, size: Size | None = None) -> Section:
    """Seconds of both blocks for 1 to 50 layers, measured or computed."""
    size = size or Size()
    blocks = cache(partial(Blocks, size))  # gigabytes, so only where something fits
    # A first guess of the rate, from a case that costs next to nothing.
    probe = torch.rand(512, size.width)
    linear = partial(nn.functional.linear, probe, torch.rand(size.width, size.width))
    linear()
    budget = Budget(context.budget_s, 2 * 512 * size.width**2 / seconds(linear) * 0.7)
    rows: list[list[Cell]] = []
    for layers in context.layers(LAYERS, QUICK_LAYERS):
        context.say(f"flux: {layers} layers, {budget.left_s:.0f} s left")
        image = {way: size.image_tokens(layers, way) for way in WAYS}
        flops = {way: 2.0 * block_flops(size.text + n, size.width) for way, n in image.items()}
        taken = _measure(size, blocks, layers, image, flops, budget, context.runs)
        cells = _cells(taken, flops, budget)
        rows.append([
            layers, f"{box_side(layers, size.canvas)} px", *(size.text + n for n in image.values()),
            *cells, len(taken.get("crop", ())),
            Computed(flops["uncropped"] / flops["crop"]), Computed(flops["uncropped"] / 1e12),
        ])  # fmt: skip
    rows.sort(key=lambda row: int(str(row[0])))
    table = Table(
        f"One double and one single block, width {size.width}, {size.heads} heads, "
        f"canvas {size.canvas} px",
        ["layers", "box", "tokens, crop", "tokens, uncropped", "region crop, s", "uncropped, s",
         "uncropped / crop", "runs", "ratio by operations", "uncropped, 10^12 operations"],
        rows,
    )  # fmt: skip
    lines = [
        Line(name, [(float(row[0]), row[column]) for row in rows])  # type: ignore[arg-type]
        for name, column in (("region crop", 4), ("uncropped, full", 5))
    ]
    plot = Plot("flux-seconds", "Two blocks at FLUX width (hollow: computed)", "layers",
                "seconds", lines)  # fmt: skip
    title = "Region crop at FLUX width"
    return Section("flux", title, TEXT.format(size.text), [table], [plot])


def _measure(
    size: Size,
    blocks: Callable[[], Blocks],
    layers: int,
    image: dict[str, int],
    flops: dict[str, float],
    budget: Budget,
    wanted: int,
) -> dict[str, list[float]]:
    """Both ways in turn where both fit; the crop alone where it does; or nothing."""
    memory = free_bytes(torch.device("cpu")) * 0.8
    for ways in (WAYS, WAYS[:1]):
        runs = budget.runs(sum(flops[way] for way in ways), wanted)
        if runs == 0 or max(size.bytes_needed(image[way]) for way in ways) > memory:
            continue
        works = {way: blocks().work(layers, way) for way in ways}
        warm_s = sum(seconds(work) for work in works.values())
        taken = alternate(works, runs)
        spent = sum(sum(values) for values in taken.values())
        budget.left_s -= spent + warm_s
        budget.rate = sum(flops[way] for way in ways) * runs / spent
        return taken
    return {}


def _cells(taken: dict[str, list[float]], flops: dict[str, float], budget: Budget) -> list[Cell]:
    """Seconds with the crop, without it, and their ratio."""
    times: list[Measured | Computed] = [
        summary(taken[way]) if way in taken else Computed(flops[way] / budget.rate) for way in WAYS
    ]
    if len(taken) == len(WAYS):
        return [*times, ratios(taken["uncropped"], taken["crop"])]
    values = [cell.median if isinstance(cell, Measured) else cell.value for cell in times]
    ratio: Cell = Computed(values[1] / values[0]) if values[0] else Missing("no rate")
    return [*times, ratio]
