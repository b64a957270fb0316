"""Which looks training pictures have, and how often the prompt says so.

Pure arithmetic on a random generator; knows no scenes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.training.prompts import pick


@dataclass(frozen=True, slots=True)
class LookMix:
    """Shares of looks, each 0 to 1. The first look is the one that a prompt without a word means.

    Attributes:
        named: pictures whose prompt names their look.
        first: of these, those in the first look; None = as many as in any other.
        open: of the rest, those in another look than the first.
    """

    named: float = 0.65
    first: float | None = None
    open: float = 0.2

    def draw(self, rng: np.random.Generator, looks: Sequence[str]) -> tuple[str, bool]:
        """A look, and whether the prompt names it."""
        is_named = rng.random() < self.named
        any_look = pick(rng, looks)
        if is_named and self.first is None:
            return any_look, True
        is_first = rng.random() < (self.first or 0.0 if is_named else 1 - self.open)
        return looks[0] if is_first else pick(rng, looks[1:]), is_named


USUAL_LOOKS = LookMix()
