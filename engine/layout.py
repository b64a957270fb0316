"""Layout of anonymous regions: checks of requests, boxes on the token grid, tokens per box.

Arithmetic on boxes without torch: the editor counts tokens, too. A region with `scale` s > 1 is
drawn with tokens that cover s x s grid cells; the shipped model draws backgrounds at scale 2.
Foregrounds may have any number of tokens, around the centre of their box (`foreground_grid`).

Source: ART, arXiv:2502.18364, layer-wise region crop (docs/art.md, 1).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import get_args

import numpy as np

from engine.api import Box, ColourChoice, GenerateRequest, LayerRequest
from engine.errors import LayoutError, RequestError

MERGED, BACKGROUND, FIRST_FOREGROUND = 0, 1, 2  # indices of the layer list, docs/art.md 1.2
MOST_SIDE = 2048  # pixels of a canvas
LEAST_SIDE = 2  # tokens of a foreground's shorter side, where those of the longer side are given
NARROW = 1 / 3  # of the longer side: drawn for boxes that would take fewer tokens than that


@dataclass(frozen=True, slots=True)
class Region:
    """A layer of a request with its place in the layer list and its tokens."""

    request: LayerRequest
    index: int  # in the layer list, the first axis of the rotary positions
    scale: int  # grid cells between the tokens' centres
    size: tuple[int, int]  # (h, w) tokens

    @property
    def count(self) -> int:
        """Tokens."""
        return self.size[0] * self.size[1]


# ---- tokens ----


def token_size(box: Box, token_px: int, scale: int = 1) -> tuple[int, int]:
    """(h, w) tokens of a region; what is no multiple of them is stretched onto whole ones."""
    step = token_px * scale
    return -(-(box[3] - box[1]) // step), -(-(box[2] - box[0]) // step)


def foreground_grid(box: Box, token_px: int, *, side_tokens: int = 0) -> tuple[int, int]:
    """(h, w) tokens of a foreground.

    With `side_tokens` a thing is the same picture at any size: small boxes are drawn larger than
    they are and reduced, large ones enlarged. Then a noun in a look is one thing to remember, not
    one for every number of tokens, which is worth more to a small model than fine tokens are.

    Args:
        side_tokens: of the longer side, whatever the box's size; 0 = one per grid cell.
    """
    if side_tokens:
        width, height = box[2] - box[0], box[3] - box[1]
        step = max(width, height) / side_tokens
        rows, cols = (max(LEAST_SIDE, int(side / step + 0.5)) for side in (height, width))
        return rows, cols
    return token_size(box, token_px)


def drawn_frame(box: Box, size: tuple[int, int]) -> tuple[float, float]:
    """(h, w) in tokens: the middle part of a foreground's tokens that is delivered into its box.

    All of it, but for boxes so narrow that `LEAST_SIDE` tokens are more than they need: there a
    third of the longer side (`NARROW`), for all of them alike.

    Args:
        size: (h, w) tokens, as `foreground_grid` gives them with `side_tokens`.
    """
    step = max(box[3] - box[1], box[2] - box[0]) / max(size)
    rows, cols = (
        max(size) * NARROW if side / step < count - 0.5 else count
        for side, count in zip((box[3] - box[1], box[2] - box[0]), size, strict=True)
    )
    return rows, cols


# ---- checks ----


def check_request(
    request: GenerateRequest,
    canvas_multiple: int,
    max_foregrounds: int,
    most_side: int = MOST_SIDE,
) -> None:
    """Everything that can be wrong with a request, found before anything is computed.

    Args:
        most_side: pixels of a canvas.

    Raises:
        LayoutError: canvas or boxes. RequestError: the rest.
    """
    check_canvas(request.canvas, canvas_multiple, most_side)
    foregrounds = [layer for layer in request.layers if layer.kind == "foreground"]
    backgrounds = [layer for layer in request.layers if layer.kind == "background"]
    if len(foregrounds) > max_foregrounds:
        raise LayoutError(
            f"This model handles {max_foregrounds} layers, not {len(foregrounds)}.",
            "Hide or delete some layers first.",
        )
    if len(backgrounds) > 1 or (backgrounds and request.layers[0].kind != "background"):
        raise RequestError("There can be one background, and it comes first.")
    if not any(layer.is_target for layer in request.layers):
        raise RequestError("There is nothing to generate.", "Draw a box or select a layer.")
    if request.steps is not None and not 1 <= request.steps <= 200:
        raise RequestError(f"Steps must be 1 to 200, not {request.steps}.")
    if request.cfg_scale is not None and not 0 <= request.cfg_scale <= 30:
        raise RequestError(f"Guidance must be 0 to 30, not {request.cfg_scale}.")
    if request.clean_colours not in get_args(ColourChoice):
        raise RequestError(
            f"Clean colours must be {', '.join(get_args(ColourChoice))}, "
            f"not {request.clean_colours!r}."
        )
    for layer in request.layers:
        if layer.kind == "background" and layer.box != (0, 0, *request.canvas):
            raise LayoutError(f"The background's box {layer.box} is not the whole canvas.")
        check_box(layer.box, request.canvas)
        if layer.shows and (layer.kind == "background" or request.reading < 2):
            what = "a background" if layer.kind == "background" else "a record of an older version"
            raise RequestError(f"What {what} shows cannot be set: '{layer.shows}'.")
        if not 0 <= layer.seed < 2**32:
            raise RequestError(f"Seeds are 0 to 4294967295, not {layer.seed}.")
        x0, y0, x1, y1 = layer.box
        shape = (y1 - y0, x1 - x0, 4)
        pixels = layer.pixels
        if pixels is not None and (pixels.shape != shape or pixels.dtype != np.uint8):
            raise RequestError(
                f"Layer {layer.layer_id} has pixels {pixels.shape} {pixels.dtype}; "
                f"its box needs {shape} uint8."
            )


def check_canvas(canvas: tuple[int, int], multiple: int, most_side: int = MOST_SIDE) -> None:
    """Raise LayoutError unless both sides are positive multiples within the limit."""
    if any(side <= 0 or side % multiple or side > most_side for side in canvas):
        raise LayoutError(
            f"The canvas {canvas[0]} x {canvas[1]} is not a multiple of {multiple} pixels "
            f"up to {most_side} each way."
        )


def check_box(box: Box, canvas: tuple[int, int]) -> None:
    """Raise LayoutError for a box that is empty or leaves the canvas."""
    x0, y0, x1, y1 = box
    if not (0 <= x0 < x1 <= canvas[0] and 0 <= y0 < y1 <= canvas[1]):
        raise LayoutError(f"The box {box} is empty or leaves the canvas {canvas}.")


def snap_box(box: tuple[float, float, float, float], step: int, canvas: tuple[int, int]) -> Box:
    """Snap outward to the grid, then clamp to the real canvas (`docs/art.md` 1.3).

    Args:
        box: (x0, y0, x1, y1) pixels, end exclusive.
        step: grid step in pixels.
        canvas: (width, height) pixels, multiples of `step`.

    Raises:
        LayoutError: nothing of the box is left.
    """
    width, height = canvas
    x0, y0 = (max(0, int(v // step) * step) for v in box[:2])
    x1 = min(width, int(-(-box[2] // step)) * step)
    y1 = min(height, int(-(-box[3] // step)) * step)
    if x1 <= x0 or y1 <= y0 or box[2] <= box[0] or box[3] <= box[1]:
        raise LayoutError(f"The box {tuple(box)} is empty after rounding to {step} pixels.")
    return x0, y0, x1, y1


def snapped(request: GenerateRequest, step: int) -> GenerateRequest:
    """The request with its boxes grown to grid lines, and pixels grown with them, transparent."""
    layers = []
    for layer in request.layers:
        box = snap_box(layer.box, step, request.canvas)
        pixels = layer.pixels
        if pixels is not None and box != layer.box:
            left, top, right, bottom = (abs(a - b) for a, b in zip(box, layer.box, strict=True))
            pixels = np.pad(pixels, ((top, bottom), (left, right), (0, 0)))
        layers.append(replace(layer, box=box, pixels=pixels))
    return replace(request, layers=tuple(layers))
