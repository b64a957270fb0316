"""Writing `layerloom/document.json`: a document as plain values whose bytes depend on it alone.

Knows neither zip files nor PNG.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from app.document.contents import Contents
from app.document.geometry import Rect
from app.document.layer import Candidate, Layer
from app.document.storage.project_format import FORMAT, READS_FROM, VERSION, View
from app.document.storage.trim import trimmed


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
    """JSON text whose bytes depend on the values alone.

    Raises:
        ValueError: a number is not finite.
    """

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
    settings = contents.settings
    return {
        **contents.extra,
        "format": FORMAT,
        "version": VERSION,
        "reads_from": READS_FROM,
        "writer": "Layerloom",
        "canvas": [contents.canvas.width, contents.canvas.height],
        "grid": contents.grid,
        "background_on": contents.background_on,
        "prompt": contents.prompt,
        "prompt_history": list(contents.prompts),
        "settings": {
            **settings.extra,
            "steps": settings.steps,
            "cfg_scale": _plain_number(settings.cfg_scale),
            "clean_colours": settings.clean_colours,
            "seed_mode": settings.seed_mode,
            "seed": settings.seed,
            "variations": settings.variations,
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
