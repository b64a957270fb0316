"""What stands in `layerloom/document.json`: name, version and parts, before pixels are looked up.

Everything of a document except the pixels, which it names by hash. Layers are known by their
number, because ids end with the program. `project_reading` is the way back. Independent of zip
files and PNG.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from app.document.contents import DEFAULT_GRID, Contents
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
    """View state (zoom, centre, selection): saved with the file, but does not make it dirty.

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
        if image is not None and image.size == (entry.rect.width, entry.rect.height):
            found.append(Candidate(image, entry.record, entry.rect, entry.kind))
    return tuple(found), len(entries) - len(found)


def src_of(layer: Layer) -> str:
    """Name of the layer's PNG inside the project file."""
    return f"data/L{layer.number:04d}.png"


def write_project(
    contents: Contents, members: Mapping[str, str], view: View | None = None
) -> bytes:
    """The JSON for these contents; `members` are the hashes of stack and pictures."""
    on = contents.background_on
    layers = [layer_out(contents.background, src_of(contents.background) if on else "")]
    layers += [layer_out(layer, src_of(layer)) for layer in contents.foregrounds]
    document = {**head_out(contents), "layers": layers, "members": dict(members)}
    if view is not None:
        document["view"] = {
            "zoom": _plain_number(view.zoom),
            "centre": list(view.centre),
            "selected": list(view.selected),
        }
    return json_bytes(document, indent=1)


def json_bytes(value: Any, *, indent: int | None = None) -> bytes:
    """JSON text whose bytes depend on the values alone; ValueError: a number is not finite."""

    def text(*, ascii_only: bool) -> str:
        return json.dumps(
            value, sort_keys=True, indent=indent, ensure_ascii=ascii_only, allow_nan=False
        )

    try:
        return text(ascii_only=False).encode()
    except UnicodeEncodeError:  # the name of a file whose bytes are not UTF-8
        return text(ascii_only=True).encode()


def head_out(contents: Contents) -> dict[str, Any]:
    """Everything of a document but its layers and the hashes of a file's members."""
    return {
        **contents.extra,
        "format": FORMAT,
        "version": VERSION,
        "reads_from": READS_FROM,
        "writer": "Layerloom",
        "canvas": [contents.canvas.width, contents.canvas.height],
        # Earlier versions refuse a file whose canvas is no multiple of this number.
        "grid": math.gcd(contents.canvas.width, contents.canvas.height, DEFAULT_GRID),
        "background_on": contents.background_on,
        "prompt": contents.prompt,
        "prompt_history": list(contents.prompts),
        "settings": {
            **contents.settings.extra,
            **contents.settings.values(),
            "cfg_scale": _plain_number(contents.settings.cfg_scale),
        },
        "next_number": contents.next_number,
        "detached": [_candidate_out(item) for item in contents.detached],
    }


def layer_out(layer: Layer, src: str, *, with_trim: bool = True) -> dict[str, Any]:
    """One layer as the file has it.

    Args:
        src: its PNG, or "".
        with_trim: look for the visible part, by which it is recognised after another program
            saved the file; takes milliseconds.
    """
    trim = None
    if with_trim and layer.pixels is not None:
        found = trimmed(layer.pixels)
        trim = None if found is None else [found.x, found.y, found.image.hash]
    return {
        **layer.extra,
        "number": layer.number,
        "kind": layer.kind,
        "name": layer.name,
        "rect": _rect_out(layer.rect),
        "src": src,
        "pixels": layer.pixel_hash,
        "trim": trim,
        "visible": layer.visible,
        "locked": layer.locked,
        "opacity": _plain_number(layer.opacity),
        "blend": layer.blend,
        "seed": layer.seed,
        "record": layer.record,
        "candidates": [_candidate_out(item) for item in layer.candidates],
    }


def _candidate_out(item: Candidate) -> dict[str, Any]:
    return {
        "pixels": item.pixel_hash,
        "rect": _rect_out(item.rect),
        "record": item.record,
        "kind": item.kind,
    }


def _rect_out(rect: Rect) -> list[int]:
    return [rect.x, rect.y, rect.width, rect.height]


def _plain_number(value: float | None) -> float | int | None:
    """Whole numbers without a point, so that the text does not depend on how they were set."""
    return int(value) if value is not None and value == int(value) else value


@dataclass(frozen=True, slots=True)
class Trimmed:
    """The visible part and where it stands inside the picture, in its pixels."""

    x: int
    y: int
    image: Pixels


def trimmed(pixels: np.ndarray) -> Trimmed | None:
    """Cut (h, w, 4) uint8 to alpha above 0; None when there is none."""
    alpha = pixels[..., 3]
    rows = np.flatnonzero(alpha.any(axis=1))
    if rows.size == 0:
        return None
    columns = np.flatnonzero(alpha.any(axis=0))
    top, bottom = int(rows[0]), int(rows[-1]) + 1
    left, right = int(columns[0]), int(columns[-1]) + 1
    return Trimmed(left, top, Pixels.of(pixels[top:bottom, left:right]))
