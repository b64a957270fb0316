"""Layouts: a canvas and boxes without pixels, from text or a file and back.

The text is a list of boxes, JSON with a canvas, our own format, a recipe, or a sample of ART. A
layout with one bad box is refused whole.
Source of the list form: ART, `custom_pipeline` boxes, end-exclusive pixels.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from app.document.contents import (
    MAX_LAYERS,
    MAX_PROMPT,
    MAX_SIDE,
    Contents,
    Settings,
    new_contents,
)
from app.document.geometry import Size, ceil_to
from app.document.storage.errors import StorageError, not_opened
from app.document.storage.layout_boxes import (
    MAX_TEXT,
    Entry,
    LayoutBox,
    are_fractions,
    entries_of,
    is_number,
    is_planned,
    on_grid,
    parsed,
    refused,
    shown,
)
from app.document.storage.png import PngError
from app.document.storage.recipe import FORMAT as RECIPE
from app.document.storage.recipe import layout_of, recipe_in

FORMAT = "layerloom-layout"
VERSION = 1

# All foregrounds of a document, and what lists of ART begin with: merged picture, background.
_MAX_BOXES = MAX_LAYERS - 1
_MAX_ENTRIES = _MAX_BOXES + 2
# ART's samples call the list and the prompt otherwise.
_BOXES, _PROMPTS = ("boxes", "layout"), ("prompt", "wholecaption")
_MAX_PNG = 512 * 1024**2


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What a layout says.

    Attributes:
        canvas: real canvas on which the boxes were placed, a multiple of the grid.
        names_canvas: False when the text had none and the present canvas was taken.
        background: on or off; None when the text does not say.
        boxes: foregrounds, bottom first.
        prompt: None when the text has none.
    """

    canvas: Size
    names_canvas: bool
    background: bool | None
    boxes: tuple[LayoutBox, ...]
    prompt: str | None = None


def contents_of(
    layout: Layout,
    *,
    prompt: str | None = None,
    settings: Settings | None = None,
) -> Contents:
    """A document of empty boxes; `prompt` None = the layout's, else none."""
    contents = new_contents(
        layout.canvas,
        grid=1,  # the boxes are on a grid already
        boxes=[box.rect for box in layout.boxes],
        background=layout.background is not False,
        prompt=(layout.prompt or "") if prompt is None else prompt,
        settings=settings,
    )
    return contents.with_layers(
        replace(layer, name=box.name or layer.name, seed=box.seed)
        for layer, box in zip(contents.foregrounds, layout.boxes, strict=True)
    )


def format_layout(contents: Contents) -> str:
    """The layout of a document as JSON in our format; boxes are cut to the canvas."""
    boxes = []
    for layer in contents.foregrounds:
        rect = layer.region(1, contents.canvas)
        box: dict[str, Any] = {"box": list(rect.to_box()), "name": layer.name}
        if layer.seed is not None:
            box["seed"] = layer.seed
        boxes.append(json.dumps(box, ensure_ascii=False))
    head = {
        "format": FORMAT,
        "version": VERSION,
        "canvas": [contents.canvas.width, contents.canvas.height],
        "background": contents.background_on,
        "prompt": contents.prompt,
    }
    lines = [
        f"  {json.dumps(key)}: {json.dumps(item, ensure_ascii=False)},\n"
        for key, item in head.items()
    ]
    listed = ",\n    ".join(boxes)
    return "{\n" + "".join(lines) + f'  "boxes": [\n    {listed}\n  ]\n}}\n'


def parse_layout(text: str, *, canvas: Size, grid: int) -> Layout:
    """Understand a layout.

    Lower bounds go down and upper bounds up to grid lines, then all is cut to the real canvas.
    Where all numbers are from 0 to 1, they are fractions of the canvas.

    Args:
        text: JSON of a layout or a recipe; a Python literal of `(x0, y0, x1, y1)` tuples, where
            None or null is skipped; or a sample of ART: `layout` with `wholecaption`, boxes as
            corners or as `layer` with centre, width and height.
        canvas: for a text that names none.
        grid: grid step; a canvas in the text is rounded up to it.

    Raises:
        StorageError: not understood, a box without area or outside the canvas, or too many.
    """
    return _layout(parsed(text), canvas, grid)


def _layout(value: Any, canvas: Size, grid: int) -> Layout:
    if isinstance(value, list | tuple):
        layouts = [each for each in value if _is_layout(each)]
        if layouts and len(layouts) == len([each for each in value if each is not None]):
            if len(layouts) > 1:
                raise refused(
                    f"The text has {len(layouts)} layouts; only one can be read.",
                    "Keep one of them and try again.",
                )
            return _layout(layouts[0], canvas, grid)
        return _from_entries(value, canvas, grid, limit=_MAX_ENTRIES, has_base=True)
    if isinstance(value, dict):
        return _from_object(value, canvas, grid)
    raise refused("A layout is a list of boxes or an object with 'boxes'.")


def _is_layout(value: Any) -> bool:
    """Whether an entry of a list is a layout: an object with boxes, or a list of boxes."""
    if isinstance(value, Mapping):
        return any(isinstance(value.get(key), list | tuple) for key in _BOXES)
    return isinstance(value, list | tuple) and any(
        isinstance(each, list | tuple | Mapping) for each in value
    )


def _from_object(value: dict[str, Any], canvas: Size, grid: int) -> Layout:
    if value.get("format") == RECIPE:
        value = layout_of(value)
    if value.get("format", FORMAT) != FORMAT:
        raise refused(f"The format {str(value['format'])[:40]!r} is no layout.")
    _check_version(value.get("version", VERSION))
    given = None if _is_unit(value.get("canvas")) else value.get("canvas")
    if given is not None:
        canvas = _canvas(given, grid)
    background = value.get("background")
    if background is not None and not isinstance(background, bool):
        raise refused("'background' must be true or false.")
    key = next((key for key in _BOXES if key in value), "boxes")
    listed = value.get(key)
    if not isinstance(listed, list | tuple):
        raise _no_boxes(value)
    # ART's list begins with the merged picture and the background; our boxes are all foregrounds.
    has_base = key != "boxes"
    limit = _MAX_ENTRIES if has_base else _MAX_BOXES
    layout = _from_entries(
        listed, canvas, grid, limit=limit, has_base=has_base, has_canvas=given is not None
    )
    prompt = _prompt(value)
    return replace(
        layout,
        prompt=prompt,
        background=background if background is not None else layout.background,
    )


def _check_version(version: Any) -> None:
    if not isinstance(version, int) or isinstance(version, bool):
        raise refused(f"'version' must be a whole number, not {shown(version)}.")
    if version > VERSION:
        raise refused(
            f"This layout was written by a newer Layerloom (version {version}, this one reads "
            f"up to {VERSION}).",
            "Update Layerloom.",
        )


def _prompt(value: Mapping[str, Any]) -> str | None:
    key = next((key for key in _PROMPTS if value.get(key) is not None), None)
    if key is None:
        return None
    prompt = value[key]
    if not isinstance(prompt, str) or len(prompt) > MAX_PROMPT:
        raise refused(f"'{key}' must be text of at most {MAX_PROMPT:,} characters.")
    # JSON can write half of a character, which no file takes.
    return prompt.encode("utf-8", "replace").decode("utf-8")


def _no_boxes(value: Mapping[str, Any]) -> StorageError:
    keys = ", ".join(repr(str(key))[:20] for key in list(value)[:6])
    has = f"; it has {keys}" if keys else ""
    if any(key in value for key in _BOXES):
        has = "; what is there is no list"
    return refused(
        f"The layout has no list of 'boxes'{has}.", 'Write "boxes": [[x0, y0, x1, y1], …].'
    )


# ---- the list of boxes ----


def _from_entries(
    values: Sequence[Any],
    canvas: Size,
    grid: int,
    *,
    limit: int,
    has_base: bool,
    has_canvas: bool = False,
) -> Layout:
    """A list of boxes.

    Args:
        has_base: the list may begin with the merged picture and the background, or in a planner's
            form with layer 0 for both.
        has_canvas: `canvas` is what the text says, which counts more than the list.
    """
    if len(values) > _MAX_ENTRIES:
        raise _too_many(len(values), limit)
    entries = entries_of(values)
    background, names_canvas = None, has_canvas
    as_fractions = are_fractions([entry for entry in entries if entry is not None])
    count = _base_count(entries, is_planned(values)) if has_base else 0
    if count and entries[0] is not None:
        background = entries[count - 1] is not None
        if not as_fractions and not has_canvas:
            canvas, names_canvas = _canvas(entries[0].corners[2:], grid), True
        entries = entries[count:]
    boxes = [entry for entry in entries if entry is not None]
    if len(boxes) > _MAX_BOXES:
        raise _too_many(len(boxes), _MAX_BOXES)
    return Layout(
        canvas=canvas,
        names_canvas=names_canvas,
        background=background,
        boxes=on_grid(boxes, canvas, grid, as_fractions=as_fractions),
    )


def _base_count(entries: Sequence[Entry | None], is_plan: bool) -> int:
    """How many entries stand for merged picture and background: 2, 1 in a plan, or 0."""
    first = entries[0] if entries else None
    if first is None or first.corners[:2] != (0, 0) or min(first.corners[2:]) <= 0:
        return 0
    if len(entries) > 1 and (entries[1] is None or entries[1].corners == first.corners):
        return 2
    return 1 if is_plan else 0


def _too_many(count: int, limit: int) -> StorageError:
    return refused(f"The layout has {count} boxes; at most {limit} are possible.", "Remove some.")


def _is_unit(value: Any) -> bool:
    """Whether a canvas is 1 x 1: that of boxes in fractions, and no size."""
    return isinstance(value, list | tuple) and len(value) == 2 and list(value) == [1, 1]


def _canvas(value: Any, grid: int) -> Size:
    is_pair = isinstance(value, list | tuple) and len(value) == 2
    if not is_pair or not all(is_number(side) for side in value):
        raise refused(f"The canvas must be two numbers, not {shown(value)}.")
    if not all(1 <= side <= MAX_SIDE for side in value):  # also refuses NaN
        raise _bad_canvas(value)
    sides = [ceil_to(math.ceil(side), grid) for side in value]
    if not all(side <= MAX_SIDE for side in sides):
        raise _bad_canvas(value)
    return Size(*sides)


def _bad_canvas(value: Any) -> StorageError:
    return refused(f"The canvas is {shown(value)}; each side must be 1 to {MAX_SIDE:,}.")


def read_layout(path: Path, *, canvas: Size, grid: int) -> Layout:
    """`parse_layout` of a file, or of the recipe in a PNG that we exported."""
    return parse_layout(text_of(path), canvas=canvas, grid=grid)


def text_of(path: Path) -> str:
    """The text of a file, or the recipe in a PNG of ours; StorageError where it is neither."""
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_TEXT + 1)
            if data.startswith(b"\x89PNG"):
                data += stream.read(_MAX_PNG)
    except OSError as error:
        raise not_opened(path, error) from error
    return text_in(data, path.name)


def text_in(data: bytes, name: str) -> str:
    """`text_of` for bytes that are at hand; `name` is how messages call them."""
    if data.startswith(b"\x89PNG"):
        try:
            text = recipe_in(data)
        except PngError as error:
            raise refused(f"'{name}' is damaged: {error}.") from error
        if not text:
            raise refused(f"'{name}' carries no recipe.", "Choose one that was exported with.")
        return text
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise refused("The layout is not UTF-8 text.") from error
    return text
