"""Commands on present layers: place, size, order, and single properties such as name or opacity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from app.document.candidates import original_of
from app.document.commands.base import Command, OnLayers, foregrounds_only, named, unlocked
from app.document.commands.results import PlacePixels
from app.document.contents import MAX_SIDE, Contents, check_room, default_name
from app.document.errors import DocumentError, LimitError
from app.document.geometry import Rect, Size
from app.document.layer import (
    MAX_NAME,
    MAX_SEED,
    MAX_SHOWS,
    Candidate,
    Layer,
    clean_name,
    new_layer_id,
)
from app.document.pixels import Pixels, resampled
from app.document.staleness import SOURCE, kept_as_is, outdated
from app.document.words import shown_name


@dataclass(eq=False)
class AddBox(Command):
    """A new empty box."""

    # grown to grid lines and cut to the canvas; snap a drawn one with `Rect.snapped_nearest` before
    rect: Rect
    above: int | None = None  # id of the layer below it; None = on top of all
    name: str | None = None  # None = "Layer n"
    shows: str = ""  # pinned word
    # the new layer's id, known before the command is done
    layer_id: int = field(default_factory=new_layer_id)

    def _apply(self, contents: Contents) -> Contents:
        number = contents.next_number
        layer = Layer(
            id=self.layer_id,
            number=number,
            name=clean_name(self.name or "") or default_name(number),
            rect=self.rect.snapped_outward(self.grid, contents.canvas),
            shows=clean_name(self.shows)[:MAX_SHOWS],
        )
        return contents.with_added([layer], self.above)

    def _describe(self, contents: Contents) -> str:
        name = clean_name(self.name or "") or default_name(contents.next_number)
        return f"Add '{name}'"


@dataclass(eq=False)
class PlaceBoxes(Command):
    """New boxes on top, each with its pinned word; they take the place of the empty boxes.

    Painted, imported and locked layers stay.
    """

    boxes: Sequence[tuple[Rect, str]]  # bottom first
    keeps_empty: bool = False  # the empty boxes stay as well

    def _apply(self, contents: Contents) -> Contents:
        kept = [
            layer
            for layer in contents.foregrounds
            if self.keeps_empty or layer.has_pixels or layer.locked
        ]
        number = contents.next_number
        added = [
            Layer(
                id=new_layer_id(),
                number=number + place,
                name=default_name(number + place),
                rect=rect.snapped_outward(self.grid, contents.canvas),
                shows=clean_name(word)[:MAX_SHOWS],
            )
            for place, (rect, word) in enumerate(self.boxes)
        ]
        return replace(contents, foregrounds=tuple(kept)).with_added(added, None)

    def _describe(self, contents: Contents) -> str:
        count = len(self.boxes)
        return "Add a Box" if count == 1 else f"Place {count} Boxes"


@dataclass(eq=False)
class DeleteLayers(OnLayers):
    """Foreground layers go; undo brings them back with pixels and candidates."""

    verb = "Delete"

    def _apply(self, contents: Contents) -> Contents:
        foregrounds_only(contents, self.layer_ids, "deleted")
        gone = {layer.id for layer in unlocked(contents, self.layer_ids)}
        left = tuple(layer for layer in contents.foregrounds if layer.id not in gone)
        return replace(contents, foregrounds=left)


@dataclass(eq=False)
class MoveLayers(OnLayers):
    """Move by (dx, dy) canvas pixels; within a gesture the steps add up.

    Layers with pixels go anywhere, also out of the canvas. Empty boxes stay on the grid and
    inside: theirs is the nearest place.
    """

    dx: int
    dy: int
    gesture: int | None = None
    verb = "Move"

    def _apply(self, contents: Contents) -> Contents:
        foregrounds_only(contents, self.layer_ids, "moved")
        moved = []
        for layer in unlocked(contents, self.layer_ids):
            rect = layer.rect.translated(self.dx, self.dy)
            if not layer.has_pixels:
                rect = rect.moved_to_grid(self.grid, contents.canvas)
            moved.append(replace(layer, rect=rect))
        return contents.with_layers(moved)


@dataclass(eq=False)
class SetRect(Command):
    """Place and size of one layer.

    An empty box is snapped outward. A layer with pixels that takes another size shows them
    resampled from the original, which stays among its candidates.
    """

    layer_id: int
    rect: Rect
    gesture: int | None = None

    def _apply(self, contents: Contents) -> Contents:
        return _with_rects(contents, {self.layer_id: self.rect}, self.grid)

    def _describe(self, contents: Contents) -> str:
        resized = contents.layer(self.layer_id).rect.size != self.rect.size
        return f"{'Resize' if resized else 'Move'} {named(contents, [self.layer_id])}"

    def _targets(self) -> object:
        return self.layer_id


@dataclass(eq=False)
class SetRects(Command):
    """Places and sizes of several layers in one step; `verb` is the first word of the label."""

    rects: Mapping[int, Rect]
    verb: str = "Move"
    gesture: int | None = None

    def _apply(self, contents: Contents) -> Contents:
        return _with_rects(contents, self.rects, self.grid)

    def _describe(self, contents: Contents) -> str:
        return f"{self.verb} {named(contents, list(self.rects))}"

    def _targets(self) -> object:
        return (tuple(self.rects), self.verb)


def _with_rects(contents: Contents, rects: Mapping[int, Rect], grid: int) -> Contents:
    foregrounds_only(contents, list(rects), "moved")
    layers = unlocked(contents, list(rects))
    placed = [_at(layer, rects[layer.id], contents.canvas, grid) for layer in layers]
    return contents.with_layers(placed)


def _at(layer: Layer, rect: Rect, canvas: Size, grid: int) -> Layer:
    if layer.image is None:
        return replace(layer, rect=rect.snapped_outward(grid, canvas))
    if rect.size == layer.rect.size:
        return replace(layer, rect=rect)
    if max(rect.width, rect.height) > MAX_SIDE:
        raise LimitError(
            f"A layer of {rect.width} × {rect.height} is too large; "
            f"the limit is {MAX_SIDE:,} each way."
        )
    return _resized(layer, rect)


def _resized(layer: Layer, rect: Rect) -> Layer:
    """The layer at another size, resampled from its original and never from a resampled copy."""
    original = original_of(layer)
    if original is None:
        record = {key: value for key, value in (layer.record or {}).items() if key != SOURCE}
        assert layer.image is not None
        original = Candidate(layer.image, record or None, layer.rect, layer.kind)
    if original.rect.size == rect.size:
        kept = tuple(item for item in layer.candidates if item is not original)
        return replace(
            layer, image=original.image, rect=rect, record=original.record, candidates=kept
        )
    shown = Pixels.of(resampled(original.pixels, rect.width, rect.height))
    if original not in layer.candidates:
        layer = layer.with_candidate(original)
    record = {**(layer.record or {}), SOURCE: original.pixel_hash}
    return replace(layer, image=shown, rect=rect, record=record)


@dataclass(eq=False)
class Reorder(OnLayers):
    """Put foregrounds directly above a layer; None or the background = at the very bottom."""

    above: int | None
    verb = "Reorder"

    def _apply(self, contents: Contents) -> Contents:
        foregrounds_only(contents, self.layer_ids, "moved")
        moved_ids = {contents.layer(layer_id).id for layer_id in self.layer_ids}
        at_bottom = self.above is None or self.above == contents.background.id
        if not at_bottom:
            contents.layer(self.above)  # type: ignore[arg-type]
        moved = [layer for layer in contents.foregrounds if layer.id in moved_ids]
        left: list[Layer] = []
        at = 0
        for layer in contents.foregrounds:
            if layer.id not in moved_ids:
                left.append(layer)
            if layer.id == self.above:  # a moved layer as anchor: what stays below it counts
                at = len(left)
        return replace(contents, foregrounds=(*left[:at], *moved, *left[at:]))


@dataclass(eq=False)
class DuplicateLayers(OnLayers):
    """Copies directly above their originals, `offset` (dx, dy) away; None = one grid step."""

    offset: tuple[int, int] | None = None
    new_ids: list[int] = field(init=False)
    verb = "Duplicate"

    def __post_init__(self) -> None:
        self.new_ids = [new_layer_id() for _ in self.layer_ids]

    def _apply(self, contents: Contents) -> Contents:
        foregrounds_only(contents, self.layer_ids, "duplicated")
        check_room(len(contents.foregrounds), len(self.layer_ids))
        dx, dy = self.offset or (self.grid, self.grid)
        for layer_id, new_id in zip(self.layer_ids, self.new_ids, strict=True):
            layer = contents.layer(layer_id)
            rect = layer.rect.translated(dx, dy)
            if not layer.has_pixels:
                rect = rect.moved_to_grid(self.grid, contents.canvas)
            number = contents.next_number
            copy = copied(layer)
            name = copy.name or default_name(number)
            copy = replace(copy, id=new_id, number=number, name=name, rect=rect)
            contents = contents.with_added([copy], layer_id)
        return contents


def copied(layer: Layer) -> Layer:
    """What a copy has in common with its original, and what not: the name and the lock.

    The copy of a layer that is called by its word has no name: its word and a number are enough.
    """
    has_word = shown_name(layer) != layer.name
    name = "" if has_word else layer.name[: MAX_NAME - 5] + " copy"
    return replace(layer, name=name, locked=False)


@dataclass(eq=False)
class Rename(Command):
    """Another name, up to 200 characters; blank = the default name."""

    layer_id: int
    name: str

    def _apply(self, contents: Contents) -> Contents:
        number = contents.layer(self.layer_id).number
        return contents.with_each(
            [self.layer_id], name=clean_name(self.name) or default_name(number)
        )

    def _describe(self, contents: Contents) -> str:
        return f"Rename {named(contents, [self.layer_id])}"


@dataclass(eq=False)
class SetVisible(OnLayers):
    """The eye, for one or more layers."""

    visible: bool

    def _apply(self, contents: Contents) -> Contents:
        return contents.with_each(self.layer_ids, visible=self.visible)

    def _describe(self, contents: Contents) -> str:
        return f"{'Show' if self.visible else 'Hide'} {named(contents, self.layer_ids)}"


@dataclass(eq=False)
class SetLocked(OnLayers):
    """The lock, for one or more layers: protects pixels, place, opacity, blend and existence."""

    locked: bool

    def _apply(self, contents: Contents) -> Contents:
        return contents.with_each(self.layer_ids, locked=self.locked)

    def _describe(self, contents: Contents) -> str:
        return f"{'Lock' if self.locked else 'Unlock'} {named(contents, self.layer_ids)}"


@dataclass(eq=False)
class SetOpacity(OnLayers):
    """Opacity 0 to 1 for one or more layers; a drag of the slider is one gesture."""

    opacity: float
    gesture: int | None = None
    verb = "Opacity of"

    def _apply(self, contents: Contents) -> Contents:
        if not 0.0 <= self.opacity <= 1.0:
            raise DocumentError(f"The opacity must be 0 to 100 %, not {self.opacity * 100:g} %.")
        # Four decimals are what the file keeps; more would change by saving.
        unlocked(contents, self.layer_ids)
        return contents.with_each(self.layer_ids, opacity=round(self.opacity, 4))


@dataclass(eq=False)
class SetBlend(OnLayers):
    """Blend mode for one or more layers; any string is kept, unknown ones show as normal."""

    blend: str
    verb = "Blend Mode of"

    def _apply(self, contents: Contents) -> Contents:
        blend = clean_name(self.blend)[:100] or "normal"
        unlocked(contents, self.layer_ids)
        return contents.with_each(self.layer_ids, blend=blend)


@dataclass(eq=False)
class KeepAsIs(OnLayers):
    """Clear the badge "outdated" until prompt or size change again."""

    def _apply(self, contents: Contents) -> Contents:
        layers = [contents.layer(layer_id) for layer_id in self.layer_ids]
        stale = [layer for layer in layers if outdated(layer, contents)]
        return contents.with_layers(
            [replace(layer, record=kept_as_is(layer, contents)) for layer in stale]
        )

    def _describe(self, contents: Contents) -> str:
        return f"Mark {named(contents, self.layer_ids)} as Current"


@dataclass(eq=False)
class SetShows(Command):
    """Pin a word to each of these layers, or ("") let the model decide again what they show.

    With `prompt` the prompt changes in the same step, as when one thing is replaced by another.
    """

    words: Mapping[int, str]  # by layer id
    prompt: str | None = None
    is_act: bool = False  # the pictures that follow at once belong to the same step

    def _apply(self, contents: Contents) -> Contents:
        foregrounds_only(contents, list(self.words), "given a word")
        words = {layer: clean_name(word) for layer, word in self.words.items()}
        if any(len(word) > MAX_SHOWS for word in words.values()):
            raise DocumentError(f"A word for a box has at most {MAX_SHOWS} characters.")
        if self.prompt is not None:
            contents = replace(contents, prompt=self.prompt)
        for layer, word in words.items():
            contents = contents.with_each([layer], shows=word)
        return contents

    def _describe(self, contents: Contents) -> str:
        names = named(contents, list(self.words))
        words = {clean_name(word) for word in self.words.values()}
        if len(words) > 1:
            return f"Choose Words for {names}"
        return f"Show '{words.pop()}' in {names}" if any(words) else f"Unpin {names}"

    def merge_with(self, later: Command) -> bool:
        """Takes in the pictures of its layers, so that replacing a thing is one step."""
        if not (self.is_act and isinstance(later, PlacePixels) and self._delta and later._delta):
            return False
        if {each.layer_id for each in later.placements} != set(self.words):
            return False
        self._delta, self.is_act = self._delta.then(later._delta), False
        return True


@dataclass(eq=False)
class SetSeed(Command):
    """Pin a seed on one layer, or (None) let it follow the picture seed again."""

    layer_id: int
    seed: int | None

    def _apply(self, contents: Contents) -> Contents:
        if self.seed is not None and not 0 <= self.seed <= MAX_SEED:
            raise DocumentError(f"A seed must be 0 to {MAX_SEED}, not {self.seed}.")
        return contents.with_each([self.layer_id], seed=self.seed)

    def _describe(self, contents: Contents) -> str:
        verb = "Unpin" if self.seed is None else "Pin"
        return f"{verb} Seed of {named(contents, [self.layer_id])}"
