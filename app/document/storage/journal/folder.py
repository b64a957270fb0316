"""The work folder of one window: checkpoints, the journal between them, and pictures by hash.

    lock            held while the program lives
    base-000003     one frame: the whole document at a checkpoint
    journal-000003  frames: patches since then
    blobs/          PNGs by pixel hash, on the disk before the record that names them

The pair before the last stays, so that a damaged checkpoint costs nothing. Runs on whatever thread
asks, one at a time. Independent of windows.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import secrets
import shutil
import sys
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

from app.document.contents import Contents
from app.document.pixels import Pixels
from app.document.storage.atomic import Disk, Stamp, atomic_write, write_bytes
from app.document.storage.errors import StorageError, cause_of
from app.document.storage.journal.records import (
    difference,
    document_out,
    frame,
    read_frames,
)
from app.document.storage.png import encoded_pictures

LOCK = "lock"

logger = logging.getLogger(__name__)
BASE, JOURNAL, BLOBS = "base-", "journal-", "blobs"
MAX_RECORDS = 200
MAX_JOURNAL_BYTES = 4_000_000
MAX_AGE_S = 300.0


class FolderLock:
    """Holds the lock of a folder from `take` to `release`."""

    def __init__(self, handle: int) -> None:
        self._handle = handle

    @classmethod
    def take(cls, folder: Path) -> FolderLock | None:
        """The lock, or None when a living program has it; OSError: its file cannot be opened."""
        handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if not _locked(handle):
                os.close(handle)
                return None
            # For people who look into the folder; the lock itself is the system's.
            note = json.dumps({"pid": os.getpid(), "since": time.time()}).encode()
            os.ftruncate(handle, 0)
            os.write(handle, note)
        except BaseException:
            with contextlib.suppress(OSError):
                os.close(handle)
            raise
        return cls(handle)

    def release(self) -> None:
        """Let go; more than once does nothing."""
        if self._handle >= 0:
            os.close(self._handle)  # which ends the lock
            self._handle = -1


def _locked(handle: int) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt  # not there on other systems

            os.lseek(handle, 1 << 20, os.SEEK_SET)  # beyond the note, which stays readable
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
            os.lseek(handle, 0, os.SEEK_SET)
        else:
            import fcntl  # not there on Windows

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class WorkInfo:
    """What belongs to the open document but is not in it."""

    path: str = ""  # the project file, "" for one that was never saved
    stamp: Stamp | None = None  # the file when it was read or written last
    is_clean: bool = True  # nothing was changed since then


class WorkFolder:
    """Writes one document's states into a folder; `create` makes a fresh one."""

    def __init__(self, path: Path, lock: FolderLock, disk: Disk) -> None:
        self.path = path
        self._lock = lock
        self._disk = disk
        self._number = 0
        self._stream: BinaryIO | None = None
        self._records = 0
        self._bytes = 0
        self._begun_at = 0.0
        self._contents: Contents | None = None
        self._info = WorkInfo()
        self._blobs: set[str] = set()
        self._former_needs: set[str] = set()
        self._needs: set[str] = set()

    @classmethod
    def create(cls, root: Path, *, disk: Disk | None = None) -> WorkFolder:
        """A new, locked folder below `root`, which is made if need be; or StorageError."""
        name = f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(4)}"
        path = root / name
        try:
            root.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.mkdir(mode=0o700)
            (path / BLOBS).mkdir(mode=0o700)
            lock = FolderLock.take(path)
        except OSError as error:
            raise not_kept(cause_of(error)) from error
        if lock is None:
            raise not_kept("the folder is in use")
        return cls(path, lock, disk or Disk())

    def keep(self, contents: Contents, info: WorkInfo) -> bool:
        """Bring this state to the disk, as a record or as a checkpoint when one is due.

        Returns:
            False when it was there already.

        Raises:
            StorageError: it failed; what was kept before is still readable.
        """
        try:
            # A record first, also where a checkpoint follows: should that be damaged one day, the
            # pair before leads to the same state.
            is_new = self._stream is None or self._append(contents, info)
            if self._stream is None or self._is_checkpoint_due():
                self._checkpoint(contents, info)
            return is_new
        except (OSError, StorageError) as error:
            # A torn record may stand at the end of the journal: the next state begins a new one.
            self._close_journal()
            cause = cause_of(error) if isinstance(error, OSError) else _cause_in(error)
            raise not_kept(cause) from error

    def close(self, *, remove: bool) -> None:
        """Let go of the folder; `remove` it when nothing in it is of use any more."""
        self._close_journal()
        self._lock.release()
        if remove:
            shutil.rmtree(self.path, ignore_errors=True)

    # ---- inside ----

    def _is_checkpoint_due(self) -> bool:
        return (
            self._records >= MAX_RECORDS
            or self._bytes >= MAX_JOURNAL_BYTES
            or time.monotonic() - self._begun_at >= MAX_AGE_S
        )

    def _append(self, contents: Contents, info: WorkInfo) -> bool:
        assert self._stream is not None and self._contents is not None
        patch = difference(self._contents, contents)
        if not patch and info == self._info:
            self._contents = contents
            return False
        if info != self._info:
            patch["work"] = asdict(info)
        patch["at"] = time.time()
        self._write_blobs(contents.pictures(), self._needs)
        data = frame(patch)
        self._stream.write(data)
        self._disk.sync(self._stream)
        self._records += 1
        self._bytes += len(data)
        self._contents, self._info = contents, info
        return True

    def _checkpoint(self, contents: Contents, info: WorkInfo) -> None:
        """A new pair; the present one stays until the next."""
        self._close_journal()
        needs: set[str] = set()
        self._write_blobs(contents.pictures(), needs)
        number = self._number + 1
        root = {"document": document_out(contents), "work": asdict(info), "at": time.time()}
        data = frame(root)
        atomic_write(self._file(JOURNAL, number), lambda _: None, disk=self._disk)
        write_bytes(self._file(BASE, number), data, verify=_check_base, disk=self._disk)
        self._stream = self._disk.extend(self._file(JOURNAL, number))
        self._number = number
        self._records, self._bytes, self._begun_at = 0, 0, time.monotonic()
        self._contents, self._info = contents, info
        self._former_needs, self._needs = self._needs, needs
        self._clean_up()

    def _write_blobs(self, images: Iterable[Pixels], needs: set[str]) -> None:
        for image in images:
            needs.add(image.hash)
            if image.hash not in self._blobs:
                self._write_blob(image)
                self._blobs.add(image.hash)

    def _write_blob(self, image: Pixels) -> None:
        data = encoded_pictures.png(image).data
        # Not read back: a state is on the disk within a second of each change.
        atomic_write(
            blob_path(self.path, image.hash), lambda stream: stream.write(data), disk=self._disk
        )

    def _clean_up(self) -> None:
        """Remove pairs and pictures that are not needed; a failure only costs space."""
        for kind in (BASE, JOURNAL):
            for old in self.path.glob(f"{kind}*"):
                number = number_of(old)
                if number is not None and number < self._number - 1:
                    with contextlib.suppress(OSError):
                        self._disk.remove(old)
        for pixel_hash in self._blobs - self._former_needs - self._needs:
            with contextlib.suppress(OSError):
                self._disk.remove(blob_path(self.path, pixel_hash))
                self._blobs.discard(pixel_hash)

    def _close_journal(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            with contextlib.suppress(OSError):
                stream.close()

    def _file(self, kind: str, number: int) -> Path:
        return self.path / f"{kind}{number:06d}"


def blob_path(folder: Path, pixel_hash: str) -> Path:
    """Where the picture with this hash is kept."""
    return folder / BLOBS / f"{pixel_hash}.png"


def number_of(path: Path) -> int | None:
    """The number of a pair's file; None for another file."""
    kind, _, digits = path.name.partition("-")
    return int(digits) if kind in ("base", "journal") and digits.isdecimal() else None


def not_kept(cause: str) -> StorageError:
    return StorageError(
        f"Changes are not being kept for recovery: {cause}.",
        "Your open work is unharmed.",
        "Save now (Ctrl+S), and free space on the disk.",
    )


def _check_base(path: Path) -> None:
    frames = read_frames(path)
    if frames.is_damaged or len(frames.values) != 1:
        raise StorageError("The checkpoint did not read back.")


def _cause_in(error: StorageError) -> str:
    """The cause out of the message of a failed write: "'x' could not be saved: CAUSE."."""
    cause = error.__cause__
    return cause_of(cause) if isinstance(cause, OSError) else error.what.rstrip(".")
