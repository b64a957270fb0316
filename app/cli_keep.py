"""What was made is never lost: where OUT cannot be written in the end, it is kept elsewhere."""

from __future__ import annotations

import shlex
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from app.document import Contents
from app.document.errors import UserError
from app.document.storage.errors import StorageError
from app.document.storage.names import safe_name
from app.document.storage.ora import SUFFIX, save_project

# The folder of the shell, the user's own, the system's for temporary files.
_PLACES: tuple[Callable[[], Path], ...] = (
    Path.cwd,
    Path.home,
    lambda: Path(tempfile.gettempdir()),
)


def kept_elsewhere(contents: Contents, out: Path, error: UserError) -> StorageError:
    """Save the picture as a project in another folder; the error to raise in place of `error`.

    Args:
        out: what could not be written.
        error: why not.
    """
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
