"""How many tokens a box takes. Does not import torch: the editor counts tokens, too."""

from __future__ import annotations

from engine.api import Box


def token_size(box: Box, token_px: int, scale: int = 1) -> tuple[int, int]:
    """(h, w) tokens of a region; what is no multiple of them is stretched onto whole ones."""
    step = token_px * scale
    return -(-(box[3] - box[1]) // step), -(-(box[2] - box[0]) // step)


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
