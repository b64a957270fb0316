"""Where the command line writes and in which format, by the name or by an option.

The place is checked before anything is computed. What cannot be written there in the end is kept
elsewhere, so that no work is lost. Uses the document and its exporters, not the engine.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import stat
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from app.cli.source import ArgumentProblem
from app.document import Contents
from app.document.errors import UserError
from app.document.storage.atomic import beside, check_empty_folder
from app.document.storage.errors import StorageError, advice_on, cause_of
from app.document.storage.formats.layer_files import export_folder
from app.document.storage.formats.options import ExportOptions, visible_only, without_background
from app.document.storage.formats.table import FORMATS, Format, format_for, format_named
from app.document.storage.names import safe_name, shown_path
from app.document.storage.ora.file import SUFFIX, save_project

DESIGN = "design.ora"
FOLDER = "folder"
# Endings that are meant as a format; others may be part of a folder's name ("v1.2").
_FOREIGN = frozenset(".gif .bmp .xcf .kra .json .pptx .avif .heic".split())
_UNTOUCHED = "It was not touched."
# Where a picture is kept instead: the shell's folder, the user's, the one for temporary files.
_PLACES: tuple[Callable[[], Path], ...] = (
    Path.cwd,
    Path.home,
    lambda: Path(tempfile.gettempdir()),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """One thing to write; `with_design` puts the project file next to the layers of a folder."""

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
    for path in [out] if is_folder else paths:
        check_place(path, is_folder=is_folder)
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

    def write_design(place: Path) -> None:
        save_project(shown, place, for_sharing=not options.with_recipe)

    export_folder(shown, folder, replace(options, facts=facts), also=[(DESIGN, write_design)])


# ---- can the place hold what will be made? ----


def check_place(path: Path, *, is_folder: bool) -> None:
    """Make sure that a file of this name, or files in a new or empty folder, can be written.

    Raises:
        ArgumentProblem: something else has the name, the folder has something in it, the name is
            too long, or the place cannot be written.
    """
    target = Path(os.path.realpath(path))
    try:
        mode = os.stat(path).st_mode
    except (FileNotFoundError, NotADirectoryError):
        mode = None  # where a part of the path is a file, the next check says which
    except OSError as error:
        raise _refused(path, error) from error
    what, advice = "", "Choose the name of a file."
    if mode is not None and stat.S_ISDIR(mode) and not is_folder:
        what = "a folder"
    elif mode is not None and not (stat.S_ISDIR(mode) or stat.S_ISREG(mode)):
        what = "a pipe or a device, not a file"  # writing would put a file in its place
    elif mode is not None and is_folder and not stat.S_ISDIR(mode):
        what, advice = "a file, not a folder", "Choose the name of a new folder."
    elif mode is not None and is_folder:
        target /= "manifest.json"
        try:
            check_empty_folder(path)
        except StorageError as error:
            kept = "It was not touched, so that old and new files are not mixed."
            raise ArgumentProblem(error.what, kept, error.advice) from error
    if what:
        raise ArgumentProblem(f"'{shown_path(path)}' is {what}.", _UNTOUCHED, advice)
    _try_to_write(target, path)


def _try_to_write(target: Path, asked: Path) -> None:
    """Make and remove an empty file as near to the place as there is a folder."""
    try:
        missing: list[str] = []
        folder = target.parent
        while not os.path.lexists(folder):
            missing.append(folder.name)
            folder = folder.parent
        if not os.path.isdir(folder):
            raise ArgumentProblem(
                f"'{shown_path(folder)}' is a file, so '{shown_path(asked)}' cannot be made in it.",
                _UNTOUCHED,
                "Choose another place.",
            )
        for name in [target.name, *missing]:  # too long a name shows only where it is looked up
            with contextlib.suppress(FileNotFoundError):
                os.lstat(folder / name)
        probe = beside(folder / (missing[-1] if missing else target.name), "tmp")
        os.close(os.open(probe, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        os.unlink(probe)
    except OSError as error:
        raise _refused(asked, error) from error


def _refused(path: Path, error: OSError) -> ArgumentProblem:
    what = f"'{shown_path(path)}' cannot be written: {cause_of(error)}."
    return ArgumentProblem(what, "Nothing was made.", advice_on(error))


# ---- where a picture is kept that cannot be written to its place ----


def write_or_keep(output: Output, contents: Contents, facts: Mapping[str, Any]) -> None:
    """`write_output`, or a StorageError that says where else the picture is kept."""
    try:
        write_output(output, contents, facts)
    except StorageError as error:
        raise kept_elsewhere(contents, output.path, error) from error


def kept_elsewhere(contents: Contents, out: Path, error: UserError) -> StorageError:
    """Save the picture as a project in another folder; the error to raise in place of `error`."""
    tried = []
    for path in _free_names(out):
        tried.append(str(path.parent))
        try:
            save_project(contents, path, keep_backup=False)
        except (UserError, OSError):
            continue
        command = f"layerloom export {shlex.quote(str(path))} --out {shlex.quote(str(out))}"
        return StorageError(
            error.what,
            f"The picture that was made is kept, with all its layers, in '{path}'.",
            f"{error.advice} Then run: {command}",
        )
    places = ", ".join(f"'{place}'" for place in tried) or "any folder"
    return StorageError(
        error.what, f"The picture could not be kept in {places} either.", error.advice
    )


def _free_names(out: Path) -> Iterator[Path]:
    """One name in each place that nothing has yet."""
    for place in _PLACES:
        try:
            folder = place()
            name = safe_name(f"{out.stem or 'picture'} kept")
            path = folder / f"{name}{SUFFIX}"
            count = 1
            while path.exists():
                count += 1
                path = folder / f"{name} {count}{SUFFIX}"
        except (OSError, RuntimeError):  # a folder that is gone, a user without one
            continue
        yield path
