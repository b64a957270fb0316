"""Trimming: the part of a picture that is not transparent, by which layers are recognised again.

Other programs pad layers to the canvas or cut them; what is visible stays the same.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from app.document.pixels import Pixels


@dataclass(frozen=True, slots=True)
class Trimmed:
    """The visible part and where it stands inside the picture, in its pixels."""

    x: int
    y: int
    image: Pixels


def trimmed(pixels: np.ndarray) -> Trimmed | None:
    """Cut (h, w, 4) uint8 to alpha above 0; None when there is none."""
    alpha = pixels[..., 3]
    rows = np.flatnonzero(alpha.any(axis=1))
    if rows.size == 0:
        return None
    columns = np.flatnonzero(alpha.any(axis=0))
    top, bottom = int(rows[0]), int(rows[-1]) + 1
    left, right = int(columns[0]), int(columns[-1]) + 1
    return Trimmed(left, top, Pixels.of(pixels[top:bottom, left:right]))
