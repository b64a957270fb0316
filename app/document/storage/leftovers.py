"""Temporary files of saves: how they are named, and how one that a killed program left is known.

A name says which machine and process wrote it, and beside which file. Only what is certainly a
former process's is removed, and only when a complete file stands under the name; whatever leaves
a doubt stays.
"""

from __future__ import annotations

import contextlib
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

logger = logging.getLogger(__name__)

_NAME_BYTES = 255
_STARTED = time.time()  # what is younger may belong to a save of this session
_ENDING = re.compile(r"([0-9a-f]{8})-([1-9][0-9]{0,9})-[0-9a-f]{12}\.(?:tmp|old)")


def beside(target: Path, suffix: str) -> Path:
    """An unused hidden name in the same folder, so that a rename never crosses disks.

    Args:
        suffix: "tmp" for what becomes the file, "old" for what becomes its backup.
    """
    ending = f".{_machine()}-{os.getpid()}-{secrets.token_hex(6)}.{suffix}"
    stem = target.name.encode("utf-8", "surrogateescape")[: _NAME_BYTES - len(ending) - 1]
    return target.with_name("." + stem.decode("utf-8", "ignore") + ending)


def remove_leftovers(path: Path, remove: Callable[[Path], None] = os.unlink) -> None:
    """Remove what killed saves of this very file left beside it; never raises for the disk.

    Args:
        path: a complete file; symlinks are followed, as in saving.
        remove: the file operation; tests pass one that fails.
    """
    target = Path(os.path.realpath(path))
    with contextlib.suppress(OSError):
        for leftover in _leftovers(target):
            logger.info("removing %s, which a save that was cut off left", leftover.name)
            remove(leftover)


def _leftovers(target: Path) -> list[Path]:
    start = f".{target.name}."
    found = []
    with os.scandir(target.parent) as entries:
        for entry in entries:
            if not entry.name.startswith(start):  # nor is a name that had to be cut: it may be
                continue  # that of another file
            match = _ENDING.fullmatch(entry.name, len(start))
            if match is None or match[1] != _machine() or _is_running(int(match[2])):
                continue
            if not entry.is_file(follow_symlinks=False):
                continue
            if entry.stat(follow_symlinks=False).st_mtime < _STARTED:
                found.append(Path(entry.path))
    return found


def _machine() -> str:
    """Tells machines that share a folder apart: a process id means nothing on another one."""
    return hashlib.sha256(platform.node().encode("utf-8", "replace")).hexdigest()[:8]


def _is_running(pid: int) -> bool:
    """Whether a process has this id; true where it cannot be known without harm."""
    if sys.platform == "win32":  # asking there by `os.kill` would end the process
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True
