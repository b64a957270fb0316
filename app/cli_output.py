"""Where the command line writes and in which format, by the name or as it is told.

Checks the place before anything is computed. Knows the document and its exporters, not the engine.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.cli_jobs import ArgumentProblem
from app.cli_place import check_file_place, check_folder_place
from app.document import Contents
from app.document.storage.errors import StorageError, advice_on, cause_of
from app.document.storage.export import export_folder
from app.document.storage.formats.options import ExportOptions, visible_only, without_background
from app.document.storage.formats.table import FORMATS, Format, format_for, format_named
from app.document.storage.name_length import shown_path
from app.document.storage.ora import save_project

DESIGN = "design.ora"
FOLDER = "folder"
# Endings that somebody means as a format; others may be part of a folder's name ("v1.2").
_FOREIGN = frozenset(".gif .bmp .xcf .kra .json .pptx .avif .heic".split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """One thing to write.

    Attributes:
        form: how.
        with_design: put the project file beside the layers of a folder.
    """

    form: Format
    path: Path
    with_design: bool = True

    @property
    def kind(self) -> str:
        return self.form.key


def plan_outputs(out: Path, count: int = 1, form: Format | None = None) -> list[Output]:
    """Where `count` pictures go: OUT itself, or OUT/1, OUT/2… or OUT-1.png, OUT-2.png…

    Args:
        form: the format; None = what the ending says, a folder without one.

    Raises:
        ArgumentProblem: a format that is not written here, a folder with something in it, a file
            in the way, or a place where nothing can be made.
    """
    by_name = format_for(out)
    if form is None and by_name is None and out.suffix.lower() in _FOREIGN:
        raise ArgumentProblem(
            f"'{out}' cannot be written: {out.suffix} is not a format of this command.",
            advice=f"Use {known_suffixes()} or the name of a folder.",
        )
    with_design = form is None
    if form is None:
        form = by_name or format_named(FOLDER)
    elif by_name is not form and not (form.is_folder and by_name is None):
        raise ArgumentProblem(
            f"'{out}' does not fit the format {form.key}, which needs {_needs(form)}.",
            advice="Choose another name or another format.",
        )
    # A folder that is there and called "v1.html" is filled as a folder.
    is_folder = form.is_folder and (not form.fits(out) or os.path.isdir(out))
    if count == 1:
        paths = [out]
    elif is_folder:
        paths = [out / str(n) for n in range(1, count + 1)]
    else:
        paths = [out.with_name(f"{out.stem}-{n}{out.suffix}") for n in range(1, count + 1)]
    if is_folder:
        check_folder_place(out)
    else:
        for path in paths:
            check_file_place(path)
    return [Output(form=form, path=path, with_design=with_design) for path in paths]


def _needs(form: Format) -> str:
    if not form.is_folder:
        return f"a file that ends in {form.suffixes[0]}"
    return "a folder" + "".join(f" or a file that ends in {end}" for end in form.in_one_file[:1])


def known_suffixes() -> str:
    """Every ending that is written, for messages and the help."""
    return ", ".join(end for form in FORMATS for end in (*form.suffixes, *form.in_one_file))


def write_output(
    output: Output,
    contents: Contents,
    facts: Mapping[str, Any],
    options: ExportOptions | None = None,
) -> None:
    """Write the document in the form that the name asks for.

    Args:
        facts: what the manifest says besides the layers.
        options: None = the usual ones.

    Raises:
        StorageError: it failed; what stood there before is unchanged.
    """
    path = output.path
    options = options or ExportOptions()
    made = [each for each in path.absolute().parents if not os.path.exists(each)]
    try:
        path.absolute().parent.mkdir(parents=True, exist_ok=True)
        if output.kind == FOLDER and output.with_design:
            _write_with_design(path, contents, facts, options)
        else:
            output.form.export(contents, path, options, facts)
    except BaseException as error:
        for folder in made:  # the innermost first; one with something in it stays
            with contextlib.suppress(OSError):
                folder.rmdir()
        if not isinstance(error, OSError):
            raise
        raise StorageError(
            f"'{shown_path(path)}' could not be written: {cause_of(error)}.",
            "What stood there before is unchanged.",
            advice_on(error),
        ) from error


def _write_with_design(
    folder: Path, contents: Contents, facts: Mapping[str, Any], options: ExportOptions
) -> None:
    """Layers and manifest, with the project file next to them; it keeps to the same options."""
    shown = contents if options.with_background else without_background(contents)
    shown = shown if options.hidden else visible_only(shown)
    with_recipe = options.with_recipe

    def write_design(place: Path) -> None:
        save_project(shown, place, for_sharing=not with_recipe)

    export_folder(
        shown,
        folder,
        extra=facts,
        canvas_sized=options.canvas_sized,
        with_recipe=with_recipe,
        also=[(DESIGN, write_design)],
    )
