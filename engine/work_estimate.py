"""Work of a request on a model, counted without running it: tokens, steps, pixels.

The window predicts times and memory from these numbers, before a request exists or a model runs.
torch is not imported.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.api import Box, GenerateRequest, LayerKind, ModelInfo, is_edit
from engine.layout import foreground_grid, snapped, token_size

Region = tuple[LayerKind, Box]


@dataclass(frozen=True, slots=True)
class WorkEstimate:
    """What a request asks of the machine."""

    tokens: int  # that are generated, times the guidance branches of one step
    seen: int  # all tokens, context included
    steps: int  # of sampling
    pixels: int  # of the layers that are generated
    drawn: int = 0  # pixels that the decoder draws, fewer where tokens are coarse; 0 = all of them
    planning: int = 0  # passes of half the network before the first step


def estimate(request: GenerateRequest, info: ModelInfo) -> WorkEstimate:
    """The work of a request."""
    request = snapped(request, info.token_px)
    targets = [(layer.kind, layer.box) for layer in request.layers if layer.is_target]
    context = [(layer.kind, layer.box) for layer in request.layers if not layer.is_target]
    return estimate_regions(
        targets, context, info, steps=request.steps, cfg_scale=request.cfg_scale
    )


def estimate_regions(
    targets: Sequence[Region],
    context: Sequence[Region],
    info: ModelInfo,
    *,
    steps: int | None = None,
    cfg_scale: float | None = None,
) -> WorkEstimate:
    """The work of a request with these regions.

    Args:
        targets, context: kind and box, on the model's grid, of the layers with and without pixels.
        steps, cfg_scale: None = the model's own.
    """
    tokens = sum(region_tokens(kind, box, info) for kind, box in targets)
    seen = tokens + sum(region_tokens(kind, box, info) for kind, box in context)
    edits = is_edit(
        makes_background=any(kind == "background" for kind, _ in targets),
        has_finished_things=any(kind == "foreground" for kind, _ in context),
    )
    scale = info.default_cfg_scale if cfg_scale is None else cfg_scale
    return WorkEstimate(
        tokens * (1 if scale == 1 else 2),
        seen,
        steps or info.steps_for(is_edit=edits),
        sum((x1 - x0) * (y1 - y0) for _, (x0, y0, x1, y1) in targets),
        drawn=tokens * info.token_px**2,
        planning=assignment_passes(len(targets), info, scale),
    )


def region_tokens(kind: LayerKind, box: Box, info: ModelInfo) -> int:
    """Tokens of a region; those of a background cover several grid cells."""
    if kind == "foreground":
        rows, cols = foreground_grid(box, info.token_px, side_tokens=info.side_tokens)
    else:
        scale = max(1, info.canvas_multiple // info.token_px)
        rows, cols = token_size(box, info.token_px, scale)
    return rows * cols


def assignment_passes(targets: int, info: ModelInfo, cfg_scale: float) -> int:
    """Passes in which so many targets are assigned; a single one shares its first step."""
    if targets == 1 and cfg_scale == 1:
        return 0
    return min(targets, info.planning_passes)


def free_memory() -> int:
    """Bytes that programs on this machine could still get, caches of files included."""
    import psutil  # as long to import as a tenth of the start of the window

    return int(psutil.virtual_memory().available)
