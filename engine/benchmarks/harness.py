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
from engine.models.art.positions import ids_of, inner_coordinates, place_on_canvas
from engine.pipeline import LayerPipeline
from engine.sampling import guide, region_noise
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
    """The guidance's branches through the transformer once, ready to be called again and again.

    What the generator prepares per request (text, places, rotations, the cached layers of an edit)
    is prepared outside the clock. Assignment, which costs nothing per step, is left out.

    Attributes:
        tokens: N of one branch.
        sequence: text and image tokens of one branch, those of finished layers not among them.
    """

    @torch.inference_mode()
    def __init__(self, generator: LayerPipeline, request: GenerateRequest) -> None:
        model, device, art = art_of(generator).model, art_of(generator).device, art_of(generator)
        self._art, self._cfg_scale = model.art, model.card.cfg_scale
        every = regions_of(generator, request)
        regions = [region for region in every if region.request.is_target]
        finished = [region for region in every if not region.request.is_target]
        ids = torch.cat([ids_of(r, art.token_px) for r in regions])[None].to(device)
        inner = torch.cat([inner_coordinates(*r.size) for r in regions])[None].to(device)
        places = [place_on_canvas(r.request.box, request.canvas) for r in regions]
        spread = [place.expand(r.count, 4) for place, r in zip(places, regions, strict=True)]
        place = torch.cat(spread)[None].to(device)
        text = art.encode_prompt(request).text
        room = ids.shape[1] + text.shape[1]
        layers = art.context.read(finished, room, lambda: None)
        self._context = None if layers is None else layers.keys
        null = model.text.null()
        conditioning = self._art.condition(ids, inner, place, text)
        self._branches = 1 if self._cfg_scale == 1 else 2
        if self._branches == 2:
            unconditional = self._art.condition(ids, inner, place, null)
            conditioning = conditioning.packed_with(unconditional)
        self._conditioning = conditioning
        both = self._branches == 2
        self._pooled = torch.cat([text[:, 0], null[:, 0]]) if both else text[:, 0]
        width = model.art.config.token_width
        noise = [region_noise(r.request.seed, *r.size, width) for r in regions]
        self.noise = torch.cat(noise)[None].to(device)  # (1, N, C)
        self.tokens = self.noise.shape[1]
        self.sequence = self.tokens + text.shape[1]

    @torch.inference_mode()
    def __call__(self, t: float = 0.5) -> Tensor:
        """(1, N, C) guided prediction at level t."""
        levels = torch.full((len(self._pooled),), t, device=self.noise.device)
        vec = self._art.vec(levels, self._pooled)
        tokens = self.noise.repeat(1, self._branches, 1)
        out = self._art(tokens, self._conditioning, vec, context=self._context).float()
        if out.is_cuda:
            torch.cuda.synchronize()
        if self._branches == 1:
            return out
        conditional, unconditional = out.chunk(2, dim=1)
        return guide(conditional, unconditional, self._cfg_scale)
