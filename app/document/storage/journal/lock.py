"""The lock of a work folder: held by a living program, free the moment that it ends, however.

The operating system keeps it, so neither a kill nor a reused process id can lie.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from pathlib import Path

NAME = "lock"


class FolderLock:
    """Holds the lock of a folder from `take` to `release`."""

    def __init__(self, handle: int) -> None:
        self._handle = handle

    @classmethod
    def take(cls, folder: Path) -> FolderLock | None:
        """The lock, or None when a living program has it.

        Raises:
            OSError: the lock file cannot be opened.
        """
        handle = os.open(folder / NAME, os.O_RDWR | os.O_CREAT, 0o600)
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
