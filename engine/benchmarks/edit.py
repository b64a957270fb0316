"""Layers repainted in a finished picture: with the exact region cache, without it, and as a whole.

*Cold* is the first edit, which fills the cache; *warm* every later one. *No cache* computes the
clean layers again in every step: the same result up to rounding. *Picture* makes all
layers again, which is what one has to do without clean layers.
"""

from __future__ import annotations

from functools import partial
from unittest.mock import patch

from torch import Tensor

from engine.api import Finished, GenerateRequest
from engine.benchmarks import harness, measure
from engine.benchmarks.harness import Context
from engine.benchmarks.measure import Work
from engine.benchmarks.report import Cell, Plot, Section, Table
from engine.models.art.backbone import ARTBackbone, RequestState, art_of
from engine.pipeline import LayerPipeline

LAYERS = (6, 10, 20, 50)
TARGETS: dict[str, tuple[int, ...]] = {
    "1 layer": (2,), "2 layers": (2, 4), "4 layers": (1, 2, 4, 5), "background": (0,),
}  # fmt: skip
COLUMNS = ["picture, s", "no cache, s", "cold, s", "warm, s", "picture / warm", "no cache / warm"]

TEXT = (
    "Whole jobs, from the request to the pixels, assignment and decoding included. *Cold* is the "
    "first edit after the picture, *warm* every later one, *no cache* recomputes the clean "
    "layers in every step, *picture* makes every layer again. Ratios are medians of the rounds' "
    "own ratios."
)


def run_without_cache(generator: LayerPipeline, request: GenerateRequest) -> Finished:
    """The reference: the context layers are encoded again in every sampling step."""
    art = art_of(generator)
    finished = [region for region in art.regions(request) if not region.request.is_target]

    def velocity(state: RequestState, x: Tensor, t: float) -> Tensor:
        art.cache.clear()
        room = state.noise.shape[1] + state.prompt.text.shape[1]
        state.context = art.context.read(finished, room, state.check)
        state.first_step = None
        return ARTBackbone.velocity(art, state, x, t)

    art.cache.clear()
    with patch.object(art, "velocity", velocity):
        return generator.run(request)


def time_edits(
    generator: LayerPipeline,
    layers: int,
    runs: int,
    targets: dict[str, tuple[int, ...]],
    *,
    background: bool = True,
    side: int | None = None,
) -> dict[str, list[float]]:
    """Seconds of "picture", and of each edit of it: "NAME cold", "NAME warm", "NAME no cache".

    The cold run comes right before the warm one, so that the cache is full for it.
    """
    boxes = harness.equal_boxes(layers, side)
    whole = harness.picture(boxes, background=background)
    done = harness.finished_pixels(generator, whole)
    works: dict[str, Work] = {"picture": partial(generator.run, whole)}
    for name, made in targets.items():
        edit = harness.picture(boxes, {i: p for i, p in done.items() if i not in made}, background)
        works[f"{name} cold"] = works[f"{name} warm"] = partial(generator.run, edit)
        works[f"{name} no cache"] = partial(run_without_cache, generator, edit)

    def between(name: str) -> None:
        if name.endswith("cold"):
            generator.cache.clear()

    return measure.alternate(works, runs, between)


def six_layers(context: Context) -> Table:
    """The table that README shows: one layer of six or ten, with and without a background."""
    rows: list[list[Cell]] = []
    cases = [(6, False), (6, True)] if context.quick else [(6, False), (6, True), (10, True)]
    for layers, background in [c for c in cases if c[0] <= context.most_layers]:
        context.say(f"edit: one of {layers} layers, background {background}")
        taken = time_edits(context.generator, layers, context.runs, {"1 layer": (2,)},
                           background=background, side=harness.BOX_PX)  # fmt: skip
        rows.append([layers, "yes" if background else "no", *_cells(taken, "1 layer")])
    title = f"One layer repainted, boxes of {harness.BOX_PX} px, {steps_text(context)}"
    return Table(title, ["layers", "background", *COLUMNS], rows, labels=2)


def bench(context: Context) -> Section:
    """All edits for 6 to 50 layers; quick: README's table alone."""
    tables = [six_layers(context)]
    if context.quick:
        return Section("edit", "Layers repainted", TEXT, tables)
    rows: list[list[Cell]] = []
    for layers in context.layers(LAYERS, LAYERS):
        context.say(f"edit: {layers} layers")
        taken = time_edits(context.generator, layers, context.runs, TARGETS)
        side = f"{harness.box_side(layers)} px"
        rows += [[layers, side, name, *_cells(taken, name)] for name in TARGETS]
    title = f"Layers repainted in a picture with background, {steps_text(context)}"
    tables.append(Table(title, ["layers", "box", "repainted", *COLUMNS], rows, labels=3))
    if context.most_layers >= 50:
        tables.append(fifty_boxes(context))
    names = ("whole picture", "one layer, no cache", "one layer, cold", "one layer, warm")
    lines = {name: 3 + i for i, name in enumerate(names)}
    one = [row for row in rows if row[2] == "1 layer"]
    plot = Plot("edit-seconds", "One layer repainted", "seconds per job", one, lines)
    return Section("edit", "Layers repainted", TEXT, tables, [plot])


def steps_text(context: Context) -> str:
    """Both kinds of jobs take the model's own number of steps, as they do in the window."""
    info = context.generator.info
    edit_steps = info.steps_for(is_edit=True)
    return f"pictures and backgrounds in {info.default_steps} steps, other layers in {edit_steps}"


def fifty_boxes(context: Context) -> Table:
    """The largest picture: seconds and memory above the idle process."""
    request = harness.picture(harness.equal_boxes(50))
    memory = measure.peak_mb(lambda: context.generator.run(request))
    times = [measure.seconds(lambda: context.generator.run(request)) for _ in range(context.runs)]
    return Table(f"50 boxes of {harness.box_side(50)} px and a background",
                 ["", "picture, s", "peak above idle, MB"],
                 [["50 boxes", measure.summary(times), memory]])  # fmt: skip


def _cells(taken: dict[str, list[float]], name: str) -> list[Cell]:
    whole, uncached = taken["picture"], taken[f"{name} no cache"]
    cold, warm = taken[f"{name} cold"], taken[f"{name} warm"]
    return [*map(measure.summary, (whole, uncached, cold, warm)), measure.ratios(whole, warm),
            measure.ratios(uncached, warm)]  # fmt: skip
