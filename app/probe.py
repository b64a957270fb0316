"""Probes: two short jobs that show how fast this machine is, before the first real one (GE4).

Knows requests and the model's announcement; no thread, no clock, no document.
"""

from __future__ import annotations

from collections.abc import Callable

from app.costs import Load, planning_passes, region_tokens
from engine import GenerateRequest, LayerRequest, ModelInfo

PROBE_STEPS = 2
_CELLS = 2


def probes(info: ModelInfo, next_id: Callable[[], int]) -> list[GenerateRequest]:
    """Two jobs of two steps: a small box alone, and a small picture with a background."""
    width, height = min(info.trained_canvases, key=lambda size: size[0] * size[1])
    side = info.token_px * _CELLS
    small = LayerRequest(layer_id=1, kind="foreground", box=(0, 0, side, side), seed=1)
    large = LayerRequest(layer_id=2, kind="foreground", box=(0, 0, width // 2, height), seed=2)
    ground = LayerRequest(layer_id=0, kind="background", box=(0, 0, width, height), seed=3)
    return [
        GenerateRequest(
            job_id=next_id(),
            canvas=(width, height),
            prompt="",
            layers=layers,
            steps=PROBE_STEPS,
            preview_every=0,
        )
        for layers in ((small,), (ground, _on_grid(large, info.token_px)))
    ]


def probe_load(request: GenerateRequest, info: ModelInfo) -> Load:
    """The load of such a job, counted as `costs.load_of` counts a document's."""
    tokens = pixels = 0
    for layer in request.layers:
        x0, y0, x1, y1 = layer.box
        tokens += region_tokens(
            layer.box,
            is_background=layer.kind == "background",
            grid=info.token_px,
            info=info,
        )
        pixels += (x1 - x0) * (y1 - y0)
    passes = 1 if info.default_cfg_scale == 1 else 2
    return Load(
        tokens * passes,
        tokens,
        request.steps or info.steps_for(is_edit=request.is_edit),
        pixels,
        drawn=tokens * info.token_px**2,
        planning=planning_passes(len(request.layers), info, info.default_cfg_scale),
    )


def _on_grid(layer: LayerRequest, step: int) -> LayerRequest:
    x1, y1 = (max(step, side // step * step) for side in layer.box[2:])
    return LayerRequest(
        layer_id=layer.layer_id, kind=layer.kind, box=(0, 0, x1, y1), seed=layer.seed
    )
