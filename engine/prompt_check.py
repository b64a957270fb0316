"""Checking a prompt without the engine's thread: what the window and other callers ask."""

from __future__ import annotations

from functools import cache

from engine.api import ModelInfo
from engine.errors import WeightsError
from engine.model_files import default_path, model_file
from engine.prompts.lexicon import lexicon_of
from engine.prompts.parser import check_prompt as check_with
from engine.prompts.result import PromptCheck, Vocabulary


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
def _shipped() -> Vocabulary | None:
    """The vocabulary in the header of the shipped model file."""
    model = model_file(default_path())
    if model is None or model.problem:
        raise WeightsError(model.problem if model else "The shipped model file has no card.")
    return model.vocabulary
