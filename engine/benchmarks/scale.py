"""Seconds and memory against canvas and layers, and the cost model that follows from them.

The model is the editor's: seconds of a step = a + b tokens + c tokens^2. Its error is taken on
cases that were left out of the fit, one after the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from engine.benchmarks.context import Context
from engine.benchmarks.measure import (
    Computed,
    Measured,
    alternate,
    peak_mb,
    percentile,
    relative_errors,
    summary,
)
from engine.benchmarks.pictures import box_side, equal_boxes, picture
from engine.benchmarks.report import Cell, Line, Plot, Section, Table, value_of
from engine.benchmarks.step import Step
from engine.generator import Generator

CANVASES, QUICK_CANVASES = (256, 512, 768, 1024, 2048), (256, 512)
LAYERS, QUICK_LAYERS = (1, 5, 10, 20, 50), (1, 5, 10)
WITHIN = 0.2  # GE4: predicted time within 20 %

TEXT = (
    "One step, both guidance branches. The boxes grow with the canvas, so that they cover the "
    "same share of it. The fit weighs relative errors alike; every error below is that of a case "
    "left out of the fit. All cases of a canvas are timed in turn."
)


def bench(context: Context) -> Section:
    """Times, peaks and the fits."""
    canvases = QUICK_CANVASES if context.quick else CANVASES
    layers = context.layers(LAYERS, QUICK_LAYERS)
    multiple = context.generator.info.canvas_multiple
    rows: list[list[Cell]] = []
    _prepare({}, context.generator, multiple, 1)  # what only the first step of a process allocates
    for side in (side for side in canvases if side % multiple == 0):
        context.say(f"scale: canvas {side}")
        rows += _canvas_rows(context, side, layers)
    columns = ["canvas", "layers", "box", "tokens", "step, s", "peak above idle, MB"]
    table = Table("Seconds and memory of a step", columns, rows, labels=2)
    tokens = np.array([float(row[3]) for row in rows])  # type: ignore[arg-type]
    times = np.array([value_of(row[4]) for row in rows], dtype=float)
    fits = [_fit_row("seconds", "a + b n + c n²", tokens, times, 2)]
    if all(isinstance(row[5], Measured) for row in rows):
        peaks = np.array([value_of(row[5]) for row in rows], dtype=float)
        fits.append(_fit_row("MB", "a + b n", tokens, np.maximum(peaks, 1e-3), 1))
    model = Table("Fitted to it (n = thousands of tokens)", [
        "of", "model", "a", "b", "c", "median error, %", "90th percentile, %",
        f"within ±{100 * WITHIN:.0f} %"], fits, labels=2)  # fmt: skip
    lines = [
        Line(f"canvas {side}", [(float(row[3]), row[4]) for row in rows if row[0] == side])  # type: ignore[arg-type]
        for side in dict.fromkeys(row[0] for row in rows)
    ]
    plot = Plot("scale-seconds", "One step against tokens", "text and image tokens of one branch",
                "seconds per step", lines)  # fmt: skip
    return Section("scale", "Scale", TEXT, [table, model], [plot])


def _prepare(steps: dict[str, Step], generator: Generator, side: int, layers: int) -> None:
    """Make a step and run it once, which also warms it up."""
    boxes = equal_boxes(layers, canvas=(side, side))
    steps[str(layers)] = Step(generator, picture(boxes, canvas=(side, side)))
    steps[str(layers)]()


def _canvas_rows(context: Context, side: int, counts: Sequence[int]) -> list[list[Cell]]:
    steps: dict[str, Step] = {}
    memory: dict[str, Cell] = {}
    for layers in counts:
        memory[str(layers)] = peak_mb(partial(_prepare, steps, context.generator, side, layers))
    taken = alternate(steps, context.runs)
    return [
        [side, layers, f"{box_side(layers, side)} px", steps[str(layers)].sequence,
         summary(taken[str(layers)]), memory[str(layers)]]
        for layers in counts
    ]  # fmt: skip


def fit(tokens: np.ndarray, values: np.ndarray, degree: int) -> np.ndarray:
    """Coefficients a, b(, c) of the polynomial in thousands of tokens with the least relative
    error, none of them negative: a cost that falls with more work would predict nonsense.
    """
    powers = np.stack([(tokens / 1000) ** k for k in range(degree + 1)], axis=1)
    used = list(range(degree + 1))
    while True:
        found, *_ = np.linalg.lstsq(powers[:, used] / values[:, None], np.ones_like(values))
        if (found >= 0).all() or len(used) == 1:
            result = np.zeros(degree + 1)
            result[used] = found
            return result
        used.pop(int(found.argmin()))


def predict(coefficients: np.ndarray, tokens: np.ndarray) -> np.ndarray:
    """The polynomial's values."""
    return sum(c * (tokens / 1000) ** k for k, c in enumerate(coefficients))


def errors_left_out(tokens: np.ndarray, values: np.ndarray, degree: int) -> list[float]:
    """Relative error of each case by the fit to all others."""
    predicted = []
    for i in range(len(tokens)):
        kept = np.arange(len(tokens)) != i
        predicted.append(predict(fit(tokens[kept], values[kept], degree), tokens[i]))
    return relative_errors(predicted, values)


def _fit_row(
    name: str, model: str, tokens: np.ndarray, values: np.ndarray, degree: int
) -> list[Cell]:
    coefficients: list[Cell] = [Computed(float(c)) for c in fit(tokens, values, degree)]
    coefficients += ["–"] * (3 - len(coefficients))
    if len(tokens) < 2:
        return [name, model, *coefficients, "–", "–", "–"]
    errors = [100 * error for error in errors_left_out(tokens, values, degree)]
    within = sum(error <= 100 * WITHIN for error in errors)
    return [name, model, *coefficients, f"{percentile(errors, 0.5):.1f}",
            f"{percentile(errors, 0.9):.1f}", f"{within} of {len(errors)}"]  # fmt: skip
