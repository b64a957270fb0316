"""Draft: the rectangle that follows the mouse during a drag. Data only, no Qt types."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from app.document.geometry import Rect

# What the rectangle becomes: a box, another size of a layer, a selection.
DraftKind = Literal["drawn", "resized", "marquee"]


@dataclass(frozen=True, slots=True)
class Draft:
    """A rectangle that is being dragged.

    Attributes:
        rect: canvas pixels.
        text: the live label; shown below the rectangle. A marquee has none.
        kind: what the drag does.
    """

    rect: Rect
    text: str
    kind: DraftKind
