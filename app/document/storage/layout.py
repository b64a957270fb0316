"""A layout: a canvas and boxes without pixels, and how it stands to a document.

Knows neither files nor windows. `layout_text` understands the text of one.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

from app.document.contents import Contents, Settings, new_contents
from app.document.geometry import Rect, Size

FORMAT = "layerloom-layout"
VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class LayoutBox:
    """One foreground box: on the grid, inside the canvas. `name` "" = the default name."""

    rect: Rect
    name: str = ""
    seed: int | None = None


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
    grid: int,
    *,
    prompt: str | None = None,
    settings: Settings | None = None,
    background: bool = True,
) -> Contents:
    """A document of empty boxes.

    Args:
        prompt: None = the layout's, else none.
        background: for a layout that does not say.
    """
    contents = new_contents(
        layout.canvas,
        grid,
        boxes=[box.rect for box in layout.boxes],
        background=background if layout.background is None else layout.background,
        prompt=(layout.prompt or "") if prompt is None else prompt,
        settings=settings,
    )
    return contents.with_layers(
        replace(layer, name=box.name or layer.name, seed=box.seed)
        for layer, box in zip(contents.foregrounds, layout.boxes, strict=True)
    )


def format_layout(contents: Contents) -> str:
    """The layout of a document as JSON in our format; boxes are the layers' regions."""
    boxes = []
    for layer in contents.foregrounds:
        region = layer.region(contents.grid, contents.canvas)
        box: dict[str, Any] = {"box": list(region.to_box()), "name": layer.name}
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
