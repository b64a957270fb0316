"""The candidate bound: how many results a document keeps before it asks (UN7).

Only says what is too much and what could go; nothing goes without a click. Pure.
"""

from __future__ import annotations

from app.document.contents import Contents
from app.document.layer import Candidate
from app.document.outdated import SOURCE

MAX_CANDIDATES = 300
MAX_BYTES = 1 << 30


def candidate_load(contents: Contents) -> tuple[int, int]:
    """Number of candidates, and the bytes of their pixels; shared pixels count once."""
    images = {}
    count = 0
    for layer in (contents.background, *contents.foregrounds):
        for item in layer.candidates:
            count += 1
            images[item.pixel_hash] = item.image.array.nbytes
    return count, sum(images.values())


def is_over(contents: Contents, count: int = MAX_CANDIDATES, size: int = MAX_BYTES) -> bool:
    """Whether the bound is passed."""
    found, taken = candidate_load(contents)
    return found > count or taken > size


def oldest_unused(
    contents: Contents, count: int = MAX_CANDIDATES, size: int = MAX_BYTES
) -> dict[int, list[str]]:
    """The oldest candidates that would have to go to come below nine tenths of the bound.

    Returns:
        hashes by layer id. Originals of resized layers are in use and never among them.
    """
    found, taken = candidate_load(contents)
    ages: list[tuple[int, int, Candidate]] = []
    for layer in (contents.background, *contents.foregrounds):
        source = (layer.record or {}).get(SOURCE)
        for place, item in enumerate(layer.candidates):
            if item.pixel_hash != source:
                ages.append((place, layer.id, item))
    gone: dict[int, list[str]] = {}
    for _, layer_id, item in sorted(ages, key=lambda entry: entry[0], reverse=True):
        if found <= count * 0.9 and taken <= size * 0.9:
            break
        gone.setdefault(layer_id, []).append(item.pixel_hash)
        found -= 1
        taken -= item.image.array.nbytes
    return gone
