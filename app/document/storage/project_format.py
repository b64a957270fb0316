"""What stands in `layerloom/document.json`: name, version and parts, before pixels are looked up.

Everything of a document except the pixels, which it names by hash. Layers are known by their
number, because ids end with the program. `project_writing` and `project_reading` are the two ways.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from app.document.contents import Contents
from app.document.geometry import Rect
from app.document.layer import Candidate, Layer, LayerKind
from app.document.pixels import Pixels

FORMAT = "layerloom"
VERSION = 1
READS_FROM = 1

FindPixels = Callable[[str], Pixels | None]


@dataclass(frozen=True, slots=True)
class CandidateEntry:
    """One candidate as the file has it, before its pixels are looked up."""

    pixel_hash: str
    rect: Rect
    record: dict[str, Any] | None
    kind: LayerKind


@dataclass(frozen=True, slots=True)
class LayerEntry:
    """One layer as the file has it, before its pixels are looked up.

    Attributes:
        layer: without pixels and candidates; kind and record as in the file.
        src: its PNG, or "" for a background that is off.
        pixel_hash: None for an empty box.
        trim: (x, y, hash) of the pixels after trimming, relative to rect; None when transparent.
    """

    layer: Layer
    src: str
    pixel_hash: str | None
    trim: tuple[int, int, str] | None
    candidates: tuple[CandidateEntry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """How somebody looked at the document; no part of it, so a change of it is none to save.

    Attributes:
        zoom: device pixels per canvas pixel; None = the whole canvas, however large.
        centre: what was in the middle, canvas pixels.
        selected: numbers of the selected layers, bottom to top.
    """

    zoom: float | None = None
    centre: tuple[int, int] = (0, 0)
    selected: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Project:
    """A checked `document.json`; `base` holds everything but the foreground layers."""

    base: Contents
    background: LayerEntry
    foregrounds: tuple[LayerEntry, ...]
    detached: tuple[CandidateEntry, ...]
    members: dict[str, str]
    view: View | None = None


def candidates_of(
    entries: Sequence[CandidateEntry], find: FindPixels
) -> tuple[tuple[Candidate, ...], int]:
    """Candidates with their pixels, and how many have none or none that fit."""
    found = []
    for entry in entries:
        image = find(entry.pixel_hash)
        if image is not None and (image.width, image.height) == (
            entry.rect.width,
            entry.rect.height,
        ):
            found.append(Candidate(image, entry.record, entry.rect, entry.kind))
    return tuple(found), len(entries) - len(found)
