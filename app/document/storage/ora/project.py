"""`layerloom/document.json`, written and read: a document without pixels, which it names by hash.

Layers are known by their number, because ids end with the program. Every value that is read is
checked, for a file may come from anywhere. Independent of zip files and PNG.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from app.document.contents import (
    DEFAULT_GRID,
    MAX_PROMPT,
    MAX_SIDE,
    MAX_VARIATIONS,
    Contents,
    Settings,
)
from app.document.geometry import Rect, Size
from app.document.layer import (
    KINDS,
    MAX_SEED,
    MAX_SHOWS,
    Candidate,
    Layer,
    LayerKind,
    clean_name,
    new_layer_id,
    plain_record,
)
from app.document.pixels import Pixels
from app.document.words import MAX_PROMPTS

FORMAT = "layerloom"
VERSION = 1
READS_FROM = 1
MAX_OFFSET = 1_000_000

_MAX_NUMBER = 1_000_000
_MAX_CANDIDATES = 10_000
_MAX_SELECTED = 201
_MIN_ZOOM, _MAX_ZOOM = 0.001, 1000  # the window has narrower bounds of its own
_KNOWN = frozenset(
    "format version reads_from writer canvas grid background_on prompt prompt_history settings "
    "next_number layers detached members view".split()
)
_KNOWN_SETTINGS = frozenset(Settings().values())
_KNOWN_OF_LAYER = frozenset(
    "number kind name rect src pixels trim visible locked opacity blend seed shows record "
    "candidates".split()
)

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
    """One layer as the file has it, before its pixels are looked up."""

    layer: Layer  # without pixels and candidates; kind and record as in the file
    src: str  # its PNG, or "" for a background that is off
    pixel_hash: str | None  # None for an empty box
    # (x, y, hash) of the pixels after trimming, relative to rect; None when transparent
    trim: tuple[int, int, str] | None
    candidates: tuple[CandidateEntry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """View state (zoom, centre, selection): saved with the file, but does not make it dirty."""

    # device pixels per canvas pixel; None = the whole canvas, however large
    zoom: float | None = None
    centre: tuple[int, int] = (0, 0)  # what was in the middle, canvas pixels
    selected: tuple[int, ...] = ()  # numbers of the selected layers, bottom to top


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
        # Only where there is one: files without pinned words stay as earlier versions write them.
        **({"shows": layer.shows} if layer.shows else {}),
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


# ---- reading ----


class ProjectError(ValueError):
    """The data is no Layerloom project; the text names the place."""


def optional(item: dict[str, Any], key: str, read: Callable[..., Any], *limits: float) -> Any:
    """What `read` gives, or None when the key is missing or null."""
    return None if item.get(key) is None else read(item, key, *limits)


def bounded(value: Any, low: int, high: int, key: str) -> int:
    """A whole number from low to high."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ProjectError(f"{key} is {str(value)[:40]!r}")
    return value


def whole(item: dict[str, Any], key: str, low: int, high: int) -> int:
    return bounded(item.get(key), low, high, key)


def whole_numbers(item: dict[str, Any], key: str, count: int) -> list[int]:
    """A list of so many whole numbers, none further out than any canvas."""
    values = items(item, key, count, count)
    return [bounded(value, -MAX_OFFSET, MAX_OFFSET, key) for value in values]


def real(item: dict[str, Any], key: str, low: float, high: float) -> float:
    """The number at a key, from low to high; never NaN."""
    value = item.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise ProjectError(f"{key} is {str(value)[:40]!r}")
    return float(value)


def text(item: dict[str, Any], key: str, longest: int) -> str:
    """The text at a key, at most so long, without lone surrogates."""
    value = item.get(key)
    if not isinstance(value, str) or len(value) > longest:
        raise ProjectError(key)
    return value.encode("utf-8", "replace").decode("utf-8")


def flag(item: dict[str, Any], key: str) -> bool:
    value = item.get(key)
    if not isinstance(value, bool):
        raise ProjectError(key)
    return value


def items(item: dict[str, Any], key: str, shortest: int, longest: int) -> list[Any]:
    value = item.get(key)
    if not isinstance(value, list) or not shortest <= len(value) <= longest:
        raise ProjectError(key)
    return value


def mapping(item: dict[str, Any], key: str) -> dict[str, Any]:
    value = item.get(key)
    if not isinstance(value, dict):
        raise ProjectError(key)
    return value


class NewerProjectError(ProjectError):
    """The data needs a newer reader. `version` is its format number."""

    def __init__(self, version: int) -> None:
        super().__init__(f"format {version}, this one reads up to {VERSION}")
        self.version = version


def read_project(data: bytes) -> Project:
    """Check the JSON and build everything but pixels.

    Raises:
        NewerProjectError: it needs a newer reader.
        ProjectError: anything else that is wrong; names the place.
    """
    try:
        root = json.loads(data.decode("utf-8"), parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise ProjectError(str(error)) from error
    if not isinstance(root, dict) or root.get("format") != FORMAT:
        raise ProjectError("not a Layerloom document")
    if whole(root, "reads_from", 0, _MAX_NUMBER) > VERSION:
        raise NewerProjectError(whole(root, "version", 0, _MAX_NUMBER))
    try:
        return _project(root)
    except ProjectError:
        raise
    except ValueError as error:  # what the dataclasses refuse
        raise ProjectError(str(error)) from error


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no number")


def _project(root: dict[str, Any]) -> Project:
    width, height = whole_numbers(root, "canvas", 2)
    if not (1 <= width <= MAX_SIDE and 1 <= height <= MAX_SIDE):
        raise ProjectError(f"canvas {width} x {height}")
    entries = [_layer_in(item) for item in items(root, "layers", 1, 202)]
    numbers = [entry.layer.number for entry in entries]
    if numbers[0] != 0 or 0 in numbers[1:] or len(set(numbers)) != len(numbers):
        raise ProjectError("the layers' numbers")
    prompt = text(root, "prompt", MAX_PROMPT)
    settings = mapping(root, "settings")
    members = mapping(root, "members")
    if not all(isinstance(value, str) for value in members.values()):
        raise ProjectError("members")
    base = Contents(
        canvas=Size(width, height),
        background=entries[0].layer,
        background_on=flag(root, "background_on"),
        prompt=prompt,
        settings=Settings(
            steps=optional(settings, "steps", whole, 1, 1000),
            cfg_scale=optional(settings, "cfg_scale", real, 0, 100),
            clean_colours=settings.get("clean_colours", "automatic"),
            seed_mode=settings.get("seed_mode"),  # type: ignore[arg-type]  # checked by Settings
            seed=whole(settings, "seed", 0, MAX_SEED),
            variations=optional(settings, "variations", whole, 1, MAX_VARIATIONS) or 1,
            repeat_things=settings.get("repeat_things") is True,
            extra=_unknown(settings, _KNOWN_SETTINGS),
        ),
        next_number=max(whole(root, "next_number", 1, _MAX_NUMBER), max(numbers) + 1),
        prompts=_prompts_in(root),
        extra=_unknown(root, _KNOWN),
    )
    detached = tuple(_candidate_in(item) for item in items(root, "detached", 0, _MAX_CANDIDATES))
    return Project(base, entries[0], tuple(entries[1:]), detached, members, _view_in(root))


def _view_in(root: dict[str, Any]) -> View | None:
    """A view that cannot be understood is no reason to refuse a document."""
    try:
        view = mapping(root, "view")
        x, y = whole_numbers(view, "centre", 2)
        selected = items(view, "selected", 0, _MAX_SELECTED)
        return View(
            zoom=optional(view, "zoom", real, _MIN_ZOOM, _MAX_ZOOM),
            centre=(x, y),
            selected=tuple(bounded(each, 0, _MAX_NUMBER, "selected") for each in selected),
        )
    except ProjectError:
        return None


def _unknown(item: dict[str, Any], known: frozenset[str]) -> dict[str, Any]:
    """What a later version wrote: kept, so that saving here loses nothing of it."""
    return {key: value for key, value in item.items() if key not in known}


def _prompts_in(root: dict[str, Any]) -> tuple[str, ...]:
    """Files of before the history have none."""
    if "prompt_history" not in root:
        return ()
    found = items(root, "prompt_history", 0, MAX_PROMPTS)
    return tuple(text({"prompt_history": each}, "prompt_history", MAX_PROMPT) for each in found)


def _layer_in(item: Any) -> LayerEntry:
    if not isinstance(item, dict):
        raise ProjectError("layers")
    number = whole(item, "number", 0, _MAX_NUMBER)
    kind = item.get("kind")
    if kind not in KINDS:
        raise ProjectError(f"kind of layer {number}")
    seed = optional(item, "seed", whole, 0, MAX_SEED)
    layer = Layer(
        id=new_layer_id(),
        number=number,
        name=clean_name(text(item, "name", 10_000)) or f"Layer {number}",
        kind=kind,
        is_background=number == 0,
        rect=_rect_in(item),
        visible=flag(item, "visible"),
        locked=flag(item, "locked"),
        opacity=real(item, "opacity", 0, 1),
        blend=clean_name(text(item, "blend", 100)) or "normal",
        seed=seed,
        shows=clean_name(optional(item, "shows", text, MAX_SHOWS) or ""),
        record=_record_in(item),
        extra=_unknown(item, _KNOWN_OF_LAYER),
    )
    trim = item.get("trim")
    if trim is not None:
        if not (isinstance(trim, list) and len(trim) == 3 and isinstance(trim[2], str)):
            raise ProjectError(f"trim of layer {number}")
        x, y = (bounded(value, 0, MAX_OFFSET, "trim") for value in trim[:2])
        trim = (x, y, trim[2])
    return LayerEntry(
        layer=layer,
        src=text(item, "src", 1000),
        pixel_hash=optional(item, "pixels", text, 64),
        trim=trim,
        candidates=tuple(
            _candidate_in(each) for each in items(item, "candidates", 0, _MAX_CANDIDATES)
        ),
    )


def _candidate_in(item: Any) -> CandidateEntry:
    if not isinstance(item, dict):
        raise ProjectError("candidates")
    kind = item.get("kind")
    if kind not in ("generated", "imported"):
        raise ProjectError("kind of a candidate")
    return CandidateEntry(text(item, "pixels", 64), _rect_in(item), _record_in(item), kind)


def _rect_in(item: dict[str, Any]) -> Rect:
    x, y, width, height = whole_numbers(item, "rect", 4)
    if max(width, height) > MAX_SIDE:
        raise ProjectError(f"rect {item['rect']}")
    return Rect(x, y, width, height)


def _record_in(item: dict[str, Any]) -> dict[str, Any] | None:
    record = item.get("record")
    if record is not None and not isinstance(record, dict):
        raise ProjectError("record")
    return plain_record(record)
