"""Region crop against attention over uncropped layers, on the model that is loaded.

Two ways through the very same blocks, with full attention: tokens inside the boxes only, and every
layer over the whole canvas. The background is the same in both.
"""

from __future__ import annotations

from functools import partial

from engine.benchmarks import harness, measure
from engine.benchmarks.harness import Context, Step
from engine.benchmarks.measure import Computed
from engine.benchmarks.report import Cell, Plot, Section, Table
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
    request = harness.picture(harness.equal_boxes(layers))
    return Step(generator, request if way == "crop" else harness.uncropped(request))


def bench(context: Context) -> Section:
    """Seconds and memory per step for 1 to 50 layers."""
    generator, default_steps = context.generator, context.generator.info.default_steps
    config = art_of(generator).model.art.config
    times: list[list[Cell]] = []
    pictures: list[list[Cell]] = []
    peaks: list[list[Cell]] = []
    make_step(generator, 1, "crop")()  # what only the first step of a process allocates
    for layers in context.layers(LAYERS, QUICK_LAYERS):
        context.say(f"crop: {layers} layers")
        steps: dict[str, Step] = {}

        def prepare(way: str, layers: int = layers, steps: dict[str, Step] = steps) -> None:
            steps[way] = make_step(generator, layers, way)
            steps[way]()  # which also warms it up

        case: list[Cell] = [layers, f"{harness.box_side(layers)} px"]
        peaks.append([*case, *(measure.peak_mb(partial(prepare, way)) for way in WAYS)])
        taken = measure.alternate(steps, context.runs)
        cropped, full = steps["crop"].sequence, steps["full"].sequence
        operations = [
            measure.block_flops(n, config.width, config.mlp_ratio) for n in (full, cropped)
        ]
        times.append([
            *case, cropped, full, *(measure.summary(taken[way]) for way in WAYS),
            measure.ratios(taken["full"], taken["crop"]), Computed(operations[0] / operations[1]),
        ])  # fmt: skip
        if not context.quick:
            job = partial(generator.run, harness.picture(harness.equal_boxes(layers)))
            whole = measure.summary([measure.seconds(job) for _ in range(context.runs)])
            more = measure.summary(taken["full"]).median - measure.summary(taken["crop"]).median
            other = whole.median + default_steps * more
            pictures.append([*case, whole, Computed(other), Computed(other / whole.median)])
    names, (width, height) = list(WAYS.values()), harness.CANVAS
    time_columns = ["layers", "box", "tokens, crop", "tokens, uncropped"]
    time_columns += [*(f"{n}, s" for n in names), "full / crop", "full / crop by operations"]
    peak_columns = ["layers", "box", *(f"{n}, MB" for n in names)]
    tables = [
        Table(f"Seconds per step, canvas {width} x {height}", time_columns, times),
        Table("Peak memory of a step above the idle process", peak_columns, peaks),
    ]
    if pictures:
        title = f"Whole pictures of {default_steps} steps, assignment and decoding included"
        columns = ["layers", "box", *(f"{n}, s" for n in names), "full / crop"]
        tables.append(Table(title, columns, pictures))
    shown = {name: 4 + i for i, name in enumerate(names)}
    held = {name: 2 + i for i, name in enumerate(names)}
    title = "One step: region crop against uncropped layers"
    plots = [
        Plot("crop-seconds", title, "seconds per step", times, shown),
        Plot("crop-memory", "Peak memory of one step", "MB above idle", peaks, held),
    ]
    return Section("crop", "Region crop", TEXT, tables, plots)
