"""Evaluation: `layerloom train evaluate` generates held-out scenes and says what came of them.

Boxes and prompts go in exactly as from the application; the judge looks at the layers. Next to the
generated pictures are controls: the real art of the same scenes, as it is and through the
autoencoder (what a perfect generator would score with this judge), and another scene's prompt (what
chance would score).
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from engine.api import PROMPT_READING, ModelInfo
from engine.errors import EngineError
from engine.layout import foreground_grid
from engine.models.checkpoint import Model, load_model
from engine.pipeline import LayerPipeline
from engine.training.data.concepts import STAGES, concepts_of, stage_path
from engine.training.data.scenes import Scene, SceneSettings, evaluation_scenes
from engine.training.data.sprites import DEFAULT_SPRITES, SpritePack
from engine.training.eval import metrics, report, tasks
from engine.training.eval.flat_layers import flat_rows
from engine.training.eval.judges import BackgroundJudge, Judge, Verdict, judge_path
from engine.training.eval.metrics import Rate, Scores
from engine.training.eval.natural import HALVES, NATURAL, evaluate_natural
from engine.training.eval.pinned import PICTURES, PINNED, evaluate_pinned
from engine.training.eval.report import Tile
from engine.training.eval.tasks import KINDS, PROPERTIES, Setup, Task, TaskKind

PAGE = 8  # pictures per contact sheet
SCENE_SEED = 2026
LAYERS = 200  # that the autoencoder is measured on

Decoding = Callable[[np.ndarray], np.ndarray]  # a layer through the autoencoder, uint8 straight


@dataclass(frozen=True, slots=True)
class Outcome:
    """A task that was run: the targets' pixels in the task's order, and what the judge saw."""

    task: Task
    layers: tuple[np.ndarray, ...]
    background: np.ndarray | None
    verdicts: tuple[Verdict, ...]
    seconds: float


def run_task(setup: Setup, task: Task) -> Outcome:
    finished = setup.generator.run(replace(task.request, reading=setup.reading))
    results = {result.layer_id: result.rgba for result in finished.results}
    layers = tuple(results[index + 1] for index in task.targets)
    background = results.get(tasks.BACKGROUND_ID)
    return Outcome(task, layers, background, tuple(setup.judging(layers)), finished.seconds)


def score_edit(outcome: Outcome) -> Scores:
    """A single layer made next to clean ones: is it what was asked for?"""
    task, (verdict,) = outcome.task, outcome.verdicts
    if task.kind == "fill":
        return {"missing thing filled in": metrics.found(task.wanted, outcome.verdicts)}
    return {
        "changed word gives the new thing": metrics.found(task.wanted, outcome.verdicts),
        "changed word leaves the old thing": Rate(verdict.noun == task.replaced, 1),
    }


def score_background(outcome: Outcome, scene: Scene, naming: Callable[[np.ndarray], str]) -> Scores:
    """Does the generated background look like the one that the scene's prompt names?"""
    if outcome.background is None or scene.background is None:
        return {}
    return {"named background": Rate(naming(outcome.background) == scene.background, 1)}


def controls(
    setup: Setup,
    outcomes: Sequence[Outcome],
    naming: Callable[[np.ndarray], str],
    decoding: Decoding | None,
) -> dict[str, Scores]:
    """Scores of the same scenes in real art, and of the layers under the next scene's prompt."""
    columns: dict[str, list[Scores]] = {"real art": [], "another prompt": []}
    for index, outcome in enumerate(outcomes):
        scene = outcome.task.scene
        layers = [tasks.draw_thing(setup.pack, thing) for thing in scene.things]
        columns["real art"].append(metrics.score_picture(scene, layers, setup.judging(layers)))
        if decoding is not None:
            layers = [decoding(layer) for layer in layers]
            scores = metrics.score_picture(scene, layers, setup.judging(layers))
            columns.setdefault("real art, decoded", []).append(scores)
        next_scene = outcomes[(index + 1) % len(outcomes)].task.scene
        wanted = [thing.noun for thing in next_scene.things]
        other = score_background(outcome, next_scene, naming)
        columns["another prompt"].append(
            {"things found": metrics.found(wanted, outcome.verdicts), **other}
        )
    return {name: metrics.add_scores(scores) for name, scores in columns.items()}


def evaluate(
    setup: Setup,
    scenes: Sequence[Scene],
    kinds: Sequence[TaskKind],
    decoding: Decoding | None = None,
) -> tuple[list[str], dict[str, Any]]:
    """Run all tasks: markdown sections and the numbers behind them; contact sheets as they come.

    `decoding` passes a layer through the model's autoencoder, for one more control.
    """
    by_kind: dict[TaskKind, list[Outcome]] = {}
    for kind in kinds:
        outcomes = by_kind.setdefault(kind, [])
        started = time.monotonic()
        for number, scene in enumerate(scenes):
            task = tasks.make_task(kind, number, scene, setup.pack, setup.seed, setup.concepts)
            outcomes.append(run_task(setup, task))
            if (number + 1) % PAGE == 0 or number + 1 == len(scenes):
                first = number // PAGE * PAGE
                rows = [sheet_row(outcome) for outcome in outcomes[first:]]
                report.save_sheet(rows, setup.sheets / f"{kind}-{number // PAGE + 1:02}.png")
                spent = time.monotonic() - started
                print(f"{kind}: {number + 1} of {len(scenes)}, {spent:.0f} s", flush=True)
    columns: dict[str, Scores] = {}
    if whole := by_kind.get("whole"):
        naming = BackgroundJudge(concepts=setup.concepts)
        scores = [metrics.score_picture(o.task.scene, o.layers, o.verdicts) for o in whole]
        scores += [score_background(o, o.task.scene, naming) for o in whole]
        columns = {"generated": metrics.add_scores(scores)}
        columns |= controls(setup, whole, naming, decoding)
    return _summarise(by_kind, columns)


def _summarise(
    by_kind: dict[TaskKind, list[Outcome]], columns: dict[str, Scores]
) -> tuple[list[str], dict[str, Any]]:
    sections: list[str] = []
    numbers: dict[str, Any] = {}
    if columns:
        sections.append(report.rates_table(columns))
        numbers["whole"] = columns
    single: Scores = {}
    if synonyms := by_kind.get("synonyms"):
        rates = [metrics.found(o.task.wanted, o.verdicts) for o in synonyms]
        single["things found that were named by a synonym"] = sum(rates, Rate())
    edits = [o for kind in ("fill", "change") for o in by_kind.get(kind, [])]
    single |= metrics.add_scores([score_edit(outcome) for outcome in edits])
    if single:
        sections.append(report.rates_table({"generated": single}))
        numbers["single"] = single
    seconds = {
        f"seconds per {kind} task, median": statistics.median(o.seconds for o in outcomes)
        for kind, outcomes in by_kind.items()
        if outcomes
    }
    sections.append(report.numbers_table("time", seconds))
    numbers["seconds"] = seconds
    return sections, numbers


def sheet_row(outcome: Outcome) -> tuple[str, list[Tile]]:
    """One row: the picture with the targets' boxes, then each target on grey with its verdict."""
    task = outcome.task
    boxes = [task.scene.things[index].box for index in task.targets]
    tiles = [Tile(compose(outcome), "", 240, boxes)]
    for index, rgba, verdict in zip(task.targets, outcome.layers, outcome.verdicts, strict=True):
        seen = "empty" if verdict.empty else verdict.noun or "?"
        asked = task.wanted[0] if len(task.targets) == 1 else task.scene.things[index].noun
        mark = "" if seen == asked else f"\n(box of: {asked})"
        tiles.append(Tile(rgba, f"{seen} {verdict.confidence:.2f}{mark}"))
    title = f"{task.kind} {task.request.job_id}: {task.request.prompt}"
    return title, tiles


def compose(outcome: Outcome) -> np.ndarray:
    """The finished picture, (H, W, 4) uint8 straight."""
    made = {index + 1: rgba for index, rgba in zip(outcome.task.targets, outcome.layers)}
    if outcome.background is not None:
        made[tasks.BACKGROUND_ID] = outcome.background
    entries = outcome.task.request.layers
    layers = [made[e.layer_id] if e.pixels is None else e.pixels for e in entries]
    return report.stack_layers(
        outcome.task.request.canvas, layers, [entry.box for entry in entries]
    )


# ---- sampler settings: how many steps, and is guidance worth its price ----


def sampler(text: str) -> tuple[int, float]:
    """ "16:2" is 16 steps at guidance 2; without guidance (1) half the work. Raises ValueError."""
    steps, _, scale = text.partition(":")
    if int(steps) < 1 or float(scale or 1) < 0:
        raise ValueError(f"no such setting: {text}")
    return int(steps), float(scale or 1)


def sweep(
    setup: Setup, scenes: Sequence[Scene], settings: Sequence[tuple[int, float]]
) -> tuple[str, list[dict]]:
    """Whole pictures of all scenes at every setting; a markdown table and its numbers."""
    rows, numbers = [], []
    for steps, guidance in settings:
        hits, unclear, seconds = Rate(), Rate(), []
        for number, scene in enumerate(scenes):
            task = tasks.make_task("whole", number, scene, setup.pack, setup.seed)
            request = replace(task.request, steps=steps, cfg_scale=guidance)
            outcome = run_task(setup, replace(task, request=request))
            hits += metrics.found(task.wanted, outcome.verdicts)
            unclear += metrics.layer_kinds(task.wanted, outcome.verdicts)["layers unclear"]
            seconds.append(outcome.seconds)
        median = statistics.median(seconds)
        found = {"things found": hits, "layers unclear": unclear, "seconds": median}
        numbers.append({"steps": steps, "guidance": guidance, **found})
        rates = report.rate_text(hits), report.rate_text(unclear)
        rows.append([steps, f"{guidance:g}", *rates, f"{median:.2f}"])
        print(*rows[-1], flush=True)
    head = ["steps", "guidance", "things found", "layers unclear", "seconds, median"]
    return report.markdown_table(head, rows), numbers


# ---- the command ----


def parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="layerloom train evaluate", description=__doc__)
    add = parser.add_argument
    add("--weights", type=Path, help="model file; the shipped one by default")
    add("--stage", type=int, choices=STAGES, help="the model's own by default")
    add("--sprites", type=Path, help="those of the stage by default")
    add("--judge", type=Path, help="one trained here, else the kept one")
    add("--out", type=Path, default=Path("runs/evaluation"))
    add("--n", type=int, default=100, help="scenes")
    add("--quick", action="store_true", help="12 scenes")
    add("--tasks", nargs="+", choices=(*KINDS, NATURAL, PINNED, PROPERTIES), default=list(KINDS))
    add("--half", type=int, choices=HALVES, default=1,
        help="of the natural prompts: the first to look at, the second to report [1]")  # fmt: skip
    add("--reading", type=int, choices=(1, PROMPT_READING), default=PROMPT_READING,
        help=f"of prompts: 1 as typed, as older versions did [{PROMPT_READING}]")  # fmt: skip
    add("--seed", type=int, default=0, help="of the noise")
    add("--scene-seed", type=int, default=SCENE_SEED)
    add("--device", default="auto")
    add("--threads", type=int, default=max(1, (os.cpu_count() or 2) - 1))
    add("--sweep", nargs="+", type=sampler, default=[], metavar="STEPS:GUIDANCE",
        help="whole pictures at these settings too, such as 8:1 16:1 16:2")  # fmt: skip
    add("--card", type=Path, help="model card to write the tables into")
    args = parser.parse_args(argv)
    args.n = 12 if args.quick else args.n
    return args


def main(argv: list[str]) -> int:
    args = parse(argv)
    try:
        model = load_model(args.weights)
        concepts = concepts_of(args.stage or model.card.stage)
        sprites = args.sprites or stage_path(DEFAULT_SPRITES, concepts.stage)
        pack = SpritePack.load(sprites).check(concepts)
        judge_file = args.judge or judge_path(concepts.stage)
        judge = Judge.load(judge_file, pack.sha256, concepts.stage)
        generator = LayerPipeline.load(args.weights, device=args.device, threads=args.threads)
    except (OSError, ValueError, EngineError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    setup = Setup(
        generator=generator, judging=judge.judge, pack=pack, concepts=concepts, seed=args.seed,
        reading=args.reading, out=args.out,
    )  # fmt: skip
    scenes = evaluation_scenes(
        args.n, args.scene_seed, SceneSettings(concepts=concepts, aspects=pack.aspects())
    )
    sections, numbers = measure(setup, model, scenes, args)
    about = about_run(args, generator.info, judge, setup)
    sections.insert(0, report.numbers_table("run", about))
    text = report.write_report(args.out, sections, {**numbers, "run": about})
    print(text)
    if "whole" in numbers:
        found = numbers["whole"]["generated"]["things found"]
        print("things found:", report.rate_text(found))
    if args.card is not None:
        report.update_page(args.card, "evaluation", text)
    return 0


def measure(
    setup: Setup, model: Model, scenes: Sequence[Scene], args: argparse.Namespace
) -> tuple[list[str], dict[str, Any]]:
    """Everything that the options ask for: markdown sections and the numbers behind them."""
    autoencoder = model.autoencoder

    def tokens_of(height: int, width: int) -> tuple[int, int]:
        side_tokens = model.card.side_tokens
        return foreground_grid((0, 0, width, height), autoencoder.token_px, side_tokens=side_tokens)

    sections, numbers = evaluate(
        setup,
        scenes,
        [kind for kind in args.tasks if kind in KINDS],
        lambda layer: metrics.reconstruct_bytes(autoencoder, layer, tokens_of(*layer.shape[:2])),
    )
    if NATURAL in args.tasks:
        natural = evaluate_natural(setup, args.half, 12 if args.quick else None)
        sections.append(report.rates_table({f"natural prompts, half {args.half}": natural}))
        numbers[NATURAL] = natural
    if PINNED in args.tasks:
        pinned = evaluate_pinned(setup, 12 if args.quick else PICTURES)
        sections.append(report.rates_table({"words pinned to boxes": pinned}))
        numbers[PINNED] = pinned
    if PROPERTIES in args.tasks:
        numbers[PROPERTIES] = tasks.property_scores(setup, args.n)
        sections.append(report.rates_table({PROPERTIES: numbers[PROPERTIES]}))
    if args.sweep:
        table, numbers["sweep"] = sweep(setup, scenes, args.sweep)
        sections.append(table)
    pictures = []
    for thing in [thing for scene in scenes for thing in scene.things][:LAYERS]:
        x0, y0, x1, y1 = thing.box
        rows, cols = (n * autoencoder.token_px for n in tokens_of(y1 - y0, x1 - x0))
        pictures.append(tasks.draw_thing(setup.pack, thing, (rows, cols)))
    fidelity = numbers["autoencoder"] = metrics.reconstruction_numbers(autoencoder, pictures)
    sections.append(
        report.numbers_table("autoencoder, real art on the tokens of its box", fidelity)
    )
    table, numbers["flat layers"] = flat_rows(
        setup.generator.run, setup.pack, setup.concepts, min(1.0, args.n / 100)
    )
    return sections + ([table] if table else []), numbers


def about_run(
    args: argparse.Namespace, info: ModelInfo, judge: Judge, setup: Setup
) -> dict[str, str]:
    return {
        "model": f"{info.name} ({info.file_hash[:12]})",
        "parameters": f"{info.parameters:,}",
        "judge": judge.sha256[:12],
        "vocabulary": f"stage {setup.concepts.stage}, {len(setup.concepts.nouns)} nouns",
        "scenes": f"{args.n}, held-out combinations of nouns, seed {args.scene_seed}",
        "reading of prompts": str(args.reading),
        "steps, guidance": f"{info.default_steps}, {info.default_cfg_scale:g}",
        "device": f"{info.device}, {info.precision}, {info.threads} threads",
    }
