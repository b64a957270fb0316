"""The formats that go out: names, endings, writers, what each keeps, and which choices it follows.

One table for the command line and the dialog. A choice that a format cannot follow is refused or
disabled, never ignored.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from app.document.blends import BLENDS
from app.document.contents import Contents
from app.document.storage.atomic import Disk, write_bytes
from app.document.storage.formats.layer_files import export_folder, export_zip
from app.document.storage.formats.options import (
    HTML_FILES,
    ExportOptions,
    Made,
    visible_only,
    without_background,
)
from app.document.storage.ora.file import save_project

Feature = str  # a key of `FEATURES`
Choice = str  # a key of `CHOICES`
Teller = Callable[[Contents, ExportOptions], str]
Writer = Callable[[Contents, Path, ExportOptions, Disk | None], object]

# What each feature is called in the table of losses, in the order of the table.
FEATURES: dict[Feature, str] = {
    "layers": "Layers at their places",
    "outside": "Pixels outside the canvas",
    "names": "Layer names",
    "transparency": "Transparency",
    "opacity": "Opacity of layers",
    "blend": "Blend modes",
    "foreign blend": "Blend modes of other programs",
    "hidden": "Hidden layers",
    "locks": "Locks",
    "boxes": "Empty boxes",
    "prompt": "Prompt",
    "seeds": "Seeds and records",
    "candidates": "Results in the strip",
}


# What can be chosen, and why a format has no such choice.
CHOICES: dict[Choice, str] = {
    "part": "It writes the whole picture with its layers.",
    "scale": "It writes the layers at their own size.",
    "colour": "It keeps the transparency of the layers.",
    "no_background": "It has no transparency.",
    "quality": "It is written without loss.",
    "recipe": "It has no prompt, seeds or records.",
    "hidden": "It shows the visible layers only.",
    "canvas_sized": "It has no separate pictures of the layers.",
    "pages": "It has no pages.",
    "parallax": "It is not a web page.",
    "background": "It has no shapes.",
}
_WITH_PAGES: dict[Choice, str] = {
    "part": "Every layer becomes a page.",
    "scale": "Every page shows a layer at its own size.",
    "colour": "Every page keeps the transparency of its layer.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One way out."""

    key: str  # how code and settings call it
    title: str  # for people
    suffixes: tuple[str, ...]  # file endings, the usual one first; none for a folder
    keeps: frozenset[Feature]  # what is not lost, whatever is chosen
    choices: frozenset[Choice]  # the options that mean something to it
    write: Writer  # writes contents without what is to be left out; `export` is for callers
    # endings with which a folder format writes one file that holds everything
    in_one_file: tuple[str, ...] = ()
    blends: frozenset[str] = frozenset(BLENDS)  # the modes that it has, of those that it keeps
    # a sentence about contents without what is left out; `report` is for callers
    tell: Teller | None = None

    @property
    def is_folder(self) -> bool:
        return not self.suffixes

    def export(
        self,
        contents: Contents,
        path: Path,
        options: ExportOptions,
        facts: Mapping[str, Any] | None = None,
        disk: Disk | None = None,
    ) -> object:
        """Write the document as the options say.

        Args:
            facts: what a manifest says besides the layers.

        Raises:
            StorageError: it failed; what stood there before is unchanged.
        """
        shown = self._written(contents, options)
        return self.write(shown, path, replace(options, facts=facts or {}), disk)

    def report(self, contents: Contents, options: ExportOptions) -> str:
        """A sentence about what was written, for after the writing; "" if there is none."""
        return self.tell(self._written(contents, options), options) if self.tell else ""

    def _written(self, contents: Contents, options: ExportOptions) -> Contents:
        """The contents without what is to be left out."""
        if not options.with_background:
            contents = without_background(contents)
        leaves_out = not options.hidden and "hidden" in self.choices and options.layer_id is None
        return visible_only(contents) if leaves_out else contents

    def fits(self, path: Path) -> bool:
        """Whether the name ends as one file of this format does."""
        return path.suffix.lower() in (*self.suffixes, *self.in_one_file)


def format_for(path: Path) -> Format | None:
    """The format whose ending the name has; None = no format."""
    return next((each for each in FORMATS if each.fits(path)), None)


def format_named(key: str) -> Format:
    """The format with this key. Raises KeyError: there is none."""
    return _BY_KEY[key]


def losses(contents: Contents, form: Format, options: ExportOptions) -> dict[Feature, bool]:
    """What this document has, and whether it would be lost; in the order of the table."""
    kept = _kept(form, options)
    shown = {layer.blend for layer in contents.layers if layer.has_pixels}
    if not shown & BLENDS.keys() <= form.blends:
        kept -= {"blend"}
    had = _features_of(contents)
    return {feature: feature not in kept for feature in FEATURES if had[feature]}


def _kept(form: Format, options: ExportOptions) -> frozenset[Feature]:
    kept = set(form.keeps)
    if "colour" in form.choices and options.over is not None:
        kept.discard("transparency")
    if "hidden" in form.choices and not options.hidden:
        kept.discard("hidden")
    if "recipe" in form.choices and not options.with_recipe:
        kept -= {"prompt", "seeds", "candidates"}
    if "canvas_sized" in form.choices and options.canvas_sized:
        kept.discard("outside")
    if options.layer_id is not None:
        kept -= {"layers", "opacity", "blend", "hidden"}
    if "pages" in form.choices and options.pages:
        kept |= {"layers", "names"}
        if options.hidden:
            kept.add("hidden")
    return frozenset(kept)


def _features_of(contents: Contents) -> dict[Feature, bool]:
    layers = contents.layers
    shown = [layer for layer in layers if layer.has_pixels]
    canvas = contents.canvas.rect
    blends = {layer.blend for layer in shown} - {"normal"}
    return {
        "layers": len(shown) > 1,
        "outside": any(not canvas.contains(layer.rect) for layer in shown),
        "names": bool(shown),
        "transparency": bool(shown),
        "opacity": any(layer.opacity < 1 for layer in shown),
        "blend": bool(blends & BLENDS.keys()),
        "foreign blend": bool(blends - BLENDS.keys()),
        "hidden": any(not layer.visible for layer in shown),
        "locks": any(layer.locked for layer in layers),
        "boxes": any(not layer.has_pixels for layer in layers),
        "prompt": bool(contents.prompt.strip()),
        "seeds": any(layer.record or layer.seed is not None for layer in layers),
        "candidates": bool(contents.detached) or any(layer.candidates for layer in layers),
    }


# ---- the formats ----


def _one_file(module: str, name: str) -> Writer:
    """What writes the file that a function of a module makes.

    The module is imported when it is needed: psd-tools takes as long as half of the window, and the
    tracer of shapes is large.
    """

    def write(contents: Contents, path: Path, options: ExportOptions, disk: Disk | None) -> object:
        found = importlib.import_module(f"app.document.storage.formats.{module}")
        made: Made = getattr(found, name)(contents, options)
        return write_bytes(path, made.data, verify=made.check, disk=disk)

    return write


def _html(contents: Contents, path: Path, options: ExportOptions, disk: Disk | None) -> None:
    from app.document.storage.formats.html import export_html

    export_html(contents, path, options, disk)


def _say_pictures(contents: Contents, options: ExportOptions) -> str:
    from app.document.storage.formats.shapes import say_pictures

    return say_pictures(contents, options)


def _ora(
    contents: Contents, path: Path, options: ExportOptions, disk: Disk | None = None
) -> object:
    return save_project(contents, path, for_sharing=not options.with_recipe, disk=disk)


def _form(
    key: str, title: str, suffixes: str, keeps: str, choices: str, write: Writer, **more: Any
) -> Format:
    return Format(
        key=key,
        title=title,
        suffixes=tuple(suffixes.split()),
        keeps=frozenset(keeps.split(", ")),
        choices=frozenset(choices.split()),
        write=write,
        **more,
    )


_FLAT = "transparency, prompt, seeds"
_SHAPES = "layers, outside, names, transparency, opacity, blend, hidden, locks, prompt, seeds"
_MANIFEST = (
    "layers, outside, names, transparency, opacity, blend, foreign blend, hidden, boxes, "
    "prompt, seeds"
)
_OF_FLAT = "scale part colour recipe no_background"
_OF_SHAPES = "part recipe hidden background no_background"
_OF_FILES = "canvas_sized recipe hidden no_background"

FORMATS: tuple[Format, ...] = (
    _form("png", "PNG picture", ".png", _FLAT, _OF_FLAT, _one_file("flat", "png")),
    _form(
        "psd",
        "PSD for Photoshop and others",
        ".psd",
        "layers, outside, names, transparency, opacity, blend, hidden",
        "hidden no_background",
        _one_file("psd", "psd"),
    ),
    _form(
        "svg",
        "SVG shapes for Inkscape and others",
        ".svg",
        _SHAPES,
        _OF_SHAPES,
        _one_file("svg", "svg"),
        tell=_say_pictures,
    ),
    _form(
        "pdf",
        "PDF with layers",
        ".pdf",
        _SHAPES,
        _OF_SHAPES,
        _one_file("pdf", "pdf"),
        blends=frozenset(BLENDS) - {"add"},
        tell=_say_pictures,
    ),
    _form(
        "ora",
        "OpenRaster for Krita, GIMP and others",
        ".ora",
        ", ".join(FEATURES),
        "recipe hidden no_background",
        _ora,
    ),
    _form("zip", "ZIP of layers with manifest", ".zip", _MANIFEST, _OF_FILES, export_zip),
    _form("folder", "Folder of layers with manifest", "", _MANIFEST, _OF_FILES, export_folder),
    _form("webp", "WebP picture", ".webp", _FLAT, f"{_OF_FLAT} quality", _one_file("flat", "webp")),
    _form(
        "tiff",
        "TIFF picture",
        ".tif .tiff",
        _FLAT,
        f"{_OF_FLAT} pages hidden",
        _one_file("flat", "tiff"),
    ),
    _form(
        "jpeg",
        "JPEG picture",
        ".jpg .jpeg",
        "prompt, seeds",
        "scale part colour recipe quality",
        _one_file("flat", "jpeg"),
    ),
    _form(
        "html",
        "Web page with layers",
        "",
        "layers, outside, names, transparency, opacity, blend, hidden, prompt",
        "hidden recipe parallax no_background",
        _html,
        in_one_file=HTML_FILES,
    ),
)
_BY_KEY = {each.key: each for each in FORMATS}


def asked_choices(options: ExportOptions) -> frozenset[Choice]:
    """The choices that ask for something other than the usual."""
    usual = ExportOptions()
    asked: dict[Choice, bool] = {
        "part": options.rect is not None or options.layer_id is not None,
        "scale": options.scale != usual.scale,
        "colour": options.over is not None,
        "no_background": not options.with_background,
        "quality": options.quality is not None,
        "recipe": not options.with_recipe,
        "hidden": not options.hidden,
        "canvas_sized": options.canvas_sized,
        "pages": options.pages,
        "parallax": options.parallax,
        "background": options.vector_background,
    }
    return frozenset(choice for choice, is_asked in asked.items() if is_asked)


def reason_against(form: Format, choice: Choice, options: ExportOptions) -> str:
    """Why this choice changes nothing in this format, one sentence; "" = it does.

    Args:
        options: the other choices: TIFF with pages has none of a single picture's, and one layer
            alone has no background.
    """
    if choice not in form.choices:
        return CHOICES[choice]
    if choice == "no_background" and options.layer_id is not None:
        return "One layer is exported alone."
    if choice == "background" and not options.with_background:
        return "The background is left out."
    if form.key == "tiff" and options.pages:
        return _WITH_PAGES.get(choice, "")
    if form.key == "tiff" and choice == "hidden":
        return "Without pages, it shows the visible layers only."
    return ""


def refused_choices(form: Format, options: ExportOptions) -> dict[Choice, str]:
    """The choices that ask for what this format cannot do, and why.

    What a format never writes need not be left out: no recipe in a PSD, no hidden layer in a PNG.
    """
    reasons = {choice: reason_against(form, choice, options) for choice in asked_choices(options)}
    return {
        choice: reason
        for choice, reason in sorted(reasons.items())
        if reason and choice not in ("recipe", "hidden")
    }


def formats_with(choice: Choice) -> tuple[Format, ...]:
    """The formats that follow this choice."""
    return tuple(form for form in FORMATS if choice in form.choices)
