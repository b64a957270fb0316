"""Layouts as text: the plain list of ART boxes, JSON with a canvas, our own format, a recipe.

Text is parsed as data and never run. A layout with one bad box is refused whole. Knows no windows.
Source of the list form: ART, `custom_pipeline` boxes, end-exclusive pixels.
"""

from __future__ import annotations

import ast
import json
import math
import warnings
from collections.abc import Sequence
from typing import Any

from app.document.contents import MAX_FOREGROUNDS, MAX_PROMPT, MAX_SIDE
from app.document.geometry import Rect, Size, ceil_to, floor_to
from app.document.layer import MAX_SEED, clean_name
from app.document.storage.errors import StorageError
from app.document.storage.layout import FORMAT, VERSION, Layout, LayoutBox
from app.document.storage.recipe import FORMAT as RECIPE
from app.document.storage.recipe import layout_of

# The model's list: merged, background and fifty foregrounds.
MAX_ENTRIES = MAX_FOREGROUNDS + 2
MAX_TEXT = 1_000_000


def parse_layout(text: str, *, canvas: Size, grid: int) -> Layout:
    """Understand a layout.

    Lower bounds go down and upper bounds up to grid lines, then all is cut to the real canvas.

    Args:
        text: JSON of a layout or a recipe, or a Python literal of `(x0, y0, x1, y1)` tuples; None
            or null is skipped.
        canvas: for a text that names none.
        grid: grid step; a canvas in the text is rounded up to it.

    Raises:
        StorageError: not understood, a box that is empty or no box (MS14), or too many.
    """
    value = _parsed(text)
    if isinstance(value, list | tuple):
        return _from_list(value, canvas, grid)
    if isinstance(value, dict):
        return _from_object(value, canvas, grid)
    raise refused("A layout is a list of boxes or an object with 'boxes'.")


def refused(what: str, advice: str = "Correct it and try again.") -> StorageError:
    """MS14: a layout that is not taken."""
    return StorageError(what, "No box was changed.", advice)


def _parsed(text: str) -> Any:
    if len(text) > MAX_TEXT:
        raise refused("The text is too long for a layout.", "Check that it is the right one.")
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass  # perhaps a Python literal
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd escapes in foreign text are no news
            return ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError) as error:
        raise refused("The text is neither JSON nor a list of boxes.") from error


def _from_list(entries: Sequence[Any], canvas: Size, grid: int) -> Layout:
    if len(entries) > MAX_ENTRIES:
        raise _too_many(len(entries), MAX_ENTRIES)
    listed = list(enumerate(entries, start=1))
    names_canvas = _starts_with_canvas(entries)
    background = None
    if names_canvas:
        x1, y1 = _numbers(1, entries[0])[2:]
        canvas = _canvas([x1, y1], grid)
        background = entries[1] is not None
        listed = listed[2:]
    boxes = tuple(_box(n, entry, canvas, grid) for n, entry in listed if entry is not None)
    _check_count(len(boxes))
    return Layout(canvas=canvas, names_canvas=names_canvas, background=background, boxes=boxes)


def _starts_with_canvas(entries: Sequence[Any]) -> bool:
    """Whether entry 0 covers from (0, 0) and entry 1 equals it or is null."""
    if len(entries) < 2 or entries[0] is None:
        return False
    first = _numbers(1, entries[0])
    if first[:2] != [0, 0]:
        return False
    return entries[1] is None or _numbers(2, entries[1]) == first


def _from_object(value: dict[str, Any], canvas: Size, grid: int) -> Layout:
    if value.get("format") == RECIPE:
        value = layout_of(value)
    if value.get("format", FORMAT) != FORMAT:
        raise refused(f"The format {str(value['format'])[:40]!r} is no layout.")
    version = value.get("version", VERSION)
    if isinstance(version, int) and version > VERSION:
        raise refused(
            f"This layout was written by a newer Layerloom (version {version}, this one reads "
            f"up to {VERSION}).",
            "Update.",
        )
    names_canvas = "canvas" in value
    if names_canvas:
        canvas = _canvas(value["canvas"], grid)
    background = value.get("background")
    if background is not None and not isinstance(background, bool):
        raise refused("'background' must be true or false.")
    prompt = value.get("prompt")
    if prompt is not None and not (isinstance(prompt, str) and len(prompt) <= MAX_PROMPT):
        raise refused(f"'prompt' must be text of at most {MAX_PROMPT:,} characters.")
    entries = value.get("boxes")
    if not isinstance(entries, list | tuple):
        raise refused("The layout has no list of 'boxes'.")
    if len(entries) > MAX_ENTRIES:
        raise _too_many(len(entries), MAX_FOREGROUNDS)
    boxes = tuple(
        _box(n, entry, canvas, grid) for n, entry in enumerate(entries, 1) if entry is not None
    )
    _check_count(len(boxes))
    return Layout(
        canvas=canvas,
        names_canvas=names_canvas,
        background=background,
        boxes=boxes,
        prompt=prompt,
    )


def _check_count(count: int) -> None:
    if count > MAX_FOREGROUNDS:
        raise _too_many(count, MAX_FOREGROUNDS)


def _too_many(count: int, limit: int) -> StorageError:
    return refused(f"The layout has {count} boxes; at most {limit} are possible.", "Remove some.")


def _canvas(value: Any, grid: int) -> Size:
    is_pair = isinstance(value, list | tuple) and len(value) == 2
    if not is_pair or not all(_is_number(side) for side in value):
        raise refused(f"The canvas must be two numbers, not {_shown(value)}.")
    sides = [ceil_to(math.ceil(side), grid) for side in value]
    if not all(grid <= side <= MAX_SIDE for side in sides):
        raise refused(f"The canvas is {_shown(value)}; each side must be 1 to {MAX_SIDE:,}.")
    return Size(*sides)


def _box(number: int, entry: Any, canvas: Size, grid: int) -> LayoutBox:
    name, seed = "", None
    if isinstance(entry, dict):
        name, seed = entry.get("name") or "", entry.get("seed")
        if not isinstance(name, str):
            raise refused(f"The name of box {number} must be text.")
        is_whole = isinstance(seed, int) and not isinstance(seed, bool)
        if seed is not None and not (is_whole and 0 <= seed <= MAX_SEED):
            raise refused(f"The seed of box {number} must be 0 to {MAX_SEED}.")
        entry = entry.get("box")
    x0, y0, x1, y1 = _numbers(number, entry)
    left, top = floor_to(math.floor(x0), grid), floor_to(math.floor(y0), grid)
    right, bottom = ceil_to(math.ceil(x1), grid), ceil_to(math.ceil(y1), grid)
    left, top = max(0, left), max(0, top)
    right, bottom = min(canvas.width, right), min(canvas.height, bottom)
    if x1 <= x0 or y1 <= y0 or right <= left or bottom <= top:
        raise refused(
            f"Box {number} is empty after rounding to {grid}: {_shown(entry)}.",
            "Correct it and paste again.",
        )
    rect = Rect.from_box((left, top, right, bottom))
    return LayoutBox(rect=rect, name=clean_name(name), seed=seed)


def _numbers(number: int, entry: Any) -> list[float]:
    """Four finite numbers."""
    is_box = isinstance(entry, list | tuple) and len(entry) == 4
    if not is_box or not all(_is_number(item) for item in entry):
        raise refused(
            f"Box {number} is not four numbers (x0, y0, x1, y1): {_shown(entry)}.",
            "Correct it and paste again.",
        )
    return list(entry)


def _is_number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    # Far beyond any canvas, but small enough that arithmetic stays exact and quick.
    return -1e9 <= value <= 1e9


def _shown(value: Any) -> str:
    text = repr(tuple(value)) if isinstance(value, list | tuple) else repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
