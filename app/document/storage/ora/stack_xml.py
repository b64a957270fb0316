"""`stack.xml` of OpenRaster: the layers and groups as other programs see them.

Pure text in and out; independent of zip files and pixels.
Source: OpenRaster 0.0.5, "Layer Stack File".
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from xml.parsers import expat
from xml.sax.saxutils import quoteattr

from app.document.blends import BLENDS
from app.document.contents import MAX_LAYERS, MAX_SIDE
from app.document.geometry import Size
from app.document.layer import MAX_NAME, clean_name

_MAX_DEPTH = 64
_MAX_OFFSET = 1_000_000
_MAX_NOTES = 5

_OPERATORS = {mode: f"svg:{mode}" for mode in BLENDS} | {
    "normal": "svg:src-over",
    "add": "svg:plus",
}
_MODES = {operator: mode for mode, operator in _OPERATORS.items()}
_MODES["krita:linear_dodge"] = "add"  # what Krita makes of a PSD's Add; the same formula

# Programs write numbers in the way of their country ("0,5"), with a unit, or not at all.
_NUMBER = re.compile(
    r"\s*(?P<number>[+-]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][+-]?\d+)?)\s*(?P<unit>px|%)?\s*"
)


class StackError(ValueError):
    """The text is no stack that this program reads; says why."""


class StackLimitError(StackError):
    """The picture is too much; the text goes on from the file's name, `advice` says what to do."""

    def __init__(self, text: str, advice: str) -> None:
        super().__init__(text)
        self.advice = advice


@dataclass(frozen=True, slots=True)
class StackLayer:
    """One `layer` element."""

    name: str
    src: str  # name of its PNG inside the file; "" = the file names none
    # x, y: offset on the canvas, may be negative; offsets of groups are added
    x: int = 0
    y: int = 0
    opacity: float = 1.0
    visible: bool = True
    # our name of the mode; an operator that we have no mode for is kept as it is
    blend: str = "normal"
    locked: bool | None = None  # None when the file says nothing (GIMP drops it)
    selected: bool = False  # for other programs; not read, because our own data has it


@dataclass(frozen=True, slots=True)
class StackGroup:
    """One `stack` element within the root."""

    name: str
    opacity: float
    visible: bool
    blend: str  # as of a layer
    isolated: bool  # whether it is painted apart, on nothing, before it meets what is below it
    items: tuple[StackItem, ...]  # topmost first


StackItem = StackLayer | StackGroup


@dataclass(frozen=True, slots=True)
class StackTree:
    """What a file says."""

    size: Size
    items: tuple[StackItem, ...]  # layers and groups, topmost first
    notes: tuple[str, ...] = ()  # sentences about values that could not be used
    left_out: str = ""  # a sentence on texts, filters and other elements; "" = there are none


def called(item: StackItem) -> str:
    """A layer or group in a sentence: by its name, else by its picture."""
    if item.name:
        return f"'{item.name}'"
    if isinstance(item, StackGroup):
        return "a group without a name"
    return f"'{item.src[:80]}'" if item.src else "a layer without a name"


def layers_in(items: Iterable[StackItem]) -> Iterable[StackLayer]:
    """All layers, topmost first, also those in groups."""
    for item in items:
        if isinstance(item, StackLayer):
            yield item
        else:
            yield from layers_in(item.items)


def write_stack(size: Size, layers: Iterable[StackLayer]) -> bytes:
    """`stack.xml` for layers given topmost first."""
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<image version="0.0.5" w="{size.width}" h="{size.height}">',
        ' <stack name="root">',
    ]
    for layer in layers:
        attributes = {
            "name": clean_name(layer.name),
            "src": layer.src,
            "x": str(layer.x),
            "y": str(layer.y),
            "opacity": f"{layer.opacity:.4f}".rstrip("0").rstrip("."),
            "visibility": "visible" if layer.visible else "hidden",
            "composite-op": _OPERATORS.get(layer.blend, layer.blend),
            "edit-locked": "true" if layer.locked else "false",
        }
        if layer.selected:
            attributes["selected"] = "true"
        text = " ".join(f"{key}={quoteattr(value)}" for key, value in attributes.items())
        lines.append(f"  <layer {text}/>")
    lines += [" </stack>", "</image>", ""]
    return "\n".join(lines).encode()


def read_stack(data: bytes) -> StackTree:
    """The layers and groups of `stack.xml`.

    A number that cannot be read is replaced by its default, and a note says so.

    Raises:
        StackLimitError: too many layers, nested too deeply, or too large a canvas.
        StackError: no XML, a document type or entity in it, or no canvas size.
    """
    reader = _Reader()
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.EntityDeclHandler = _refuse_doctype
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    try:
        parser.Parse(data, True)
    except StackError:
        raise
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise StackError(str(error)) from error
    return reader.tree()


def _refuse_doctype(*_: Any) -> None:
    raise StackError("it declares a document type or entities")


@dataclass(slots=True)
class _Open:
    """A stack whose end has not come yet: its own values, and what its layers add to theirs."""

    group: StackGroup
    x: int
    y: int
    locked: bool
    items: list[StackItem]


class _Reader:
    """Builds the tree while expat walks the elements."""

    def __init__(self) -> None:
        self._size: Size | None = None
        self._depth = 0
        self._skipped_from = 0  # depth of the element whose inside does not count; 0 = none
        self._count = 0
        self._notes: list[str] = []
        self._others: dict[str, int] = {}
        root = StackGroup("", 1.0, True, "normal", True, ())
        self._open = [_Open(root, 0, 0, False, [])]

    def tree(self) -> StackTree:
        if self._size is None:
            raise StackError("no image element")
        if self._count > MAX_LAYERS:
            raise StackLimitError(
                f"has {self._count:,} layers; this program opens up to {MAX_LAYERS}",
                "Merge some of them in the program that made it.",
            )
        notes = self._notes[:_MAX_NOTES]
        if len(self._notes) > len(notes):
            notes.append(f"{len(self._notes) - len(notes)} more values could not be read.")
        left_out = ""
        if self._others:
            said = ", ".join(f"{count} '{tag}'" for tag, count in sorted(self._others.items()))
            left_out = f"Left out, because only layers are read: {said}."
        items = tuple(self._open[0].items)
        if len(items) == 1 and isinstance(items[0], StackGroup):
            items = items[0].items  # the root, whose looks are fixed
        return StackTree(self._size, items, tuple(notes), left_out)

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise StackLimitError(
                f"has groups nested more than {_MAX_DEPTH} deep",
                "Take some groups apart in the program that made it.",
            )
        if self._skipped_from:
            return
        tag = tag.rpartition(":")[2]  # some programs write a prefix for the namespace
        if tag == "image" and self._depth == 1:
            self._size = _canvas(attributes)
        elif self._size is None:
            raise StackError(f"it begins with {tag[:40]!r}")
        elif tag == "stack":
            self._start_stack(attributes)
        elif tag == "layer":
            self._count += 1
            if self._count <= MAX_LAYERS:
                self._open[-1].items.append(self._layer(attributes))
        else:
            # A filter may hold a stack of its own that is not to be painted.
            self._skipped_from = self._depth
            if len(self._others) < _MAX_NOTES:
                self._others[tag[:40]] = self._others.get(tag[:40], 0) + 1

    def end(self, tag: str) -> None:
        if self._skipped_from == self._depth:
            self._skipped_from = 0
        elif tag.rpartition(":")[2] == "stack" and not self._skipped_from:
            closed = self._open.pop()
            self._open[-1].items.append(replace(closed.group, items=tuple(closed.items)))
        self._depth -= 1

    def _start_stack(self, attributes: Mapping[str, str]) -> None:
        around = self._open[-1]
        layer = self._layer(attributes)
        operator = layer.blend
        is_plain = layer.opacity == 1.0 and operator == "normal"
        isolation = attributes.get("isolation", "auto").strip().lower()
        group = StackGroup(
            name=layer.name,
            opacity=layer.opacity,
            visible=layer.visible,
            blend=operator,
            isolated=isolation == "isolate" or not is_plain,
            items=(),
        )
        self._open.append(_Open(group, layer.x, layer.y, around.locked or layer.locked is True, []))

    def _layer(self, attributes: Mapping[str, str]) -> StackLayer:
        around = self._open[-1]
        name = clean_name(attributes.get("name", ""))[:MAX_NAME]
        locked = attributes.get("edit-locked")
        opacity = self._number(attributes, "opacity", 1.0)
        return StackLayer(
            name=name,
            src=attributes.get("src", "").strip(),
            x=around.x + round(self._offset(attributes, "x")),
            y=around.y + round(self._offset(attributes, "y")),
            opacity=round(min(1.0, max(0.0, opacity)), 4),
            visible=attributes.get("visibility", "visible").strip().lower() != "hidden",
            blend=_mode(attributes.get("composite-op", "")),
            locked=True if around.locked else _flag(locked),
        )

    def _offset(self, attributes: Mapping[str, str], key: str) -> float:
        value = self._number(attributes, key, 0.0)
        if abs(value) <= _MAX_OFFSET:
            return value
        return self._unusable(attributes, key, 0.0)

    def _number(self, attributes: Mapping[str, str], key: str, default: float) -> float:
        text = attributes.get(key, "")
        if not text.strip():
            return default
        value = _parsed(text)
        return self._unusable(attributes, key, default) if value is None else value

    def _unusable(self, attributes: Mapping[str, str], key: str, default: float) -> float:
        text = attributes[key]
        name = clean_name(attributes.get("name", "") or attributes.get("src", ""))
        whose = f"'{name}'" if name else "a group without a name"
        self._notes.append(
            f"'{key}' of {whose} is '{clean_name(text)[:40]}', which "
            f"is no number that can be used; {default:g} was used."
        )
        return default


def _canvas(attributes: Mapping[str, str]) -> Size:
    sides = []
    for key in ("w", "h"):
        text = attributes.get(key, "")
        value = _parsed(text)
        if value is None or value < 0.5:
            said = f"'{clean_name(text)[:40]}'" if text.strip() else "missing"
            raise StackError(f"the canvas size '{key}' is {said}")
        sides.append(round(min(value, 1e12)))
    width, height = sides
    if max(sides) > MAX_SIDE:
        raise StackLimitError(
            f"has a canvas of {width:,} × {height:,}; this program opens up to {MAX_SIDE:,} "
            "each way",
            "Scale it down in the program that made it.",
        )
    return Size(width, height)


def _parsed(text: str) -> float | None:
    match = _NUMBER.fullmatch(text)
    if match is None:
        return None
    value = float(match["number"].replace(",", "."))
    if not math.isfinite(value):
        return None
    return value / 100 if match["unit"] == "%" else value


def _mode(operator: str) -> str:
    """Our name of an operator; a foreign one in one line, as it is."""
    operator = clean_name(operator)[:100]
    plain = operator.lower()
    if not plain:
        return "normal"
    return _MODES.get(plain) or _MODES.get(f"svg:{plain}") or operator


def _flag(text: str | None) -> bool | None:
    return None if text is None else text.strip().lower() == "true"
