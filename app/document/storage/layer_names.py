"""What a layer is called in files for other programs: by what it shows, if nobody named it."""

from __future__ import annotations

from app.document.contents import default_name
from app.document.layer import BACKGROUND_NUMBER, Layer, clean_name


def outside_name(layer: Layer) -> str:
    """The name that the user gave; else the word that the layer's pixels show; else its number.

    The background keeps its name: it shows many things.
    """
    if layer.number == BACKGROUND_NUMBER or layer.name not in ("", default_name(layer.number)):
        return layer.name
    word = (layer.record or {}).get("word")
    shown = clean_name(word) if isinstance(word, str) else ""
    return shown or layer.name
