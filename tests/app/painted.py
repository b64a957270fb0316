"""Documents with painted pixels, as if a job of the fake engine had finished."""

from __future__ import annotations

from app.document import Document, Rect, Size, new_contents
from app.document.commands import Placement, PlacePixels
from app.testing import paint
from engine import Box


def document_with_boxes(*boxes: Box, prompt: str = "") -> Document:
    """A 512 x 512 document with empty boxes, bottom first."""
    rects = [Rect.from_box(box) for box in boxes]
    return Document(new_contents(Size(512, 512), 32, boxes=rects, prompt=prompt))


def fill(document: Document, prompt: str | None = None, word: str | None = None) -> None:
    """Give every layer painted pixels, as if a job had finished; all of them show `word`."""
    placements = []
    for layer in document.layers:
        box = layer.region(document.grid, document.canvas).to_box()
        seed = document.seed_for(layer, 1)
        record = {
            "prompt": document.prompt if prompt is None else prompt,
            "seed": seed,
            "box": list(box),
            "word": word,
        }
        pixels = paint(seed, box, is_background=layer.is_background)
        placements.append(Placement(layer.id, pixels, Rect.from_box(box), record))
    PlacePixels(placements).do(document)
