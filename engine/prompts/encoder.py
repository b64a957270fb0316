"""The prompt for the text encoder: what was read, in the words and the order of training.

"Draw me a bee flying to 2 sunflowers at the sea, 4k" becomes "a bee and two sunflowers on a
beach". Modifiers stay where training has them; negated, undrawable and other words are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.prompts.grammar import NUMBER_WORDS, SIZE_WORDS, plural, with_article
from engine.prompts.result import PromptCheck, PromptObject
from engine.prompts.tables import background_phrase
from engine.words import MAX_WORDS, located_words

MOST_COUNTED = 20  # the last number that has a word
Place = tuple[int, int]  # number of a text, and characters from its start


@dataclass(frozen=True, slots=True)
class EncoderPrompt:
    """Texts of at most 48 words each; more than one where the prompt names very many things."""

    texts: tuple[str, ...]
    objects: tuple[Place, ...]  # per object of the check, where its mention ends
    counts: tuple[int, ...]  # per object, how many boxes may show it
    background: Place | None  # where the background's mention ends; None = the prompt names none


def encoder_prompt(check: PromptCheck, boxes: int, *, repeat: bool = False) -> EncoderPrompt:
    """Write a prompt for the text encoder; unnamed numbers fill the boxes that others leave.

    `boxes` counts finished ones too; `repeat` raises the counts until they fill all boxes.
    """
    counts = fill_counts([thing.count for thing in check.objects], boxes, repeat=repeat)
    things = list(zip(check.objects, counts))
    for article in (True, False):
        prompt = _write([things], check, article)
        if _fits(prompt[0]):
            return EncoderPrompt(*_places(prompt, counts))
    chunks: list[list[tuple[PromptObject, int]]] = []
    for thing in things:
        if not chunks or not _fits(_write([[*chunks[-1], thing]], check, False)[0]):
            chunks.append([])
        chunks[-1].append(thing)
    return EncoderPrompt(*_places(_write(chunks, check, False), counts))


def fill_counts(
    counts: Sequence[int | None], boxes: int, *, repeat: bool = False
) -> tuple[int, ...]:
    """How many boxes may show each object.

    Unnamed numbers share the boxes that the named ones leave, at least one each. With `repeat`,
    all objects share what is left, the first ones first.
    """
    filled = [1 if count is None else count for count in counts]
    growing = [index for index, count in enumerate(counts) if count is None]
    if repeat:
        growing = growing or list(range(len(counts)))
    left = boxes - sum(filled)
    turn = 0
    while growing and left > 0:
        filled[growing[turn % len(growing)]] += 1
        turn, left = turn + 1, left - 1
    return tuple(filled)


@dataclass(frozen=True, slots=True)
class _Text:
    text: str
    ends: tuple[int, ...]
    background: int | None


def _write(
    chunks: Sequence[Sequence[tuple[PromptObject, int]]], check: PromptCheck, article: bool
) -> list[_Text]:
    return [_write_one(chunk, check, article) for chunk in chunks]


def _write_one(
    things: Sequence[tuple[PromptObject, int]], check: PromptCheck, article: bool
) -> _Text:
    text, ends = "", []
    for number, (thing, count) in enumerate(things):
        if number:
            is_last = number == len(things) - 1
            text += " and " if article and is_last else ", "
        text += _mention(thing, count, article)
        ends.append(len(text))
    background = None
    if check.background is not None:
        name = check.background.name
        if not text:
            text = name if name.endswith("background") else f"{name} background"
        elif article:
            text += f" {background_phrase(name)}"
        else:
            text += f", {name}"
        background = len(text)
        if not things and not name.endswith("background"):
            background = len(name)
    if check.look is not None:
        text += f", {check.look} style" if text else f"{check.look} style"
    return _Text(text, tuple(ends), background)


def _mention(thing: PromptObject, count: int, article: bool) -> str:
    words = plural(thing.noun) if count > 1 else thing.noun
    if thing.colour is not None:
        words = f"{thing.colour} {words}"
    if thing.size is not None:
        words = f"{SIZE_WORDS[thing.size][0]} {words}"
    if count > 1:
        number = NUMBER_WORDS[count] if count < len(NUMBER_WORDS) else str(count)
        return f"{number} {words}" if count <= MOST_COUNTED else words
    return with_article(words) if article else words


def _fits(text: _Text) -> bool:
    return len(located_words(text.text)) <= MAX_WORDS


def _places(
    written: Sequence[_Text], counts: tuple[int, ...]
) -> tuple[tuple[str, ...], tuple[Place, ...], tuple[int, ...], Place | None]:
    ends = tuple((number, end) for number, each in enumerate(written) for end in each.ends)
    scenery = written[0].background if written else None
    texts = tuple(each.text for each in written) or ("",)
    return texts, ends, counts, None if scenery is None else (0, scenery)
