"""How many tokens a box takes. Does not import torch: the editor counts tokens, too."""

from __future__ import annotations

from engine.api import Box

LEAST_SIDE = 2  # tokens of a foreground's shorter side, where the longer one's are given
NARROW = 1 / 3  # of the longer side: what is drawn for boxes that would take fewer tokens than that


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
