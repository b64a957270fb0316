"""Commands that bring pixels and layers: results of a job, candidates, other layers.

Results wait as candidates until the user accepts them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from app.document.candidates import candidates_after, showing
from app.document.commands.base import Command, named, unlocked
from app.document.contents import Contents, check_room, default_name
from app.document.errors import DocumentError
from app.document.geometry import Rect
from app.document.layer import Candidate, Layer, Record, new_layer_id, plain_record
from app.document.pixels import Pixels
from app.document.words import remembered_from, shown_name


@dataclass(frozen=True, slots=True)
class Placement:
    """One result for one layer."""

    layer_id: int  # the target
    pixels: np.ndarray = field(repr=False)  # (h, w, 4) uint8 of exactly rect's size
    rect: Rect  # where they belong now; see `Rect.following` for a target that moved meanwhile
    record: Record | None = None  # plain JSON values, or None
    is_empty: bool = False  # the model left the box empty; then the pixels count for nothing

    def as_candidate(self) -> Candidate:
        """The same as immutable data; DocumentError where pixels, rect and record do not fit."""
        try:
            candidate = Candidate(Pixels.of(self.pixels), plain_record(self.record), self.rect)
        except ValueError as error:
            raise DocumentError(f"A result cannot be placed: {error}.") from error
        if candidate.image.size != (self.rect.width, self.rect.height):
            raise DocumentError(f"A result of another size than {self.rect} cannot be placed.")
        return candidate


@dataclass(eq=False)
class PlacePixels(Command):
    """Accept results for one or more layers in one step.

    Pixels, record and rect are replaced; the former pixels stay as the newest candidate. A layer
    that was locked meanwhile keeps its pixels and gets the result as a candidate; results for a
    layer that is gone are kept as detached candidates. A layer that the model left empty becomes a
    box again, with the record that says why.
    """

    placements: Sequence[Placement]
    text: str | None = None  # the label; None = "Generate 'Castle'" or "Generate 3 layers"

    def _apply(self, contents: Contents) -> Contents:
        detached: list[Candidate] = []
        for placement in self.placements:
            layer = contents.get(placement.layer_id)
            if placement.is_empty:
                contents = _with_empty(contents, layer, placement)
                continue
            candidate = placement.as_candidate()
            if layer is None:
                detached.append(candidate)
            elif layer.locked:
                contents = contents.with_layers([layer.with_candidate(candidate)])
            else:
                contents = contents.with_layers([showing(layer, candidate)])
        return _noted(contents, detached, (placement.record for placement in self.placements))

    def _describe(self, contents: Contents) -> str:
        present = [item.layer_id for item in self.placements if contents.get(item.layer_id)]
        return self.text or (f"Generate {named(contents, present)}" if present else "Generate")


def _noted(
    contents: Contents, detached: list[Candidate], records: Iterable[Record | None]
) -> Contents:
    """With more candidates whose layer is gone, and with the prompts of new results."""
    return replace(
        contents,
        detached=(*detached, *contents.detached),
        prompts=remembered_from(contents.prompts, records),
    )


def _with_empty(contents: Contents, layer: Layer | None, placement: Placement) -> Contents:
    """The layer as a box without pixels; its former ones become the newest candidate."""
    if layer is None or layer.locked:
        return contents
    try:
        record = plain_record(placement.record)
    except ValueError as error:
        raise DocumentError(f"A result cannot be placed: {error}.") from error
    empty = replace(
        layer,
        kind="box",
        image=None,
        rect=placement.rect,
        record=record,
        candidates=candidates_after(layer, None),
    )
    return contents.with_layers([empty])


@dataclass(eq=False)
class AddLayers(Command):
    """Layers of another document or from a file, bottom first, in one step.

    They get new ids and numbers; empty boxes are brought onto this canvas and its grid. Nothing is
    unlocked or shown that was not.
    """

    layers: Sequence[Layer] = field(repr=False)  # as values; their ids and numbers do not count
    above: int | None = None  # id of the layer below them; None = on top of all
    text: str | None = None  # the label; None = "Add 'Castle'" or "Add 3 Layers"
    # ids of the added layers, known before the command is done
    new_ids: list[int] = field(init=False)

    def __post_init__(self) -> None:
        self.new_ids = [new_layer_id() for _ in self.layers]

    def _apply(self, contents: Contents) -> Contents:
        has_pixels = any(layer.has_pixels for layer in self.layers)
        check_room(len(contents.foregrounds), len(self.layers), "picture" if has_pixels else "box")
        added = []
        for place, (layer, new_id) in enumerate(zip(self.layers, self.new_ids, strict=True)):
            number = contents.next_number + place
            name = layer.name or default_name(number)
            copy = replace(layer, id=new_id, number=number, name=name, is_background=False)
            if not copy.has_pixels:
                region = copy.region(self.grid, contents.canvas)
                copy = replace(copy, kind="box", rect=region, record=None)
            added.append(copy)
        return contents.with_added(added, self.above)

    def _describe(self, contents: Contents) -> str:
        if self.text is not None:
            return self.text
        if len(self.layers) == 1:
            return f"Add '{self.layers[0].name or default_name(contents.next_number)}'"
        return f"Add {len(self.layers)} Layers"


@dataclass(eq=False)
class AddCandidates(Command):
    """Results that wait for the user: the first candidates of their layers, not shown yet.

    Candidates of layers that are gone become detached ones.
    """

    # by layer id; the same layer may come again in a later command of the gesture
    candidates: Mapping[int, Candidate]
    text: str | None = None  # the label; None = "Results for 'Castle'"
    gesture: int | None = None

    def _apply(self, contents: Contents) -> Contents:
        detached: list[Candidate] = []
        for layer_id, candidate in self.candidates.items():
            layer = contents.get(layer_id)
            if layer is None:
                detached.append(candidate)
            elif layer.as_candidate() != candidate:  # what is shown already needs no decision
                contents = contents.with_layers([layer.with_candidate(candidate)])
        records = (candidate.record for candidate in self.candidates.values())
        return _noted(contents, detached, records)

    def _describe(self, contents: Contents) -> str:
        present = [layer_id for layer_id in self.candidates if contents.get(layer_id)]
        return self.text or (f"Results for {named(contents, present)}" if present else "Results")

    def _targets(self) -> object:
        return self.text


@dataclass(eq=False)
class UseCandidates(Command):
    """Accept candidates of several layers in one step: pixel hashes by layer id."""

    hashes: Mapping[int, str]
    text: str | None = None

    def _apply(self, contents: Contents) -> Contents:
        for layer in unlocked(contents, list(self.hashes)):
            wanted = self.hashes[layer.id]
            found = next((item for item in layer.candidates if item.pixel_hash == wanted), None)
            if found is None:
                raise DocumentError(f"'{shown_name(layer)}' has no such result any more.")
            shown = showing(layer, found)
            if not layer.is_background:
                # It follows the layer; if that has another size now, the candidate's comes back.
                shown = replace(shown, rect=found.rect.centred_on(layer.rect))
            contents = contents.with_layers([shown])
        return contents

    def _describe(self, contents: Contents) -> str:
        return self.text or f"Use Result of {named(contents, list(self.hashes))}"


@dataclass(eq=False)
class DiscardCandidates(Command):
    """Take candidates out of their layers' lists; undo puts them back into the strip."""

    # pixel hashes by layer id; those that are not there any more are no error
    hashes: Mapping[int, Sequence[str]]
    detached: Sequence[str] = ()  # pixel hashes of candidates whose layer is gone

    def _apply(self, contents: Contents) -> Contents:
        left = tuple(item for item in contents.detached if item.pixel_hash not in self.detached)
        if len(left) != len(contents.detached):
            contents = replace(contents, detached=left)
        layers = []
        for layer_id, gone in self.hashes.items():
            layer = contents.layer(layer_id)
            kept = tuple(item for item in layer.candidates if item.pixel_hash not in gone)
            layers.append(replace(layer, candidates=kept))
        return contents.with_layers(layers)

    def _describe(self, contents: Contents) -> str:
        count = sum(len(gone) for gone in self.hashes.values()) + len(self.detached)
        what = "Result" if count == 1 else f"{count} Results"
        if not self.hashes:
            return f"Discard Detached {what}"
        return f"Discard {what} of {named(contents, list(self.hashes))}"
