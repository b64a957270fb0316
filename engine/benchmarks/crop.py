"""Region crop against attention over uncropped layers, on the model that is loaded.

Two ways through the very same blocks, with full attention: tokens inside the boxes only, and every
layer over the whole canvas. The background is the same in both.
"""

from __future__ import annotations

from functools import partial

from engine.benchmarks.harness import (
    CANVAS,
    Context,
    Step,
    box_side,
    equal_boxes,
    picture,
    uncropped,
)
from engine.benchmarks.measure import (
    Computed,
    alternate,
    block_flops,
    peak_mb,
    ratios,
    seconds,
    summary,
)
from engine.benchmarks.report import Cell, Line, Plot, Section, Table
from engine.models.art.backbone import art_of
from engine.pipeline import LayerPipeline

WAYS = {"crop": "region crop", "full": "uncropped, full"}
LAYERS, QUICK_LAYERS = (1, 2, 5, 10, 20, 50), (1, 2, 5, 10)

TEXT = (
    "One sampling step at the default guidance (at 1 there is one branch, else two). "
    "*Region crop* is what the engine does. "
    "*Uncropped, full* gives every layer the whole canvas and lets every token read every token. "
    "Same weights, same background (its tokens are coarser in both), no assignment, no decoding. "
    "Memory is the peak above the idle process, taken once. The uncropped whole picture is "
    "computed: the cropped one, plus for each step what an uncropped step took longer; the "
    "larger decoding is left out in its favour."
)


def make_step(generator: LayerPipeline, layers: int, way: str) -> Step:
    """A step of a picture with a background and `layers` equal boxes, one of `WAYS`."""
    request = picture(equal_boxes(layers))
    return Step(generator, request if way == "crop" else uncropped(request))


def _prepare(steps: dict[str, Step], generator: LayerPipeline, layers: int, way: str) -> None:
    """Make a step and run it once, which also warms it up."""
    steps[way] = make_step(generator, layers, way)
    steps[way]()


def bench(context: Context) -> Section:
    """Seconds and memory per step for 1 to 50 layers."""
    time_rows: list[list[Cell]] = []
    picture_rows: list[list[Cell]] = []
    memory_rows: list[list[Cell]] = []
    make_step(context.generator, 1, "crop")()  # what only the first step of a process allocates
    for layers in context.layers(LAYERS, QUICK_LAYERS):
        context.say(f"crop: {layers} layers")
        steps: dict[str, Step] = {}
        memory: dict[str, Cell] = {}
        for way in WAYS:
            memory[way] = peak_mb(partial(_prepare, steps, context.generator, layers, way))
        taken = alternate(steps, context.runs)
        side = box_side(layers)
        cropped, full = steps["crop"].sequence, steps["full"].sequence
        time_rows.append([
            layers, f"{side} px", cropped, full, *(summary(taken[way]) for way in WAYS),
            ratios(taken["full"], taken["crop"]),
            Computed(expected_ratio(context.generator, cropped, full)),
        ])  # fmt: skip
        if not context.quick:
            picture_rows.append([layers, f"{side} px", *_whole(context, layers, taken)])
        memory_rows.append([layers, f"{side} px", *memory.values()])
    names = list(WAYS.values())
    timing = Table(
        f"Seconds per step, canvas {CANVAS[0]} x {CANVAS[1]}",
        ["layers", "box", "tokens, crop", "tokens, uncropped", *(f"{n}, s" for n in names),
         "full / crop", "full / crop by operations"],
        time_rows,
    )  # fmt: skip
    peaks = Table("Peak memory of a step above the idle process",
                  ["layers", "box", *(f"{n}, MB" for n in names)], memory_rows)  # fmt: skip
    tables = [timing, peaks]
    if picture_rows:
        steps_text = f"{context.generator.info.default_steps} steps"
        tables.append(Table(f"Whole pictures of {steps_text}, assignment and decoding included", [
            "layers", "box", "region crop, s", "uncropped, full, s", "full / crop"],
            picture_rows))  # fmt: skip
    plots = [
        Plot("crop-seconds", "One step: region crop against uncropped layers", "layers",
             "seconds per step", _lines(time_rows, 4)),
        Plot("crop-memory", "Peak memory of one step", "layers", "MB above idle",
             _lines(memory_rows, 2)),
    ]  # fmt: skip
    return Section("crop", "Region crop", TEXT, tables, plots)


def _whole(context: Context, layers: int, taken: dict[str, list[float]]) -> list[Cell]:
    """Seconds of the picture, measured; of the uncropped one, computed; their ratio.

    The uncropped picture has the decoding and assignment of the cropped one, which favours it.
    """
    job = partial(context.generator.run, picture(equal_boxes(layers)))
    cropped = summary([seconds(job) for _ in range(context.runs)])
    more = summary(taken["full"]).median - summary(taken["crop"]).median
    full = cropped.median + context.generator.info.default_steps * more
    return [cropped, Computed(full), Computed(full / cropped.median)]


def expected_ratio(generator: LayerPipeline, cropped: int, full: int) -> float:
    """Operations of a step over `full` tokens against `cropped` ones."""
    width, ratio = (
        art_of(generator).model.art.config.width,
        art_of(generator).model.art.config.mlp_ratio,
    )
    return block_flops(full, width, ratio) / block_flops(cropped, width, ratio)


def _lines(rows: list[list[Cell]], first: int) -> list[Line]:
    return [
        Line(name, [(float(row[0]), row[first + i]) for row in rows])  # type: ignore[arg-type]
        for i, name in enumerate(WAYS.values())
    ]
