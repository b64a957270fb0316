"""Layouts: a canvas and boxes without pixels, from text or a file and back.

The text is a list of boxes, JSON with a canvas, our own format, a recipe, or a sample of ART. A
layout with one bad box is refused whole.
Text is data and never run. Sources: ART's `custom_pipeline` boxes, end-exclusive pixels; what its
planner writes, `layer`, `x`, `y`, `width`, `height`, for boxes by their centre.
"""

from __future__ import annotations

import ast
import json
import math
import re
import warnings
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
from app.document.geometry import Rect, Size, ceil_to, floor_to
from app.document.layer import MAX_SEED, MAX_SHOWS, clean_name
from app.document.storage.errors import StorageError, not_opened
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
MAX_TEXT = 1_000_000

_NEITHER = "The text is neither JSON nor a list of boxes"
# What only Python writes; then its parser says better where the text is wrong.
_PYTHON = re.compile(r"\(|'|\b(?:None|True|False)\b")

Corners = tuple[float, float, float, float]  # x0, y0, x1, y1
_FARTHEST = 1e9  # far beyond any canvas, but arithmetic stays exact and quick
# A box may reach a little beyond the canvas. No box in pixels is so small.
_LEAST_FRACTION, _MOST_FRACTION = -0.5, 1.5
_CORNER_KEYS = (
    ("x0", "y0", "x1", "y1"),
    ("x1", "y1", "x2", "y2"),
    ("left", "top", "right", "bottom"),
    ("xmin", "ymin", "xmax", "ymax"),
)
_CENTRE_KEYS = ("x", "y", "width", "height")


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What a layout says."""

    canvas: Size  # real canvas on which the boxes were placed, a multiple of the grid
    names_canvas: bool  # False when the text had none and the present canvas was taken
    background: bool | None  # on or off; None when the text does not say
    boxes: tuple[LayoutBox, ...]  # foregrounds, bottom first
    prompt: str | None = None  # None when the text has none


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
        replace(layer, name=box.name or layer.name, seed=box.seed, shows=box.shows)
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
        if layer.shows:
            box["shows"] = layer.shows
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
    given = value.get("canvas")
    if given in ([1, 1], (1, 1)):  # that of boxes in fractions, and no size
        given = None
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
    """The text of a file or of the recipe in an exported PNG; StorageError where it is neither."""
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


# ---- values, and boxes as corners in pixels ----


def refused(what: str, advice: str = "Correct it and try again.") -> StorageError:
    """A layout that is not taken; nothing of it is used."""
    return StorageError(what, "No box was changed.", advice)


def parsed(text: str) -> Any:
    """The value that the text writes, as JSON or as a Python literal.

    Raises:
        StorageError: it is neither; says the line and the column, both counted from 1.
    """
    if len(text) > MAX_TEXT:
        raise refused("The text is too long for a layout.", "Check that it is the right one.")
    try:
        return json.loads(text)
    except RecursionError as error:
        raise refused(f"{_NEITHER}: it is nested too deeply.") from error
    except ValueError as error:  # perhaps a Python literal
        as_json = error
    stripped = text.strip()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd escapes in foreign text are no news
            return ast.literal_eval(stripped)
    except SyntaxError as error:
        where = _python_place(text, error) if _PYTHON.search(text) else _json_place(text, as_json)
        raise refused(f"{_NEITHER}{where}.") from error
    except ValueError as error:  # a call, a name, a comprehension
        raise refused(f"{_NEITHER}{_json_place(text, as_json)}.") from error
    except (TypeError, MemoryError, RecursionError) as error:
        raise refused(f"{_NEITHER}.") from error


def _json_place(text: str, error: ValueError) -> str:
    if not isinstance(error, json.JSONDecodeError):
        return ""
    line, column = error.lineno, error.colno
    if text[error.pos :].startswith(("//", "/*", "#")):
        return f": line {line}, column {column}: JSON allows no comments"
    reason = error.msg.removesuffix(" at").removesuffix(" starting at")
    return f": line {line}, column {column}: {reason[:1].lower()}{reason[1:]}"


def _python_place(text: str, error: SyntaxError) -> str:
    """The place in the whole text; the parser saw it without the white space around it."""
    before = text[: len(text) - len(text.lstrip())]
    line, column = error.lineno or 1, error.offset or 1
    if line == 1:
        column += len(before) - (before.rfind("\n") + 1)
    line += before.count("\n")
    return f": line {line}, column {column}: {error.msg.split('. ')[0]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LayoutBox:
    """One foreground box: on the grid, inside the canvas. `name` "" = the default name."""

    rect: Rect
    name: str = ""
    seed: int | None = None
    shows: str = ""  # pinned word


@dataclass(frozen=True, slots=True)
class Entry:
    """A box as the text has it."""

    number: int  # its place in the text, from 1
    corners: Corners  # x0, y0, x1, y1; pixels or fractions of the canvas
    shown: str  # how messages write it
    name: str = ""
    seed: int | None = None
    shows: str = ""  # pinned word


def entries_of(values: Sequence[Any]) -> list[Entry | None]:
    """Every entry of a list of boxes; None where the text skips one. Raises StorageError."""
    if is_planned(values):
        return list(_planned(values))
    return [
        None if value is None else _entry(number, value)
        for number, value in enumerate(values, start=1)
    ]


def is_planned(values: Sequence[Any]) -> bool:
    """Whether this is the list of a planner: objects with `layer` and a centre."""
    found = [value for value in values if value is not None]
    return bool(found) and all(
        isinstance(value, Mapping) and {"layer", *_CENTRE_KEYS} <= value.keys() for value in found
    )


def are_fractions(entries: Sequence[Entry]) -> bool:
    """Whether the numbers are fractions of the canvas, 0 to 1, and not pixels."""
    return bool(entries) and all(_is_fraction(entry) for entry in entries)


def on_grid(
    entries: Sequence[Entry], canvas: Size, grid: int, *, as_fractions: bool
) -> tuple[LayoutBox, ...]:
    """Boxes on the grid: edges go outwards to its lines, then all is cut to the canvas.

    Args:
        as_fractions: the corners are fractions of the canvas, else pixels.

    Raises:
        StorageError: a box has no area, lies outside the canvas, or is in fractions of the canvas
            while others are in pixels.
    """
    fractions = [] if as_fractions else [entry for entry in entries if _is_fraction(entry)]
    if fractions:
        raise refused(
            f"Box {fractions[0].number} has numbers from 0 to 1, other boxes have pixels: "
            f"{fractions[0].shown}.",
            "Write all boxes in pixels, or all as fractions of the canvas.",
        )
    whole = (1, 1) if as_fractions else (canvas.width, canvas.height)
    for entry in entries:
        _check_order(entry, entries, whole)
    return tuple(_on_grid(entry, canvas, grid, as_fractions) for entry in entries)


def shown(value: Any) -> str:
    """A value as messages write it, at most 60 characters."""
    try:
        text = repr(tuple(value)) if isinstance(value, list | tuple) else repr(value)
    except ValueError:  # Python writes no whole number of more than 4,300 digits
        return "a number of thousands of digits"
    return text if len(text) <= 60 else text[:57] + "..."


def is_number(value: Any) -> bool:
    """Whether it is a number, infinite ones included, and not true or false."""
    return isinstance(value, int | float) and not isinstance(value, bool)


# ---- one box ----


def _entry(number: int, value: Any) -> Entry:
    if not isinstance(value, Mapping):
        return Entry(number, _four(number, value), shown(value))
    name, seed = value.get("name") or "", value.get("seed")
    if not isinstance(name, str):
        raise refused(f"The name of box {number} must be text.")
    is_whole = isinstance(seed, int) and not isinstance(seed, bool)
    if seed is not None and not (is_whole and 0 <= seed <= MAX_SEED):
        raise refused(f"The seed of box {number} must be 0 to {MAX_SEED}.")
    box = value.get("box", _named_corners(value))
    if box is None and "box" not in value:
        raise _lacks_corners(number, value)
    shows = _word(number, value)
    return Entry(number, _four(number, box), shown(box), clean_name(name), seed, shows)


def _word(number: int, value: Mapping[str, Any]) -> str:
    """The word that is pinned to a box; "" where none is."""
    word = value.get("shows") or ""
    if not isinstance(word, str) or len(clean_name(word)) > MAX_SHOWS:
        raise refused(f"'shows' of box {number} must be text of at most {MAX_SHOWS} characters.")
    return clean_name(word)


def _named_corners(value: Mapping[str, Any]) -> list[Any] | None:
    for keys in _CORNER_KEYS:
        if all(key in value for key in keys):
            return [value[key] for key in keys]
    return None


def _lacks_corners(number: int, value: Mapping[str, Any]) -> Exception:
    advice = 'Write each box as "box": [x0, y0, x1, y1], its left, top, right and bottom edge.'
    if all(key in value for key in _CENTRE_KEYS):
        return refused(
            f"Box {number} has 'x', 'y', 'width' and 'height', which does not say whether x and y "
            "are its corner or its centre.",
            advice,
        )
    keys = ", ".join(repr(str(key))[:20] for key in list(value)[:6])
    return refused(f"Box {number} has no 'box', only {keys or 'nothing'}.", advice)


def _four(number: int, value: Any) -> Corners:
    is_box = isinstance(value, list | tuple) and len(value) == 4
    if not is_box or not all(is_number(item) and not _is_nothing(item) for item in value):
        raise refused(f"Box {number} is not four numbers (x0, y0, x1, y1): {shown(value)}.")
    if not all(-_FARTHEST <= item <= _FARTHEST for item in value):
        raise refused(f"Box {number} has a number beyond {_FARTHEST:,.0f}: {shown(value)}.")
    x0, y0, x1, y1 = value
    return x0, y0, x1, y1


def _is_nothing(value: float) -> bool:
    return isinstance(value, float) and not math.isfinite(value)


def _planned(values: Sequence[Any]) -> list[Entry]:
    """A planner's list, bottom layer first. Layer 0, the whole canvas, shows what x and y mean."""
    found = []
    for number, value in enumerate(values, start=1):
        if value is None:
            continue
        x, y, width, height = _four(number, [value[key] for key in _CENTRE_KEYS])
        layer = value["layer"]
        if not is_number(layer) or _is_nothing(layer):
            raise refused(f"'layer' of box {number} must be a number, not {shown(layer)}.")
        found.append((layer, number, (x, y, width, height)))
    found.sort(key=lambda item: item[0])
    first = found[0][2]
    are_corners = first[:2] == (0, 0) and first[2] > 0 and first[3] > 0
    listed = []
    for _, number, (x, y, width, height) in found:
        left = x if are_corners else x - width / 2
        top = y if are_corners else y - height / 2
        text = f"x {x:g}, y {y:g}, width {width:g}, height {height:g}"
        listed.append(Entry(number, (left, top, left + width, top + height), text))
    return listed


# ---- pixels and shares ----


def _is_fraction(entry: Entry) -> bool:
    return all(_LEAST_FRACTION <= each <= _MOST_FRACTION for each in entry.corners)


def _check_order(entry: Entry, entries: Sequence[Entry], whole: tuple[int, int]) -> None:
    x0, y0, x1, y1 = entry.corners
    if x1 > x0 and y1 > y0:
        return
    if x1 <= x0:
        what = f"x1 ({x1:g}) is not right of x0 ({x0:g})"
    else:
        what = f"y1 ({y1:g}) is not below y0 ({y0:g})"
    advice = "Write the edges in the order left, top, right, bottom."
    if _could_be_sizes(entries, whole):
        advice += " If these are x, y, width and height, write x, y, x + width, y + height."
    raise refused(f"Box {entry.number} has no area, because {what}: {entry.shown}.", advice)


def _could_be_sizes(entries: Sequence[Entry], whole: tuple[int, int]) -> bool:
    """Whether all of them, read as x, y, width and height, are boxes on the canvas."""
    return all(
        x >= 0 and y >= 0 and w > 0 and h > 0 and x + w <= whole[0] and y + h <= whole[1]
        for x, y, w, h in (entry.corners for entry in entries)
    )


def _on_grid(entry: Entry, canvas: Size, grid: int, as_fractions: bool) -> LayoutBox:
    x0, y0, x1, y1 = entry.corners
    if as_fractions:
        # Rounded, because 0.7 × 320 is a little more than 224, which is a line of the grid.
        x0, x1 = round(x0 * canvas.width, 6), round(x1 * canvas.width, 6)
        y0, y1 = round(y0 * canvas.height, 6), round(y1 * canvas.height, 6)
    if x0 >= canvas.width or y0 >= canvas.height or x1 <= 0 or y1 <= 0:
        raise refused(
            f"Box {entry.number} is outside the canvas of {canvas.width:,} × {canvas.height:,}: "
            f"{entry.shown}.",
            "Move it onto the canvas, or give a larger canvas.",
        )
    left, top = floor_to(math.floor(x0), grid), floor_to(math.floor(y0), grid)
    right, bottom = ceil_to(math.ceil(x1), grid), ceil_to(math.ceil(y1), grid)
    left, top = max(0, left), max(0, top)
    right, bottom = min(canvas.width, right), min(canvas.height, bottom)
    rect = Rect.from_box((left, top, right, bottom))
    return LayoutBox(rect=rect, name=entry.name, seed=entry.seed, shows=entry.shows)
