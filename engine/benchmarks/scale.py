"""Seconds and memory against canvas and layers, and the cost models that follow from them.

Steps follow a + b tokens + c tokens^2; jobs the editor's formula, start + passes x (a + b made + c
made x seen) + decoding, on whole pictures and edits of different lengths; each pass of planning,
through half the network, counts as half a pass. Errors are taken on cases that were left out of the
fit, one after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from engine.api import GenerateRequest
from engine.benchmarks.context import Context
from engine.benchmarks.fitting import errors_left_out, fit, percentile, powers
from engine.benchmarks.measure import Computed, Measured, alternate, peak_mb, summary
from engine.benchmarks.pictures import box_side, equal_boxes, finished_pixels, picture
from engine.benchmarks.report import Cell, Line, Plot, Section, Table, value_of
from engine.benchmarks.step import Step
from engine.models.art.backbone import art_of
from engine.pipeline import LayerPipeline

CANVASES, QUICK_CANVASES = (256, 512, 768, 1024, 2048), (256, 512)
LAYERS, QUICK_LAYERS = (1, 5, 10, 20, 50), (1, 5, 10)
JOB_STEPS, LARGEST_JOB_CANVAS = (2, 4, 8), 1024
WITHIN = 0.2  # predicted time within 20 % of the measured time
ERRORS = ["median error, %", "90th percentile, %", f"within ±{100 * WITHIN:.0f} %"]

TEXT = (
    "Steps: all branches of the default guidance once. Jobs: whole pictures, and one layer anew "
    "beside the finished others, of 2, 4 or 8 steps, planning and decoding included; *passes* are "
    "the steps and half of the passes of planning (a single layer has none of its own), *made* the "
    "tokens that are generated, *seen* "
    "those of the finished layers too, *drawn* what the decoder draws. The boxes grow with "
    "the canvas, so that they cover the same share of it; in jobs, as in the application, they "
    "have the tokens that the model gives them. "
    "The fits weigh relative errors alike and know no negative cost; every error is that of a case "
    "left out of the fit. All cases of a canvas are timed in turn."
)

Case = tuple[int, int]  # canvas side, layers


def bench(context: Context) -> Section:
    """Times, peaks and the fits."""
    multiple = context.generator.info.canvas_multiple
    canvases = QUICK_CANVASES if context.quick else CANVASES
    layers = context.layers(LAYERS, QUICK_LAYERS)
    _prepare(
        {}, context.generator, (multiple, 1)
    )  # what only the first step of a process allocates
    rows: list[list[Cell]] = []
    jobs: list[list[Cell]] = []
    for side in (side for side in canvases if side % multiple == 0):
        context.say(f"scale: canvas {side}")
        rows += _step_rows(context, side, layers)
        if side <= LARGEST_JOB_CANVAS:
            jobs += _job_rows(context, side, layers, first=len(jobs))
    tokens = _numbers(rows, 3)
    fits = [_fit_row("step, s", "a + b n + c n²", powers(tokens, 2), _numbers(rows, 4))]
    if all(isinstance(row[5], Measured) for row in rows):
        peaks = np.maximum(_numbers(rows, 5), 1e-3)
        fits.append(_fit_row("peak, MB", "a + b n", powers(tokens, 1), peaks))
    made, seen, passes, megapixels = (_numbers(jobs, column) for column in (3, 4, 6, 7))
    of_passes = [passes, passes * made / 1e3, passes * made * seen / 1e6]
    features = np.column_stack([*of_passes, megapixels, np.ones_like(passes)])
    formula = "passes (a + b made + c made · seen) + d drawn + e"
    fits.append(_fit_row("job, s", formula, features, _numbers(jobs, 8)))
    columns = ["canvas", "layers", "box", "tokens"]
    tables = [
        Table("A step", [*columns, "step, s", "peak above idle, MB"], rows, labels=2),
        Table("Jobs", ["canvas", "layers", "job", "made", "seen", "steps", "passes",
              "drawn, megapixels", "job, s"], jobs, labels=3),
        Table("Fitted (tokens in thousands)",
              ["of", "model", "a", "b", "c", "d", "e", *ERRORS], fits, labels=2),
    ]  # fmt: skip
    lines = [
        Line(f"canvas {side}", [(float(row[3]), row[4]) for row in rows if row[0] == side])  # type: ignore[arg-type]
        for side in dict.fromkeys(row[0] for row in rows)
    ]
    plot = Plot("scale-seconds", "One step against tokens", "text and image tokens of one branch",
                "seconds per step", lines)  # fmt: skip
    return Section("scale", "Scale", TEXT, tables, [plot])


def _numbers(rows: Sequence[Sequence[Cell]], column: int) -> np.ndarray:
    """(C,) a column as floats, whatever kind of cell it has."""
    cells = [row[column] for row in rows]
    return np.array([value_of(c) if isinstance(c, Measured) else float(c) for c in cells])  # type: ignore[arg-type]


def _prepare(steps: dict[Case, Step], generator: LayerPipeline, case: Case) -> None:
    """Make a step and run it once, which also warms it up."""
    side, layers = case
    boxes = equal_boxes(layers, canvas=(side, side))
    steps[case] = Step(generator, picture(boxes, canvas=(side, side)))
    steps[case]()


def _step_rows(context: Context, side: int, counts: Sequence[int]) -> list[list[Cell]]:
    steps: dict[Case, Step] = {}
    memory = {n: peak_mb(partial(_prepare, steps, context.generator, (side, n))) for n in counts}
    taken = alternate({str(n): steps[side, n] for n in counts}, context.runs)
    return [
        [side, n, f"{box_side(n, side)} px", steps[side, n].sequence, summary(taken[str(n)]),
         memory[n]]
        for n in counts
    ]  # fmt: skip


def _job_rows(context: Context, side: int, counts: Sequence[int], first: int) -> list[list[Cell]]:
    """Pictures and edits of them; `first` is the number of the first, so that lengths vary."""
    generator = context.generator
    rows: list[list[Cell]] = []
    works: dict[str, Callable[[], object]] = {}
    for n in counts:
        boxes = equal_boxes(n, canvas=(side, side))
        done = finished_pixels(generator, picture(boxes, canvas=(side, side)))
        for job, pixels in (("picture", {}), ("one layer", {i: done[i] for i in done if i != 1})):
            steps = JOB_STEPS[(first + len(rows)) % len(JOB_STEPS)]
            request = picture(boxes, pixels, canvas=(side, side), steps=steps)
            works[f"{n} {job}"] = partial(generator.run, request)
            made, seen = tokens_of(generator, request)
            targets = sum(layer.is_target for layer in request.layers)
            planning = min(targets, generator.info.planning_passes) if targets > 1 else 0
            passes = steps + planning / 2
            rows.append([side, n, job, made, seen, steps, f"{passes:g}",
                         f"{decoded_pixels(generator, request) / 1e6:.3f}"])  # fmt: skip
    alternate(works, 1)  # fills the cache: edits are timed warm
    taken = alternate(works, context.runs)
    return [[*row, summary(taken[f"{row[1]} {row[2]}"])] for row in rows]


def tokens_of(generator: LayerPipeline, request: GenerateRequest) -> tuple[int, int]:
    """Image tokens that a request makes, and all that they see."""
    regions = art_of(generator).regions(request)
    return sum(r.count for r in regions if r.request.is_target), sum(r.count for r in regions)


def decoded_pixels(generator: LayerPipeline, request: GenerateRequest) -> int:
    """Pixels that the decoder draws; the background's at its own, coarser scale."""
    targets = [region for region in art_of(generator).regions(request) if region.request.is_target]
    return sum(region.count for region in targets) * art_of(generator).token_px ** 2


def _fit_row(name: str, model: str, features: np.ndarray, values: np.ndarray) -> list[Cell]:
    coefficients: list[Cell] = [Computed(float(c)) for c in fit(features, values)]
    coefficients += ["–"] * (5 - len(coefficients))
    if len(values) < 2:
        return [name, model, *coefficients, "–", "–", "–"]
    errors = [100 * error for error in errors_left_out(features, values)]
    within = sum(error <= 100 * WITHIN for error in errors)
    return [name, model, *coefficients, f"{percentile(errors, 0.5):.1f}",
            f"{percentile(errors, 0.9):.1f}", f"{within} of {len(errors)}"]  # fmt: skip
