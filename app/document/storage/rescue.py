"""Ways out of a file that does not open as it should: its backup, or the layers that can be read.

Nothing here writes, and nothing is opened by itself: the user chooses.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from app.document.contents import DEFAULT_GRID
from app.document.storage import outside
from app.document.storage.archive import ArchiveReader
from app.document.storage.atomic import backup_path, stamp_of
from app.document.storage.errors import StorageError
from app.document.storage.groups import flattened
from app.document.storage.layer_pictures import layer_pictures
from app.document.storage.ora import Opened, as_pictures, load_project, stack_of
from app.document.storage.own_data import DOCUMENT, finder, read_own


@dataclass(frozen=True, slots=True)
class WaysOut:
    """What can be done about a file.

    Attributes:
        backup: the former version with all of its own data, or None.
        saved_at: when that was saved, seconds since 1970.
        layers: how many layers of the file itself can be read.
    """

    backup: Path | None
    saved_at: float
    layers: int


def ways_out(path: Path) -> WaysOut:
    """What can be done about a file that did not open; reads, never raises for damage."""
    backup = backup_path(path)
    has_backup = _has_own_data(backup)
    saved_at = 0.0
    if has_backup and (stamp := stamp_of(backup)) is not None:
        saved_at = stamp.mtime_ns / 1e9
    try:
        layers = len(readable_layers(path).contents.layers)
    except StorageError:
        layers = 0
    return WaysOut(backup if has_backup else None, saved_at, layers)


def readable_layers(path: Path, *, grid: int = DEFAULT_GRID) -> Opened:
    """The layers that can be read, as pictures; for a copy, since the rest would be lost.

    Raises:
        StorageError: not even one can.
    """
    with ArchiveReader(path) as archive:
        tree, _, _ = stack_of(archive)
        found = layer_pictures(archive, tree, past_damage=True)
    opened = as_pictures(found, grid, has_data=True)
    # Said first: what a copy does not have.
    first = tuple(each for each in opened.messages if each == found.left_out)
    rest = tuple(each for each in opened.messages if each != found.left_out)
    return replace(opened, messages=(*first, *rest))


def with_recipes_of(path: Path, backup: Path) -> Opened:
    """A file that another program rewrote, with what its backup knows of the same layers.

    Pixels, names, order and places are the file's; prompt, boxes, seeds and candidates come from
    the backup. Layers that the other program changed are marked as after any outside edit.

    Raises:
        StorageError: one of the two cannot be read.
    """
    stamp = stamp_of(path)
    with ArchiveReader(path) as archive:
        tree, _, _ = stack_of(archive)
        found = layer_pictures(archive, tree)
    flat = flattened(found.tree, found.pictures)
    lost = outside.lost_of(found, flat)
    with ArchiveReader(backup, path.name) as former:
        project = read_own(former)
        former_tree, _, _ = stack_of(former)
        known = layer_pictures(former, former_tree, is_ours=True).pictures
        contents, told = outside.merged(
            project, flat.stack, flat.pictures, finder(former, known), is_complete=not lost
        )
    return Opened(contents, (*told, *lost, *flat.notes), stamp, True, None, lost)


def _has_own_data(path: Path) -> bool:
    """Whether a file opens fully, prompts and candidates included."""
    try:
        with ArchiveReader(path) as archive:
            if not archive.has(DOCUMENT):
                return False
        load_project(path)
    except StorageError:
        return False
    return True
