"""Evaluation: `layerloom train evaluate` generates held-out scenes and says what came of them.

Boxes and prompts go in exactly as from the application; the judge looks at the layers. Beside the
generated pictures stand controls: the real art of the same scenes, as it is and through the
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

from engine.api import PROMPT_READING
from engine.errors import EngineError
from engine.layout import foreground_grid
from engine.models.checkpoint import load_model
from engine.pipeline import LayerPipeline
from engine.training.background_judge import BackgroundJudge
from engine.training.concepts import FIRST, STAGES, Concepts, concepts_of, stage_path
from engine.training.contact_sheet import Tile, save_sheet, stack_layers
from engine.training.evaluation_report import (
    numbers_table,
    rate_text,
    rates_table,
    update_card,
    write_report,
)
from engine.training.evaluation_tasks import (
    BACKGROUND_ID,
    KINDS,
    Task,
    TaskKind,
    as_drawn,
    draw_thing,
    make_task,
)
from engine.training.flat_layers import flat_rows
from engine.training.generating import Runs, layers_of
from engine.training.judge import Judge, Verdict, judge_path
from engine.training.metrics import Rate, Scores, add_scores, found, score_picture
from engine.training.natural import HALVES, NATURAL, evaluate_natural
from engine.training.property_tasks import PROPERTIES, property_scores
from engine.training.reconstruction import reconstruct_bytes, reconstruction_numbers
from engine.training.scenes import Scene, evaluation_scenes
from engine.training.sprites import DEFAULT_SPRITES, SpritePack
from engine.training.sweep import Setting, sweep

PAGE = 8  # pictures per contact sheet
SCENE_SEED = 2026
LAYERS = 200  # that the autoencoder is measured on

Judging = Callable[[Sequence[np.ndarray]], list[Verdict]]
Decoding = Callable[[np.ndarray], np.ndarray]  # a layer through the autoencoder, uint8 straight


@dataclass(frozen=True, slots=True)
class Outcome:
    """A task that was run: the targets' pixels in the task's order, and what the judge saw."""

    task: Task
    layers: tuple[np.ndarray, ...]
    background: np.ndarray | None
    verdicts: tuple[Verdict, ...]
    seconds: float


def run_task(
    generator: Runs, judging: Judging, task: Task, reading: int = PROMPT_READING
) -> Outcome:
    """Generate one task and judge its targets; `reading` as for `GenerateRequest`."""
    request = replace(task.request, reading=reading)
    finished = generator.run(request, emit=lambda event: None, should_stop=lambda: False)
    results = {result.layer_id: result.rgba for result in finished.results}
    layers = tuple(results[index + 1] for index in task.targets)
    background = results.get(BACKGROUND_ID)
    return Outcome(task, layers, background, tuple(judging(layers)), finished.seconds)


def score_edit(outcome: Outcome) -> Scores:
    """A single layer made beside clean ones: is it what was asked for?"""
    task, (verdict,) = outcome.task, outcome.verdicts
    if task.kind == "fill":
        return {"missing thing filled in": found(task.wanted, outcome.verdicts)}
    return {
        "changed word gives the new thing": found(task.wanted, outcome.verdicts),
        "changed word leaves the old thing": Rate(verdict.noun == task.replaced, 1),
    }


def score_background(outcome: Outcome, scene: Scene, naming: Callable[[np.ndarray], str]) -> Scores:
    """Does the generated background look like the one that the scene's prompt names?"""
    if outcome.background is None or scene.background is None:
        return {}
    return {"named background": Rate(naming(outcome.background) == scene.background, 1)}


def controls(
    outcomes: Sequence[Outcome],
    pack: SpritePack,
    judging: Judging,
    naming: Callable[[np.ndarray], str],
    decoding: Decoding | None,
) -> dict[str, Scores]:
    """Scores of the same scenes in real art, and of the layers under the next scene's prompt."""
    columns: dict[str, list[Scores]] = {"real art": [], "another prompt": []}
    for index, outcome in enumerate(outcomes):
        scene = outcome.task.scene
        layers = [draw_thing(pack, thing) for thing in scene.things]
        columns["real art"].append(score_picture(scene, layers, judging(layers)))
        if decoding is not None:
            layers = [decoding(layer) for layer in layers]
            scores = score_picture(scene, layers, judging(layers))
            columns.setdefault("real art, decoded", []).append(scores)
        next_scene = outcomes[(index + 1) % len(outcomes)].task.scene
        wanted = [thing.noun for thing in next_scene.things]
        other = score_background(outcome, next_scene, naming)
        columns["another prompt"].append({"things found": found(wanted, outcome.verdicts), **other})
    return {name: add_scores(scores) for name, scores in columns.items()}


def evaluate(
    generator: Runs,
    judging: Judging,
    pack: SpritePack,
    scenes: Sequence[Scene],
    *,
    kinds: Sequence[TaskKind],
    out: Path,
    seed: int,
    concepts: Concepts = FIRST,
    decoding: Decoding | None = None,
    reading: int = PROMPT_READING,
) -> tuple[list[str], dict[str, Any]]:
    """Run all tasks; contact sheets go into `out/sheets` as they come.

    Args:
        scenes: of evaluation: every thing is different and named once.
        concepts: the stage of the vocabulary that the scenes are of.
        decoding: passes a layer through the model's autoencoder, for one more control.
        reading: how the engine reads prompts (`GenerateRequest.reading`).

    Returns:
        markdown sections and the numbers behind them.
    """
    by_kind: dict[TaskKind, list[Outcome]] = {}
    for kind in kinds:
        outcomes = by_kind.setdefault(kind, [])
        started = time.monotonic()
        for number, scene in enumerate(scenes):
            task = make_task(kind, number, scene, pack, seed, concepts)
            outcomes.append(run_task(generator, judging, task, reading))
            if (number + 1) % PAGE == 0 or number + 1 == len(scenes):
                first = number // PAGE * PAGE
                rows = [sheet_row(outcome) for outcome in outcomes[first:]]
                save_sheet(rows, out / "sheets" / f"{kind}-{number // PAGE + 1:02}.png")
                spent = time.monotonic() - started
                print(f"{kind}: {number + 1} of {len(scenes)}, {spent:.0f} s", flush=True)
    columns: dict[str, Scores] = {}
    if whole := by_kind.get("whole"):
        naming = BackgroundJudge(concepts=concepts)
        scores = [score_picture(o.task.scene, o.layers, o.verdicts) for o in whole]
        scores += [score_background(o, o.task.scene, naming) for o in whole]
        columns = {"generated": add_scores(scores)}
        columns |= controls(whole, pack, judging, naming, decoding)
    return _summarise(by_kind, columns)


def _summarise(
    by_kind: dict[TaskKind, list[Outcome]], columns: dict[str, Scores]
) -> tuple[list[str], dict[str, Any]]:
    sections: list[str] = []
    numbers: dict[str, Any] = {}
    if columns:
        sections.append(rates_table(columns))
        numbers["whole"] = columns
    single: Scores = {}
    if synonyms := by_kind.get("synonyms"):
        rates = [found(o.task.wanted, o.verdicts) for o in synonyms]
        single["things found that were named by a synonym"] = sum(rates, Rate())
    edits = [o for kind in ("fill", "change") for o in by_kind.get(kind, [])]
    single |= add_scores([score_edit(outcome) for outcome in edits])
    if single:
        sections.append(rates_table({"generated": single}))
        numbers["single"] = single
    seconds = {
        f"seconds per {kind} task, median": statistics.median(o.seconds for o in outcomes)
        for kind, outcomes in by_kind.items()
        if outcomes
    }
    sections.append(numbers_table("time", seconds))
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
        made[BACKGROUND_ID] = outcome.background
    entries = outcome.task.request.layers
    layers = [made[e.layer_id] if e.pixels is None else e.pixels for e in entries]
    return stack_layers(outcome.task.request.canvas, layers, [entry.box for entry in entries])


def main(argv: list[str]) -> int:
    """Evaluate the shipped weights, or others."""
    parser = argparse.ArgumentParser(prog="layerloom train evaluate", description=__doc__)
    parser.add_argument("--weights", type=Path, help="model file; the shipped one by default")
    parser.add_argument("--stage", type=int, choices=STAGES, help="the model's own by default")
    parser.add_argument("--sprites", type=Path, help="those of the stage by default")
    parser.add_argument("--judge", type=Path, help="one trained here, else the kept one")
    parser.add_argument("--out", type=Path, default=Path("runs/evaluation"))
    parser.add_argument("--n", type=int, default=100, help="scenes")
    parser.add_argument("--quick", action="store_true", help="12 scenes")
    choices = (*KINDS, NATURAL, PROPERTIES)
    parser.add_argument("--tasks", nargs="+", choices=choices, default=list(KINDS))
    parser.add_argument(
        "--half",
        type=int,
        choices=HALVES,
        default=1,
        help="of the natural prompts: the first to look at, the second to report [1]",
    )
    parser.add_argument(
        "--reading",
        type=int,
        choices=(1, PROMPT_READING),
        default=PROMPT_READING,
        help=f"of prompts: 1 as typed, as older versions did [{PROMPT_READING}]",
    )
    parser.add_argument("--seed", type=int, default=0, help="of the noise")
    parser.add_argument("--scene-seed", type=int, default=SCENE_SEED)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--threads", type=int, default=max(1, (os.cpu_count() or 2) - 1))
    parser.add_argument(
        "--sweep",
        nargs="+",
        type=Setting.parse,
        default=[],
        metavar="STEPS:GUIDANCE",
        help="whole pictures at these settings too, such as 8:1 16:1 16:2",
    )
    parser.add_argument("--card", type=Path, help="model card to write the tables into")
    args = parser.parse_args(argv)
    try:
        model = load_model(args.weights)
        concepts = concepts_of(args.stage or model.card.stage)
        sprites = args.sprites or stage_path(DEFAULT_SPRITES, concepts.stage)
        pack = SpritePack.load(sprites).check(concepts)
        judge_file = args.judge or judge_path(concepts.stage)
        judge = Judge.load(judge_file, pack.sha256, concepts.stage)
        generator = LayerPipeline.load(args.weights, device=args.device, threads=args.threads)
        autoencoder = model.autoencoder
    except (OSError, ValueError, EngineError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    card = model.card

    def tokens_of(shape: Sequence[int]) -> tuple[int, int]:
        """Rows and columns of tokens for a foreground of (height, width)."""
        return foreground_grid(
            (0, 0, shape[1], shape[0]),
            autoencoder.token_px,
            side_tokens=card.side_tokens,
        )

    count = 12 if args.quick else args.n
    scenes = evaluation_scenes(count, args.scene_seed, concepts=concepts, aspects=pack.aspects())
    sections, numbers = evaluate(
        generator,
        judge.judge,
        pack,
        scenes,
        kinds=[kind for kind in args.tasks if kind not in (NATURAL, PROPERTIES)],
        out=args.out,
        seed=args.seed,
        concepts=concepts,
        decoding=lambda layer: reconstruct_bytes(autoencoder, layer, tokens_of(layer.shape)),
        reading=args.reading,
    )
    if NATURAL in args.tasks:
        natural = evaluate_natural(
            generator,
            judge.judge,
            pack,
            concepts,
            half=args.half,
            seed=args.seed,
            reading=args.reading,
            out=args.out,
            most=12 if args.quick else None,
        )
        sections.append(rates_table({f"natural prompts, half {args.half}": natural}))
        numbers[NATURAL] = natural
    if PROPERTIES in args.tasks:
        found_in = property_scores(
            lambda request: layers_of(generator, request),
            judge.judge,
            pack,
            concepts,
            count,
            args.seed,
        )
        sections.append(rates_table({PROPERTIES: found_in}))
        numbers[PROPERTIES] = found_in
    if args.sweep:
        table, rows = sweep(generator.run, judge.judge, pack, scenes, args.sweep, args.seed)
        sections.append(table)
        numbers["sweep"] = rows
    things = [thing for scene in scenes for thing in scene.things][:LAYERS]
    pictures = []
    for thing in things:
        x0, y0, x1, y1 = thing.box
        height, width = (n * autoencoder.token_px for n in tokens_of((y1 - y0, x1 - x0)))
        pictures.append(draw_thing(pack, as_drawn(thing, (height, width))))
    fidelity = reconstruction_numbers(autoencoder, pictures)
    sections.append(numbers_table("autoencoder, real art on the tokens of its box", fidelity))
    table, flat = flat_rows(generator.run, pack, concepts, min(1.0, count / 100))
    sections += [table] if table else []
    numbers["flat layers"] = flat
    info = generator.info
    about = {
        "model": f"{info.name} ({info.file_hash[:12]})",
        "parameters": f"{info.parameters:,}",
        "judge": judge.sha256[:12],
        "vocabulary": f"stage {concepts.stage}, {len(concepts.nouns)} nouns",
        "scenes": f"{count}, held-out combinations of nouns, seed {args.scene_seed}",
        "reading of prompts": str(args.reading),
        "steps, guidance": f"{info.default_steps}, {info.default_cfg_scale:g}",
        "device": f"{info.device}, {info.precision}, {info.threads} threads",
    }
    sections.insert(0, numbers_table("run", about))
    text = write_report(args.out, sections, {**numbers, "autoencoder": fidelity, "run": about})
    print(text)
    if "whole" in numbers:
        print("things found:", rate_text(numbers["whole"]["generated"]["things found"]))
    if args.card is not None:
        update_card(args.card, text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
