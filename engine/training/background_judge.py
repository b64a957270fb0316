"""Which of the named backgrounds a picture shows: nearest neighbours among drawn examples.

No network and nothing to train: the kinds differ in large soft shapes and colours, so a picture
of 12 x 12 pixels says enough. For evaluation only.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
from PIL import Image

from engine.training.backgrounds import draw_background
from engine.training.concepts import FIRST, Concepts

EXAMPLES = 48  # of each kind
NEIGHBOURS = 5
CELLS = 12
DRAWN = (256, 256)


class BackgroundJudge:
    """Knows `EXAMPLES` drawings of each background of a stage; the seed decides them."""

    def __init__(self, seed: int = 77, concepts: Concepts = FIRST) -> None:
        rng = np.random.default_rng(seed)
        self._names = [name for name in concepts.background_names for _ in range(EXAMPLES)]
        self._examples = np.stack(
            [_features(draw_background(name, DRAWN, rng)) for name in self._names]
        )

    def __call__(self, rgba: np.ndarray) -> str:
        """The likeliest name for (H, W, 3 or 4) uint8 of any size."""
        errors = np.square(self._examples - _features(rgba)).sum(1)
        nearest = np.argsort(errors)[:NEIGHBOURS]
        return Counter(self._names[index] for index in nearest).most_common(1)[0][0]


def _features(picture: np.ndarray) -> np.ndarray:
    small = Image.fromarray(picture[..., :3]).resize((CELLS, CELLS), Image.Resampling.BOX)
    return np.asarray(small, np.float32).ravel()
