"""Candidates: the results that a layer or a picture could show, and how many a document keeps.

What belongs together is read from the records alone, so that it survives files and restarts. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from app.document.contents import Contents
from app.document.geometry import Rect
from app.document.layer import Candidate, Layer
from app.document.staleness import SOURCE

MAX_GROUPS = 300

MAX_CANDIDATES = 300
MAX_BYTES = 1 << 30


@dataclass(frozen=True, slots=True)
class Choice:
    """Candidates that belong together: one of a layer, or one of each layer of a picture."""

    candidates: dict[int, Candidate]  # by layer id
    # instead of those: one whose layer is gone. It can be looked at and taken out, but nothing can
    # show it.
    detached: Candidate | None = None

    @property
    def hashes(self) -> dict[int, str]:
        """Pixel hash by layer id, as commands want it."""
        return {layer_id: item.pixel_hash for layer_id, item in self.candidates.items()}

    @property
    def first(self) -> Candidate:
        """The one of the lowest layer; its record speaks for all."""
        return self.detached or next(iter(self.candidates.values()))

    @property
    def seed(self) -> int | None:
        """The seed, where it is the only one."""
        record = self.first.record or {}
        seed = record.get("seed")
        return seed if len(self.candidates) <= 1 and isinstance(seed, int) else None

    @property
    def prompt(self) -> str:
        record = self.first.record or {}
        return str(record.get("prompt", ""))


def choices(contents: Contents, selected: Collection[int]) -> tuple[Choice, ...]:
    """What could be shown: of the one selected layer, else of the layers together.

    Args:
        selected: layer ids; none = the whole picture.

    Returns:
        newest first. The full size of a layer that shows a resized copy of it is none of them: it
        is the same picture, and Original Size shows it. Of several layers only results that were
        made together; of the whole picture also, last, the detached ones.
    """
    detached = () if selected else tuple(Choice({}, item) for item in contents.detached)
    return (*_of_layers(contents, selected), *detached)


def _of_layers(contents: Contents, selected: Collection[int]) -> tuple[Choice, ...]:
    layers = [layer for layer in contents.layers if not selected or layer.id in selected]
    if len(layers) == 1:
        layer = layers[0]
        return tuple(Choice({layer.id: item}) for item in _others(layer))
    groups: dict[str, dict[int, Candidate]] = {}
    age: dict[str, int] = {}
    for layer in layers:
        for place, item in enumerate(_others(layer)):
            key = _made_together(item)
            if key and layer.id not in groups.setdefault(key, {}):
                groups[key][layer.id] = item
                age[key] = min(place, age.get(key, place))
    whole = [key for key in groups if len(groups[key]) > 1]
    return tuple(Choice(groups[key]) for key in sorted(whole, key=lambda key: age[key]))[
        :MAX_GROUPS
    ]


def _others(layer: Layer) -> list[Candidate]:
    """The layer's candidates, without the pixels that the present ones are a resized copy of."""
    source = (layer.record or {}).get(SOURCE)
    return [item for item in layer.candidates if item.pixel_hash != source]


def with_choice(contents: Contents, choice: Choice) -> list[Layer]:
    """The layers as they would be with this choice, for a picture of it."""
    layers = []
    for layer in contents.layers:
        candidate = choice.candidates.get(layer.id)
        if candidate is not None:
            rect = candidate.rect if layer.is_background else candidate.rect.centred_on(layer.rect)
            layer = replace(layer, image=candidate.image, rect=rect, kind=candidate.kind)
        layers.append(layer)
    return layers


def _made_together(candidate: Candidate) -> str:
    """Equal for all results of one run; "" for what was not generated."""
    record = candidate.record or {}
    if "layers" not in record:
        return ""
    keys = ("prompt", "canvas", "steps", "guidance", "clean_colours", "model", "layers")
    return json.dumps([record.get(key) for key in keys], sort_keys=True)


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


def candidates_after(layer: Layer, shown: Candidate | None) -> tuple[Candidate, ...]:
    """The layer's candidates when it shows another one, or none: its pixels become the newest."""
    former = None if original_of(layer) is not None else layer.as_candidate()
    others = tuple(each for each in layer.candidates if each not in (former, shown))
    return others if former is None or former == shown else (former, *others)


def showing(layer: Layer, candidate: Candidate) -> Layer:
    """The layer with the candidate's pixels; its former ones become the newest candidate."""
    return replace(
        layer,
        kind=candidate.kind,
        image=candidate.image,
        rect=candidate.rect,
        record=candidate.record,
        candidates=candidates_after(layer, candidate),
    )


@dataclass(frozen=True, slots=True)
class Unused:
    """Candidates that could go: pixel hashes by layer id, and of those without a layer."""

    hashes: dict[int, list[str]]
    detached: list[str]

    @property
    def count(self) -> int:
        return sum(len(each) for each in self.hashes.values()) + len(self.detached)


def candidate_load(contents: Contents) -> tuple[int, int]:
    """Number of candidates, and the bytes of their pixels; shared pixels count once."""
    images = {}
    count = 0
    for kept in _lists(contents).values():
        for item in kept:
            count += 1
            images[item.pixel_hash] = item.image.array.nbytes
    return count, sum(images.values())


def is_over(contents: Contents, count: int = MAX_CANDIDATES, size: int = MAX_BYTES) -> bool:
    found, taken = candidate_load(contents)
    return found > count or taken > size


def oldest_unused(contents: Contents, count: int = MAX_CANDIDATES, size: int = MAX_BYTES) -> Unused:
    """The oldest candidates that would have to go to come below nine tenths of the bound.

    Originals of resized layers are in use and never among them.
    """
    found, taken = candidate_load(contents)
    in_use = {
        (layer.record or {}).get(SOURCE) for layer in (contents.background, *contents.foregrounds)
    }
    ages = [
        (place, layer_id, item)
        for layer_id, kept in _lists(contents).items()
        for place, item in enumerate(kept)
        if item.pixel_hash not in in_use
    ]
    gone: dict[int | None, list[str]] = {}
    for _, layer_id, item in sorted(ages, key=lambda entry: entry[0], reverse=True):
        if found <= count * 0.9 and taken <= size * 0.9:
            break
        gone.setdefault(layer_id, []).append(item.pixel_hash)
        found -= 1
        taken -= item.image.array.nbytes
    detached = gone.pop(None, [])
    return Unused({key: hashes for key, hashes in gone.items() if key is not None}, detached)


def _lists(contents: Contents) -> dict[int | None, tuple[Candidate, ...]]:
    """Every list of candidates, newest first, by layer id; None = the detached ones."""
    lists: dict[int | None, tuple[Candidate, ...]] = {
        layer.id: layer.candidates for layer in (contents.background, *contents.foregrounds)
    }
    lists[None] = contents.detached
    return lists
