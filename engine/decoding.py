"""Tokens of targets to pixels: rough previews while sampling goes on, whole layers at its end.

Shapes: N tokens of all targets, C token width.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from torch import Tensor

from engine.api import LayerRequest, LayerResult
from engine.grid import drawn_frame
from engine.model.autoencoder import clamp_premultiplied
from engine.model.deblocking import deblock
from engine.model.smoothing import smooth
from engine.pixels import deliver, fit, resample, to_opaque, to_straight
from engine.regions import Region
from engine.sampling import is_mirrored
from engine.weights import Model, ModelCard

PREVIEW_PX = 4  # preview pixels per latent cell side


def preview_layers(
    model: Model, tokens: Tensor, targets: Sequence[Region]
) -> Iterator[tuple[LayerRequest, np.ndarray]]:
    """Each target with a small (h, w, 4) uint8 picture of its (N, C) predicted tokens."""
    for region, part in _parts(tokens, targets):
        rgba = model.autoencoder.preview(part, *region.size, PREVIEW_PX)
        pixels = rgba.float().movedim(0, -1).cpu().numpy()
        if region.request.kind == "foreground":
            pixels = _as_the_seed_says(pixels, region, model.card)
        if model.card.side_tokens and region.request.kind == "foreground":
            yield region.request, _into_box(pixels, region, _small(region, max(pixels.shape[:2])))
        else:
            yield region.request, to_straight(pixels)


def decode_layers(
    model: Model,
    tokens: Tensor,
    targets: Sequence[Region],
    words: Sequence[str | None],
    check: Callable[[], None],
) -> tuple[LayerResult, ...]:
    """(N, C) finished tokens -> layers, each decoded by itself.

    Args:
        words: per target what it shows, as planned.
        check: called before each layer; may raise to cancel.
    """
    card, results = model.card, []
    for (region, part), word in zip(_parts(tokens, targets), words, strict=True):
        check()
        rgba = model.autoencoder.decode(part, [region.size])[0].float()
        if card.deblocking:
            cell_px = model.autoencoder.config.cell_px
            rgba = clamp_premultiplied(deblock(rgba, cell_px, card.deblocking))
        if card.smoothing:
            rgba = smooth(rgba, card.smoothing)
        pixels = rgba.movedim(0, -1).cpu().numpy()
        layer = region.request
        x0, y0, x1, y1 = layer.box
        size = (y1 - y0, x1 - x0)
        if layer.kind == "background":
            rgba8 = to_opaque(resample(pixels, size))
        else:
            pixels = _as_the_seed_says(pixels, region, card)
            rgba8 = _into_box(pixels, region, size) if card.side_tokens else fit(pixels, size)
        results.append(
            LayerResult(
                layer_id=layer.layer_id,
                kind=layer.kind,
                box=layer.box,
                seed=layer.seed,
                rgba=rgba8,
                word=word,
            )
        )
    return tuple(results)


def _as_the_seed_says(pixels: np.ndarray, region: Region, card: ModelCard) -> np.ndarray:
    """The drawing or its mirror image: the network itself knows each thing one way round."""
    mirrored = card.mirrors and is_mirrored(region.request.seed)
    return pixels[:, ::-1] if mirrored else pixels


def _into_box(pixels: np.ndarray, region: Region, size: tuple[int, int]) -> np.ndarray:
    """What was drawn on square tokens -> (height, width) of `size`, proportions kept."""
    rows, cols = drawn_frame(region.request.box, region.size)
    px = pixels.shape[0] / region.size[0]
    return deliver(pixels, (rows * px, cols * px), size)


def _small(region: Region, longer: int) -> tuple[int, int]:
    """(height, width) of the region's box, reduced to so many pixels along its longer side."""
    x0, y0, x1, y1 = region.request.box
    scale = longer / max(x1 - x0, y1 - y0)
    return max(1, round((y1 - y0) * scale)), max(1, round((x1 - x0) * scale))


def _parts(tokens: Tensor, targets: Sequence[Region]) -> Iterator[tuple[Region, Tensor]]:
    return zip(targets, tokens.split([r.count for r in targets]), strict=True)
