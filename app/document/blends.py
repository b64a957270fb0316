"""Blend modes: B(backdrop, source) of W3C Compositing and Blending Level 1, separable ones.

Shapes: any, the same for both; straight colours of 0 to 1, float32.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Blend = Callable[[np.ndarray, np.ndarray], np.ndarray]


def _hard_light(backdrop: np.ndarray, source: np.ndarray) -> np.ndarray:
    doubled = 2.0 * source
    screened = doubled - 1.0
    return np.where(source <= 0.5, backdrop * doubled, backdrop + screened - backdrop * screened)


def _overlay(backdrop: np.ndarray, source: np.ndarray) -> np.ndarray:
    return _hard_light(source, backdrop)


def _color_dodge(backdrop: np.ndarray, source: np.ndarray) -> np.ndarray:
    quotient = np.divide(backdrop, 1.0 - source, out=np.ones_like(backdrop), where=source < 1.0)
    return np.where(backdrop <= 0.0, np.float32(0.0), np.minimum(quotient, 1.0))


def _color_burn(backdrop: np.ndarray, source: np.ndarray) -> np.ndarray:
    quotient = np.divide(1.0 - backdrop, source, out=np.ones_like(backdrop), where=source > 0.0)
    return np.where(backdrop >= 1.0, np.float32(1.0), 1.0 - np.minimum(quotient, 1.0))


def _soft_light(backdrop: np.ndarray, source: np.ndarray) -> np.ndarray:
    cubic = ((16.0 * backdrop - 12.0) * backdrop + 4.0) * backdrop
    lifted = np.where(backdrop <= 0.25, cubic, np.sqrt(backdrop))
    doubled = 2.0 * source - 1.0
    darker = backdrop + doubled * backdrop * (1.0 - backdrop)
    return np.where(source <= 0.5, darker, backdrop + doubled * (lifted - backdrop))


def _screen(backdrop: np.ndarray, source: np.ndarray) -> np.ndarray:
    return backdrop + source - backdrop * source


def _difference(backdrop: np.ndarray, source: np.ndarray) -> np.ndarray:
    return np.abs(backdrop - source)


def _add(backdrop: np.ndarray, source: np.ndarray) -> np.ndarray:
    return np.minimum(backdrop + source, 1.0)


# B(backdrop, source) on straight colours of 0 to 1. "normal" and every name that is not here
# paint the source as it is.
BLENDS: dict[str, Blend] = {
    "multiply": np.multiply,
    "screen": _screen,
    "overlay": _overlay,
    "darken": np.minimum,
    "lighten": np.maximum,
    "color-dodge": _color_dodge,
    "color-burn": _color_burn,
    "hard-light": _hard_light,
    "soft-light": _soft_light,
    "difference": _difference,
    "add": _add,
}
BLEND_MODES: tuple[str, ...] = ("normal", *BLENDS)
