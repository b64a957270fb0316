"""Where the command line writes and in which format, by the name or as it is told.

Checks the place before anything is computed. Knows the document and its exporters, not the engine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.cli_jobs import ArgumentProblem
from app.document import Contents
from app.document.storage.errors import StorageError, cause_of
from app.document.storage.export import export_folder
from app.document.storage.formats.options import ExportOptions
from app.document.storage.formats.table import FORMATS, Format, format_for, format_named
from app.document.storage.ora import save_project

DESIGN = "design.ora"
FOLDER = "folder"
# Endings that somebody means as a format; others may be part of a folder's name ("v1.2").
_FOREIGN = frozenset(".gif .bmp .xcf .kra .svg .pdf .json .pptx .html .htm .avif .heic".split())


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
    elif form.is_folder is (by_name is not None):
        needs = "a folder" if form.is_folder else f"a file that ends in {form.suffixes[0]}"
        raise ArgumentProblem(
            f"'{out}' does not fit the format {form.key}, which needs {needs}.",
            advice="Choose another name or another format.",
        )
    if count == 1:
        paths = [out]
    elif form.is_folder:
        paths = [out / str(n) for n in range(1, count + 1)]
    else:
        paths = [out.with_name(f"{out.stem}-{n}{out.suffix}") for n in range(1, count + 1)]
    if form.is_folder:
        _check_folder(out)
    for path in paths:
        _check_place(path)
    return [Output(form=form, path=path, with_design=with_design) for path in paths]


def known_suffixes() -> str:
    """Every ending that is written, for messages and the help."""
    return ", ".join(suffix for form in FORMATS for suffix in form.suffixes)


def _check_folder(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise ArgumentProblem(
            f"'{folder}' is a file, not a folder.",
            "It was not touched.",
            "Choose the name of a new folder.",
        )
    if folder.is_dir() and any(folder.iterdir()):
        raise ArgumentProblem(
            f"The folder '{folder}' is not empty.",
            "It was not touched, so that old and new files are not mixed.",
            "Choose another folder, or empty this one first.",
        )


def _check_place(path: Path) -> None:
    """Make sure that the parent can hold it: an hour of work must not end at a missing folder."""
    if format_for(path) is not None and path.is_dir():
        raise ArgumentProblem(
            f"'{path}' is a folder.", "It was not touched.", "Choose the name of a file."
        )
    parent = next(folder for folder in path.absolute().parents if folder.exists())
    if not parent.is_dir():
        raise ArgumentProblem(
            f"'{parent}' is a file, so '{path}' cannot be made in it.",
            "It was not touched.",
            "Choose another place.",
        )


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
    try:
        path.absolute().parent.mkdir(parents=True, exist_ok=True)
        if output.kind == FOLDER and output.with_design:
            design = (DESIGN, lambda place: save_project(contents, place))
            export_folder(contents, path, extra=facts, also=[design])
        else:
            output.form.write(contents, path, options or ExportOptions(), facts, None)
    except OSError as error:
        raise StorageError(
            f"'{path}' could not be written: {cause_of(error)}.",
            "What stood there before is unchanged.",
            "Choose another place.",
        ) from error
