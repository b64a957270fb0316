"""Reading of prompts: what each word asks for, and the prompt as the text encoder is trained on it.

Pure text: neither torch nor Qt. `check_prompt` says what a prompt asks of a vocabulary;
`encoder_prompt` writes the same in the words that training uses.
"""

from engine.prompts.encoder import EncoderPrompt, encoder_prompt
from engine.prompts.lexicon import Lexicon, lexicon_of
from engine.prompts.parser import MAX_READ, NOT_A_WORD, check_prompt
from engine.prompts.pins import join_pins, nearest_pin, read_pin
from engine.prompts.result import (
    Misspelt,
    NamedBackground,
    PromptCheck,
    PromptObject,
    Undrawable,
    Vocabulary,
    Word,
)

__all__ = [
    "MAX_READ",
    "NOT_A_WORD",
    "EncoderPrompt",
    "Lexicon",
    "Misspelt",
    "NamedBackground",
    "PromptCheck",
    "PromptObject",
    "Undrawable",
    "Vocabulary",
    "Word",
    "check_prompt",
    "encoder_prompt",
    "join_pins",
    "lexicon_of",
    "nearest_pin",
    "read_pin",
]
