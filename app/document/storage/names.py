"""File names that every system takes, from layer names that may be anything."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path

from app.document.storage.name_length import kept_part

MAX_BYTES = 80

_FORBIDDEN = frozenset('<>:"/\\|?*')
_DEVICES = frozenset(
    ["CON", "PRN", "AUX", "NUL"] + [f"{kind}{n}" for kind in ("COM", "LPT") for n in range(1, 10)]
)


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
    """The next free `beach_001.ora` beside `beach.ora`, counted on from the highest there is."""
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
