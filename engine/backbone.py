"""The seam between pipeline and network: what a generative model has to provide.

A backbone predicts the velocity of a request's regions and owns everything that depends on its
network: tokens per region, schedule, encoding of prompts and finished layers, decoding, estimates.
The pipeline owns the order of the steps, cancellation, progress and the record of a job.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol, TypeVar

import numpy as np
import torch
from torch import Tensor

from engine.api import GenerateRequest, LayerRequest, LayerResult, ModelInfo, NotPlaced
from engine.cache import RegionTokenCache
from engine.prompts.result import PromptCheck

Check = Callable[[], None]  # called between network calls; raises `Cancelled` to stop


class Prompt(Protocol):
    """An encoded prompt."""

    @property
    def check(self) -> PromptCheck | None:
        """What was read; None where the words were used as typed."""

    @property
    def look(self) -> str | None:
        """The look of its targets, of the model's; None = the first one."""

    @property
    def unknown_words(self) -> tuple[str, ...]:
        """Its words that no table has, in order, each once."""


class State(Protocol):
    """One request between assignment and decoding."""

    @property
    def noise(self) -> Tensor:
        """(1, N, C) what sampling starts from; no tokens where every region stays empty."""

    @property
    def targets(self) -> Sequence[Any]:
        """The regions that are drawn."""

    @property
    def decided(self) -> Mapping[int, str]:
        """The word that each drawn target shows, by layer id, where there is one."""


P = TypeVar("P", bound=Prompt)
S = TypeVar("S", bound=State)


class Backbone(Protocol[P, S]):
    """A model, on its device, with its kinds of prompt and state."""

    @property
    def cache(self) -> RegionTokenCache:
        """The cache of finished layers."""

    def info(self) -> ModelInfo:
        """Name, sizes, vocabulary, defaults and limits."""

    def check(self, request: GenerateRequest) -> None:
        """Raise LayoutError or RequestError for a request that the model cannot generate."""

    def own_looks(self, request: GenerateRequest) -> Mapping[int, str]:
        """Per target (layer id) that has a look of its own, that look."""

    def encode_prompt(self, request: GenerateRequest, look: str | None = None) -> P:
        """The request's prompt; `look` replaces the one that it names."""

    def begin(self, request: GenerateRequest, prompt: P, cfg_scale: float, check: Check) -> S:
        """Noise, context and assignment: all that precedes the first sampling step."""

    def schedule(self, state: S, steps: int) -> list[float]:
        """Descending noise levels from 1 to 0, `steps` + 1 of them."""

    def velocity(self, state: S, x: Tensor, t: float) -> Tensor:
        """(1, N, C) guided velocity at x_t, float32."""

    def preview(self, state: S, predicted: Tensor) -> Iterator[tuple[LayerRequest, np.ndarray]]:
        """Small (h, w, 4) uint8 pictures of (1, N, C) predicted clean tokens."""

    def decode(
        self, state: S, tokens: Tensor, check: Check, *, clean_colours: bool
    ) -> tuple[LayerResult, ...]:
        """(1, N, C) finished tokens -> one result per target of the request."""

    def not_placed(self, state: S) -> tuple[NotPlaced, ...]:
        """The named things for which there were too few boxes."""

    def encode_context(self, request: GenerateRequest, goes_on: Callable[[], bool]) -> None:
        """Put the request's finished layers into the cache, while `goes_on` says so."""

    @property
    def device(self) -> torch.device: ...

    @property
    def dtype(self) -> torch.dtype: ...
