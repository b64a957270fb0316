"""`layerloom generate` and `layerloom regenerate`: from boxes and a prompt to written files.

Puts document, engine session and output together.
"""

from __future__ import annotations

import argparse
import itertools
import os
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from app.cli.engines import session
from app.cli.jobs import EngineFactory, EngineSession
from app.cli.output import plan_outputs, write_or_keep
from app.cli.source import (
    STDIN,
    ArgumentProblem,
    find_layers,
    keep_original,
    open_project,
    open_source,
)
from app.document import Contents, Document, Rect, Settings, Size, UserError
from app.document.commands import Placement, PlacePixels
from app.document.contents import DEFAULT_CANVAS, DEFAULT_GRID, MAX_PROMPT
from app.document.layer import MAX_SEED
from app.document.storage.errors import StorageError
from app.document.storage.layout import Layout, contents_of, parse_layout
from app.document.storage.names import shown_name
from app.session.jobs import Plan, build_request, plan
from app.session.records import records_for
from engine import Finished, ModelInfo, SpareBoxes, Undrawable

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
        contents = with_words(contents, args.shows)
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
    """Generate the named layers of a file again; the pixels of all others stay as they are."""
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
    contents = with_words(replace(contents, prompt=prompt, settings=settings), args.shows)
    targets = find_layers(contents, args.layer)
    planned = plan(contents, "selected", [layer.id for layer in targets])
    for layer in planned.skipped:
        raise ArgumentProblem(
            f"'{layer.name}' is {'locked' if layer.locked else 'hidden'}.",
            advice="Unlock or show it first, or name another layer.",
        )
    with session(args, factory) as engine:
        check_canvas(contents.canvas, engine.info)
        names = ", ".join(f"'{layer.name}'" for layer in planned.targets)
        made, finished = make(engine, contents, planned, seed, names, args.spare_boxes)
        write_or_keep(output, made, facts_of(made, finished))
        engine.progress.say(f"Wrote '{output.path}'.")
    return 0


def layout_text(path: Path) -> str:
    """The text of the layout, read once: a pipe has nothing left for a second time."""
    try:
        return open_source(path).text()
    except (ArgumentProblem, StorageError) as error:
        raise _bad_layout(path, error) from error


def layout_from(args: argparse.Namespace, text: str, canvas: Size, grid: int) -> Layout:
    """The layout, on the canvas of `--size`; ArgumentProblem where the two contradict."""
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
    """The document that the arguments describe; ArgumentProblem if the model cannot make it."""
    layout = layout_from(args, text, Size(*info.trained_canvases[0]), info.token_px)
    check_canvas(layout.canvas, info)
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
    contents = contents_of(layout, prompt=prompt, settings=settings)
    return replace(contents, background_on=contents.background_on and not args.no_background)


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


def with_words(contents: Contents, words: Sequence[tuple[int, str]]) -> Contents:
    """The document with words pinned to boxes, by number; the engine checks the words."""
    numbers = {layer.number: layer for layer in contents.foregrounds}
    for number, word in words:
        if number not in numbers:
            raise ArgumentProblem(
                f"There is no box {number}.",
                "Nothing was made.",
                f"The boxes are {', '.join(map(str, numbers)) or 'none'}.",
            )
        contents = contents.with_each([numbers[number].id], shows=word)
    return contents


def check_canvas(canvas: Size, info: ModelInfo) -> None:
    """Refuse a canvas that the model cannot fill."""
    if not canvas.is_multiple_of(info.canvas_multiple):
        raise ArgumentProblem(
            f"The canvas is {canvas.width} x {canvas.height}; this model needs "
            f"sides that are multiples of {info.canvas_multiple}.",
            "Nothing was made.",
            "Choose another size.",
        )


# ---- what became of the prompt ----


def report_lines(finished: Finished) -> list[str]:
    """One line per kind of news; empty with the older reading of prompts."""
    check = finished.check
    if check is None:
        return []
    said = [
        ("Drawn: {}.", _counted(_drawn(finished))),
        ("Not drawn: {}.", "; ".join(_why(each) for each in check.undrawable)),
        (
            "A picture has one background; not used: {}.",
            ", ".join(f"'{each.typed}'" for each in check.further_backgrounds),
        ),
        (
            "No box left for: {}.",
            _counted({each.typed: each.count for each in finished.not_placed}),
        ),
        (
            "Misspelt, read: {}.",
            ", ".join(f"'{each.typed}' as '{each.suggestion}'" for each in check.misspelt),
        ),
        ("Left out, as asked: {}.", ", ".join(each.typed for each in check.negated)),
    ]
    for why, count in _empty(finished).items():
        said.append(("Left empty: {}.", f"{'1 box' if count == 1 else f'{count} boxes'}; {why}"))
    unread = f"{check.unread:,}" if check.unread else ""
    said.append(("Not read: the last {} words of the prompt.", unread))
    return [text.format(what) for text, what in said if what]


def report_facts(finished: Finished) -> dict[str, Any]:
    """The same as plain JSON values."""
    check = finished.check
    if check is None:
        return {}
    return {
        "drawn": [{"word": word, "count": count} for word, count in _drawn(finished).items()],
        "background": None if check.background is None else check.background.typed,
        "look": check.look,
        "not_drawn": [
            {"word": each.typed, "why": each.reason, "nearest": each.nearest}
            for each in check.undrawable
        ],
        "backgrounds_not_used": [each.typed for each in check.further_backgrounds],
        "no_box_left": [{"word": each.typed, "count": each.count} for each in finished.not_placed],
        "misspelt": [
            {"word": each.typed, "suggestion": each.suggestion} for each in check.misspelt
        ],
        "negated": [each.typed for each in check.negated],
        "boxes_left_empty": [
            {"why": why, "count": count} for why, count in _empty(finished).items()
        ],
        "words_not_read": check.unread,
    }


def _drawn(finished: Finished) -> dict[str, int]:
    """The words that boxes show, and how many boxes each."""
    things = (r.word for r in finished.results if r.kind == "foreground" and r.left_empty is None)
    return dict(Counter(word for word in things if word))


def _empty(finished: Finished) -> dict[str, int]:
    """Why boxes stay empty, and how many of them."""
    return dict(Counter(each.left_empty for each in finished.results if each.left_empty))


def _counted(words: dict[str, int]) -> str:
    return ", ".join(
        f"'{word}'" if count == 1 else f"{count:,} × '{word}'" for word, count in words.items()
    )


def _why(each: Undrawable) -> str:
    nearest = "" if each.nearest is None else f", try '{each.nearest}'"
    return f"'{each.typed}' ({each.reason}{nearest})"
