"""`stack.xml` of OpenRaster: the layers as other programs see them.

Pure text in and out; knows neither zip files nor pixels. Nested stacks are read as flat layers.
Source: OpenRaster 0.0.5, "Layer Stack File".
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from xml.parsers import expat
from xml.sax.saxutils import quoteattr

from app.document.contents import MAX_SIDE
from app.document.geometry import Size
from app.document.layer import MAX_NAME, clean_name

MAX_LAYERS = 200
_MAX_DEPTH = 64
_MAX_OFFSET = 1_000_000

_OPERATORS = {
    "normal": "svg:src-over",
    "multiply": "svg:multiply",
    "screen": "svg:screen",
    "overlay": "svg:overlay",
    "darken": "svg:darken",
    "lighten": "svg:lighten",
    "color-dodge": "svg:color-dodge",
    "color-burn": "svg:color-burn",
    "hard-light": "svg:hard-light",
    "soft-light": "svg:soft-light",
    "difference": "svg:difference",
    "add": "svg:plus",
}
_MODES = {operator: mode for mode, operator in _OPERATORS.items()}
_MODES["krita:linear_dodge"] = "add"  # what Krita makes of a PSD's Add; the same formula


class StackError(ValueError):
    """The text is no stack that this program reads; says why."""


@dataclass(frozen=True, slots=True)
class StackLayer:
    """One `layer` element.

    Attributes:
        src: name of its PNG inside the file.
        x, y: offset on the canvas, may be negative.
        blend: our name of the mode; an operator that we do not know stands as it is.
        locked: None when the file says nothing (GIMP drops it).
        selected: told to other programs; not read, since a file of ours says it elsewhere.
    """

    name: str
    src: str
    x: int = 0
    y: int = 0
    opacity: float = 1.0
    visible: bool = True
    blend: str = "normal"
    locked: bool | None = None
    selected: bool = False


@dataclass(frozen=True, slots=True)
class Stack:
    """The canvas and its layers, topmost first as in the file."""

    size: Size
    layers: tuple[StackLayer, ...]


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


def read_stack(data: bytes) -> Stack:
    """The layers of `stack.xml`; groups are flattened, what they say goes to their layers.

    Raises:
        StackError: no XML, a document type or entity in it, too deep, too many layers, or a
            number that cannot be.
    """
    reader = _Reader()
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.EntityDeclHandler = _refuse_doctype
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise StackError(str(error)) from error
    if reader.size is None:
        raise StackError("no image element")
    return Stack(reader.size, tuple(reader.layers))


def _refuse_doctype(*_: Any) -> None:
    raise StackError("it declares a document type or entities")


class _Reader:
    """Collects layers while expat walks the elements."""

    def __init__(self) -> None:
        self.size: Size | None = None
        self.layers: list[StackLayer] = []
        self._depth = 0
        # What the stacks around the present element add up to.
        self._around = [StackLayer(name="", src="")]

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise StackError("it is nested too deeply")
        if tag == "image" and self._depth == 1:
            width, height = _whole(attributes, "w"), _whole(attributes, "h")
            if not (1 <= width <= MAX_SIDE and 1 <= height <= MAX_SIDE):
                raise StackError(f"the canvas is {width:,} × {height:,}")
            self.size = Size(width, height)
        elif self.size is None:
            raise StackError(f"it begins with {tag!r}")
        elif tag == "stack":
            self._around.append(self._read(attributes))
        elif tag == "layer":
            if len(self.layers) == MAX_LAYERS:
                raise StackError(f"more than {MAX_LAYERS} layers")
            if not attributes.get("src"):
                raise StackError("a layer without a picture")
            self.layers.append(self._read(attributes))

    def end(self, tag: str) -> None:
        self._depth -= 1
        if tag == "stack":
            self._around.pop()

    def _read(self, attributes: Mapping[str, str]) -> StackLayer:
        around = self._around[-1]
        operator = attributes.get("composite-op", "svg:src-over")
        locked = attributes.get("edit-locked")
        layer = StackLayer(
            name=clean_name(attributes.get("name", ""))[:MAX_NAME],
            src=attributes.get("src", ""),
            x=_whole(attributes, "x"),
            y=_whole(attributes, "y"),
            opacity=_opacity(attributes),
            visible=attributes.get("visibility", "visible") != "hidden",
            blend=_MODES.get(operator, operator),
            locked=None if locked is None else locked == "true",
        )
        return replace(
            layer,
            x=around.x + layer.x,
            y=around.y + layer.y,
            opacity=round(around.opacity * layer.opacity, 4),
            visible=around.visible and layer.visible,
            locked=True if around.locked else layer.locked,
        )


def _number(attributes: Mapping[str, str], key: str, default: str) -> float:
    try:
        value = float(attributes.get(key, default))
    except ValueError:
        raise StackError(f"{key} is {attributes[key]!r}") from None
    if not math.isfinite(value):
        raise StackError(f"{key} is {attributes[key]!r}")
    return value


def _whole(attributes: Mapping[str, str], key: str) -> int:
    value = _number(attributes, key, "0")
    if abs(value) > _MAX_OFFSET:
        raise StackError(f"{key} is {attributes[key]!r}")
    return round(value)


def _opacity(attributes: Mapping[str, str]) -> float:
    return min(1.0, max(0.0, _number(attributes, "opacity", "1")))
