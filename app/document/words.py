"""Words: the word of the prompt that a layer shows, and whether a prompt still has it.

A layer's record says which word the model decided to show. Knows no model and no widget.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from app.document.layer import Layer

_WORD = re.compile(r"[^\W\d_]+|\d+")
_POSSESSIVE = re.compile(r"['\u2019](s\b)?")


def word_of(layer: Layer) -> str:
    """The word that the layer's pixels show; "" where the record names none."""
    word = (layer.record or {}).get("word")
    return word.strip() if isinstance(word, str) else ""


def left_empty(layer: Layer) -> str:
    """Why the last job left this box empty, half a sentence; "" where it has pixels or is new."""
    why = (layer.record or {}).get("left_empty")
    return why if isinstance(why, str) and not layer.has_pixels else ""


def shown_name(layer: Layer) -> str:
    """What to call a layer in a sentence: the word that it shows, else its name.

    The background keeps its name: its word says what kind of scene it is, such as "night".
    """
    return layer.name if layer.is_background else word_of(layer) or layer.name


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
