"""What a prompt and its boxes leave over: boxes without a thing, and things without a box."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.api import LayerResult, NotPlaced
from engine.models.art.prompt_encoder import EncodedPrompt
from engine.prompts import PromptCheck
from engine.regions import Region

NOTHING_NAMED = "the prompt names nothing that this model draws"
ALL_PLACED = "every thing that the prompt names has a box already"


def with_empty(
    made: Sequence[LayerResult], targets: Sequence[Region], check: PromptCheck | None
) -> tuple[LayerResult, ...]:
    """The results of all targets in their order; those that were not made are transparent."""
    found = {result.layer_id: result for result in made}
    why = ALL_PLACED if check is not None and check.objects else NOTHING_NAMED
    return tuple(found.get(region.request.layer_id) or _empty(region, why) for region in targets)


def _empty(region: Region, why: str) -> LayerResult:
    layer = region.request
    x0, y0, x1, y1 = layer.box
    return LayerResult(
        layer_id=layer.layer_id,
        kind=layer.kind,
        box=layer.box,
        seed=layer.seed,
        rgba=np.zeros((y1 - y0, x1 - x0, 4), np.uint8),
        left_empty=why,
    )


def not_placed(
    prompt: EncodedPrompt, shows: Sequence[int], shown: Sequence[int]
) -> tuple[NotPlaced, ...]:
    """The things for which there were too few boxes.

    Args:
        shows: text tokens of the drawn targets.
        shown: of the finished layers.
    """
    if prompt.slots is None or prompt.check is None:
        return ()
    found = []
    for thing, token in zip(prompt.check.objects, prompt.slots.tokens, strict=True):
        placed = list(shows).count(token) + list(shown).count(token)
        missing = (1 if thing.count is None else thing.count) - placed
        if missing > 0:
            found.append(NotPlaced(typed=thing.typed, count=missing))
    return tuple(found)
