"""Checking a prompt without the engine's thread: what the window and other callers ask."""

from __future__ import annotations

import json
from functools import cache

from safetensors import SafetensorError, safe_open

from engine.api import ModelInfo
from engine.errors import WeightsError
from engine.paths import resource_path
from engine.prompts import PromptCheck, Vocabulary, lexicon_of
from engine.prompts import check_prompt as check_with


def check_prompt(text: str, info: ModelInfo | None = None) -> PromptCheck:
    """Say of each word of a prompt what it asks for.

    Args:
        text: any text; the first 256 words are read.
        info: of the model that is to draw it; None = the one that ships with the program.

    Returns:
        what was read; nothing for a model without a vocabulary, which takes any text.

    Raises:
        WeightsError: the shipped model file or a table of words is missing or damaged.
    """
    vocabulary = _shipped() if info is None else info.vocabulary
    return PromptCheck() if vocabulary is None else check_with(text, lexicon_of(vocabulary))


@cache
def _shipped() -> Vocabulary:
    """The vocabulary in the card of the shipped model file, read without its weights."""
    path = resource_path("model", "layerloom.safetensors")
    try:
        with safe_open(path, framework="np") as file:
            card = json.loads((file.metadata() or {})["card"])
        names = ("nouns", "looks", "colours", "backgrounds")
        return Vocabulary(**{name: tuple(card[name]) for name in names})
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise WeightsError(f"The model file {path.name} cannot be read: {error}.") from error
