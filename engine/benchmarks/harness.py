"""What every bench of the engine uses: its settings, the pictures that it makes, and single steps.

Boxes get smaller where there are many, as in real designs: each row of a table says how large.

Shapes: N noisy tokens of all layers, C token width.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from engine.api import Box, GenerateRequest
from engine.layout import BACKGROUND, FIRST_FOREGROUND, Region, token_size
from engine.models.art.backbone import art_of
from engine.pipeline import LayerPipeline
from engine.training.eval.tasks import request_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """One call of the command."""

    generator: LayerPipeline
    runs: int = 5  # rounds of everything that alternates
    quick: bool = False
    most_layers: int = 50
    weights: Path | None = None  # model file for processes that are started; None = the shipped one

    def layers(self, full: Sequence[int], quick: Sequence[int]) -> list[int]:
        return [n for n in (quick if self.quick else full) if n <= self.most_layers]

    def say(self, text: str) -> None:
        print(f"  {text}", file=sys.stderr, flush=True)


# ---- pictures ----

CANVAS = (512, 512)
PROMPT = "a red balloon, a dog and a castle under a blue sky"
BOX_PX = 160
GRID_PX = 32  # the shipped model's token


def box_side(layers: int) -> int:
    """Pixels: 10, 6 or 3.5 % of the canvas for up to 10, 20 or more layers, on the grid."""
    return BOX_PX if layers <= 10 else 128 if layers <= 20 else 96


def equal_boxes(count: int, side: int | None = None) -> list[Box]:
    """`count` square boxes of one size, spread over the canvas; they overlap where they must."""
    side = box_side(count) if side is None else side
    columns = int(np.ceil(np.sqrt(count)))
    rows = int(np.ceil(count / columns))

    def at(i: int, n: int) -> int:
        return round(i * (CANVAS[0] - side) / max(1, n - 1) / GRID_PX) * GRID_PX

    corners = [(at(i % columns, columns), at(i // columns, rows)) for i in range(count)]
    return [(x, y, x + side, y + side) for x, y in corners]


def picture(
    boxes: Sequence[Box],
    pixels: Mapping[int, np.ndarray] | None = None,
    background: bool = True,
    steps: int | None = None,
) -> GenerateRequest:
    """Background 0 and foregrounds 1.. of which those in `pixels` are finished."""
    return request_of(
        PROMPT,
        boxes,
        seed_of=lambda layer: layer,
        has_background=background,
        pixels=pixels,
        steps=steps,
        spare_boxes="repeat",  # every box is painted, so that times are of as many as asked for
    )


def finished_pixels(generator: LayerPipeline, request: GenerateRequest) -> dict[int, np.ndarray]:
    """Make the picture; pixels by layer number, read-only as a document's are."""
    done = {result.layer_id: result.rgba.copy() for result in generator.run(request).results}
    for pixels in done.values():
        pixels.flags.writeable = False
    return done


# ---- single steps ----


def regions_of(generator: LayerPipeline, request: GenerateRequest) -> list[Region]:
    """The request's layers on the token grid, numbered as the generator does.

    Foregrounds at full fineness whatever their size: the benchmarks' boxes are small enough for it,
    and uncropped layers keep the tokens that they have in the crop.
    """
    regions, index = [], FIRST_FOREGROUND
    for layer in request.layers:
        place, scale = index, 1
        if layer.kind == "background":
            place, scale = BACKGROUND, art_of(generator).model.card.base_scale
        else:
            index += 1
        size = token_size(layer.box, art_of(generator).token_px, scale)
        regions.append(Region(layer, place, scale, size))
    return regions


def uncropped(request: GenerateRequest) -> GenerateRequest:
    """The same layers, each of them over the whole canvas: what there would be without the crop."""
    full = (0, 0, *request.canvas)
    layers = tuple(dataclasses.replace(layer, box=full) for layer in request.layers)
    return dataclasses.replace(request, layers=layers)


class Step:
    """One call of the transformer with all branches of the guidance, ready to be repeated.

    What the engine prepares per request (text, places, rotations, the cached layers of an edit) is
    prepared outside the clock. Assignment, which costs nothing per step, is left out.
    """

    @torch.inference_mode()
    def __init__(self, generator: LayerPipeline, request: GenerateRequest) -> None:
        self._art = art = art_of(generator)
        prompt, scale = art.encode_prompt(request), art.model.card.cfg_scale
        state = art.prepare(regions_of(generator, request), prompt, scale, lambda: None)
        conditioning = art.condition(state.targets, prompt.text, request.canvas)
        art.add_branches(state, conditioning, request.canvas)
        self._state, self.noise = state, state.noise  # (1, N, C)
        self.tokens = self.noise.shape[1]  # N of one branch
        # text and image tokens of one branch, those of finished layers not among them
        self.sequence = self.tokens + prompt.text.shape[1]

    @torch.inference_mode()
    def __call__(self, t: float = 0.5) -> Tensor:
        """(1, N, C) guided prediction at level t."""
        out = self._art.predict(self._state, self.noise, t)
        if out.is_cuda:
            torch.cuda.synchronize()
        return out
