"""Everything that can be wrong with a request, found before anything is computed.

Knows the rules of the layer list, not the model.
"""

from __future__ import annotations

from typing import get_args

import numpy as np

from engine.api import ColourChoice, GenerateRequest
from engine.errors import LayoutError, RequestError
from engine.layout import MAX_FOREGROUNDS, check_box, check_canvas


def check_request(request: GenerateRequest, token_px: int, canvas_multiple: int) -> None:
    """Everything that can be wrong with a request, found before anything is computed.

    Raises:
        LayoutError: canvas or boxes. RequestError: the rest.
    """
    check_canvas(request.canvas, canvas_multiple)
    foregrounds = [layer for layer in request.layers if layer.kind == "foreground"]
    backgrounds = [layer for layer in request.layers if layer.kind == "background"]
    if len(foregrounds) > MAX_FOREGROUNDS:
        raise LayoutError(
            f"This model handles {MAX_FOREGROUNDS} layers, not {len(foregrounds)}.",
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
        check_box(layer.box, token_px, request.canvas)
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
