"""Layer: one RGBA image of the document, as an immutable value.

Changing a layer means putting another value with the same id into the document, so undo keeps
references instead of copies. Independent of the document and of files.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

import numpy as np

from app.document.geometry import Rect, Size
from app.document.pixels import Pixels

LayerKind = Literal["box", "generated", "imported"]
Record = Mapping[str, Any]

KINDS: tuple[str, ...] = get_args(LayerKind)
BACKGROUND_NUMBER = 0
BACKGROUND_NAME = "Background"
MAX_SEED = 2**32 - 1
MAX_NAME = 200
MAX_SHOWS = 160  # of what a box shows; models with a vocabulary take a short phrase

# Control characters, lone surrogates and non-characters: XML has no way to write them.
_NOT_IN_NAMES = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")

_ids = itertools.count(1)


def new_layer_id() -> int:
    """An id that no layer of this process ever had, in whatever document.

    Ids live as long as the program: a late result can never meet the wrong layer. In files a
    layer is known by its number.
    """
    return next(_ids)


def clean_name(text: str) -> str:
    """A name in one line that every file can carry: no control characters, white space single."""
    kept = "".join(
        " " if character.isspace() else character
        for character in text
        if character.isspace() or _NOT_IN_NAMES.search(character) is None
    )
    return " ".join(kept.split())[:MAX_NAME].rstrip()


def plain_record(record: Record | None) -> dict[str, Any] | None:
    """A deep copy of a record made of plain JSON values.

    Raises:
        ValueError: something in it cannot be written as JSON (NaN included).
    """
    if record is None:
        return None
    try:
        text = json.dumps(dict(record), allow_nan=False, ensure_ascii=False)
    except TypeError as error:
        raise ValueError(f"a record holds plain JSON values only: {error}") from error
    # Lone surrogates cannot be written to a file.
    return dict(json.loads(text.encode("utf-8", "replace")))


@dataclass(frozen=True, slots=True)
class Candidate:
    """Pixels that a layer could show instead of its present ones."""

    image: Pixels  # the pixels; exactly of the size of `rect`
    record: Record | None  # how they were generated, or None. Never changed in place.
    rect: Rect  # where they belong, canvas pixels
    # what the layer is while it shows them, "generated" or "imported"
    kind: LayerKind = "generated"

    @property
    def pixels(self) -> np.ndarray:
        """(h, w, 4) uint8, read-only."""
        return self.image.array

    @property
    def pixel_hash(self) -> str:
        return self.image.hash


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """One layer: a box without pixels yet, a generated or an imported picture."""

    id: int  # never reused in this process
    number: int  # 1, 2, 3... in order of creation within the document; background 0.
    name: str
    rect: Rect  # where the pixels sit; may leave the canvas
    kind: LayerKind = "box"
    is_background: bool = False
    image: Pixels | None = None  # the pixels, of exactly rect's size, or None
    visible: bool = True
    locked: bool = False
    opacity: float = 1.0  # 0 to 1
    blend: str = "normal"  # a mode of `composite`, or a foreign name that is shown as "normal"
    seed: int | None = None  # pinned seed 0 to 4294967295, or None
    shows: str = ""  # pinned word: what it shows in every job; empty = the model decides
    record: Record | None = None  # how the pixels were generated, or None. Never changed in place.
    candidates: tuple[Candidate, ...] = ()  # other pixels of this layer, newest first
    # keys of a project file that this version does not know; written back
    extra: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.image is not None and self.image.size != (self.rect.width, self.rect.height):
            raise ValueError(f"{self.image} does not fit {self.rect} of layer {self.number}")
        if not 0.0 <= self.opacity <= 1.0:
            raise ValueError(f"opacity must be 0 to 1, got {self.opacity}")
        if self.seed is not None and not 0 <= self.seed <= MAX_SEED:
            raise ValueError(f"a seed must be 0 to {MAX_SEED}, got {self.seed}")

    @property
    def pixels(self) -> np.ndarray | None:
        """(h, w, 4) uint8, straight alpha, read-only; None for a box without pixels."""
        return None if self.image is None else self.image.array

    @property
    def pixel_hash(self) -> str | None:
        """SHA-256 over width, height and bytes of the pixels; None without pixels."""
        return None if self.image is None else self.image.hash

    @property
    def has_pixels(self) -> bool:
        return self.image is not None

    def region(self, grid: int, canvas: Size) -> Rect:
        """What a model with such a grid sees: rect snapped outward and cut to the canvas."""
        return canvas.rect if self.is_background else self.rect.snapped_outward(grid, canvas)

    def region_pixels(self, grid: int, canvas: Size) -> np.ndarray | None:
        """The pixels padded or cut to the region: (region height, region width, 4), or None."""
        return self.pixels_in(self.region(grid, canvas))

    def pixels_in(self, rect: Rect) -> np.ndarray | None:
        """The pixels padded or cut to a rectangle of the canvas; None for a box without pixels.

        Returns:
            (rect height, rect width, 4) uint8, straight alpha, read-only.
        """
        if self.image is None or rect == self.rect:
            return self.pixels
        padded = np.zeros((rect.height, rect.width, 4), np.uint8)
        common = rect.intersect(self.rect)
        if common is not None:
            padded[window(common, rect)] = self.image.array[window(common, self.rect)]
        padded.flags.writeable = False
        return padded

    def pictures(self) -> Iterator[Pixels]:
        """Its pixels and those of its candidates."""
        if self.image is not None:
            yield self.image
        yield from (candidate.image for candidate in self.candidates)

    def as_candidate(self) -> Candidate | None:
        """The present pixels as a candidate; None without pixels."""
        if self.image is None:
            return None
        return Candidate(self.image, self.record, self.rect, self.kind)

    def with_candidate(self, candidate: Candidate | None) -> Layer:
        """This layer with one more candidate in front; one that it has already moves there."""
        if candidate is None:
            return self
        others = tuple(other for other in self.candidates if other != candidate)
        return replace(self, candidates=(candidate, *others))


def window(part: Rect, whole: Rect) -> tuple[slice, slice]:
    """Index of `part` in an array that covers `whole`; both in canvas pixels, part inside."""
    y, x = part.y - whole.y, part.x - whole.x
    return slice(y, y + part.height), slice(x, x + part.width)
