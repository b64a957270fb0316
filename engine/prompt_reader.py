"""Prompts of requests as the networks read them: text tokens, and the things that they name.

The newer reading takes a prompt apart (`engine.prompts`) and writes it as training does; records
without a number of the reading are from before it, when the words went to the text encoder as
typed. The last prompt is kept: edits mostly come with it.

Shapes: T text tokens.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from engine.api import GenerateRequest
from engine.assignment import Slots
from engine.model.text import Vocabulary
from engine.prompts import (
    EncoderPrompt,
    Lexicon,
    PromptCheck,
    check_prompt,
    encoder_prompt,
    lexicon_of,
)
from engine.weights import Model
from engine.words import load_word_table


@dataclass(frozen=True, slots=True)
class Prompt:
    """One prompt as text tokens.

    Attributes:
        words: those that became text tokens 1, 2, ...; of things as typed, where `slots` are.
        text: (1, T, width) text tokens; token 0 stands for the whole prompt.
        slots: the things that it names; None = any word may be shown.
        check: what was read; None where the words went in as typed.
    """

    words: list[str]
    text: Tensor
    slots: Slots | None = None
    check: PromptCheck | None = None


class PromptReader:
    """Reads the prompts of requests.

    Args:
        model: on `device` already.
    """

    def __init__(self, model: Model, device: torch.device) -> None:
        card = model.card
        self._model, self._device = model, device
        self.vocabulary = Vocabulary(model.text.config.vocabulary, load_word_table())
        self.lexicon = lexicon_of(card.nouns, card.looks, card.colours, card.backgrounds)
        self._last: tuple[object, Prompt] | None = None

    def of(self, request: GenerateRequest) -> tuple[Prompt, bool]:
        """The request's prompt, and whether it is another than that of the request before."""
        boxes = sum(layer.kind == "foreground" for layer in request.layers)
        repeat = request.spare_boxes == "repeat"
        if not self.takes_apart(request):
            key: object = request.prompt
        else:
            key = (request.prompt, boxes, repeat)
        if self._last is not None and self._last[0] == key:
            return self._last[1], False
        prompt = self._read(request.prompt, boxes, repeat) if isinstance(key, tuple) else None
        self._last = key, prompt or self.as_typed(request.prompt)
        return self._last[1], True

    def takes_apart(self, request: GenerateRequest) -> bool:
        """Whether the newer reading is used: models that do not plan cannot assign things."""
        return request.reading > 1 and self._model.art.config.planning

    def as_typed(self, prompt: str) -> Prompt:
        """The words go to the text encoder as typed."""
        return Prompt(self.vocabulary.words(prompt), self._encode(prompt))

    def _read(self, prompt: str, boxes: int, repeat: bool) -> Prompt:
        check = check_prompt(prompt, self.lexicon)
        written = encoder_prompt(check, boxes, repeat=repeat)
        words = [word for text in written.texts for word in self.vocabulary.words(text)]
        tokens = tuple(self._token(written, place) for place in written.objects)
        background = 0
        if written.background is not None and check.background is not None:
            background = self._token(written, written.background)
            words[background - 1] = _place_word(check.background.typed, self.lexicon)
        for thing, token in zip(check.objects, tokens, strict=True):
            words[token - 1] = thing.typed
        texts = [self._encode(text) for text in written.texts]
        # Further texts add their words; the first one's token 0 stands for the whole prompt.
        joined = torch.cat([texts[0], *(text[:, 1:] for text in texts[1:])], dim=1)
        return Prompt(words, joined, Slots(tokens, written.counts, background), check)

    def _token(self, written: EncoderPrompt, place: tuple[int, int]) -> int:
        number, end = place
        before = sum(self.vocabulary.count(text) for text in written.texts[:number])
        return before + self.vocabulary.count(written.texts[number][:end])

    def _encode(self, text: str) -> Tensor:
        vectors, known = self.vocabulary.encode(text)
        return self._model.text(
            torch.from_numpy(vectors)[None].to(self._device),
            torch.from_numpy(known)[None].to(self._device),
        )


def _place_word(typed: str, lexicon: Lexicon) -> str:
    """A background without what leads to it: "on the beach" is the beach."""
    words = typed.split()
    leading = frozenset(("preposition", "determiner"))
    while len(words) > 1 and not leading.isdisjoint(lexicon.roles((words[0].lower(),))):
        words = words[1:]
    return " ".join(words)
