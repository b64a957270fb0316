"""Prompts of requests as text tokens, with the things that they name.

Reading 2 parses the prompt (`engine.prompts`) and writes it as training does. Reading 1, of records
of older versions, passes the words to the text encoder as typed. The last prompt is kept, because
edits mostly come with the same one.

Shapes: T text tokens.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from engine.api import GenerateRequest
from engine.errors import RequestError
from engine.models.art.assignment import Slots
from engine.models.art.text import Tokenizer
from engine.models.checkpoint import Model
from engine.prompts.encoder import EncoderPrompt, encoder_prompt
from engine.prompts.lexicon import Lexicon, lexicon_of
from engine.prompts.parser import NOT_A_WORD, check_prompt
from engine.prompts.pins import Pin, join_pins, nearest_pin, read_pin
from engine.prompts.result import PromptCheck, PromptObject
from engine.words import load_word_table, unknown_words


@dataclass(frozen=True, slots=True)
class EncodedPrompt:
    """One prompt as text tokens."""

    # those that became text tokens 1, 2, ...; of things as typed, where `slots` are
    words: list[str]
    text: Tensor  # (1, T, width) text tokens; token 0 stands for the whole prompt
    slots: Slots | None = None  # the things that it names; None = any word may be shown
    check: PromptCheck | None = None  # what was read; None where the words went in as typed
    look: str | None = None  # in which the targets are drawn; None = the model's first
    unknown_words: tuple[str, ...] = ()  # that no table has, in order, each once
    things: tuple[PromptObject, ...] = ()  # of the slots, in their order, pinned words included
    pins: dict[int, int] = field(default_factory=dict)  # layer id -> token of its pinned word


class PromptEncoder:
    """Encodes the prompts of requests."""

    def __init__(self, model: Model, device: torch.device) -> None:
        card = model.card
        self._model, self._device = model, device
        self.tokenizer = Tokenizer(model.text.config.vocabulary, load_word_table())
        self.lexicon = lexicon_of(card.vocabulary)
        self._last: tuple[object, EncodedPrompt] | None = None

    def encode(
        self, request: GenerateRequest, look: str | None = None
    ) -> tuple[EncodedPrompt, bool]:
        """The request's prompt, and whether it differs from that of the request before.

        Args:
            look: instead of the one that the prompt names.
        """
        boxes = sum(layer.kind == "foreground" for layer in request.layers)
        repeat = request.spare_boxes == "repeat"
        key: object = request.prompt
        if request.reading > 1:
            pins = tuple((each.layer_id, each.shows) for each in request.layers if each.shows)
            key = (request.prompt, boxes, repeat, pins, look)
        if self._last is not None and self._last[0] == key:
            return self._last[1], False
        if request.reading > 1:
            self._last = key, self._parsed(request.prompt, boxes, repeat, dict(pins), look)
        else:
            self._last = key, self.as_typed(request.prompt)
        return self._last[1], True

    def as_typed(self, prompt: str) -> EncodedPrompt:
        """The words as typed, without the things that they name."""
        return EncodedPrompt(
            self.tokenizer.words(prompt),
            self._encode(prompt),
            look=check_prompt(prompt, self.lexicon).look,
            unknown_words=unknown_words(prompt),
        )

    def pin(self, text: str) -> Pin:
        """What a pinned word names. Raises RequestError: not one thing that the model draws."""
        pin = read_pin(text, self.lexicon)
        if pin is None:
            near = nearest_pin(text, self.lexicon)
            raise RequestError(
                f"This model cannot draw '{text}'.",
                f"Choose {'another word' if near is None else repr(near)} for this box, "
                "or let the model decide.",
            )
        return pin

    def own_looks(self, request: GenerateRequest) -> dict[int, str]:
        """Per target whose pinned word names another look than the prompt, that look."""
        if request.reading < 2:
            return {}
        pinned = [each for each in request.layers if each.is_target and each.shows]
        pins = {each.layer_id: self.pin(each.shows).look for each in pinned}
        looks = {layer: look for layer, look in pins.items() if look is not None}
        common = check_prompt(request.prompt, self.lexicon).look if looks else None
        return {layer: look for layer, look in looks.items() if look != common}

    def _parsed(
        self, prompt: str, boxes: int, repeat: bool, pins: dict[int, str], look: str | None
    ) -> EncodedPrompt:
        check = check_prompt(prompt, self.lexicon)
        things, places = join_pins(check, [self.pin(text).thing for text in pins.values()])
        look = look or check.look
        written = encoder_prompt(replace(check, objects=things, look=look), boxes, repeat=repeat)
        words = [word for text in written.texts for word in self.tokenizer.words(text)]
        tokens = tuple(self._token(written, place) for place in written.objects)
        background = 0
        if written.background is not None and check.background is not None:
            background = self._token(written, written.background)
            words[background - 1] = _place_word(check.background.typed, self.lexicon)
        for thing, token in zip(things, tokens, strict=True):
            words[token - 1] = thing.typed
        texts = [self._encode(text) for text in written.texts]
        # Further texts add their words; the first one's token 0 stands for the whole prompt.
        joined = torch.cat([texts[0], *(text[:, 1:] for text in texts[1:])], dim=1)
        unknown = [each.typed for each in check.undrawable if each.reason == NOT_A_WORD]
        return EncodedPrompt(
            words,
            joined,
            Slots(tokens, written.counts, background),
            check,
            look,
            tuple(dict.fromkeys(unknown)),
            things,
            {layer: tokens[place] for layer, place in zip(pins, places, strict=True)},
        )

    def _token(self, written: EncoderPrompt, place: tuple[int, int]) -> int:
        number, end = place
        before = sum(self.tokenizer.count(text) for text in written.texts[:number])
        return before + self.tokenizer.count(written.texts[number][:end])

    def _encode(self, text: str) -> Tensor:
        vectors, known = self.tokenizer.encode(text)
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
