"""Things that the loaded model draws, and boxes for them, in terms of the document.

Widgets take the engine's types for things from here: they import nothing of the engine.
"""

from __future__ import annotations

from app.document import Document, Rect
from app.document.words import word_of
from app.session.prompt_summary import PromptSummary
from engine import (
    MAX_READ,
    Box,
    ModelInfo,
    PinCheck,
    PromptObject,
    Thing,
    ThingPictures,
    Vocabulary,
    check_pin,
    list_things,
    place_one,
    suggest_layouts,
    suggest_things,
    thing_pictures,
    usual_size,
)

__all__ = [
    "MAX_READ",
    "PlacedBox",
    "PromptObject",
    "Thing",
    "ThingPictures",
    "Vocabulary",
    "box_around",
    "check_pin",
    "fitting_things",
    "layouts_for",
    "list_things",
    "missing_boxes",
    "restyled",
    "thing_pictures",
    "without_look",
]

PlacedBox = tuple[Rect, str]
"""A box and the word pinned to it."""


def layouts_for(
    document: Document, summary: PromptSummary, info: ModelInfo | None
) -> list[list[PlacedBox]]:
    """Layouts with a box for every thing of the prompt, best first; [] = the prompt has none."""
    most = 50 if info is None else info.max_foregrounds
    layouts = suggest_layouts(summary.check, _size(document), step=document.grid, most=most)
    return [[(Rect.from_box(each.box), each.shows) for each in one.things] for one in layouts]


def missing_boxes(document: Document, summary: PromptSummary) -> list[PlacedBox]:
    """A box for each thing that has none, where it covers the visible boxes least."""
    taken: list[Box] = [layer.rect.to_box() for layer in document.foregrounds if layer.visible]
    boxes: list[PlacedBox] = []
    for thing in summary.missing:
        for _ in range(thing.count or 1):
            placed = place_one(thing, _size(document), taken, step=document.grid)
            taken.append(placed.box)
            boxes.append((Rect.from_box(placed.box), placed.shows))
    return boxes


def fitting_things(
    document: Document, summary: PromptSummary, info: ModelInfo | None
) -> dict[int, str]:
    """A thing for each box that would stay empty, by layer id: it suits the box and the prompt."""
    known = None if info is None else info.vocabulary
    shown = [layer for layer in document.foregrounds if layer.visible]
    spare = [layer for layer in shown if not (layer.has_pixels or layer.shows or layer.locked)]
    if known is None:
        return {}
    # The smallest boxes stay: the model gives the things of the prompt to the others.
    spare.sort(key=lambda layer: layer.rect.width * layer.rect.height)
    spare = spare[: summary.spare]
    taken = [check_pin(layer.shows or word_of(layer), info).noun or "" for layer in shown]
    boxes = [layer.rect.to_box() for layer in spare]
    words = suggest_things(summary.check, known.nouns, _size(document), boxes, taken)
    return {layer.id: word for layer, word in zip(spare, words, strict=True)}


def restyled(check: PinCheck, *, colour: str = "", look: str = "") -> str:
    """What a box shows, in another colour or look; "" for a box that shows nothing known."""
    if check.noun is None:
        return ""
    parts = (check.size, look or check.look, colour or check.colour, check.noun)
    return " ".join(filter(None, parts))


def without_look(check: PinCheck) -> str:
    """The words for a prompt: a look there counts for the whole picture."""
    return " ".join(filter(None, (check.size, check.colour, check.noun)))


def box_around(document: Document, word: str, x: float, y: float) -> Rect:
    """A box of the usual size of a thing around a point in canvas pixels, inside the canvas."""
    width, height = usual_size(word, _size(document), step=document.grid)
    rect = Rect(round(x - width / 2), round(y - height / 2), width, height)
    return rect.moved_to_grid(document.grid, document.canvas)


def _size(document: Document) -> tuple[int, int]:
    return document.canvas.width, document.canvas.height
