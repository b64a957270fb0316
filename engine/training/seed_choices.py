"""What a seed decides for a whole layer: which of a few drawings it becomes.

A prediction at pure noise is the mean of all that a prompt may mean, and the mean of many
landscapes is a smear. So that each seed means one picture only, a background's tokens are told a
few signs, drawn from its seed at run time (`engine.sampling.region_choice`). In training they go
with the drawing that the picture has, and with the background itself where the prompt names none.

From stage 4 of the vocabulary on, two of the signs name the drawing of a foreground as well.

Numpy only; knows no networks.
"""

from __future__ import annotations

import numpy as np

from engine.training.concepts import Concepts

CHOICES = 4  # signs
DRAWING_BITS = 2
DRAWINGS = 2**DRAWING_BITS  # of each background
OPEN_BITS = CHOICES - DRAWING_BITS
Choice = tuple[int, ...]  # CHOICES times -1 or 1; 0 = left open
FIRST_STAGE_WITH_CODES = 4  # of the vocabulary: objects have several drawings
# What goes with any object, from that stage on: neither night nor evening by chance. The first and
# the last are where earlier stages have them, so that a grown model keeps them.
OPEN_BACKGROUNDS = ("blue sky", "pastel background", "blue background", "green hills")


def open_backgrounds(concepts: Concepts) -> tuple[str, ...]:
    """Those that a picture may have whose prompt names none, one for each pair of signs."""
    if concepts.stage >= FIRST_STAGE_WITH_CODES:
        return OPEN_BACKGROUNDS
    return concepts.background_names[: 2**OPEN_BITS]


def background_choice(
    drawing: int, name: str | None, concepts: Concepts, rng: np.random.Generator
) -> Choice:
    """The signs that go with a background.

    Args:
        drawing: 0 to DRAWINGS - 1.
        name: one of `open_backgrounds`, where the prompt does not say it; None = it says it, and
            the signs for that are any.
    """
    names = open_backgrounds(concepts)
    number = int(rng.integers(len(names))) if name is None else names.index(name)
    return _signs(drawing, DRAWING_BITS) + _signs(number, OPEN_BITS)


def thing_codes(concepts: Concepts) -> int:
    """How many codes name the drawings of an object; 0 where there is one drawing of each."""
    return DRAWINGS if concepts.stage >= FIRST_STAGE_WITH_CODES else 0


def thing_choice(code: int) -> Choice:
    """The signs that go with a foreground of this code, 0 to DRAWINGS - 1 (`sampling.thing_code`).

    The first sign decides about the mirror image at run time and stays open.
    """
    return (0, *_signs(code, DRAWING_BITS), 0)


def _signs(number: int, bits: int) -> Choice:
    return tuple(1 if number >> bit & 1 else -1 for bit in range(bits))
