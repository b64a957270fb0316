"""Which neutral colour a thing has: black, white, grey or brown. For evaluation only.

The seven hues are judged by their main hue (`metrics.has_colour`); a neutral colour is what most of
the visible area is painted in, because tyres and outlines are black on a red car too.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

from engine.training.concepts import NEUTRALS

MIN_SHARE = 0.3  # of the visible area


def neutral_shares(rgba: np.ndarray) -> dict[str, float]:
    """Shares of the visible area (alpha over 1/2) of (h, w, 4) uint8 straight.

    Returns:
        0 to 1 for each of `NEUTRALS`, and "other": saturated and not brown. The rest is tints
        between them. All 0 where nothing is visible.
    """
    hsv = np.asarray(Image.fromarray(rgba[..., :3]).convert("HSV"))[rgba[..., 3] > 127]
    if not len(hsv):
        return dict.fromkeys((*NEUTRALS, "other"), 0.0)
    hue = hsv[:, 0].astype(np.float32) * (360 / 256)
    saturation, value = hsv[:, 1:].astype(np.float32).T / 255
    brown = (hue > 5) & (hue < 42) & (saturation > 0.35) & (value > 0.18) & (value < 0.64)
    black = (value < 0.2) | ((value < 0.37) & (saturation < 0.32))
    grey = (saturation < 0.2) & (value >= 0.37) & (value < 0.74)
    white = (saturation < 0.14) & (value >= 0.74)
    parts = {"black": black & ~brown, "white": white, "grey": grey, "brown": brown}
    rest = ~(black | white | grey | brown) & (saturation > 0.4)
    return {name: float(part.mean()) for name, part in {**parts, "other": rest}.items()}


def has_neutral(rgba: np.ndarray, colour: str) -> bool:
    """Whether more of a thing is painted in this neutral colour than in any other one."""
    shares = neutral_shares(rgba)
    return shares[colour] >= MIN_SHARE and shares[colour] == max(shares.values())
