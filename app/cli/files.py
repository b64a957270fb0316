"""`layerloom export` and `layerloom info`: what is in a file, and the same file in another form.

Neither needs the model, except `info` without a file, which asks the engine what it can do.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
from collections.abc import Iterator
from dataclasses import replace
from importlib import metadata
from typing import Any

from app.cli.errors import ArgumentProblem
from app.cli.jobs import EngineFactory, refuse_engine_options, session
from app.cli.output import plan_outputs, write_output
from app.cli.source import Source, find_layers, keep_original, open_project, open_source
from app.document import Contents, Layer, Size
from app.document.contents import DEFAULT_CANVAS, DEFAULT_GRID
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
from app.document.words import layer_names
from app.session.records import app_version
from engine import ModelInfo

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
_UNKNOWN = -1  # a layer whose file is not read yet
PACKAGES = ("torch", "numpy", "PySide6-Essentials", "pillow", "safetensors")


def export(args: argparse.Namespace) -> int:
    """Write a project file in another form."""
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
    if told := output.form.report(contents, options):
        print(told, file=sys.stderr)
    return 0


def _refuse_ignored(form: Format, options: ExportOptions) -> None:
    """Refuse options that would change nothing in this format.

    Raises:
        ArgumentProblem: names the option and the formats that follow it.
    """
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
        with session(args, factory) as engine:
            lines = list(_about_model(engine.info))
    elif (source := open_source(args.file)).is_project:
        lines = list(_about_project(open_project(source).contents))
    else:
        lines = list(_about_layout(source))
    for line in lines:
        print(line)
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
    for title, words in (
        ("things", info.nouns),
        ("looks", info.looks),
        ("colours", info.colours),
        ("backgrounds", info.backgrounds),
    ):
        yield f"{title:<19} {len(words)}: {', '.join(words)}"


def _about_project(contents: Contents) -> Iterator[str]:
    yield f"canvas  {contents.canvas.width} x {contents.canvas.height}, grid {contents.grid}"
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
