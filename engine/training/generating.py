"""What the evaluations need of the generator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np

from engine.api import Event, Finished, GenerateRequest, ModelInfo


class Runs(Protocol):
    """What evaluation needs of `engine.pipeline.Generator`."""

    @property
    def info(self) -> ModelInfo: ...

    def run(
        self,
        request: GenerateRequest,
        *,
        emit: Callable[[Event], None],
        should_stop: Callable[[], bool],
    ) -> Finished: ...


def layers_of(generator: Runs, request: GenerateRequest) -> list[np.ndarray]:
    """The layers of one job, in the request's order."""
    finished = generator.run(request, emit=lambda event: None, should_stop=lambda: False)
    made = {result.layer_id: result.rgba for result in finished.results}
    return [made[layer.layer_id] for layer in request.layers]
