"""How many tokens a box takes. Does not import torch: the editor counts tokens, too."""

from __future__ import annotations

from engine.api import Box

LEAST_SIDE = 2  # tokens of a foreground's shorter side, where the longer one's are given
NARROW = 1 / 3  # of the longer side: what is drawn for boxes that would take fewer tokens than that


def token_size(box: Box, token_px: int, scale: int = 1) -> tuple[int, int]:
    """(h, w) tokens of a region; what is no multiple of them is stretched onto whole ones."""
    step = token_px * scale
    return -(-(box[3] - box[1]) // step), -(-(box[2] - box[0]) // step)


def foreground_grid(
    box: Box, token_px: int, *, most_tokens: int = 0, side_tokens: int = 0
) -> tuple[tuple[int, int], int]:
    """((h, w) tokens of a foreground, grid cells between their centres).

    With `side_tokens` a thing is the same picture at any size: small boxes are drawn larger than
    they are and reduced, large ones enlarged. Then a noun in a look is one thing to remember, not
    one for every number of tokens, which is worth more to a small model than fine tokens are.

    Args:
        most_tokens: as for `coarseness`, where `side_tokens` is 0.
        side_tokens: of the longer side, whatever the box's size; 0 = as many as it covers.
    """
    if side_tokens:
        width, height = box[2] - box[0], box[3] - box[1]
        step = max(width, height) / side_tokens
        rows, cols = (max(LEAST_SIDE, int(side / step + 0.5)) for side in (height, width))
        return (rows, cols), 1
    scale = coarseness(box, token_px, most_tokens)
    return token_size(box, token_px, scale), scale


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


def coarseness(box: Box, token_px: int, most_tokens: int) -> int:
    """The scale of a foreground: the smallest power of two that keeps its sides short.

    What a thing looks like is learned on few tokens long before it is on many, so that large
    things are drawn at a half or a quarter of their size and enlarged.

    Args:
        most_tokens: of a side; 0 = any number, always scale 1.
    """
    scale = 1
    while most_tokens and max(token_size(box, token_px, scale)) > most_tokens:
        scale *= 2
    return scale
