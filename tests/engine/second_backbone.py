"""A second tiny model with its own file format: the proof that the pipeline knows no network.

It differs from the shipped model where models differ: cells of 16 px, an open vocabulary, up to 80
layers, its own schedule, no guidance, no cache of finished layers. It paints each region in a
colour that its words and its seed decide; the colour is reached by integrating a velocity.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from engine.api import GenerateRequest, LayerRequest, LayerResult, ModelInfo, NotPlaced
from engine.cache import RegionTokenCache
from engine.errors import LayoutError, RequestError
from engine.loading import StageReport, silent
from engine.prompts.result import PromptCheck

FORMAT = "test-colours"
CELL_PX, MOST_LAYERS = 16, 80


@dataclass(frozen=True, slots=True)
class TypedPrompt:
    """The words as typed: every word may be drawn."""

    words: tuple[str, ...]
    check: PromptCheck | None = None
    look: str | None = None
    unknown_words: tuple[str, ...] = ()


@dataclass(slots=True)
class ColourState:
    """The colours that the targets will have, and the noise that they begin with."""

    targets: tuple[LayerRequest, ...]
    words: tuple[str | None, ...]
    noise: Tensor  # (1, N, 4), a token per target
    colours: Tensor  # (1, N, 4) premultiplied RGBA in [0, 1]

    @property
    def decided(self) -> dict[int, str]:
        pairs = zip(self.targets, self.words, strict=True)
        return {layer.layer_id: word for layer, word in pairs if word}


class ColourBackbone:
    """Fills boxes with colours.

    Args:
        palette: (K, 3) in [0, 1].
    """

    def __init__(self, palette: Tensor, device: torch.device, dtype: torch.dtype) -> None:
        self.palette, self.device, self.dtype = palette, device, dtype
        self.cache = RegionTokenCache(0)

    def info(self) -> ModelInfo:
        return ModelInfo(
            name="Colours", file_hash="c0105", token_px=CELL_PX, canvas_multiple=CELL_PX,
            trained_canvases=((320, 240),), max_foregrounds=MOST_LAYERS, default_steps=4,
            default_cfg_scale=1.0, vocabulary=None,
            parameters=self.palette.numel(), device=str(self.device),
            precision=str(self.dtype).removeprefix("torch."), threads=1,
        )  # fmt: skip

    def check(self, request: GenerateRequest) -> None:
        if len(request.layers) > MOST_LAYERS + 1:
            raise LayoutError(f"This model handles {MOST_LAYERS} layers.", "Hide some layers.")
        if not any(layer.is_target for layer in request.layers):
            raise RequestError("There is nothing to generate.", "Draw a box or select a layer.")

    def own_looks(self, request: GenerateRequest) -> dict[int, str]:
        return {}

    def encode_prompt(self, request: GenerateRequest, look: str | None = None) -> TypedPrompt:
        return TypedPrompt(tuple(request.prompt.split()))

    def begin(
        self,
        request: GenerateRequest,
        prompt: TypedPrompt,
        cfg_scale: float,
        check: Callable[[], None],
    ) -> ColourState:
        check()
        targets = tuple(layer for layer in request.layers if layer.is_target)
        words = tuple(
            prompt.words[layer.seed % len(prompt.words)] if prompt.words else None
            for layer in targets
        )
        chosen = [
            int(hashlib.sha256(f"{word} {layer.seed}".encode()).hexdigest(), 16) % len(self.palette)
            for word, layer in zip(words, targets)
        ]
        noise = torch.randn(1, len(targets), 4, generator=torch.Generator().manual_seed(1))
        colours = torch.cat([self.palette[chosen], torch.ones(len(chosen), 1)], dim=1)
        return ColourState(targets, words, noise, colours[None])

    def schedule(self, state: ColourState, steps: int) -> list[float]:
        return [(1 - i / steps) ** 2 for i in range(steps + 1)]

    def velocity(self, state: ColourState, x: Tensor, t: float) -> Tensor:
        return (x - state.colours) / t

    def preview(
        self, state: ColourState, predicted: Tensor
    ) -> Iterator[tuple[LayerRequest, np.ndarray]]:
        for layer, colour in zip(state.targets, predicted[0]):
            yield layer, _filled(colour, 4, 4)

    def decode(
        self,
        state: ColourState,
        tokens: Tensor,
        check: Callable[[], None],
        *,
        clean_colours: bool,
    ) -> tuple[LayerResult, ...]:
        check()
        return tuple(
            LayerResult(
                layer_id=layer.layer_id,
                kind=layer.kind,
                box=layer.box,
                seed=layer.seed,
                word=word,
                rgba=_filled(colour, layer.box[3] - layer.box[1], layer.box[2] - layer.box[0]),
            )
            for layer, word, colour in zip(state.targets, state.words, tokens[0])
        )

    def not_placed(self, state: ColourState) -> tuple[NotPlaced, ...]:
        return ()

    def encode_context(self, request: GenerateRequest, goes_on: Callable[[], bool]) -> None:
        """There is no cache."""


def _filled(colour: Tensor, height: int, width: int) -> np.ndarray:
    rgba = (colour.clamp(0, 1) * 255).round().byte().numpy()
    return np.ascontiguousarray(np.broadcast_to(rgba, (height, width, 4)))


def write_model(path: Path) -> Path:
    """A model file of this format: eight colours."""
    palette = torch.rand(8, 3, generator=torch.Generator().manual_seed(5))
    save_file({"palette": palette}, path, metadata={"format": FORMAT})
    return path


def load_colours(
    path: Path, device: torch.device, dtype: torch.dtype, report: StageReport = silent
) -> ColourBackbone:
    """The loader to register."""
    report("file", 1.0)
    return ColourBackbone(load_file(path)["palette"], device, dtype)
