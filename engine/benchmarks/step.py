"""One sampling step, alone: the guidance's branches through the transformer once.

Of a whole picture, or of an edit, whose finished layers are read from the region token cache.

What the generator prepares per request (text, places, rotations) is prepared here too, outside the
clock. Planning is left out: it costs a few half passes per request and nothing per step.

Shapes: N noisy tokens of all layers, C token width.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from engine.api import GenerateRequest
from engine.layout import BACKGROUND, FIRST_FOREGROUND, Region, token_size
from engine.models.art.attention import Packing
from engine.models.art.backbone import art_of
from engine.models.art.positions import ids_of, inner_coordinates, place_on_canvas
from engine.pipeline import LayerPipeline
from engine.sampling import guide, region_noise

Repack = Callable[[Packing, Sequence[Region]], Packing]


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
    """A step of a request, ready to be called again and again.

    Args:
        repack: makes another packing of the same tokens: another pattern of attention.

    Attributes:
        tokens: N of one branch.
        sequence: text and image tokens of one branch, those of finished layers not among them.
    """

    @torch.inference_mode()
    def __init__(
        self, generator: LayerPipeline, request: GenerateRequest, repack: Repack | None = None
    ) -> None:
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
        if repack is not None:
            packing = repack(conditioning.packing, regions)
            conditioning = dataclasses.replace(conditioning, packing=packing)
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
