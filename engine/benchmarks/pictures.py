"""The pictures that the benches make: equal boxes on a canvas, a background, one prompt.

Boxes get smaller where there are many, as in real designs: each row of a table says how large.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from engine.api import Box, GenerateRequest, LayerRequest
from engine.pipeline import LayerPipeline

CANVAS = (512, 512)
PROMPT = "a red balloon, a dog and a castle under a blue sky"
BOX_PX = 160
GRID_PX = 32  # the shipped model's token


def box_side(layers: int, canvas: int = CANVAS[0]) -> int:
    """Pixels: 10, 6 or 3.5 % of the canvas for up to 10, 20 or more layers, on the grid."""
    side = BOX_PX if layers <= 10 else 128 if layers <= 20 else 96
    return max(GRID_PX, round(side * canvas / CANVAS[0] / GRID_PX) * GRID_PX)


def equal_boxes(count: int, side: int | None = None, canvas: tuple[int, int] = CANVAS) -> list[Box]:
    """`count` square boxes of one size, spread over the canvas; they overlap where they must."""
    side = box_side(count, canvas[0]) if side is None else side
    columns = int(np.ceil(np.sqrt(count)))
    rows = int(np.ceil(count / columns))

    def at(i: int, n: int, extent: int) -> int:
        return round(i * (extent - side) / max(1, n - 1) / GRID_PX) * GRID_PX

    corners = [
        (at(i % columns, columns, canvas[0]), at(i // columns, rows, canvas[1]))
        for i in range(count)
    ]
    return [(x, y, x + side, y + side) for x, y in corners]


def picture(
    boxes: Sequence[Box],
    pixels: Mapping[int, np.ndarray] | None = None,
    background: bool = True,
    *,
    canvas: tuple[int, int] = CANVAS,
    prompt: str = PROMPT,
    steps: int | None = None,
) -> GenerateRequest:
    """Background 0 and foregrounds 1.. of which those in `pixels` are finished."""
    pixels = pixels or {}
    entries = [(0, "background", (0, 0, *canvas))] if background else []
    entries += [(i + 1, "foreground", box) for i, box in enumerate(boxes)]
    layers = tuple(
        LayerRequest(layer_id=i, kind=kind, box=box, seed=i, pixels=pixels.get(i))  # type: ignore[arg-type]
        for i, kind, box in entries
    )
    return GenerateRequest(
        job_id=1,
        canvas=canvas,
        prompt=prompt,
        layers=layers,
        steps=steps,
        preview_every=0,
        spare_boxes="repeat",  # every box is painted, so that times are of as many as asked for
    )


def finished_pixels(generator: LayerPipeline, request: GenerateRequest) -> dict[int, np.ndarray]:
    """Make the picture; pixels by layer number, read-only as a document's are."""
    done = {result.layer_id: result.rgba.copy() for result in generator.run(request).results}
    for pixels in done.values():
        pixels.flags.writeable = False
    return done
