"""What a layer's state is called and looks like: icon, text, colour. Shared by list and inspector.

Every state has a shape and a text, never a colour alone.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.document.document import Document
from app.document.layer import Layer
from app.ui.text import tr


@dataclass(frozen=True, slots=True)
class LayerState:
    """One state.

    Attributes:
        icon: name of an outline, "" for none.
        text: for list, inspector and screen readers.
        colour: name of a colour in `theme.Colours`.
    """

    icon: str
    text: str
    colour: str


def state_of(layer: Layer, document: Document, running: frozenset[int]) -> LayerState:
    """The one state that matters most now."""
    if layer.id in running:
        return LayerState("clock", tr("Generating"), "accent")
    if layer.kind == "imported":
        return LayerState("pencil", tr("Imported"), "secondary")
    if not layer.has_pixels:
        return LayerState("square-dashed", tr("Not generated"), "secondary")
    record = layer.record
    if record is not None:
        if same_words(str(record.get("prompt", ""))) != same_words(document.prompt):
            return LayerState("circle-alert", tr("Prompt changed"), "outdated")
        box = record.get("box")
        region = layer.region(document.grid, document.canvas)
        if (
            isinstance(box, (list, tuple))
            and len(box) == 4
            and layer.rect.is_on_grid(document.grid)
            and (box[2] - box[0], box[3] - box[1]) != (region.width, region.height)
            and document.canvas.rect.contains(layer.rect)
        ):
            return LayerState("circle-alert", tr("Size changed"), "outdated")
    return LayerState("circle-check", tr("Up to date"), "done")


def seed_text(layer: Layer) -> str:
    """The seed of the present pixels, else the pinned one, else nothing."""
    if layer.record is not None and isinstance(layer.record.get("seed"), int):
        return str(layer.record["seed"])
    return str(layer.seed) if layer.seed is not None else ""


def same_words(prompt: str) -> str:
    """A prompt with white space collapsed: what counts when two are compared."""
    return " ".join(prompt.split())


def spoken(layer: Layer, document: Document, running: frozenset[int]) -> str:
    """A row as a screen reader says it."""
    total = len(document.layers)
    place = total - document.index_of(layer.id)
    parts = [
        layer.name,
        tr("layer {0} of {1}").format(place, total),
        tr("visible") if layer.visible else tr("hidden"),
    ]
    if layer.locked:
        parts.append(tr("locked"))
    parts.append(state_of(layer, document, running).text)
    return ", ".join(parts)
