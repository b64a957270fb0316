"""Where the command line writes: a folder, a picture, a project file or a zip, by the name.

Checks the place before anything is computed, and writes a folder so that it is there whole or not
at all. Knows the document and its exporters, not the engine.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from app.cli_jobs import ArgumentProblem
from app.document import Contents
from app.document.storage.errors import StorageError, cause_of
from app.document.storage.export import export_folder, export_png, export_zip
from app.document.storage.ora import save_project

OutputKind = Literal["folder", "png", "ora", "zip"]
DESIGN = "design.ora"
_FILE_KINDS: dict[str, OutputKind] = {".png": "png", ".ora": "ora", ".zip": "zip"}
# Endings that somebody means as a format; others may be part of a folder's name ("v1.2").
_FOREIGN = frozenset(
    ".jpg .jpeg .webp .gif .bmp .tif .tiff .psd .xcf .kra .svg .pdf .json .pptx .html".split()
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """One thing to write."""

    kind: OutputKind
    path: Path


def plan_outputs(out: Path, count: int = 1) -> list[Output]:
    """Where `count` pictures go: OUT itself, or OUT/1, OUT/2… or OUT-1.png, OUT-2.png…

    Raises:
        ArgumentProblem: a format that is not written here, a folder with something in it, a file
            in the way, or a place where nothing can be made.
    """
    kind = _FILE_KINDS.get(out.suffix.lower(), "folder")
    if kind == "folder" and out.suffix.lower() in _FOREIGN:
        raise ArgumentProblem(
            f"'{out}' cannot be written: {out.suffix} is not a format of this command.",
            advice="Use .png, .ora, .zip or the name of a folder.",
        )
    if count == 1:
        outputs = [Output(kind=kind, path=out)]
    elif kind == "folder":
        outputs = [Output(kind=kind, path=out / str(n)) for n in range(1, count + 1)]
    else:
        outputs = [
            Output(kind=kind, path=out.with_name(f"{out.stem}-{n}{out.suffix}"))
            for n in range(1, count + 1)
        ]
    if kind == "folder":
        _check_folder(out)
    for output in outputs:
        _check_place(output.path)
    return outputs


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
    if path.suffix.lower() in _FILE_KINDS and path.is_dir():
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


def write_output(output: Output, contents: Contents, facts: Mapping[str, Any]) -> None:
    """Write the document in the form that the name asks for.

    Args:
        facts: what the manifest says besides the layers.

    Raises:
        StorageError: it failed; what stood there before is unchanged.
    """
    path = output.path
    try:
        path.absolute().parent.mkdir(parents=True, exist_ok=True)
        match output.kind:
            case "png":
                export_png(contents, path)
            case "ora":
                save_project(contents, path)
            case "zip":
                export_zip(contents, path, extra=facts)
            case "folder":
                _write_folder(path.absolute(), contents, facts)
    except OSError as error:
        raise StorageError(
            f"'{path}' could not be written: {cause_of(error)}.",
            "What stood there before is unchanged.",
            "Choose another place.",
        ) from error


def _write_folder(folder: Path, contents: Contents, facts: Mapping[str, Any]) -> None:
    """Everything goes into a hidden neighbour first; only a whole one gets the name."""
    neighbour = folder.with_name(f".{folder.name[:60]}.{secrets.token_hex(6)}.tmp")
    try:
        export_folder(contents, neighbour, extra=facts)
        save_project(contents, neighbour / DESIGN)
        if folder.is_dir():
            folder.rmdir()  # succeeds on an empty folder only, which is what we have checked
        os.replace(neighbour, folder)
    finally:
        shutil.rmtree(neighbour, ignore_errors=True)
