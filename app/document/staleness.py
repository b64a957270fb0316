"""Outdated: whether a layer's pixels still answer the present prompt and box.

The prompt counts where it lost the word that the layer shows: the other layers stay as they are.
A moved layer or another model are notes in its record.
"""

from __future__ import annotations

from typing import Any, Literal

from app.document.contents import Contents
from app.document.layer import Layer
from app.document.words import has_word, shows_its_word, word_of

Outdated = Literal["", "word", "prompt", "size"]

KEPT = "kept"  # in a record: what the user said is fine as it is
SLACK = 1.25  # a layer that was resized by less looks as if it had been made so
SOURCE = "source"  # in a record: hash of the pixels that were resampled; see `SetRect`


def same_words(prompt: str) -> str:
    """A prompt with white space collapsed: what counts when two are compared."""
    return " ".join(prompt.split())


def outdated(layer: Layer, contents: Contents) -> Outdated:
    """What of the layer's record is not so any more; "" for layers without a record.

    Returns:
        "word": another word is pinned to the layer than it shows; "prompt": the word that it shows
        left the prompt; "size": the box has another size,
        by more than a quarter where only the pixels were resized.
    """
    record = layer.record
    if record is None or not layer.has_pixels or layer.kind != "generated":
        return ""
    kept = record.get(KEPT)
    kept = kept if isinstance(kept, dict) else {}
    word, prompt = word_of(layer), same_words(contents.prompt)
    if layer.shows:
        if not shows_its_word(layer) and kept.get("word") != layer.shows:
            return "word"
    elif word and not has_word(prompt, word) and kept.get("prompt") != prompt:
        return "prompt"
    if _is_resized(layer, contents) and kept.get("size") != _size(layer):
        return "size"
    return ""


def kept_as_is(layer: Layer, contents: Contents) -> dict[str, Any]:
    """The layer's record with a note that prompt and size are fine as they are now."""
    note = {"prompt": same_words(contents.prompt), "size": _size(layer), "word": layer.shows}
    return {**(layer.record or {}), KEPT: note}


def _is_resized(layer: Layer, contents: Contents) -> bool:
    record = layer.record or {}
    box = record.get("box")
    if not (isinstance(box, (list, tuple)) and len(box) == 4):
        return SOURCE in record
    if SOURCE in record:
        sides = ((layer.rect.width, box[2] - box[0]), (layer.rect.height, box[3] - box[1]))
        return not all(made <= now * SLACK and now <= made * SLACK for now, made in sides)
    if layer.is_background:
        return (box[2] - box[0], box[3] - box[1]) != (
            contents.canvas.width,
            contents.canvas.height,
        )
    return [box[2] - box[0], box[3] - box[1]] != _size(layer)


def _size(layer: Layer) -> list[int]:
    return [layer.rect.width, layer.rect.height]
