"""`layerloom export`, `info`, `models` and `verify`: a file in another form, contents, state.

Export needs no model. Info without a file asks the engine what it can do. Verify asks two questions
of different price: structure and hashes need no model; with `--regenerate` each job in the file
runs again from its record and the pixels are compared by hash.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import metadata
from typing import Any

import numpy as np

from app.cli.jobs import EngineFactory, EngineSession, built_in_session, refuse_engine_options
from app.cli.output import plan_outputs, write_output
from app.cli.source import (
    ArgumentProblem,
    Source,
    find_layers,
    keep_original,
    open_project,
    open_source,
)
from app.document import Contents, Layer, Size
from app.document.composite import composite
from app.document.contents import DEFAULT_CANVAS, DEFAULT_GRID
from app.document.geometry import Rect
from app.document.pixels import Pixels, hash_of
from app.document.staleness import SOURCE
from app.document.storage.errors import StorageError
from app.document.storage.formats.options import ExportOptions
from app.document.storage.formats.table import (
    FEATURES,
    Choice,
    Format,
    format_named,
    formats_with,
    losses,
    refused_choices,
)
from app.document.storage.layout import parse_layout
from app.document.storage.ora.archive import ArchiveReader
from app.document.storage.ora.groups import MERGED
from app.document.words import layer_names
from app.session.records import app_version, job_of, request_from_record
from engine import EngineError, Finished, ModelInfo, list_models

# What each choice of an export is called on the command line; a test compares with the formats.
FLAGS: dict[Choice, str] = {
    "part": "--layer",
    "scale": "--scale",
    "colour": "--over",
    "no_background": "--no-background",
    "quality": "--quality",
    "recipe": "--no-recipe",
    "hidden": "--no-hidden",
    "canvas_sized": "--canvas-sized",
    "pages": "--pages",
    "parallax": "--parallax",
    "background": "--vector-background",
}
# The choice that takes the effect from another one, where it is not that of pages.
_AGAINST: dict[Choice, Choice] = {"no_background": "part", "background": "no_background"}
# Other programs round after each layer, so their picture may be off by this, of 255.
_OTHERS_ROUND = 3
REMOTE_HASH = "remote:"  # begins the hashes of models on servers; a test compares
_UNKNOWN = -1  # a layer whose file is not read yet
PACKAGES = ("torch", "numpy", "PySide6-Essentials", "pillow", "safetensors")


def export(args: argparse.Namespace) -> int:
    form = None if args.format is None else format_named(args.format)
    (output,) = plan_outputs(args.out, form=form)
    options = ExportOptions(
        layer_id=None if args.layer is None else _UNKNOWN,
        scale=args.scale,
        over=args.over,
        with_recipe=not args.no_recipe,
        with_background=not args.no_background,
        quality=args.quality,
        hidden=not args.no_hidden,
        canvas_sized=args.canvas_sized,
        pages=args.pages,
        parallax=args.parallax,
        vector_background=args.vector_background,
    )
    _refuse_ignored(output.form, options)
    source = open_source(args.file)
    opened = open_project(source)
    keep_original(source, output.path, opened)
    contents = opened.contents
    if args.layer is not None:
        layer = find_layers(contents, [args.layer])[0]
        if not layer.visible and args.no_hidden:
            raise ArgumentProblem(
                f"'{layer.name}' is hidden, and --no-hidden leaves it out.",
                "Nothing was written.",
                "Leave out --layer or --no-hidden.",
            )
        options = replace(options, layer_id=layer.id)
    lost = [
        FEATURES[feature].lower()
        for feature, is_lost in losses(contents, output.form, options).items()
        if is_lost
    ]
    write_output(output, contents, _common_facts(contents), options)
    if args.quiet:
        return 0
    if lost:
        print(f"{output.form.title} does not keep: {', '.join(lost)}.", file=sys.stderr)
    if said := output.form.report(contents, options):
        print(said, file=sys.stderr)
    return 0


def _refuse_ignored(form: Format, options: ExportOptions) -> None:
    """Raise ArgumentProblem for an option that would change nothing in this format."""
    for choice, reason in refused_choices(form, options).items():
        flag = FLAGS[choice]
        if choice in form.choices:  # it does without another option
            other = FLAGS[_AGAINST.get(choice, "pages")]
            advice = f"Leave out {flag} or {other}."
            with_other = f" with {other}"
        else:
            keys = ", ".join(each.key for each in formats_with(choice))
            advice, with_other = f"Leave it out, or choose a format with it: {keys}.", ""
        raise ArgumentProblem(
            f"{flag} has no effect on the format {form.key}{with_other}. {reason}",
            "Nothing was written.",
            advice,
        )


def _common_facts(contents: Contents) -> dict[str, Any]:
    """What the layers were made with, for the manifest: each value where all agree, else null."""
    facts: dict[str, Any] = {"seed": contents.settings.seed}
    records = [layer.record for layer in contents.layers if layer.record is not None]
    for key in ("steps", "guidance", "clean_colours", "model"):
        values = [record.get(key) for record in records]
        facts[key] = values[0] if values and all(each == values[0] for each in values) else None
    return facts


def info(args: argparse.Namespace, factory: EngineFactory | None) -> int:
    """Print what is in a file, or versions, device and model."""
    if args.file is not None:
        refuse_engine_options(args, "info without a file")
    if args.file is None:
        for line in _versions():
            print(line, flush=True)
        with built_in_session(args, factory) as engine:
            lines = list(_about_model(engine.info))
    elif (source := open_source(args.file)).is_project:
        lines = list(_about_project(open_project(source).contents))
    else:
        lines = list(_about_layout(source))
    for line in lines:
        print(line)
    return 0


def models(args: argparse.Namespace) -> int:
    try:
        found = list_models(args.folder)
    except EngineError as error:
        raise ArgumentProblem(str(error), "Nothing was done.", error.advice) from error
    for model in found:
        print(f"{model.path.name} · {model.name}")
        if model.problem:
            print(f"  problem   {model.problem}")
            continue
        words = model.vocabulary
        counted = (
            "any text"
            if words is None
            else (
                f"{len(words.nouns)} things, {len(words.looks)} looks, "
                f"{len(words.backgrounds)} backgrounds"
            )
        )
        print(f"  hash      {model.file_hash}")
        print(f"  tasks     {', '.join(model.tasks)}")
        print(f"  words     {counted}")
        print(f"  canvases  {', '.join(f'{width} x {height}' for width, height in model.canvases)}")
        for licence in model.licences:
            print(f"  licence   {licence}")
    if not found:
        print("There are no model files in this folder.", file=sys.stderr)
    return 0


def _versions() -> Iterator[str]:
    """Without importing any of the packages: torch alone takes seconds."""
    yield f"layerloom           {app_version()}"
    yield f"python              {platform.python_version()} on {platform.platform()}"
    for name in PACKAGES:
        try:
            yield f"{name:<19} {metadata.version(name)}"
        except metadata.PackageNotFoundError:
            yield f"{name:<19} not installed"


def _about_model(info: ModelInfo) -> Iterator[str]:
    yield f"model               {info.name}, {info.parameters:,} parameters"
    yield f"model hash          {info.file_hash}"
    threads = f", {info.threads} threads" if info.device == "cpu" else ""
    yield f"device              {info.device}, {info.precision}{threads}"
    sizes = ", ".join(f"{width} x {height}" for width, height in info.trained_canvases)
    yield f"canvas              {sizes}; sides in steps of {info.canvas_multiple}"
    yield f"boxes               up to {info.max_foregrounds}, on a grid of {info.token_px} pixels"
    steps = f"{info.default_steps} steps"
    if info.default_edit_steps not in (None, info.default_steps):
        steps += f" ({info.default_edit_steps} next to finished layers)"
    yield f"defaults            {steps}, guidance {info.default_cfg_scale:g}"
    if info.vocabulary is None:
        yield "words               any text"
        return
    for title, words in (
        ("things", info.vocabulary.nouns),
        ("looks", info.vocabulary.looks),
        ("colours", info.vocabulary.colours),
        ("backgrounds", info.vocabulary.backgrounds),
    ):
        yield f"{title:<19} {len(words)}: {', '.join(words)}"


def _about_project(contents: Contents) -> Iterator[str]:
    yield f"canvas  {contents.canvas.width} x {contents.canvas.height}"
    yield f"prompt  {json.dumps(contents.prompt, ensure_ascii=False)}"
    yield f"seed    {contents.settings.seed}"
    models = {
        f"{layer.record['model']['name']}, {layer.record['model']['hash']}"
        for layer in contents.layers
        if layer.record is not None and isinstance(layer.record.get("model"), dict)
    }
    for model in sorted(models):
        yield f"model   {model}"
    yield f"layers  {len(contents.layers)}, topmost first:"
    names = layer_names(contents.layers)
    for layer in reversed(contents.layers):
        yield _about_layer(layer, names[layer.id])


def _about_layer(layer: Layer, name: str) -> str:
    rect = layer.rect
    parts = [
        f"{layer.number:>4}  {name}",
        layer.kind,
        f"{rect.width} x {rect.height} at {rect.x}, {rect.y}",
    ]
    if layer.record is not None:
        parts.append(f"seed {layer.record.get('seed')}")
    parts += ["hidden"] * (not layer.visible) + ["locked"] * layer.locked
    if layer.candidates:
        parts.append(f"{len(layer.candidates)} more results")
    if layer.pixel_hash is not None:
        parts.append(layer.pixel_hash[:12])
    return " · ".join(parts)


def _about_layout(source: Source) -> Iterator[str]:
    text = source.text()
    try:
        layout = parse_layout(text, canvas=DEFAULT_CANVAS, grid=DEFAULT_GRID)
    except StorageError as error:
        raise ArgumentProblem(
            f"'{source.name}' is neither a project file nor a layout: {error.what}",
            "Nothing was changed.",
            "Give an .ora file or a layout.",
        ) from error
    size: Size = layout.canvas
    named = "" if layout.names_canvas else " (not in the file)"
    yield f"canvas  {size.width} x {size.height}{named}"
    if layout.prompt is not None:
        yield f"prompt  {json.dumps(layout.prompt, ensure_ascii=False)}"
    yield f"background  {'off' if layout.background is False else 'on'}"
    yield f"boxes   {len(layout.boxes)}, bottom first:"
    for number, box in enumerate(layout.boxes, start=1):
        yield f"{number:>4}  {box.rect.to_box()} {box.name}".rstrip()


@dataclass(frozen=True, slots=True)
class Claim:
    """One layer's record, and the hash that running it again must give."""

    name: str
    record: Mapping[str, Any]
    pixel_hash: str | None


def verify(args: argparse.Namespace, factory: EngineFactory | None) -> int:
    """Check a file; say what is right on stdout; 1 where something asked for is not."""
    if not args.regenerate:
        refuse_engine_options(args, "--regenerate")
    source = open_source(args.file)
    if source.is_project:
        problems, claims, contents = _project(source)
    else:
        (problems, claims), contents = _recipe(source), None
    if args.regenerate and not problems:
        here = [claim for claim in claims if not _is_remote(claim.record)]
        problems += [_not_made_here(claim) for claim in claims if claim not in here]
        if here:
            with built_in_session(args, factory) as engine:
                problems += list(_differences(here, contents, engine))
    for problem in problems:
        print(f"'{source.name}': {problem}", file=sys.stderr)
    return 1 if problems else 0


def _project(source: Source) -> tuple[list[str], list[Claim], Contents]:
    """What is wrong with a project file, and what its records claim."""
    opened = open_project(source)
    contents = opened.contents
    problems = list(opened.messages)
    if not opened.is_project:
        problems.append("It has no records, so nothing can be compared.")
    problems += list(_broken_records(contents))
    with source.archive() as archive:
        problem = merged_picture_problem(archive, contents, is_ours=opened.is_project)
    problems += [problem] if problem else []
    if not problems:
        layers = [layer for layer in contents.layers if layer.has_pixels]
        print(f"'{source.name}': {len(layers)} layers with pixels, all hashes are right.")
    claims = [
        Claim(layer.name, layer.record, layer.record.get(SOURCE, layer.pixel_hash))
        for layer in contents.layers
        if layer.record is not None and layer.kind == "generated"
    ]
    return problems, claims, contents


def _recipe(source: Source) -> tuple[list[str], list[Claim]]:
    """What a recipe, or a picture that carries one, claims."""
    text = source.text()
    parse_layout(text, canvas=DEFAULT_CANVAS, grid=DEFAULT_GRID)  # refuses what is no recipe
    try:
        recipe = json.loads(text)
    except ValueError:
        recipe = None  # a plain list of boxes
    listed = recipe.get("layers", []) if isinstance(recipe, dict) else []
    claims = [
        Claim(str(each.get("name")), record, record.get(SOURCE, each.get("pixels")))
        for each in listed
        if isinstance(each, dict)
        and isinstance(record := each.get("record"), dict)
        and each.get("kind") == "generated"
    ]
    if not claims:
        return ["It has no records, so nothing can be compared."], []
    print(f"'{source.name}': a recipe with {len(claims)} records.")
    return [], claims


def _broken_records(contents: Contents) -> Iterator[str]:
    for layer in contents.layers:
        if layer.record is None or layer.kind != "generated":
            continue
        # A resized layer shows its result resampled; the result itself is among its candidates.
        made = layer.record.get(SOURCE, layer.pixel_hash)
        if layer.record.get("result") != made:
            yield f"The pixels of '{layer.name}' are not those of its record."


def _differences(
    claims: Sequence[Claim], contents: Contents | None, engine: EngineSession
) -> Iterator[str]:
    """Run each job again and compare; a line for each layer that came out otherwise."""
    pictures = {} if contents is None else _known_pictures(contents, engine.info.token_px)
    jobs: dict[tuple[object, ...], list[Claim]] = defaultdict(list)
    for claim in claims:
        try:
            jobs[job_of(claim.record)].append(claim)
        except (KeyError, TypeError, AttributeError):
            yield f"The record of '{claim.name}' is incomplete, so it cannot be run again."
    for number, same_job in enumerate(jobs.values(), start=1):
        record = same_job[0].record
        names = ", ".join(f"'{claim.name}'" for claim in same_job)
        try:
            request = request_from_record(record, number, pictures.get)
        except LookupError as error:
            yield f"{names} cannot be made again: what layer {error} was then is not in the file."
            continue
        except (TypeError, ValueError, AttributeError):
            yield f"The record of {names} is not valid, so it cannot be run again."
            continue
        finished = engine.run(request, names)
        yield from _compare(same_job, record, finished, engine.info)


def _is_remote(record: Mapping[str, Any]) -> bool:
    """Whether a server made the pixels, whose model is not on this machine."""
    model_hash = _of(record.get("model"), "hash")
    return isinstance(model_hash, str) and model_hash.startswith(REMOTE_HASH)


def _not_made_here(claim: Claim) -> str:
    name = _of(claim.record.get("model"), "name")
    kind = "a ComfyUI server" if claim.record.get("engine") == "comfyui" else "a server"
    return (
        f"'{claim.name}' was made by {name} on {kind}, so its pixels cannot be made again and "
        "compared here. Its record and the hash of its pixels fit together."
    )


def _compare(
    claims: Sequence[Claim], record: Mapping[str, Any], finished: Finished, info: ModelInfo
) -> Iterator[str]:
    made = {result.layer_id: Pixels.of(result.rgba).hash for result in finished.results}
    for claim in claims:
        # Layer ids of a request that comes from a record are the numbers in it.
        if made.get(claim.record.get("number", -1)) == claim.pixel_hash:
            print(f"'{claim.name}' was reproduced exactly.")
        else:
            yield f"'{claim.name}' was not reproduced. {_why(record, finished, info)}"


def _why(record: Mapping[str, Any], finished: Finished, info: ModelInfo) -> str:
    """What is not as it was when the record was written."""
    model, versions = record.get("model"), record.get("versions")
    now = {
        "model": (_of(model, "hash"), info.file_hash),
        "torch": (_of(versions, "torch"), finished.torch_version),
        "device": (record.get("device"), finished.device),
        "precision": (record.get("precision"), finished.precision),
        "threads": (record.get("threads"), finished.threads),
    }
    changed = [
        f"{name} was {str(then)[:12]}, is {str(today)[:12]}"
        for name, (then, today) in now.items()
        if then != today
    ]
    return f"Different now: {'; '.join(changed)}." if changed else "Nothing else is different."


def _of(value: object, key: str) -> object:
    return value.get(key) if isinstance(value, dict) else None


def _known_pictures(contents: Contents, token_px: int) -> dict[str, np.ndarray]:
    """Every picture in the file by hash, also cut to the canvas, as requests have it.

    Records of earlier versions name context pixels as the model's grid cuts them.
    """
    known: dict[str, np.ndarray] = {}
    for layer in contents.layers:
        for grid in (1, token_px):
            region = layer.region_pixels(grid, contents.canvas)
            if region is not None:
                known[hash_of(region)] = region
    return known | {image.hash: image.array for image in contents.pictures()}


# ---- the merged picture, which other programs and file managers show ----


def merged_picture_problem(archive: ArchiveReader, contents: Contents, *, is_ours: bool) -> str:
    """What is wrong with it, as a sentence; "" = nothing.

    Args:
        contents: what the file opened as.
        is_ours: the file has our own data, so the picture must be ours to the last bit.
    """
    if not archive.has(MERGED):
        return (
            f"The merged picture '{MERGED}' is missing, which other programs show. Open the file "
            "and save it again."
        )
    try:
        merged = archive.picture(MERGED)
    except StorageError as error:
        return f"The merged picture cannot be read: {error.what}"
    # The canvas of another program's file may have grown to the grid.
    theirs = Rect(0, 0, merged.width, merged.height)
    made = composite(contents.layers, contents.canvas.rect if is_ours else theirs)
    if merged.hash == hash_of(made):
        return ""
    if is_ours or _apart(merged.array, made) > _OTHERS_ROUND:
        return "The merged picture in it is not what its layers make."
    return ""


def _apart(a: np.ndarray, b: np.ndarray) -> float:
    """By how much two pictures of one size differ at most, of 255, premultiplied."""
    colours = [each[..., :3].astype(float) * each[..., 3:] / 255 for each in (a, b)]
    alpha = np.abs(a[..., 3].astype(int) - b[..., 3])
    return float(max(np.abs(colours[0] - colours[1]).max(), alpha.max()))
