"""Reading a work folder: the newest state that is whole, and the pictures it names.

Changes nothing. Damage costs what lies behind it, never what lies before.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from app.document.contents import Contents
from app.document.layer import Layer
from app.document.pixels import Pixels
from app.document.storage import outside
from app.document.storage.archive import MAX_UNPACKED
from app.document.storage.atomic import Stamp
from app.document.storage.checked import ProjectError
from app.document.storage.errors import StorageError
from app.document.storage.journal.folder import BASE, JOURNAL, WorkInfo, blob_path, number_of
from app.document.storage.journal.frames import read_frames
from app.document.storage.journal.patch import applied
from app.document.storage.png import PngError, decode_png, png_size
from app.document.storage.project_format import LayerEntry, Project, candidates_of
from app.document.storage.project_reading import read_project
from app.document.storage.project_writing import json_bytes

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class State:
    """A document as JSON, what belongs to it, and whether something behind it was unreadable."""

    document: dict[str, Any]
    info: WorkInfo
    at: float
    is_damaged: bool


def newest_state(folder: Path) -> State | None:
    """From the newest readable checkpoint on, as far as the records are whole."""
    bases = {number_of(path): path for path in folder.glob(f"{BASE}*")}
    journals = {number_of(path): path for path in folder.glob(f"{JOURNAL}*")}
    numbers = sorted((number for number in bases if number is not None), reverse=True)
    for number in numbers:
        state = _checkpoint(bases[number])
        if state is None:
            continue
        # Behind an unreadable checkpoint its journal still fits the end of the one before.
        for later in sorted(each for each in journals if each is not None and each >= number):
            state = _replayed(state, journals[later])
            if state.is_damaged:
                break
        return state
    return None


def _checkpoint(path: Path) -> State | None:
    try:
        frames = read_frames(path)
    except StorageError:
        return None
    if frames.is_damaged or len(frames.values) != 1:
        return None
    (root,) = frames.values
    document = root.get("document")
    if not isinstance(document, dict):
        return None
    return State(document, _info_in(root.get("work")), _time_in(root, 0.0), False)


def _replayed(state: State, journal: Path) -> State:
    try:
        frames = read_frames(journal)
    except StorageError:
        return replace(state, is_damaged=True)
    for record in frames.values:
        try:
            document = applied(state.document, record)
            read_project(json_bytes(document))
        except (ProjectError, ValueError, TypeError):
            logger.warning("a record of %s does not fit", journal, exc_info=True)
            return replace(state, is_damaged=True)
        info = _info_in(record["work"]) if "work" in record else state.info
        state = State(document, info, _time_in(record, state.at), False)
    return replace(state, is_damaged=frames.is_damaged)


def _info_in(value: Any) -> WorkInfo:
    if not isinstance(value, dict):
        return WorkInfo(is_clean=False)
    path, stamp = value.get("path"), value.get("stamp")
    found = None
    if isinstance(stamp, dict):
        size, changed = stamp.get("size"), stamp.get("mtime_ns")
        if isinstance(size, int) and isinstance(changed, int):
            found = Stamp(size, changed)
    return WorkInfo(path if isinstance(path, str) else "", found, value.get("is_clean") is True)


def _time_in(record: dict[str, Any], default: float) -> float:
    at = record.get("at")
    return float(at) if isinstance(at, int | float) and 0 <= at < 1e11 else default


def with_pixels(project: Project, folder: Path) -> tuple[Contents, int]:
    """Contents with the pictures of the folder, and how many of them are lost."""
    blobs = _Blobs(folder)
    lost = 0

    def complete(entry: LayerEntry) -> Layer:
        nonlocal lost
        candidates, missing = candidates_of(entry.candidates, blobs.find)
        image = None if entry.pixel_hash is None else blobs.find(entry.pixel_hash)
        rect = entry.layer.rect
        if image is not None and (image.width, image.height) != (rect.width, rect.height):
            image = None
        lost += missing + (entry.pixel_hash is not None and image is None)
        layer = replace(entry.layer, image=None, candidates=candidates)
        return outside.consistent(layer, image, project.base)

    detached, missing = candidates_of(project.detached, blobs.find)
    lost += missing
    contents = replace(
        project.base,
        background=complete(project.background),
        foregrounds=tuple(complete(entry) for entry in project.foregrounds),
        detached=detached,
    )
    return contents, lost


class _Blobs:
    """Pictures of a folder by hash; each read once, all together within the limit."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[str, Pixels | None] = {}
        self._unpacked = 0

    def find(self, pixel_hash: str) -> Pixels | None:
        """The picture, or None when it is not there or not what it should be."""
        if pixel_hash not in self._known:
            self._known[pixel_hash] = self._read(pixel_hash)
        return self._known[pixel_hash]

    def _read(self, pixel_hash: str) -> Pixels | None:
        if not pixel_hash.isalnum():
            return None
        try:
            data = blob_path(self._folder, pixel_hash).read_bytes()
            self._unpacked += png_size(data).area * 4
            if self._unpacked > MAX_UNPACKED:
                return None
            image = Pixels.of(decode_png(data))
        except (OSError, PngError):
            logger.warning("picture %s is lost", pixel_hash[:12], exc_info=True)
            return None
        return image if image.hash == pixel_hash else None
