"""File names: what every system takes, what fits next to a file, and how messages write them.

A name that had to be cut has a hash of the whole, so that two long names that begin alike never
share a temporary file or a backup.
"""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path

_USUAL_LIMIT = 255
_HASH_DIGITS = 8
_SHOWN, _SHOWN_PATH = 60, 240  # characters

MAX_BYTES = 80
_FORBIDDEN = frozenset('<>:"/\\|?*')
_DEVICES = frozenset(
    ["CON", "PRN", "AUX", "NUL"] + [f"{kind}{n}" for kind in ("COM", "LPT") for n in range(1, 10)]
)


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
    """What stands in a name `room` bytes longer: all of it, or its start, a hash and its suffix."""
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
    return _without_middle(str(path), _SHOWN_PATH)


def _without_middle(text: str, limit: int) -> str:
    half = limit // 2
    return text if len(text) <= limit else f"{text[:half]}…{text[-half:]}"


def _size(name: str) -> int:
    return len(os.fsencode(name))


def safe_name(text: str) -> str:
    """A name of at most 80 bytes without anything that some system forbids; never empty."""
    composed = unicodedata.normalize("NFC", text.encode("utf-8", "replace").decode("utf-8"))
    name = "".join(
        "_" if char in _FORBIDDEN or unicodedata.category(char) in ("Cc", "Cf") else char
        for char in composed
    ).strip(" ")
    name = _ends_well(_cut(name, MAX_BYTES))
    if name.split(".")[0].rstrip(" ").upper() in _DEVICES:
        name = _ends_well(_cut("_" + name, MAX_BYTES))
    return name or "_"


def unique_names(names: Iterable[str]) -> list[str]:
    """The safe names, with " 2", " 3" where two would be the same file."""
    taken: set[str] = set()
    result = []
    for name in names:
        base = candidate = safe_name(name)
        count = 1
        while _key(candidate) in taken:  # some systems do not tell capitals apart
            count += 1
            ending = f" {count}"
            candidate = _ends_well(_cut(base, MAX_BYTES - len(ending))) + ending
        taken.add(_key(candidate))
        result.append(candidate)
    return result


def numbered_copy(path: Path) -> Path:
    """The next free `beach_001.ora` next to `beach.ora`, counted on from the highest there is."""
    stem = re.sub(r"_\d{3,}$", "", path.stem)
    if stem:
        stem = kept_part(path.with_name(stem), len("_000000") + len(os.fsencode(path.suffix)))
    pattern = re.compile(re.escape(stem) + r"_(\d{3,})" + re.escape(path.suffix))
    try:
        matches = [pattern.fullmatch(each.name) for each in path.parent.iterdir()]
    except OSError:
        matches = []
    highest = max((int(match.group(1)) for match in matches if match), default=0)
    return path.with_name(f"{stem}_{highest + 1:03d}{path.suffix}")


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", name.casefold())


def _cut(name: str, limit: int) -> str:
    return name.encode()[:limit].decode("utf-8", "ignore")


def _ends_well(name: str) -> str:
    kept = name.rstrip(". ")
    return kept + "_" * (len(name) - len(kept)) if name else name
