"""Names that fit: what stands next to a file has a longer name, and every disk has a limit.

Knows names only. A name that had to be cut has a hash of the whole, so that two long names that
begin alike never share a temporary file or a backup.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

_USUAL_LIMIT = 255
_HASH_DIGITS = 8
_SHOWN, _SHOWN_PATH = 60, 240  # characters


def name_limit(folder: Path) -> int:
    """Most bytes of a file name in this folder; 255 where the system does not say."""
    try:
        return os.pathconf(folder, "PC_NAME_MAX") or _USUAL_LIMIT
    except (AttributeError, OSError, ValueError):  # no such call, no such folder
        return _USUAL_LIMIT


def fitted(path: Path, ending: str, *, start: str = "", room: int = 0) -> Path:
    """The name with something before and after it, in the same folder, cut where it is too long.

    Args:
        ending: what comes after the name.
        start: what comes before it.
        room: bytes that the ending may take, where its length varies: the cut depends on the name
            alone then.
    """
    return path.with_name(start + kept_part(path, len(start) + max(room, _size(ending))) + ending)


def kept_part(path: Path, room: int) -> str:
    """What of the name stands in a longer one: all of it, or its start, a hash and its suffix.

    Args:
        room: bytes that the longer name needs besides.
    """
    limit = name_limit(path.parent) - room
    if _size(path.name) <= limit:
        return path.name
    digest = hashlib.sha256(os.fsencode(path.name)).hexdigest()[:_HASH_DIGITS]
    suffix = path.suffix if _size(path.suffix) <= limit // 4 else ""
    ending = f"-{digest}{suffix}"
    stem = os.fsencode(path.stem if suffix else path.name)[: max(0, limit - _size(ending))]
    return stem.decode("utf-8", "ignore") + ending


def shown_name(name: str) -> str:
    """A file's name as messages write it: a long one without its middle."""
    return _without_middle(name, _SHOWN)


def shown_path(path: Path) -> str:
    """A whole path as messages write it."""
    return _without_middle(str(path), _SHOWN_PATH)


def _without_middle(text: str, limit: int) -> str:
    half = limit // 2
    return text if len(text) <= limit else f"{text[:half]}…{text[-half:]}"


def _size(name: str) -> int:
    return len(os.fsencode(name))
