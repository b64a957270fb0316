"""Exports that are folders: a new one is there whole or not at all.

Everything goes into a hidden neighbour first, which gets the name when it is complete. A folder
that is there already may be one's own desktop or the root of a stick, so it is filled in place;
the last member tells that all is there. Old files are never mixed in.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from app.document.storage.atomic import Disk, write_bytes
from app.document.storage.errors import StorageError, cause_of
from app.document.storage.leftovers import beside, remove_leftovers
from app.document.storage.name_length import shown_name

# Of macOS, of Windows, of Linux; in lowercase.
_OF_SYSTEM = frozenset(
    [".ds_store", ".localized", "icon\r", ".spotlight-v100", ".trashes", ".fseventsd"]
    + [".temporaryitems", ".documentrevisions-v100", ".apdisk", ".appledouble"]
    + ["thumbs.db", "thumbs.db:encryptable", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini"]
    + ["$recycle.bin", "system volume information", "lost+found", ".directory"]
)
# A name in the folder, and its bytes or what writes the file.
Member = tuple[str, bytes | Callable[[Path], object]]


def write_folder(folder: Path, members: Iterable[Member], *, disk: Disk | None = None) -> None:
    """Write files into an empty or new folder, all of them or none, and read each back.

    What a killed export of the same folder left beside it is removed after success.

    Args:
        folder: made when it is not there, with its parents; symlinks are followed.
        members: written in this order; who writes a file itself checks it too.

    Raises:
        StorageError: the folder is not empty, or writing failed; then what was written of it is
            removed again.
    """
    check_empty_folder(folder)
    disk = disk or Disk()
    target = Path(os.path.realpath(folder))
    is_new = not os.path.exists(target)
    parents = [each for each in target.parents if not os.path.exists(each)]
    place = beside(target, "tmp") if is_new else target
    written: list[Path] = []
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if is_new:
            disk.make_folder(place)
        for name, member in members:
            written.append(place / name)
            if isinstance(member, bytes):
                write_bytes(place / name, member, verify=partial(_check, member), disk=disk)
            else:
                member(place / name)
        if is_new:
            disk.replace(place, target)
    except BaseException as error:
        for path in written:
            with contextlib.suppress(OSError):
                disk.remove(path)
        for path in [place, *parents] if is_new else []:
            with contextlib.suppress(OSError):
                path.rmdir()
        if not isinstance(error, OSError):
            raise
        raise StorageError(
            f"'{folder.name}' could not be written: {cause_of(error)}.",
            "Nothing was exported.",
            "Choose another folder.",
        ) from error
    with contextlib.suppress(OSError):  # all is in place; only a power cut right now could undo it
        disk.sync_folder(target.parent)
    remove_leftovers(target, lambda leftover: disk.remove_folder(leftover))


def check_empty_folder(folder: Path) -> None:
    """Make sure that an export into this folder meets no old files; call it before long work.

    What a system puts into a folder by itself (`.DS_Store`, `Thumbs.db`) does not count.

    Raises:
        StorageError: the path is a file, a folder with something in it, or cannot be looked at.
    """
    try:
        found = [each.name for each in folder.iterdir() if not _is_of_system(each.name)]
        if found:
            more = f" and {len(found) - 1:,} more" if len(found) > 1 else ""
            raise StorageError(
                f"The folder '{folder.name}' is not empty: '{shown_name(min(found))}'{more}.",
                "Nothing was exported, and its files are untouched.",
                "Choose an empty or a new folder.",
            )
    except FileNotFoundError:
        return
    except OSError as error:
        raise StorageError(
            f"The folder '{folder.name}' cannot be used: {cause_of(error)}.",
            "Nothing was exported.",
            "Choose another folder.",
        ) from error


def _is_of_system(name: str) -> bool:
    """Whether a file manager or a system puts it there by itself."""
    lower = name.lower()
    return lower in _OF_SYSTEM or lower.startswith(("._", ".trash-"))


def _check(expected: bytes, path: Path) -> None:
    if path.read_bytes() != expected:
        raise StorageError(f"'{path.name}' does not read back as it is.")
