"""Pinned words: does each box show the word that is pinned to it, whatever the prompt says?

Random boxes, also small and overlapping ones, each with a random noun; the prompt names none of
them, some of them, or other things. Then one layer is repainted with another word.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from engine.api import Box, GenerateRequest
from engine.training.eval.judges import Verdict
from engine.training.eval.metrics import Rate, Scores, add_scores
from engine.training.eval.tasks import CANVAS, Setup, request_of

PINNED = "pinned"  # the name of the task
PICTURES = 60
COUNTS = (1, 2, 3, 4, 6, 8)
SIDES = (32, 64, 96, 128, 160, 192, 256)  # pixels
SMALL = 64  # longer side of a small box
PLACES = ("", " on a beach", " at night")


def evaluate_pinned(setup: Setup, pictures: int = PICTURES) -> Scores:
    """Draw and judge pictures in which every box has a pinned word."""
    return add_scores([_picture(setup, number) for number in range(pictures)])


def _picture(setup: Setup, number: int) -> Scores:
    rng = np.random.default_rng([setup.seed, number])
    nouns = list(setup.concepts.noun_names)
    count = int(rng.choice(COUNTS))
    words = [str(word) for word in rng.choice(nouns, count + 1, replace=False)]
    *pinned, other = words
    boxes = [_box(rng) for _ in pinned]
    request = _pinned(request_of(
        _prompt(rng, pinned, nouns), boxes, seed_of=lambda layer: 77 * number + layer,
        canvas=CANVAS, has_background=True,
    ), pinned)  # fmt: skip
    finished = setup.generator.run(request)
    verdicts = setup.judging([result.rgba for result in finished.results[1:]])
    # One layer again, with another word.
    again = int(rng.integers(count))
    made = {result.layer_id: result.rgba for result in finished.results}
    layers = tuple(
        replace(layer, shows=other) if layer.layer_id == again + 1
        else replace(layer, pixels=made[layer.layer_id])
        for layer in request.layers
    )  # fmt: skip
    (repainted,) = setup.generator.run(replace(request, layers=layers)).results
    (verdict,) = setup.judging([repainted.rgba])
    return {
        "pinned words shown": _right(pinned, verdicts, boxes, least=0),
        f"in boxes of at most {SMALL} px": _right(pinned, verdicts, boxes, most=SMALL),
        "another word, repainted alone": Rate(verdict.noun == other, 1),
    }


def _right(
    words: Sequence[str],
    verdicts: Sequence[Verdict],
    boxes: Sequence[Box],
    *,
    least: int = 0,
    most: int = 10_000,
) -> Rate:
    """How many layers show their word, of the boxes whose longer side is within the limits."""
    hits = [
        verdict.noun == word
        for word, verdict, box in zip(words, verdicts, boxes, strict=True)
        if least <= max(box[2] - box[0], box[3] - box[1]) <= most
    ]
    return Rate(sum(hits), len(hits))


def _pinned(request: GenerateRequest, words: Sequence[str]) -> GenerateRequest:
    background, *things = request.layers
    pinned = (replace(layer, shows=word) for layer, word in zip(things, words, strict=True))
    return replace(request, layers=(background, *pinned))


def _box(rng: np.random.Generator) -> Box:
    width = int(rng.choice(SIDES))
    height = int(np.clip(round(width * rng.choice((0.7, 1.0, 1.0, 1.3)) / 32) * 32, 32, 320))
    x, y = (int(rng.integers(0, (side - length) // 32 + 1)) * 32
            for side, length in zip(CANVAS, (width, height)))  # fmt: skip
    return (x, y, x + width, y + height)


def _prompt(rng: np.random.Generator, pinned: Sequence[str], nouns: Sequence[str]) -> str:
    """One that names nothing, other things, or some of the pinned ones."""
    kind = int(rng.integers(3))
    named: Sequence[str] = ()
    if kind == 1:
        named = [str(word) for word in rng.choice(list(nouns), int(rng.integers(1, 5)))]
    elif kind == 2:
        named = pinned[: int(rng.integers(1, len(pinned) + 1))]
    return " and ".join(f"a {word}" for word in named) + str(rng.choice(PLACES))
