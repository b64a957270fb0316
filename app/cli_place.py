"""The place that the command line writes to: can it hold what will be made?

Asked before anything is computed. Makes nothing that stays.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from app.cli_jobs import ArgumentProblem
from app.document.storage.errors import StorageError, advice_on, cause_of
from app.document.storage.folders import check_empty_folder
from app.document.storage.leftovers import beside
from app.document.storage.name_length import shown_path

_UNTOUCHED = "It was not touched."


def check_file_place(path: Path) -> None:
    """Make sure that a file of this name can be written.

    Raises:
        ArgumentProblem: a folder, pipe or device has the name, the name is too long, or its folder
            cannot be written.
    """
    mode = _mode_of(path)
    if mode is not None and stat.S_ISDIR(mode):
        raise ArgumentProblem(
            f"'{_shown(path)}' is a folder.", _UNTOUCHED, "Choose the name of a file."
        )
    if mode is not None:
        _check_no_device(path, mode)
    _try_to_write(Path(os.path.realpath(path)), path)


def check_folder_place(path: Path) -> None:
    """Make sure that files can be written into a new or empty folder of this name.

    Raises:
        ArgumentProblem: it is a file, it has something in it, or it cannot be written.
    """
    mode = _mode_of(path)
    if mode is None:
        _try_to_write(Path(os.path.realpath(path)), path)
        return
    if not stat.S_ISDIR(mode):
        _check_no_device(path, mode)
        raise ArgumentProblem(
            f"'{_shown(path)}' is a file, not a folder.",
            _UNTOUCHED,
            "Choose the name of a new folder.",
        )
    try:
        check_empty_folder(path)
    except StorageError as error:
        kept = "It was not touched, so that old and new files are not mixed."
        raise ArgumentProblem(error.what, kept, error.advice) from error
    _try_to_write(Path(os.path.realpath(path)) / "manifest.json", path)


def _check_no_device(path: Path, mode: int) -> None:
    """Refuse what is no file: writing would put a file in its place."""
    if not stat.S_ISREG(mode):
        raise ArgumentProblem(
            f"'{_shown(path)}' is a pipe or a device, and a picture is written into a file.",
            _UNTOUCHED,
            "Choose the name of a file.",
        )


def _mode_of(path: Path) -> int | None:
    """What is there; None for nothing."""
    try:
        return os.stat(path).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None  # where a part of the path is a file, the next check says which
    except OSError as error:
        raise _refused(path, error) from error


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
                f"'{_shown(folder)}' is a file, so '{_shown(asked)}' cannot be made in it.",
                _UNTOUCHED,
                "Choose another place.",
            )
        for name in [target.name, *missing]:  # too long a name shows only where it is looked up
            _look_up(folder / name)
        probe = beside(folder / (missing[-1] if missing else target.name), "tmp")
        os.close(os.open(probe, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        os.unlink(probe)
    except OSError as error:
        raise _refused(asked, error) from error


def _look_up(path: Path) -> None:
    try:
        os.lstat(path)
    except FileNotFoundError:
        pass


def _refused(path: Path, error: OSError) -> ArgumentProblem:
    what = f"'{_shown(path)}' cannot be written: {cause_of(error)}."
    return ArgumentProblem(what, "Nothing was made.", advice_on(error))


def _shown(path: Path) -> str:
    return shown_path(path)
