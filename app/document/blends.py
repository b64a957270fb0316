"""Blend modes: B(backdrop, source) of W3C Compositing and Blending Level 1.

Shapes: (3, h, w) red, green and blue planes, the same for both; straight colours of 0 to 1,
float32.
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


def _exclusion(backdrop: np.ndarray, source: np.ndarray) -> np.ndarray:
    return backdrop + source - np.float32(2.0) * backdrop * source


# ---- the modes that mix the channels ----

_WEIGHTS = (np.float32(0.3), np.float32(0.59), np.float32(0.11))


def _luminosity_of(colour: np.ndarray) -> np.ndarray:
    red, green, blue = _WEIGHTS
    return red * colour[0] + green * colour[1] + blue * colour[2]


def _saturation_of(colour: np.ndarray) -> np.ndarray:
    return colour.max(axis=0) - colour.min(axis=0)


def _with_luminosity(colour: np.ndarray, luminosity: np.ndarray) -> np.ndarray:
    """The colour moved to this luminosity, then pulled towards grey into 0 to 1."""
    moved = colour + (luminosity - _luminosity_of(colour))
    low, high = moved.min(axis=0), moved.max(axis=0)
    below, above = luminosity - low, high - luminosity
    scale = np.divide(luminosity, below, out=np.ones_like(low), where=(low < 0) & (below > 0))
    moved = luminosity + (moved - luminosity) * scale
    scale = np.divide(
        1.0 - luminosity, above, out=np.ones_like(low), where=(high > 1) & (above > 0)
    )
    return (luminosity + (moved - luminosity) * scale).clip(0.0, 1.0)


def _with_saturation(colour: np.ndarray, saturation: np.ndarray) -> np.ndarray:
    low, span = colour.min(axis=0), _saturation_of(colour)
    scale = np.divide(saturation, span, out=np.zeros_like(span), where=span > 0)
    return (colour - low) * scale


def _hue(backdrop: np.ndarray, source: np.ndarray) -> np.ndarray:
    saturated = _with_saturation(source, _saturation_of(backdrop))
    return _with_luminosity(saturated, _luminosity_of(backdrop))


def _saturation(backdrop: np.ndarray, source: np.ndarray) -> np.ndarray:
    saturated = _with_saturation(backdrop, _saturation_of(source))
    return _with_luminosity(saturated, _luminosity_of(backdrop))


def _color(backdrop: np.ndarray, source: np.ndarray) -> np.ndarray:
    return _with_luminosity(source, _luminosity_of(backdrop))


def _luminosity(backdrop: np.ndarray, source: np.ndarray) -> np.ndarray:
    return _with_luminosity(backdrop, _luminosity_of(source))


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
    "exclusion": _exclusion,
    "hue": _hue,
    "saturation": _saturation,
    "color": _color,
    "luminosity": _luminosity,
}
# Painted, kept and written, but on no menu: layers of other programs have them.
UNLISTED_MODES: tuple[str, ...] = ("exclusion", "hue", "saturation", "color", "luminosity")
BLEND_MODES: tuple[str, ...] = (
    "normal",
    *(mode for mode in BLENDS if mode not in UNLISTED_MODES),
)
