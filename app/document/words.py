"""Words of prompts, the word and the name of each layer, and the history of prompts. Pure.

The record of a layer says which word the model assigned to it. The history is kept in the document
and in the user's settings; discarding a picture leaves its prompt there.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from app.document.contents import MAX_PROMPT, default_name
from app.document.layer import Layer, clean_name

_WORD = re.compile(r"[^\W\d_]+|\d+")
_POSSESSIVE = re.compile(r"['\u2019](s\b)?")

MAX_PROMPTS = 200


def word_of(layer: Layer) -> str:
    """The word that the layer's pixels show; "" where the record names none."""
    word = (layer.record or {}).get("word")
    return word.strip() if isinstance(word, str) else ""


def shows_its_word(layer: Layer) -> bool:
    """Whether the pixels show the word that is pinned to the layer; imported ones are believed."""
    if not (layer.shows and layer.has_pixels):
        return False
    return layer.kind == "imported" or word_of(layer).casefold() == layer.shows.casefold()


def left_empty(layer: Layer) -> str:
    """Why the last job left this box empty, half a sentence; "" where it has pixels or is new."""
    why = (layer.record or {}).get("left_empty")
    return why if isinstance(why, str) and not layer.has_pixels else ""


def shown_name(layer: Layer) -> str:
    """A layer's name in sentences and in files: typed by hand, else its word, else "Layer n".

    The background keeps its name: its word says what kind of scene it is, such as "night".
    """
    if layer.is_background or not layer.number or is_named(layer):
        return layer.name
    word = word_of(layer) if layer.has_pixels or not layer.shows else layer.shows
    return clean_name(word) or layer.name


def is_named(layer: Layer) -> bool:
    """Whether the layer has a name of its own, typed by hand or that of an imported file."""
    return layer.name not in ("", default_name(layer.number))


def layer_names(layers: Iterable[Layer]) -> dict[int, str]:
    """The name of each layer in lists and on the canvas, by its id.

    Words begin with a capital, and of several layers with one word the later ones have a number:
    "Sunflower", "Sunflower 2". The number follows the order of creation, so that it stays when
    layers change places.
    """
    in_order = sorted(layers, key=lambda layer: layer.number)
    names = {layer.id: shown_name(layer) for layer in in_order}
    taken = {layer.name.casefold() for layer in in_order if names[layer.id] == layer.name}
    for layer in in_order:
        name = names[layer.id]
        if name == layer.name:
            continue
        name = first = name[:1].upper() + name[1:]
        number = 1
        while name.casefold() in taken:
            number += 1
            name = f"{first} {number}"
        taken.add(name.casefold())
        names[layer.id] = name
    return names


def has_word(prompt: str, word: str) -> bool:
    """Whether a prompt has a word, in the singular or in the plural, in either case.

    Of a phrase ("ice cream") it needs to have every word; an emoji is looked for as it is.
    """
    words = _WORD.findall(_plain(word))
    if not words:
        return word in prompt
    known = _forms_in(prompt)
    return all(not _forms(each).isdisjoint(known) for each in words)


@lru_cache(maxsize=64)
def _forms_in(prompt: str) -> frozenset[str]:
    """Kept: rows and buttons ask for every layer after each change."""
    words = _WORD.findall(_plain(prompt))
    return frozenset(form for word in words for form in _forms(word))


def _plain(text: str) -> str:
    """Lower case, without accents and possessives."""
    parts = unicodedata.normalize("NFKD", text).lower()
    kept = "".join(part for part in parts if not unicodedata.combining(part))
    return _POSSESSIVE.sub("", kept)


def _forms(word: str) -> set[str]:
    """The word and what its singular may be."""
    forms = {word}
    if len(word) > 3 and word.endswith("s") and not word.endswith("ss"):
        forms.add(word[:-1])
        if word.endswith("es"):
            forms.add(word[:-2])
        if word.endswith("ies"):
            forms.add(word[:-3] + "y")
        if word.endswith("ves"):
            forms.update((word[:-3] + "f", word[:-3] + "fe"))
    return forms


def remembered(known: Sequence[str], prompt: str) -> tuple[str, ...]:
    """The history with one more prompt, newest first; the same prompt has one place only."""
    # Lone surrogates cannot be written to a file.
    text = " ".join(prompt.encode("utf-8", "replace").decode().split())
    if not text:
        return tuple(known)
    return (text, *(each for each in known if each != text))[:MAX_PROMPTS]


def remembered_from(known: Sequence[str], records: Iterable[Any]) -> tuple[str, ...]:
    """The history after these results came in."""
    history = tuple(known)
    for record in records:
        prompt = (record or {}).get("prompt")
        if isinstance(prompt, str) and len(prompt) <= MAX_PROMPT:
            history = remembered(history, prompt)
    return history


def together(first: Sequence[str], then: Sequence[str]) -> list[str]:
    """Two histories as one, `first` before the rest of `then`."""
    return list(dict.fromkeys([*first, *then]))[:MAX_PROMPTS]
