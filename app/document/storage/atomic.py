"""Atomic writing of files and folders: at every moment something complete stands under the name.

A file is the old or the new one. A new folder appears when it is complete. A folder that is there
already may be the desktop or the root of a stick, so it is filled in place, and its last member
shows that all is there.

Independent of what is written. Every call that touches the disk goes through `Disk`, so that tests
can let each one fail.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import logging
import os
import platform
import re
import secrets
import shutil
import stat
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from app.document.storage.errors import (
    ChangedOnDiskError,
    StorageError,
    cause_of,
    not_saved,
)
from app.document.storage.names import fitted, kept_part, shown_name

logger = logging.getLogger(__name__)

# Windows refuses to replace a file that another program has open, such as a virus scanner.
_WAITS_S = (0.01, 0.03, 0.1, 0.3, 0.6) if os.name == "nt" else ()

# Of macOS, of Windows, of Linux; in lowercase.
_OF_SYSTEM = frozenset(
    [".ds_store", ".localized", "icon\r", ".spotlight-v100", ".trashes", ".fseventsd"]
    + [".temporaryitems", ".documentrevisions-v100", ".apdisk", ".appledouble"]
    + ["thumbs.db", "thumbs.db:encryptable", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini"]
    + ["$recycle.bin", "system volume information", "lost+found", ".directory"]
)
# A name in the folder, and its bytes or what writes the file.
Member = tuple[str, bytes | Callable[[Path], object]]
# A dot, the machine, the longest process id, a random part, "tmp".
_LONGEST_ENDING = 1 + 8 + 1 + 10 + 1 + 12 + 1 + 3
_STARTED = time.time()  # what is younger may belong to a save of this session
_ENDING = re.compile(r"([0-9a-f]{8})-([1-9][0-9]{0,9})-[0-9a-f]{12}\.(?:tmp|old)")


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
        """Remove a folder that is empty or holds nothing but files."""
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
    write: Callable[[BinaryIO], object],
    *,
    verify: Callable[[Path], None] | None = None,
    is_complete: Callable[[Path], bool] | None = None,
    keep_backup: bool = True,
    expected: Stamp | None = None,
    disk: Disk | None = None,
) -> Stamp:
    """Write a file so that no failure can harm the one that stands there.

    What a killed save of the same file left next to it is removed after success.

    Args:
        path: symlinks are followed; permissions of a present file are kept.
        write: writes everything into the stream, which may be positioned and read.
        verify: reads the finished temporary file; raises when it is not what it should be.
        is_complete: given: a present file for which it is true becomes the backup `name~`, one
            for which it is false is set aside as `name.damaged`. None: no backup.
        keep_backup: False: a complete present file is replaced without a backup.
        expected: the stamp that the present file must still have; None = not checked.
        disk: the file operations; tests pass one that fails.

    Raises:
        ChangedOnDiskError: the present file has another stamp than `expected`.
        StorageError: it failed; the old file is byte-identical, and the message names the cause.
    """
    disk, target = disk or Disk(), Path(os.path.realpath(path))
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
            _keep_old(target, is_complete(target), keep_backup, disk)
        disk.replace(temporary, target)
    except OSError as error:
        needs = written or None
        raise not_saved(path, error, needs, had_old=old is not None) from error
    finally:
        with contextlib.suppress(OSError):
            disk.remove(temporary)
    _sync_folder(target, disk)
    remove_leftovers(target, lambda leftover: disk.remove(leftover))
    stamp = stamp_of(target)
    return stamp if stamp is not None else Stamp(written, 0)


def _sync_folder(target: Path, disk: Disk) -> None:
    try:
        disk.sync_folder(target.parent)
    except OSError:
        # The new file is complete and in place; only a power cut right now could bring the old
        # one back, which is complete too.
        logger.warning("the folder of %s could not be synced", target.name, exc_info=True)


def write_bytes(
    path: Path,
    data: bytes,
    *,
    verify: Callable[[Path], None] | None = None,
    disk: Disk | None = None,
) -> Stamp:
    """`atomic_write` of bytes that are at hand, without a backup.

    Args:
        verify: as there; None = compare the bytes.
    """

    def same(new: Path) -> None:
        if new.read_bytes() != data:
            raise StorageError(f"'{path.name}' does not read back as it is.")

    return atomic_write(path, lambda stream: stream.write(data), verify=verify or same, disk=disk)


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


def _keep_old(target: Path, is_complete: bool, keep_backup: bool, disk: Disk) -> None:
    """Give the present file a second name; a damaged one never goes over a good backup."""
    if is_complete and not keep_backup:
        return
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


def write_folder(folder: Path, members: Iterable[Member], *, disk: Disk | None = None) -> None:
    """Write files into an empty or new folder, all of them or none, and read each back.

    What a killed export of the same folder left next to it is removed after success.

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
                write_bytes(place / name, member, disk=disk)
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


def beside(target: Path, suffix: str) -> Path:
    """An unused hidden name in the same folder, so that a rename never crosses disks.

    Args:
        suffix: "tmp" for what becomes the file, "old" for what becomes its backup.
    """
    ending = f".{_machine()}-{os.getpid()}-{secrets.token_hex(6)}.{suffix}"
    return fitted(target, ending, start=".", room=_LONGEST_ENDING)


def remove_leftovers(path: Path, remove: Callable[[Path], None] | None = None) -> None:
    """Remove what killed saves of this very file or folder left next to it.

    Never raises for the disk.

    Args:
        path: something complete; symlinks are followed, as in saving. Next to a file only
            files are leftovers, next to a folder only folders.
        remove: the operation; tests pass one that fails.
    """
    target = Path(os.path.realpath(path))
    with contextlib.suppress(OSError):
        is_folder = target.is_dir()
        for leftover in _leftovers(target, is_folder):
            logger.info("removing %s, which a save that was cut off left", leftover.name)
            with contextlib.suppress(OSError):  # one that stays keeps no other
                (remove or (remove_flat if is_folder else os.unlink))(leftover)


def remove_flat(folder: Path) -> None:
    """Remove a folder of files; OSError where there is more in it, which we never put there."""
    with os.scandir(folder) as entries:
        found = list(entries)
    if not all(entry.is_file(follow_symlinks=False) for entry in found):
        raise OSError(errno.ENOTEMPTY, "there is more than files in it", str(folder))
    for entry in found:
        os.unlink(entry.path)
    os.rmdir(folder)


def is_running(pid: int) -> bool:
    """Whether a process of this machine has this id; in doubt it has."""
    import psutil  # takes time, and few saves meet a leftover

    try:
        return psutil.pid_exists(pid)
    except (psutil.Error, OSError, OverflowError):
        return True


def _leftovers(target: Path, is_folder: bool) -> list[Path]:
    start = f".{kept_part(target, 1 + _LONGEST_ENDING)}."
    found = []
    with os.scandir(target.parent) as entries:
        for entry in entries:
            if not entry.name.startswith(start):
                continue
            match = _ENDING.fullmatch(entry.name, len(start))
            if match is None or match[1] != _machine() or is_running(int(match[2])):
                continue
            is_alike = entry.is_dir if is_folder else entry.is_file
            if not is_alike(follow_symlinks=False):
                continue
            # A folder's time is that of the last file which came or went in it.
            if entry.stat(follow_symlinks=False).st_mtime < _STARTED:
                found.append(Path(entry.path))
    return found


def _machine() -> str:
    """Tells machines that share a folder apart: a process id means nothing on another one."""
    return hashlib.sha256(platform.node().encode("utf-8", "replace")).hexdigest()[:8]
