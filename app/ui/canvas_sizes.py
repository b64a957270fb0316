"""Sizes of a new picture: those that the model was trained for, then others by their use.

Ratios are exact: a size that only comes near a well-known ratio does not get its name.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from app.document.geometry import Size
from app.ui.text import tr

# Of the shipped model. They are offered until a model is loaded, which takes seconds; a test
# compares them with the model file.
SHIPPED_SIZES = (Size(512, 512), Size(640, 384), Size(384, 640), Size(448, 576), Size(576, 448))
SHIPPED_MULTIPLE = 64

_LARGEST_PART = 21  # of a ratio that still says something: 21:9, but not 37:23
_OTHER_SIZES = (
    Size(1024, 576),
    Size(576, 1024),
    Size(768, 576),
    Size(576, 768),
    Size(640, 512),
    Size(512, 640),
    Size(768, 512),
    Size(512, 768),
)


class KnowsSizes(Protocol):
    """What is asked of a loaded model."""

    @property
    def trained_canvases(self) -> tuple[tuple[int, int], ...]: ...
    @property
    def canvas_multiple(self) -> int: ...


@dataclass(frozen=True, slots=True)
class SizePreset:
    """One entry of the list of sizes.

    Attributes:
        is_trained: the model was trained for this size.
    """

    size: Size
    is_trained: bool

    @property
    def text(self) -> str:
        """Use, size and ratio, such as "Slide · 1024 × 576 (16:9)"."""
        text = f"{use_name(self.size)} · {self.size.width} × {self.size.height}"
        ratio = ratio_name(self.size)
        return f"{text} ({ratio})" if ratio else text


def trained_sizes(info: KnowsSizes | None) -> tuple[list[Size], int]:
    """The sizes of the loaded model, else of the shipped one, and what sides are multiples of."""
    if info is None:
        return list(SHIPPED_SIZES), SHIPPED_MULTIPLE
    return [Size(*each) for each in info.trained_canvases], info.canvas_multiple


def presets(trained: Sequence[Size], multiple: int) -> list[SizePreset]:
    """What is offered: trained sizes first, then the others whose sides fit the model's grid."""
    others = [size for size in _OTHER_SIZES if size.is_multiple_of(multiple)]
    return [
        *(SizePreset(size, True) for size in trained),
        *(SizePreset(size, False) for size in others if size not in trained),
    ]


def ratio_name(size: Size) -> str:
    """The exact ratio in whole numbers, such as "16:9"; "" where it takes large ones."""
    factor = math.gcd(size.width, size.height)
    width, height = size.width // factor, size.height // factor
    return f"{width}:{height}" if max(width, height) <= _LARGEST_PART else ""


def use_name(size: Size) -> str:
    """What a size of this shape is good for."""
    known = {
        "1:1": tr("Square, sticker"),
        "16:9": tr("Slide"),
        "9:16": tr("Story"),
        "4:3": tr("Screen"),
        "3:4": tr("Page"),
        "5:4": tr("Print"),
        "4:5": tr("Portrait post"),
        "3:2": tr("Photo"),
        "2:3": tr("Poster"),
        "9:7": tr("Wide card"),
        "7:9": tr("Card"),
    }
    shape = tr("Landscape") if size.width > size.height else tr("Portrait")
    return known.get(ratio_name(size), shape)
