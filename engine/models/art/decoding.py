"""Tokens of targets to pixels: rough previews during sampling, then refined and decoded layers.

Each layer is refined and decoded by itself: its pixels do not depend on which other layers the job
generates.

Shapes: N tokens of all targets, C token width, E text width, B layers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from engine.api import LayerRequest, LayerResult
from engine.colour_decision import fit_flat_layers
from engine.layout import Region, drawn_frame
from engine.models.art.autoencoder import clamp_premultiplied
from engine.models.art.positions import inner_coordinates
from engine.models.art.refiner import Refiner
from engine.models.art.smoothing import deblock, smooth
from engine.models.checkpoint import Model, ModelCard
from engine.pixels import (
    amid,
    deliver,
    fit,
    inner_size,
    middle,
    resample,
    to_opaque,
    to_straight,
)
from engine.sampling import is_mirrored

PREVIEW_PX = 4  # preview pixels per latent cell side
TOGETHER = 8  # layers of one size in one pass; a job is cancelled between passes


def preview_layers(
    model: Model, tokens: Tensor, targets: Sequence[Region]
) -> Iterator[tuple[LayerRequest, np.ndarray]]:
    """Each target with a small (h, w, 4) uint8 picture of its (N, C) predicted tokens."""
    for region, part in _parts(tokens, targets):
        rgba = model.autoencoder.preview(part, *region.size, PREVIEW_PX)
        pixels = rgba.float().movedim(0, -1).cpu().numpy()
        if region.request.kind == "foreground":
            pixels = _turned(pixels, region, model.card)
        if model.card.side_tokens and region.request.kind == "foreground":
            size = _small(region, max(pixels.shape[:2]))
            yield region.request, deliver(pixels, _frame(pixels, region), size)
        else:
            yield region.request, to_straight(pixels)


def refine_layers(
    refiner: Refiner, tokens: Tensor, targets: Sequence[Region], shows: Sequence[int], text: Tensor
) -> Tensor:
    """(N, C) predicted tokens of all targets -> the same with named foregrounds refined.

    A layer whose word the prompt does not name (0 in `shows`, or no `shows`) stays as predicted:
    the refiner is trained on named things only. `text` is (1, words + 1, E).
    """
    parts = list(tokens.split([region.count for region in targets]))
    chosen = [
        index
        for index, (region, word) in enumerate(zip(targets, shows, strict=False))
        if word and region.request.kind == "foreground"
    ]
    if not chosen:
        return tokens
    longest = max(len(parts[index]) for index in chosen)
    padded = tokens.new_zeros(len(chosen), longest, tokens.shape[-1])  # (B, N, C)
    inner = tokens.new_ones(len(chosen), longest, 4)
    mask = torch.zeros(len(chosen), longest, dtype=torch.bool, device=tokens.device)
    for row, index in enumerate(chosen):
        count = len(parts[index])
        padded[row, :count] = parts[index]
        inner[row, :count] = inner_coordinates(*targets[index].size).to(tokens)
        mask[row, :count] = True
    words = text[0, [shows[index] for index in chosen]]  # (B, E)
    refined = refiner(padded, inner, words, text[0, :1].expand_as(words), mask).to(tokens.dtype)
    for row, index in enumerate(chosen):
        parts[index] = refined[row, : len(parts[index])]
    return torch.cat(parts)


def decode_layers(
    model: Model,
    tokens: Tensor,
    targets: Sequence[Region],
    words: Sequence[str | None],  # per target what it shows, as planned
    check: Callable[[], None],  # called before each group of layers; may raise to cancel
    *,
    clean_colours: bool = False,  # foregrounds get flat fills
) -> tuple[LayerResult, ...]:
    """(N, C) finished tokens -> layers."""
    parts = [part for _, part in _parts(tokens, targets)]
    made: dict[int, np.ndarray] = {}
    for members in _alike(targets):
        check()
        regions = [targets[index] for index in members]
        drawn = _draw(model, torch.stack([parts[index] for index in members]), regions[0].size)
        layers = _finish(drawn, regions, model.card, clean_colours)
        made.update(zip(members, layers, strict=True))
    return tuple(
        LayerResult(
            layer_id=region.request.layer_id,
            kind=region.request.kind,
            box=region.request.box,
            seed=region.request.seed,
            rgba=made[index],
            word=word,
        )
        for index, (region, word) in enumerate(zip(targets, words, strict=True))
    )


def _draw(model: Model, tokens: Tensor, size: tuple[int, int]) -> np.ndarray:
    """(B, h*w, C) tokens of layers of one size -> (B, 32h, 32w, 4) float premultiplied."""
    card = model.card
    rgba = model.autoencoder.decode_alike(tokens, size).float()
    if card.deblocking:
        cell_px = model.autoencoder.config.cell_px
        rgba = torch.stack(
            [clamp_premultiplied(deblock(layer, cell_px, card.deblocking)) for layer in rgba]
        )
    if card.smoothing:
        rgba = smooth(rgba, card.smoothing)
    return rgba.movedim(1, -1).cpu().numpy()


def _finish(
    drawn: np.ndarray, regions: Sequence[Region], card: ModelCard, clean_colours: bool
) -> list[np.ndarray]:
    """(B, h, w, 4) as drawn -> per region (height, width, 4) uint8 straight, as delivered."""
    if regions[0].request.kind == "background":
        return [
            to_opaque(resample(pixels, _box_size(region)))
            for pixels, region in zip(drawn, regions, strict=True)
        ]
    cuts, sizes = [], []
    for pixels, region in zip(drawn, regions, strict=True):
        size, pixels = _box_size(region), _turned(pixels, region, card)
        if card.side_tokens:
            frame = _frame(pixels, region)
            size = inner_size(frame, size)
            pixels = middle(pixels, (round(frame[0]), round(frame[1])))
        cuts.append(pixels)
        sizes.append(size)
    if clean_colours:
        # Decided as they were drawn, so that the mirror image has the same borders.
        cuts = [_turned(cut, region, card) for cut, region in zip(cuts, regions)]
        fitted = fit_flat_layers(cuts, sizes)
        fitted = [_turned(layer, region, card) for layer, region in zip(fitted, regions)]
    else:
        fitted = list(map(fit, cuts, sizes))
    return [amid(pixels, _box_size(region)) for pixels, region in zip(fitted, regions, strict=True)]


def _turned(pixels: np.ndarray, region: Region, card: ModelCard) -> np.ndarray:
    """The drawing or its mirror image, by the seed: the network draws things one way round."""
    is_turned = card.mirrors and is_mirrored(region.request.seed)
    return pixels[:, ::-1] if is_turned else pixels


def _frame(pixels: np.ndarray, region: Region) -> tuple[float, float]:
    """(height, width) in drawn pixels of the middle part that stands for the region's box."""
    rows, cols = drawn_frame(region.request.box, region.size)
    px = pixels.shape[0] / region.size[0]
    return rows * px, cols * px


def _box_size(region: Region) -> tuple[int, int]:
    x0, y0, x1, y1 = region.request.box
    return y1 - y0, x1 - x0


def _small(region: Region, longer: int) -> tuple[int, int]:
    """(height, width) of the region's box, reduced to so many pixels along its longer side."""
    height, width = _box_size(region)
    scale = longer / max(height, width)
    return max(1, round(height * scale)), max(1, round(width * scale))


def _alike(targets: Sequence[Region]) -> Iterator[list[int]]:
    """Indices of the targets, in groups of one kind and number of tokens, at most `TOGETHER`."""
    groups: dict[tuple[str, tuple[int, int]], list[int]] = {}
    for index, region in enumerate(targets):
        groups.setdefault((region.request.kind, region.size), []).append(index)
    for members in groups.values():
        yield from (members[at : at + TOGETHER] for at in range(0, len(members), TOGETHER))


def _parts(tokens: Tensor, targets: Sequence[Region]) -> Iterator[tuple[Region, Tensor]]:
    return zip(targets, tokens.split([r.count for r in targets]), strict=True)
