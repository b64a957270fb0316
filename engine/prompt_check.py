"""Checking a prompt without the engine's thread: what the window and other callers ask."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache

from engine.api import ModelInfo
from engine.errors import WeightsError
from engine.model_files import default_path, model_file
from engine.prompts.lexicon import lexicon_of
from engine.prompts.open_text import read_open_prompt, thing_of
from engine.prompts.parser import check_prompt as check_with
from engine.prompts.pins import nearest_pin, read_pin
from engine.prompts.result import PromptCheck, Vocabulary


@dataclass(frozen=True, slots=True)
class PinCheck:
    """What a text for one box asks for."""

    noun: str | None  # of the vocabulary; None = the text cannot be pinned
    nearest: str | None = None  # what was perhaps meant, where the text cannot be pinned
    # of the vocabulary, where the text names them
    colour: str | None = None
    size: str | None = None
    look: str | None = None  # of the box alone


def check_prompt(text: str, info: ModelInfo | None = None) -> PromptCheck:
    """Say of each word of a prompt what it asks for.

    Args:
        text: any text; the first 256 words are read.
        info: of the model that is to draw it; None = the one that ships with the program.

    Returns:
        what was read. For a model without a vocabulary every noun is a thing, and
        `PromptObject.phrase` is all that the prompt says of it.

    Raises:
        WeightsError: the shipped model file or a table of words is missing or damaged.
    """
    vocabulary = _shipped() if info is None else info.vocabulary
    if vocabulary is None:
        return read_open_prompt(text).check
    return check_with(text, lexicon_of(vocabulary))


def check_pin(text: str, info: ModelInfo | None = None) -> PinCheck:
    """Whether a text can be pinned to a box: one thing that the model draws ("blue dog").

    Args:
        info: as for `check_prompt`. A model without a vocabulary takes any text; its noun is
            the thing that the text is about.
    """
    vocabulary = _shipped() if info is None else info.vocabulary
    return PinCheck(thing_of(text)) if vocabulary is None else _check_pin(text, vocabulary)


@lru_cache(maxsize=1024)  # the window asks for every layer after each change
def _check_pin(text: str, vocabulary: Vocabulary) -> PinCheck:
    lexicon = lexicon_of(vocabulary)
    pin = read_pin(text, lexicon)
    if pin is None:
        return PinCheck(None, nearest_pin(text, lexicon))
    thing = pin.thing
    return PinCheck(thing.noun, None, thing.colour, thing.size, pin.look)


@cache
def _shipped() -> Vocabulary | None:
    """The vocabulary in the header of the shipped model file."""
    model = model_file(default_path())
    if model is None or model.problem:
        raise WeightsError(model.problem if model else "The shipped model file has no card.")
    return model.vocabulary
