"""Refines the predicted tokens of foreground layers before they are decoded.

Each layer is refined by itself (`engine.model.refiner`): its pixels do not depend on which other
layers the job generates. A layer whose word the prompt does not name stays as predicted, because
the refiner is trained on named objects only.

Shapes: N tokens of all targets, C token width, E text width.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from engine.layout import inner_coordinates
from engine.model.refiner import Refiner
from engine.regions import Region


def refine_layers(
    refiner: Refiner, tokens: Tensor, targets: Sequence[Region], shows: Sequence[int], text: Tensor
) -> Tensor:
    """(N, C) predicted tokens of all targets -> the same with named foregrounds refined.

    Args:
        shows: per target the text token that it shows; 0 = not named. Empty = none is named.
        text: (1, words + 1, E) text tokens of the prompt.
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
