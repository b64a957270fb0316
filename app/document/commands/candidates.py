"""Commands on candidates: keep results without showing them, use one, discard some.

Results wait as candidates until somebody accepts them. Knows no stage and no view.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from app.document.commands.base import Command, named, unlocked
from app.document.contents import Contents
from app.document.errors import DocumentError
from app.document.geometry import Rect
from app.document.layer import Candidate, Layer
from app.document.outdated import SOURCE
from app.document.prompts import remembered_from
from app.document.words import shown_name


@dataclass(eq=False)
class AddCandidates(Command):
    """Results that wait for the user: the first candidates of their layers, shown by nobody yet.

    Candidates of layers that are gone become detached ones.

    Attributes:
        candidates: by layer id; the same layer may come again in a later command of the gesture.
        text: the label; None = "Results for 'Castle'".
    """

    candidates: Mapping[int, Candidate]
    text: str | None = None
    gesture: int | None = None

    def _apply(self, contents: Contents) -> Contents:
        detached: list[Candidate] = []
        for layer_id, candidate in self.candidates.items():
            layer = contents.get(layer_id)
            if layer is None:
                detached.append(candidate)
            elif layer.as_candidate() != candidate:  # what is shown already waits for nobody
                contents = contents.with_layers([layer.with_candidate(candidate)])
        used = (candidate.record for candidate in self.candidates.values())
        return replace(
            contents,
            detached=(*detached, *contents.detached),
            prompts=remembered_from(contents.prompts, used),
        )

    def _describe(self, contents: Contents) -> str:
        present = [layer_id for layer_id in self.candidates if contents.get(layer_id)]
        return self.text or (f"Results for {named(contents, present)}" if present else "Results")

    def _targets(self) -> object:
        return self.text


@dataclass(eq=False)
class UseCandidates(Command):
    """Accept candidates of several layers in one step.

    Attributes:
        hashes: pixel hash of the candidate by layer id.
        text: the label; None = "Use Result of 3 layers".
    """

    hashes: Mapping[int, str]
    text: str | None = None

    def _apply(self, contents: Contents) -> Contents:
        return _using(contents, self.hashes)

    def _describe(self, contents: Contents) -> str:
        return self.text or f"Use Result of {named(contents, list(self.hashes))}"


@dataclass(eq=False)
class DiscardCandidates(Command):
    """Take candidates out of their layers' lists; undo puts them back into the strip.

    Attributes:
        hashes: pixel hashes by layer id; those that are not there any more are no error.
        detached: pixel hashes of candidates whose layer is gone.
    """

    hashes: Mapping[int, Sequence[str]]
    detached: Sequence[str] = ()

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


def original_of(layer: Layer) -> Candidate | None:
    """The candidate that a resized layer was resampled from; None when it shows its own pixels."""
    source = (layer.record or {}).get(SOURCE)
    return next((item for item in layer.candidates if item.pixel_hash == source), None)


def original_rects(layers: Iterable[Layer]) -> dict[int, Rect]:
    """Where layers would be at their own size, of those that are not and may be changed."""
    found = {}
    for layer in layers:
        original = original_of(layer)
        if original is None or layer.locked or layer.is_background:
            continue
        x, y = layer.rect.centre
        width, height = original.image.width, original.image.height
        if (width, height) != (layer.rect.width, layer.rect.height):
            found[layer.id] = Rect(x - width // 2, y - height // 2, width, height)
    return found


def showing(layer: Layer, candidate: Candidate) -> Layer:
    """The layer with the candidate's pixels; its former ones become the newest candidate."""
    kept = tuple(other for other in layer.candidates if other != candidate)
    former = None if original_of(layer) is not None else layer.as_candidate()
    if former is not None and former != candidate:
        kept = (former, *(other for other in kept if other != former))
    return replace(
        layer,
        kind=candidate.kind,
        image=candidate.image,
        rect=candidate.rect,
        record=candidate.record,
        candidates=kept,
    )


def _using(contents: Contents, hashes: Mapping[int, str]) -> Contents:
    for layer in unlocked(contents, list(hashes)):
        wanted = hashes[layer.id]
        found = next((item for item in layer.candidates if item.pixel_hash == wanted), None)
        if found is None:
            raise DocumentError(f"'{shown_name(layer)}' has no such result any more.")
        shown = showing(layer, found)
        if not layer.is_background:
            # It follows the layer; if that has another size now, the candidate's comes back.
            shown = replace(shown, rect=found.rect.centred_on(layer.rect))
        contents = contents.with_layers([shown])
    return contents
