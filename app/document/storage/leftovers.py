"""Temporary files and folders: how they are named, and how one that a killed save left is known.

A name says which machine and process wrote it, and beside which file or folder. Only what is
certainly a former process's is removed, and only when something complete stands under the name;
whatever leaves a doubt stays.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import hashlib
import logging
import os
import platform
import re
import secrets
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.document.storage.names import fitted, kept_part

_SYNCHRONIZE = 0x0010_0000  # the right to wait for its end, and none to do it harm
_NO_SUCH_PROCESS = 87  # ERROR_INVALID_PARAMETER
_HAS_ENDED = 0  # WAIT_OBJECT_0


def is_running(pid: int) -> bool:
    """Whether a process of this machine has this id."""
    if sys.platform == "win32":  # `os.kill` would end the process there
        return _is_running_on_windows(pid, _kernel(), ctypes.get_last_error)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


def _is_running_on_windows(pid: int, kernel: Any, last_error: Any) -> bool:
    """The same by the system's own functions.

    Args:
        kernel: kernel32, or what stands in for it.
        last_error: gives the number of the error of the call before.
    """
    process = kernel.OpenProcess(_SYNCHRONIZE, False, pid)
    if not process:  # one of another user is refused, but it is there
        return bool(last_error() != _NO_SUCH_PROCESS)
    try:
        # An ended process keeps its id while anybody holds a handle of it.
        return bool(kernel.WaitForSingleObject(process, 0) != _HAS_ENDED)
    finally:
        kernel.CloseHandle(process)


if sys.platform == "win32":

    def _kernel() -> Any:
        """kernel32 with the types of what is called: a handle is as wide as a pointer."""
        kernel = ctypes.WinDLL("kernel32", use_last_error=True)
        handle, number = ctypes.c_void_p, ctypes.c_uint32
        kernel.OpenProcess.argtypes, kernel.OpenProcess.restype = [number, number, number], handle
        kernel.WaitForSingleObject.argtypes = [handle, number]
        kernel.WaitForSingleObject.restype = number
        kernel.CloseHandle.argtypes = [handle]
        return kernel


logger = logging.getLogger(__name__)

# A dot, the machine, the longest process id, a random part, "tmp".
_LONGEST_ENDING = 1 + 8 + 1 + 10 + 1 + 12 + 1 + 3
_STARTED = time.time()  # what is younger may belong to a save of this session
_ENDING = re.compile(r"([0-9a-f]{8})-([1-9][0-9]{0,9})-[0-9a-f]{12}\.(?:tmp|old)")


def beside(target: Path, suffix: str) -> Path:
    """An unused hidden name in the same folder, so that a rename never crosses disks.

    Args:
        suffix: "tmp" for what becomes the file, "old" for what becomes its backup.
    """
    ending = f".{_machine()}-{os.getpid()}-{secrets.token_hex(6)}.{suffix}"
    return fitted(target, ending, start=".", room=_LONGEST_ENDING)


def remove_leftovers(path: Path, remove: Callable[[Path], None] | None = None) -> None:
    """Remove what killed saves of this very file or folder left beside it.

    Never raises for the disk.

    Args:
        path: something complete; symlinks are followed, as in saving. Beside a file only files
            are leftovers, beside a folder only folders.
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
    """Remove a folder that has nothing but files in it.

    Raises:
        OSError: there is more in it, which we never put there; or the disk refuses.
    """
    with os.scandir(folder) as entries:
        found = list(entries)
    if not all(entry.is_file(follow_symlinks=False) for entry in found):
        raise OSError(errno.ENOTEMPTY, "there is more than files in it", str(folder))
    for entry in found:
        os.unlink(entry.path)
    os.rmdir(folder)


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
