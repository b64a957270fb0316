"""Probes: short jobs that show how fast this machine is, before the first real one.

Knows requests and the model's announcement; no thread, no clock, no document.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

from app.costs import Load, planning_passes, region_tokens
from engine import GenerateRequest, LayerRequest, ModelInfo

PROBE_STEPS = 2
_CELLS = 2
_FEW, _MANY = 3, 6


def probes(info: ModelInfo, next_id: Callable[[], int]) -> list[GenerateRequest]:
    """Jobs of two steps, the quickest first: a small box alone, and two pictures.

    They have a prompt of usual length and make previews, as most jobs do: both take a part of
    each step. These previews are not shown.
    """
    smallest = min(info.trained_canvases, key=lambda size: size[0] * size[1])
    side = info.token_px * _CELLS
    small = LayerRequest(layer_id=1, kind="foreground", box=(0, 0, side, side), seed=1)
    return [
        GenerateRequest(
            job_id=next_id(),
            canvas=canvas,
            prompt=_prompt(info),
            layers=layers,
            steps=PROBE_STEPS,
            preview_every=1,
        )
        for canvas, layers in (
            (smallest, (small,)),
            (smallest, _picture(smallest, _FEW, info.token_px)),
            (info.trained_canvases[0], _picture(info.trained_canvases[0], _MANY, info.token_px)),
        )
    ]


def _picture(canvas: tuple[int, int], count: int, step: int) -> tuple[LayerRequest, ...]:
    """A background, and square boxes in a row."""
    width, height = canvas
    side = max(step, min(width // count, height) // step * step)
    ground = LayerRequest(layer_id=0, kind="background", box=(0, 0, width, height), seed=0)
    things = (
        LayerRequest(
            layer_id=place + 1,
            kind="foreground",
            box=(place * side, 0, (place + 1) * side, side),
            seed=place + 1,
        )
        for place in range(min(count, width // side))
    )
    return (ground, *things)


def _prompt(info: ModelInfo) -> str:
    """A sentence of words that the model knows, with a thing for each box."""
    colours = itertools.cycle(info.colours or ("new",))
    nouns = info.nouns[:_MANY]
    things = ", ".join(f"a {colour} {noun}" for noun, colour in zip(nouns, colours, strict=False))
    return " in ".join(filter(None, (things, *info.backgrounds[:1])))


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
