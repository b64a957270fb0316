"""Atomic writing: at every moment a complete file stands under the name, the old or the new one.

Knows nothing of what is written. Every call that touches the disk goes through `Disk`, so that
tests can let each one fail.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import stat
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from app.document.storage.errors import (
    ChangedOnDiskError,
    StorageError,
    not_saved,
)
from app.document.storage.leftovers import beside, remove_flat, remove_leftovers
from app.document.storage.name_length import fitted

logger = logging.getLogger(__name__)

# Windows refuses to replace a file that anybody has open, be it for a moment as a virus scanner.
_WAITS_S = (0.01, 0.03, 0.1, 0.3, 0.6) if os.name == "nt" else ()


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a file looked like when it was opened or saved: size and time of change."""

    size: int
    mtime_ns: int


class Disk:
    """The file operations of saves and of the journal, one method each."""

    def create(self, path: Path, mode: int) -> BinaryIO:
        """Make a new file for writing; fails when there is one."""
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        return os.fdopen(os.open(path, flags, mode), "w+b")

    def extend(self, path: Path) -> BinaryIO:
        """Open a file for writing at its end."""
        return path.open("ab")

    def sync(self, stream: BinaryIO) -> None:
        """Bring what was written to the disk itself."""
        stream.flush()
        os.fsync(stream.fileno())

    def set_mode(self, path: Path, mode: int) -> None:
        os.chmod(path, mode)

    def link(self, source: Path, target: Path) -> None:
        os.link(source, target)

    def copy(self, source: Path, target: Path) -> None:
        shutil.copy2(source, target)
        with open(target, "rb+") as stream:
            os.fsync(stream.fileno())

    def replace(self, source: Path, target: Path) -> None:
        """Give a file or a folder a name; a file of that name goes."""
        for wait_s in _WAITS_S:
            try:
                os.replace(source, target)
                return
            except PermissionError:
                time.sleep(wait_s)
        os.replace(source, target)

    def make_folder(self, path: Path) -> None:
        os.mkdir(path)

    def remove_folder(self, path: Path) -> None:
        """Remove an empty folder, or one of ours: nothing but files in it."""
        remove_flat(path)

    def sync_folder(self, folder: Path) -> None:
        if os.name != "posix":  # folders cannot be synced elsewhere
            return
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def remove(self, path: Path) -> None:
        os.unlink(path)


def stamp_of(path: Path) -> Stamp | None:
    """The file's stamp now, or None when there is no file."""
    try:
        state = os.stat(path)
    except OSError:
        return None
    return Stamp(state.st_size, state.st_mtime_ns)


def backup_path(path: Path) -> Path:
    """Where the former version of a file is kept: `beach.ora~`; a long name is cut for it."""
    return fitted(path, "~")


def atomic_write(
    path: Path,
    write: Callable[[BinaryIO], None],
    *,
    verify: Callable[[Path], None] | None = None,
    is_complete: Callable[[Path], bool] | None = None,
    keep_backup: bool = True,
    expected: Stamp | None = None,
    disk: Disk | None = None,
) -> Stamp:
    """Write a file so that no failure can harm the one that stands there.

    What a killed save of the same file left beside it is removed after success.

    Args:
        path: symlinks are followed; permissions of a present file are kept.
        write: writes everything into the stream, which may be positioned and read.
        verify: reads the finished temporary file; raises when it is not what it should be.
        is_complete: given: a present file for which it is true becomes the backup `name~`, one
            for which it is false is set aside as `name.damaged`. None: no backup.
        keep_backup: False: a complete present file is replaced without a backup.
        expected: the stamp that the present file must still have; None = not checked.
        disk: the file operations; tests pass one that fails.

    Returns:
        The stamp of the new file.

    Raises:
        ChangedOnDiskError: the present file has another stamp than `expected`.
        StorageError: it failed; the old file is byte-identical, and the message names the cause.
    """
    disk = disk or Disk()
    target = Path(os.path.realpath(path))
    old = stamp_of(target)
    if expected is not None and old is not None and old != expected:
        raise ChangedOnDiskError(path.name, old.mtime_ns / 1e9)
    temporary = beside(target, "tmp")
    written = 0
    try:
        mode = stat.S_IMODE(os.stat(target).st_mode) if old is not None else None
        with disk.create(temporary, 0o666) as stream:
            write(stream)
            disk.sync(stream)
            written = stream.seek(0, os.SEEK_END)
        if mode is not None:
            disk.set_mode(temporary, mode)
        if verify is not None:
            _verified(verify, temporary, path)
        if old is not None and is_complete is not None:
            is_good = is_complete(target)
            if keep_backup or not is_good:
                _keep_old(target, is_good, disk)
        disk.replace(temporary, target)
    except OSError as error:
        needs = written or None
        raise not_saved(path, error, needs, had_old=old is not None) from error
    finally:
        with contextlib.suppress(OSError):
            disk.remove(temporary)
    try:
        disk.sync_folder(target.parent)
    except OSError:
        # The new file is complete and in place; only a power cut right now could bring the old
        # one back, which is complete too.
        logger.warning("the folder of %s could not be synced", target.name, exc_info=True)
    remove_leftovers(target, lambda leftover: disk.remove(leftover))
    stamp = stamp_of(target)
    return stamp if stamp is not None else Stamp(written, 0)


def write_bytes(
    path: Path,
    data: bytes,
    *,
    verify: Callable[[Path], None] | None = None,
    disk: Disk | None = None,
) -> Stamp:
    """`atomic_write` of bytes that are at hand, without a backup."""

    def write(stream: BinaryIO) -> None:
        stream.write(data)

    return atomic_write(path, write, verify=verify, disk=disk)


def _verified(verify: Callable[[Path], None], temporary: Path, path: Path) -> None:
    try:
        verify(temporary)
    except Exception as error:
        logger.exception("verification of %s failed", path.name)
        raise StorageError(
            "The saved file did not read back correctly, so it was not put in place.",
            "The old file is unchanged." if os.path.exists(path) else "Your work is still open.",
            "Save to another disk.",
        ) from error


def _keep_old(target: Path, is_complete: bool, disk: Disk) -> None:
    """Give the present file a second name; a damaged one never goes over a good backup."""
    kept = backup_path(target) if is_complete else _free_name(target)
    step = beside(target, "old")
    try:
        try:
            disk.link(target, step)
        except OSError:  # no hard links on this file system
            disk.copy(target, step)
        disk.replace(step, kept)
    finally:
        with contextlib.suppress(OSError):
            disk.remove(step)


def _free_name(target: Path) -> Path:
    """`name.damaged`, `name.damaged2`...: the first that is not taken."""
    count = 1
    while True:
        ending = f".damaged{count if count > 1 else ''}"
        path = fitted(target, ending, room=len(".damaged") + 4)
        if not os.path.lexists(path):
            return path
        count += 1
