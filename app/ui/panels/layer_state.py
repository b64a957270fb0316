"""What a layer's state is called and looks like: icon, text, colour; never a colour alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from app.document import Document, Layer
from app.document.pixels import Pixels
from app.document.staleness import outdated
from app.document.words import left_empty
from app.ui.text import number, tr

EMPTY_SHARE = 0.005


@dataclass(frozen=True, slots=True)
class LayerState:
    """One state."""

    icon: str  # name of an outline, "" for none
    text: str  # for list, inspector and screen readers
    colour: str  # name of a colour in `theme.Colours`


def state_of(
    layer: Layer, document: Document, running: Mapping[int, str], new: int = 0
) -> LayerState:
    """The one state that matters most now.

    Args:
        running: layers that a job is making, with the word that the model decided to show or "".
        new: results that wait for an answer.
    """
    if layer.id in running:
        word = running[layer.id]
        text = tr("Painting: {0}").format(word) if word else tr("Generating")
        return LayerState("clock", text, "accent")
    if new:
        return LayerState("images", tr("{0} new").format(number(new)), "staged")
    if layer.kind == "imported":
        return LayerState("pencil", tr("Imported"), "secondary")
    if not layer.has_pixels:
        text = tr("Left empty") if left_empty(layer) else tr("Not painted")
        return LayerState("square-dashed", text, "secondary")
    what = outdated(layer, document.contents)
    if what:
        text = {
            "word": tr("Shows something else"),
            "prompt": tr("Word no longer in the prompt"),
            "size": tr("Size changed"),
        }[what]
        return LayerState("circle-alert", text, "outdated")
    if is_empty(layer):
        return LayerState("triangle-alert", tr("Empty: try another seed"), "outdated")
    return LayerState("circle-check", tr("Up to date"), "done")


def seed_text(layer: Layer) -> str:
    """The seed of the present pixels, else the pinned one, else nothing."""
    if layer.has_pixels and layer.record is not None and isinstance(layer.record.get("seed"), int):
        return str(layer.record["seed"])
    return str(layer.seed) if layer.seed is not None else ""


def next_seed_text(layer: Layer, document: Document) -> str:
    """What the next job would give a layer that has no pinned seed."""
    settings = document.settings
    if (once := document.next_seed(layer.id)) is not None:
        return tr("next: {0}").format(once)
    if settings.seed_mode == "random":
        return tr("automatic")
    return tr("next: {0}").format(document.seed_for(layer, settings.seed))


def is_empty(layer: Layer) -> bool:
    """The model made next to nothing: less than half a percent of the alpha it could have."""
    if layer.image is None or layer.is_background:
        return False
    return alpha_share(layer.image) < EMPTY_SHARE


def alpha_share(image: Pixels) -> float:
    """Mean alpha, 0 to 1. Pixels never change, so it is computed once for as long as they live."""
    known = _shares.get(image)
    if known is None:
        known = _shares[image] = float(image.array[..., 3].mean()) / 255.0
    return known


_shares: WeakKeyDictionary[Pixels, float] = WeakKeyDictionary()


def spoken(layer: Layer, document: Document, state: LayerState) -> str:
    """A row as a screen reader says it."""
    total = len(document.layers)
    place = total - document.index_of(layer.id)
    parts = [
        document.name_of(layer),
        tr("layer {0} of {1}").format(place, total),
        tr("visible") if layer.visible else tr("hidden"),
    ]
    if layer.locked:
        parts.append(tr("locked"))
    if layer.opacity < 1:
        parts.append(tr("opacity {0} percent").format(round(layer.opacity * 100)))
    parts.append(state.text)
    return ", ".join(parts)
