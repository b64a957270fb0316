"""`layerloom generate` and `layerloom regenerate`: from boxes and a prompt to written files.

Puts document, engine session and output together; knows no exporter and no widget.
"""

from __future__ import annotations

import argparse
import itertools
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from app.cli_jobs import ArgumentProblem, EngineFactory, EngineSession
from app.cli_keep import kept_elsewhere
from app.cli_original import keep_original
from app.cli_output import Output, plan_outputs, write_output
from app.cli_source import STDIN, Source, open_source
from app.document import Contents, Document, Layer, Rect, Settings, Size, UserError
from app.document.commands import Placement, PlacePixels
from app.document.contents import DEFAULT_CANVAS, DEFAULT_GRID, MAX_PROMPT
from app.document.layer import MAX_SEED
from app.document.storage.errors import StorageError
from app.document.storage.layout import Layout, contents_of
from app.document.storage.layout_text import parse_layout
from app.document.storage.name_length import shown_name
from app.document.storage.ora import Opened
from app.document.words import layer_names
from app.jobs import Plan, build_request, plan
from app.prompt_report import report_facts, report_lines
from app.records import records_for
from engine import Finished, ModelInfo, SpareBoxes

_job_ids = itertools.count(1)


def generate(args: argparse.Namespace, factory: EngineFactory | None) -> int:
    """Make one or more pictures from a layout and write them."""
    outputs = plan_outputs(args.out, args.variations)
    text = layout_text(args.layout)
    # Understood at first with the usual sizes: a bad layout is refused before the model loads.
    layout = layout_from(args, text, DEFAULT_CANVAS, DEFAULT_GRID)
    prompt = (layout.prompt or "") if args.prompt is None else typed_prompt(args.prompt)
    refuse_long_prompt(prompt)
    with session(args, factory) as engine:
        contents = empty_picture(args, text, prompt, engine.info)
        for number, output in enumerate(outputs):
            seed = (args.seed + number) % (MAX_SEED + 1)
            label = f"Picture {number + 1} of {len(outputs)}" if len(outputs) > 1 else "Picture"
            seeded = replace(contents, settings=replace(contents.settings, seed=seed))
            made, finished = make(
                engine, seeded, plan(seeded, "picture"), seed, label, args.spare_boxes
            )
            write_or_keep(output, made, facts_of(made, finished))
            engine.progress.say(f"Wrote '{output.path}'.")
    return 0


def regenerate(args: argparse.Namespace, factory: EngineFactory | None) -> int:
    """Make the named layers of a file anew; the pixels of all others stay as they are."""
    (output,) = plan_outputs(args.out)
    source = open_source(args.file)
    opened = open_project(source)
    keep_original(source, output.path, opened)
    contents = opened.contents
    old = contents.settings
    seed = (old.seed + 1) % (MAX_SEED + 1) if args.seed is None else args.seed
    prompt = contents.prompt if args.prompt is None else typed_prompt(args.prompt)
    refuse_long_prompt(prompt)
    settings = replace(
        old,
        steps=old.steps if args.steps is None else args.steps,
        cfg_scale=old.cfg_scale if args.guidance is None else args.guidance,
        clean_colours=args.clean_colours or old.clean_colours,
        seed=seed,
    )
    contents = replace(contents, prompt=prompt, settings=settings)
    targets = find_layers(contents, args.layer)
    planned = plan(contents, "selected", [layer.id for layer in targets])
    for layer in planned.skipped:
        raise ArgumentProblem(
            f"'{layer.name}' is {'locked' if layer.locked else 'hidden'}.",
            advice="Unlock or show it first, or name another layer.",
        )
    with session(args, factory) as engine:
        check_grid(contents, engine.info)
        names = ", ".join(f"'{layer.name}'" for layer in planned.targets)
        made, finished = make(engine, contents, planned, seed, names, args.spare_boxes)
        write_or_keep(output, made, facts_of(made, finished))
        engine.progress.say(f"Wrote '{output.path}'.")
    return 0


def layout_text(path: Path) -> str:
    """The text of the layout, read once: a pipe has nothing left for a second time.

    Raises:
        ArgumentProblem: there is none, or it cannot be read.
    """
    try:
        return open_source(path).text()
    except (ArgumentProblem, StorageError) as error:
        raise _bad_layout(path, error) from error


def layout_from(args: argparse.Namespace, text: str, canvas: Size, grid: int) -> Layout:
    """The layout in the text, on the canvas of `--size` if the arguments give one.

    Raises:
        ArgumentProblem: no layout, or `--size` contradicts it.
    """
    if args.size is not None:
        canvas = Size(*args.size).rounded_up(grid)
    try:
        layout = parse_layout(text, canvas=canvas, grid=grid)
    except StorageError as error:
        raise _bad_layout(args.layout, error) from error
    if args.size is not None and layout.canvas != canvas:
        raise ArgumentProblem(
            f"'{args.layout.name}' is for a canvas of {layout.canvas.width} x "
            f"{layout.canvas.height}, not {args.size[0]} x {args.size[1]}.",
            "Nothing was made.",
            "Leave out --size, or change the layout.",
        )
    return layout


def _bad_layout(path: Path, error: UserError) -> ArgumentProblem:
    where = "standard input" if str(path) == STDIN else f"'{shown_name(path.name)}'"
    is_named = where in error.what or str(path) in error.what
    what = error.what if is_named else f"{where}: {error.what}"
    return ArgumentProblem(what[:1].upper() + what[1:], "Nothing was made.", error.advice)


def empty_picture(args: argparse.Namespace, text: str, prompt: str, info: ModelInfo) -> Contents:
    """The document that the arguments describe, without pixels, fit for this model.

    Raises:
        ArgumentProblem: the model cannot make it.
    """
    layout = layout_from(args, text, Size(*info.trained_canvases[0]), info.token_px)
    if not layout.canvas.is_multiple_of(info.canvas_multiple):
        raise ArgumentProblem(
            f"The canvas is {layout.canvas.width} x {layout.canvas.height}; this model needs "
            f"sides that are multiples of {info.canvas_multiple}.",
            "Nothing was made.",
            "Choose another size.",
        )
    if len(layout.boxes) > info.max_foregrounds:
        raise ArgumentProblem(
            f"The layout has {len(layout.boxes)} boxes; this model handles {info.max_foregrounds}.",
            "Nothing was made.",
            "Remove some.",
        )
    settings = Settings(
        steps=args.steps,
        cfg_scale=args.guidance,
        clean_colours=args.clean_colours or "automatic",
        seed=args.seed,
    )
    contents = contents_of(layout, info.token_px, prompt=prompt, settings=settings)
    return replace(contents, background_on=contents.background_on and not args.no_background)


def write_or_keep(output: Output, contents: Contents, facts: Mapping[str, Any]) -> None:
    """`write_output`; what cannot be written there is kept elsewhere, so that no work is lost.

    Raises:
        StorageError: it was not written; says where it is kept.
    """
    try:
        write_output(output, contents, facts)
    except StorageError as error:
        raise kept_elsewhere(contents, output.path, error) from error


def open_project(source: Source) -> Opened:
    """A project file; what the reader has to tell goes to stderr.

    Raises:
        StorageError: it is damaged.
    """
    opened = source.project()
    for message in opened.messages:
        print(message, file=sys.stderr)
    return opened


def make(
    engine: EngineSession,
    contents: Contents,
    planned: Plan,
    picture_seed: int,
    label: str,
    spare_boxes: SpareBoxes | None = None,
) -> tuple[Contents, Finished]:
    """Run one job, put its results into the contents, and say what became of the prompt.

    Args:
        spare_boxes: as for `build_request`.

    Raises:
        UserError: there is nothing to make, or the job failed.
    """
    if not planned.targets:
        raise UserError(
            "There is nothing to make: no box, and the background is off.",
            "Nothing was written.",
            "Add a box to the layout, or leave out --no-background.",
        )
    request = build_request(
        contents,
        planned,
        next(_job_ids),
        picture_seed,
        preview_every=0,
        spare_boxes=spare_boxes,
    )
    finished = engine.run(request, label)
    for line in report_lines(finished):
        engine.progress.say(line)
    records = records_for(request, finished, {layer.id: layer.number for layer in contents.layers})
    for record in records.values():
        # The one value that differs between two equal runs: files are to be the same, byte for
        # byte. The manifest has it.
        del record["seconds"]
    document = Document(contents)
    placements = [
        Placement(
            result.layer_id,
            result.rgba,
            Rect.from_box(result.box),
            records[result.layer_id],
            is_empty=result.left_empty is not None,
        )
        for result in finished.results
    ]
    PlacePixels(placements).do(document)
    return document.contents, finished


def facts_of(contents: Contents, finished: Finished) -> dict[str, Any]:
    """What the manifest says about the job besides the layers."""
    return {
        "seed": contents.settings.seed,
        "steps": finished.steps,
        "guidance": finished.cfg_scale,
        "clean_colours": finished.clean_colours,
        "seconds": round(finished.seconds, 3),
        "model": {"name": finished.model_name, "hash": finished.model_hash},
        "unknown_words": list(finished.unknown_words),
        **({"words": facts} if (facts := report_facts(finished)) else {}),
    }


def session(args: argparse.Namespace, factory: EngineFactory | None) -> EngineSession:
    """The engine as the options ask for it."""
    return EngineSession(
        factory, device=args.device, threads=args.threads, model=args.model, quiet=args.quiet
    )


def refuse_engine_options(args: argparse.Namespace, needs: str) -> None:
    """Refuse options about the engine where none is started.

    Args:
        needs: what would start it.

    Raises:
        ArgumentProblem: one was given.
    """
    given = [
        name
        for name, is_given in (
            ("--device", args.device != "auto"),
            ("--threads", args.threads is not None),
            ("--model", args.model is not None),
        )
        if is_given
    ]
    if given:
        raise ArgumentProblem(
            f"{', '.join(given)} has no effect here: no model is loaded.",
            "Nothing was done.",
            f"Leave it out, or use it with {needs}.",
        )


def find_layers(contents: Contents, asked: Sequence[str]) -> list[Layer]:
    """Layers by number or name, each once, in the order of asking.

    A number wins over a name that looks like one, and a name over the word that the window shows
    in its place ("Sunflower 2"), in either case.

    Raises:
        ArgumentProblem: there is none, or several have the name.
    """
    found: dict[int, Layer] = {}
    shown = layer_names(contents.layers)
    for text in asked:
        matches = [layer for layer in contents.layers if str(layer.number) == text.strip()]
        matches = matches or [layer for layer in contents.layers if layer.name == text]
        matches = matches or [
            layer for layer in contents.layers if shown[layer.id].casefold() == text.casefold()
        ]
        if len(matches) != 1:
            known = ", ".join(f"{each.number} ('{shown[each.id]}')" for each in contents.layers)
            problem = "has more than one layer" if matches else "has no layer"
            raise ArgumentProblem(
                f"The file {problem} called '{text}'.",
                "Nothing was changed.",
                f"Use one of these numbers: {known or 'it has no layers'}.",
            )
        found[matches[0].id] = matches[0]
    return list(found.values())


def typed_prompt(text: str) -> str:
    """The prompt as text: bytes that are not UTF-8 become the sign for an unknown character.

    Python hands such bytes on as halves of characters, which no file takes.
    """
    prompt = os.fsencode(text).decode("utf-8", "replace") if not _is_clean(text) else text
    if prompt != text:
        print("The prompt has bytes that are not UTF-8; they are ignored.", file=sys.stderr)
    return prompt


def _is_clean(text: str) -> bool:
    return not any("\ud800" <= char <= "\udfff" for char in text)


def refuse_long_prompt(prompt: str) -> None:
    """Refuse a prompt that the document could not keep."""
    if len(prompt) > MAX_PROMPT:
        raise ArgumentProblem(
            f"The prompt has {len(prompt):,} characters; {MAX_PROMPT:,} are the limit.",
            advice="Shorten it.",
        )


def check_grid(contents: Contents, info: ModelInfo) -> None:
    """Refuse a document whose boxes do not lie on the model's cells."""
    if contents.grid % info.token_px:
        raise UserError(
            f"This picture has a grid of {contents.grid} pixels, and the model works in cells of "
            f"{info.token_px}.",
            "Nothing was changed.",
            "Make a new picture from its boxes with generate.",
        )
