"""What layers look like in the words of CSS, for web pages and SVG."""

from __future__ import annotations

# CSS has another name for Add than we have.
_NAMES = {"add": "plus-lighter"}
_MODES = frozenset(
    "multiply screen overlay darken lighten color-dodge color-burn hard-light soft-light "
    "difference add exclusion hue saturation color luminosity".split()
)


def mix_blend_mode(blend: str) -> str:
    """The value of `mix-blend-mode`; "" for normal and for modes of other programs."""
    return _NAMES.get(blend, blend) if blend in _MODES else ""


def short_number(value: float, places: int) -> str:
    """A number with at most so many decimal places."""
    return f"{value:.{places}f}".rstrip("0").rstrip(".")
