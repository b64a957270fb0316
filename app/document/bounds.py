"""The candidate bound: how many results a document keeps before it asks.

Only says what is too much and what could go; nothing goes without a click. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.document.contents import Contents
from app.document.layer import Candidate
from app.document.outdated import SOURCE

MAX_CANDIDATES = 300
MAX_BYTES = 1 << 30


@dataclass(frozen=True, slots=True)
class Unused:
    """Candidates that could go.

    Attributes:
        hashes: pixel hashes by layer id.
        detached: pixel hashes of those whose layer is gone.
    """

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
    """Whether the bound is passed."""
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
