"""Layout of anonymous regions on the token grid: snap, check, position ids, pack and unpack.

Pure arithmetic on boxes and ids: no model, no device choice, no randomness.
Source: ART, arXiv:2502.18364, layer-wise region crop and 3-D rotation (`docs/art.md` 1 and 3).

A region with `scale` s > 1 is drawn with tokens that cover s x s grid cells (the shipped model
draws the two full-canvas entries at scale 2); its ids are the centres of those tokens in cells.
Foregrounds may have as many tokens as the model likes, around the centre of their box
(`grid.foreground_grid`).

Shapes: h w token rows and columns of one region, N tokens of all regions, C latent channels.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from engine.api import Box
from engine.errors import LayoutError
from engine.grid import token_size

PATCH = 2  # latent cells per token side, as in FLUX
MERGED, BACKGROUND, FIRST_FOREGROUND = 0, 1, 2  # indices of the layer list, docs/art.md 1.2
MAX_FOREGROUNDS = 50


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


def check_canvas(canvas: tuple[int, int], multiple: int, limit: int = 2048) -> None:
    """Raise LayoutError unless both sides are positive multiples within the limit."""
    if any(side <= 0 or side % multiple or side > limit for side in canvas):
        raise LayoutError(
            f"The canvas {canvas[0]} x {canvas[1]} is not a multiple of {multiple} pixels "
            f"up to {limit} each way."
        )


def check_box(box: Box, step: int, canvas: tuple[int, int]) -> None:
    """Raise LayoutError unless the box is not empty, on the grid and inside the canvas."""
    x0, y0, x1, y1 = box
    if not (0 <= x0 < x1 <= canvas[0] and 0 <= y0 < y1 <= canvas[1]):
        raise LayoutError(f"The box {box} is empty or leaves the canvas {canvas}.")
    if any(side % step for side in box):
        raise LayoutError(f"The box {box} is not on the grid of {step} pixels.")


def region_ids(
    layer: int, box: Box, token_px: int, scale: int = 1, size: tuple[int, int] | None = None
) -> Tensor:
    """(h*w, 3) float32 ids (layer, row, column), row-major, in grid cells of the whole canvas.

    Args:
        scale: grid cells between the tokens' centres, which lie around the centre of the box.
        size: (h, w) tokens; None = those that cover the box.
    """
    h, w = size or token_size(box, token_px, scale)
    x, y = (box[0] + box[2]) / 2 / token_px, (box[1] + box[3]) / 2 / token_px
    rows = (torch.arange(h, dtype=torch.float32) - (h - 1) / 2) * scale + y - 0.5
    cols = (torch.arange(w, dtype=torch.float32) - (w - 1) / 2) * scale + x - 0.5
    ids = torch.empty(h, w, 3)
    ids[..., 0] = layer
    ids[..., 1] = rows[:, None]
    ids[..., 2] = cols[None, :]
    return ids.reshape(-1, 3)


def inner_coordinates(h: int, w: int) -> Tensor:
    """(h*w, 4) where a token sits in its own region: centre u, v in (0, 1), then w, h in tokens.

    Independent of where the region lies on the canvas, so that the exact cache survives moves.
    """
    v = (torch.arange(h, dtype=torch.float32) + 0.5) / h
    u = (torch.arange(w, dtype=torch.float32) + 0.5) / w
    grid = torch.empty(h, w, 4)
    grid[..., 0] = u[None, :]
    grid[..., 1] = v[:, None]
    grid[..., 2] = w
    grid[..., 3] = h
    return grid.reshape(-1, 4)


def place_on_canvas(box: Box, canvas: tuple[int, int]) -> Tensor:
    """(4,) centre x, centre y, width, height of a region as shares of the canvas."""
    x0, y0, x1, y1 = box
    width, height = canvas
    return torch.tensor(
        [(x0 + x1) / 2 / width, (y0 + y1) / 2 / height, (x1 - x0) / width, (y1 - y0) / height]
    )


def patchify(latents: Tensor) -> Tensor:
    """(..., C, 2h, 2w) latents -> (..., h*w, 4C) tokens; channel slowest (`docs/art.md` 2.2)."""
    *lead, c, rows, cols = latents.shape
    h, w = rows // PATCH, cols // PATCH
    x = latents.reshape(*lead, c, h, PATCH, w, PATCH)
    x = x.movedim((-5, -3, -1), (-3, -2, -1))  # (..., h, w, C, 2, 2)
    return x.reshape(*lead, h * w, c * PATCH * PATCH)


def unpatchify(tokens: Tensor, h: int, w: int) -> Tensor:
    """(..., h*w, 4C) tokens -> (..., C, 2h, 2w) latents; the exact inverse of `patchify`."""
    *lead, _, width = tokens.shape
    c = width // (PATCH * PATCH)
    x = tokens.reshape(*lead, h, w, c, PATCH, PATCH)
    x = x.movedim((-3, -2, -1), (-5, -3, -1))  # (..., C, h, 2, w, 2)
    return x.reshape(*lead, c, h * PATCH, w * PATCH)


def split_tokens(tokens: Tensor, counts: Sequence[int]) -> list[Tensor]:
    """Cut a packed (N, D) sequence into its regions."""
    return list(tokens.split(list(counts), dim=0))
