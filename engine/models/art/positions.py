"""Positions of tokens, and latents as tokens: the arithmetic between a layout and the transformer.

Source: ART, arXiv:2502.18364, layer-wise region crop and 3-D rotation (docs/art.md, 1 and 3).

Shapes: h w token rows and columns of one region, C latent channels.
"""

from __future__ import annotations

import torch
from torch import Tensor

from engine.api import Box
from engine.layout import Region, token_size

PATCH = 2  # latent cells per token side, as in FLUX


def ids_of(region: Region, token_px: int) -> Tensor:
    """(count, 3) positions of a region's tokens where it lies."""
    return region_ids(region.index, region.request.box, token_px, region.scale, region.size)


def region_ids(
    layer: int, box: Box, token_px: int, scale: int = 1, size: tuple[int, int] | None = None
) -> Tensor:
    """(h*w, 3) float32 ids (layer, row, column), row-major, in grid cells of the whole canvas.

    `scale` cells lie between the centres of the tokens, which surround the centre of the box;
    `size` (h, w) None = those that cover the box.
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
