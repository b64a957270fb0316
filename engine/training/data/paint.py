"""Brushes of the procedural backgrounds: gradients, glows, clouds, skylines.

Every brush paints into a (3, H, W) float32 picture in [0, 255] in place; planar because whole
planes are what every step touches. Places and sizes are in pixels unless said.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache

import numpy as np

from engine.training.data.concepts import data_rows

Rng = np.random.Generator

WHITE = np.array((255, 255, 255), np.float32)


@cache
def palettes(name: str) -> tuple[np.ndarray, ...]:
    """The palettes of a name in `palettes.tsv`, each (K, 3) integers."""
    return tuple(
        np.array([[int(part) for part in colour.split(",")] for colour in row["colours"].split()])
        for row in data_rows("palettes.tsv")
        if row["name"] == name
    )


def mixed(rng: Rng, name: str) -> np.ndarray:
    """A palette between two of a name, slightly tinted as a whole. (K, 3) float32."""
    known = palettes(name)
    first, second = rng.permutation(len(known))[:2]
    share = rng.random()
    mix = known[first] * (1 - share) + known[second] * share
    return (mix + rng.uniform(-7, 7, 3)).astype(np.float32)


def gradient(palette: np.ndarray, height: int, stop: float = 1.0) -> np.ndarray:
    """Colours of `height` rows: the palette spread evenly from the top to `stop`. (3, H)."""
    stops = np.linspace(0, stop, len(palette))
    places = np.linspace(0, 1, max(height, 1))
    return np.stack([np.interp(places, stops, channel) for channel in palette.T]).astype(np.float32)


def rows(picture: np.ndarray, rows: np.ndarray, top: int = 0, stop: int | None = None) -> None:
    picture[:, top:stop] = rows[:, :, None]


def _blend(window: np.ndarray, mask: np.ndarray, colour: np.ndarray) -> None:
    """Move a (3, h, w) view towards `colour` ((3,) or (3, h)) by `mask` (h, w), in place."""
    target = colour[:, :, None] if colour.ndim == 2 else colour[:, None, None]
    window += mask * (target - window)


def glow(
    picture: np.ndarray, x: float, y: float, radius: float, colour: Sequence[float], opacity: float
) -> None:
    """A round light with Gaussian fall-off; `radius` is a share of the canvas' mean side."""
    height, width = picture.shape[1:]
    sigma = radius * math.sqrt(width * height)
    top, stop = max(int(y - 3 * sigma), 0), min(int(y + 3 * sigma), height)
    left, right = max(int(x - 3 * sigma), 0), min(int(x + 3 * sigma), width)
    rows = np.exp(-(((np.arange(top, stop) - y) / sigma) ** 2)).astype(np.float32)
    cols = np.exp(-(((np.arange(left, right) - x) / sigma) ** 2)).astype(np.float32)
    mask = opacity * rows[:, None] * cols
    _blend(picture[:, top:stop, left:right], mask, np.asarray(colour, np.float32))


def dot(
    picture: np.ndarray,
    center: tuple[float, float],
    radius: float,
    colour: Sequence[float],
    opacity: float,
) -> None:
    x, y = center
    height, width = picture.shape[1:]
    reach = 1.6 * radius + 1
    top, stop = max(int(y - reach), 0), min(int(y + reach) + 1, height)
    left, right = max(int(x - reach), 0), min(int(x + reach) + 1, width)
    dy = (np.arange(top, stop, dtype=np.float32) - y)[:, None]
    dx = np.arange(left, right, dtype=np.float32) - x
    mask = opacity * _smooth(1.5 - np.sqrt(dx * dx + dy * dy) / radius)
    _blend(picture[:, top:stop, left:right], mask, np.asarray(colour, np.float32))


def streak(
    picture: np.ndarray,
    center: tuple[float, float],
    span: float,
    thickness: float,
    colour: np.ndarray,
    opacity: float,
) -> None:
    """A horizontal soft lens: a thin cloud or light on water."""
    x, y = center
    height, width = picture.shape[1:]
    top, stop = max(int(y - 2 * thickness), 0), min(int(y + 2 * thickness) + 1, height)
    left, right = max(int(x - span / 2), 0), min(int(x + span / 2) + 1, width)
    if top >= stop or left >= right:
        return
    rows = (np.arange(top, stop, dtype=np.float32) - y)[:, None] / thickness
    cols = (np.arange(left, right, dtype=np.float32) - x) * (2 / span)
    mask = opacity * _smooth(1.4 * (1 - cols * cols - rows * rows / 2))
    _blend(picture[:, top:stop, left:right], mask, colour)


def clouds(picture: np.ndarray, rng: Rng, count: int, low: float, high: float) -> None:
    """A few clouds between rows `low` and `high`, each in a stripe of its own."""
    width = picture.shape[2]
    for stripe in range(count):
        span = (0.2 + 0.22 * rng.random()) * min(width, picture.shape[1])
        center = ((stripe + rng.random()) / count * width, low + rng.random() * (high - low))
        _cloud(picture, rng, center, span, 0.5 + 0.35 * rng.random())


def _cloud(
    picture: np.ndarray, rng: Rng, center: tuple[float, float], span: float, opacity: float
) -> None:
    """A pale flat-bottomed cloud of a few round lumps that melt into each other."""
    x, y = center
    height, width = picture.shape[1:]
    tall = 0.36 * span
    top, stop = max(int(y - tall), 0), min(int(y + 0.14 * span) + 1, height)
    left, right = max(int(x - 0.62 * span), 0), min(int(x + 0.62 * span) + 1, width)
    if top >= stop or left >= right:
        return
    rows = (np.arange(top, stop, dtype=np.float32) - y)[:, None] / span
    cols = (np.arange(left, right, dtype=np.float32) - x) / span
    mask = np.zeros((stop - top, right - left), np.float32)
    crown = 0.16 * (rng.random() - 0.5)
    for place in (-0.36, -0.18, crown, 0.2, 0.37):
        radius = (0.22 - 0.72 * (place - crown) ** 2) * (0.85 + 0.3 * rng.random())
        radius = max(radius, 0.09)
        dx = (cols - place) / radius
        dy = (rows + 0.5 * radius) / radius
        mask = np.maximum(mask, _smooth(8 * (1 - np.sqrt(dx * dx + dy * dy))))
    bar = _smooth(8 * (1 - np.sqrt((cols / 0.5) ** 4 + ((rows + 0.02) / 0.055) ** 4)))
    mask = np.maximum(mask, bar)
    fade = _smooth(0.5 - (rows - 0.03) / 0.02)  # the flat bottom
    shade = 1 - 0.45 * _smooth((rows + 0.18) / 0.2)  # clearer towards the bottom: lighter than air
    _blend(picture[:, top:stop, left:right], opacity * mask * fade * shade, WHITE)


def cloud_bank(
    picture: np.ndarray, rng: Rng, level: float, radius: float, colour: np.ndarray
) -> None:
    """A horizon of round cloud tops across the whole width."""
    width = picture.shape[2]
    places = np.arange(width, dtype=np.float32)
    curve = np.full(width, level, np.float32)
    x = -radius
    while x < width + radius:
        lump = radius * (0.7 + 0.9 * rng.random())
        inside = np.clip(1 - ((places - x) / (1.25 * lump)) ** 2, 0, None)
        curve = np.minimum(curve, level - 0.55 * lump * np.sqrt(inside))
        x += lump * (1.1 + 0.5 * rng.random())
    land(picture, curve, np.minimum(colour + 6, 252), colour * 0.975)


def skyline(rng: Rng, width: int, level: float, swing: float, slope: float = 0.0) -> np.ndarray:
    """A smooth skyline around `level`: two slow waves and a slope. (W,) float32, in rows."""
    t = np.arange(width, dtype=np.float32) / width
    waves = np.sin(math.tau * ((0.5 + 0.6 * rng.random()) * t + rng.random()))
    waves += 0.4 * np.sin(math.tau * ((1.2 + 0.8 * rng.random()) * t + rng.random()))
    tilt = slope * (2 * rng.random() - 1) * (t - 0.5)
    return (level + swing / 1.4 * waves + tilt).astype(np.float32)


def land(
    picture: np.ndarray, curve: np.ndarray, crest: np.ndarray, foot: np.ndarray, soft: float = 1.2
) -> None:
    """Fill below `curve` (W,) with a gradient from `crest` to `foot`; `soft` rows of edge."""
    height = picture.shape[1]
    top = min(max(int(curve.min() - soft) - 1, 0), height)
    if top == height:
        return
    rows = np.arange(top, height, dtype=np.float32)
    share = np.clip((rows - top) / max(height - top, 1), 0, 1)
    colours = crest[:, None] * (1 - share) + foot[:, None] * share  # (3, h)
    full = min(max(int(curve.max() + soft) + 2, top), height)
    edge = slice(top, full)
    mask = np.clip((rows[: full - top, None] - curve) / soft + 0.5, 0, 1)
    _blend(picture[:, edge], mask, colours[:, : full - top].astype(np.float32))
    picture[:, full:] = colours[:, full - top :, None]


def _smooth(t: np.ndarray) -> np.ndarray:
    t = np.clip(t, 0, 1)
    return t * t * (3 - 2 * t)


def panel(
    picture: np.ndarray,
    corners: tuple[float, float, float, float],
    colour: np.ndarray,
    opacity: float = 1.0,
    soft: float = 1.2,
) -> None:
    """An upright rectangle (x0, y0, x1, y1) with `soft` pixels of edge."""
    x0, y0, x1, y1 = corners
    height, width = picture.shape[1:]
    rows = np.arange(height, dtype=np.float32)
    cols = np.arange(width, dtype=np.float32)
    down = np.clip(np.minimum(rows - y0, y1 - rows) / soft + 0.5, 0, 1)
    along = np.clip(np.minimum(cols - x0, x1 - cols) / soft + 0.5, 0, 1)
    top, stop = max(int(y0 - soft) - 1, 0), min(int(y1 + soft) + 2, height)
    left, right = max(int(x0 - soft) - 1, 0), min(int(x1 + soft) + 2, width)
    if top < stop and left < right:
        mask = opacity * down[top:stop, None] * along[left:right]
        _blend(picture[:, top:stop, left:right], mask, np.asarray(colour, np.float32))


def ray(
    picture: np.ndarray, x: float, lean: float, breadth: float, colour: np.ndarray, opacity: float
) -> None:
    """A beam from the upper edge at `x` that widens and fades downwards.

    It leans so many columns a row to the right; `breadth` is half of its width at the top.
    """
    height, width = picture.shape[1:]
    rows = np.arange(height, dtype=np.float32)[:, None]
    cols = np.arange(width, dtype=np.float32)
    share = np.abs(cols - x - lean * rows) / (breadth * (1 + 1.2 * rows / height))
    fade = np.clip(1 - rows / (0.85 * height), 0, 1)
    _blend(picture, opacity * fade * _smooth(1.25 - share), colour)


def treeline(
    rng: Rng, width: int, level: float, tall: float, breadth: float, round_tops: bool
) -> np.ndarray:
    """A skyline of firs, or of round crowns, that stand on `level`. (W,) float32, in rows."""
    places = np.arange(width, dtype=np.float32)
    curve = np.full(width, level, np.float32)
    x = -breadth
    while x < width + breadth:
        height, half = tall * (0.65 + 0.5 * rng.random()), breadth * (0.75 + 0.5 * rng.random())
        away = np.abs(places - x) / half
        shape = np.sqrt(np.clip(1 - away * away, 0, 1)) if round_tops else np.clip(1 - away, 0, 1)
        curve = np.minimum(curve, level - height * shape)
        x += half * (0.75 + 0.45 * rng.random())
    return curve


def roofline(rng: Rng, width: int, level: float, tall: float, breadth: float) -> np.ndarray:
    """A skyline of flat roofs above `level`. (W,) float32, in rows."""
    curve = np.full(width, level, np.float32)
    x = -breadth * rng.random()
    while x < width:
        span = breadth * (0.6 + 0.7 * rng.random())
        height = tall * (0.35 + 0.65 * rng.random() ** 1.3)
        curve[max(int(x), 0) : max(int(x + span), 0)] = level - height
        if rng.random() < 0.35:  # a narrower upper storey
            inner = slice(max(int(x + 0.25 * span), 0), max(int(x + 0.75 * span), 0))
            curve[inner] = level - height * 1.14
        x += span
    return curve
