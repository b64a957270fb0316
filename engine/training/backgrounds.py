"""Backgrounds: six named kinds of scenery, drawn anew each time from a random generator.

Large soft shapes in the palettes of modern illustration, because a small model learns them at a
quarter of the pixels; nothing that looks like a noun of the vocabulary (no sharp sun, moon or
tree). Numpy only; knows neither scenes nor prompts.

Shapes: H W canvas height and width. Pictures are painted as (3, H, W) float32 in [0, 255], planar
because whole planes are what every step touches. Colours are sRGB triples.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

Rng = np.random.Generator
Palette = Sequence[tuple[int, int, int]]

# Top of the sky to the horizon. Two palettes of a kind are mixed for every picture.
BLUE_SKY: tuple[Palette, ...] = (
    ((64, 142, 236), (124, 188, 248), (206, 233, 253)),
    ((92, 172, 246), (152, 209, 252), (226, 243, 254)),
    ((48, 122, 220), (104, 176, 244), (190, 228, 250)),
    ((88, 186, 236), (150, 220, 246), (232, 249, 252)),
)
SUNSET: tuple[Palette, ...] = (
    ((66, 52, 128), (150, 74, 150), (240, 112, 122), (255, 166, 104), (255, 220, 150)),
    ((96, 84, 168), (186, 112, 178), (250, 146, 146), (255, 190, 140), (255, 232, 184)),
    ((44, 72, 132), (120, 106, 162), (232, 134, 124), (252, 178, 96), (254, 226, 142)),
    ((120, 58, 126), (204, 76, 118), (248, 116, 92), (255, 164, 84), (255, 212, 128)),
)
NIGHT: tuple[Palette, ...] = (
    ((12, 16, 52), (34, 42, 104), (84, 84, 164)),
    ((16, 20, 44), (28, 56, 104), (66, 112, 156)),
    ((26, 16, 58), (62, 38, 112), (126, 82, 160)),
)
DAY: tuple[Palette, ...] = (
    ((112, 190, 242), (176, 222, 248), (238, 246, 240)),
    ((134, 206, 236), (196, 232, 240), (252, 244, 220)),
    ((100, 176, 238), (168, 212, 248), (226, 240, 250)),
)
# Farthest hill to nearest.
HILLS: tuple[Palette, ...] = (
    ((156, 208, 176), (122, 194, 128), (92, 174, 88), (66, 148, 70)),
    ((176, 216, 150), (150, 204, 108), (118, 186, 76), (86, 160, 62)),
    ((150, 204, 190), (112, 186, 144), (78, 164, 106), (48, 136, 84)),
)
BEACH_SKY: tuple[Palette, ...] = (
    ((92, 186, 238), (160, 218, 246), (236, 248, 248)),
    ((122, 200, 236), (182, 226, 240), (254, 242, 220)),
    ((74, 168, 234), (140, 206, 246), (220, 242, 252)),
)
SEA: tuple[Palette, ...] = (  # horizon, middle, shore
    ((32, 128, 190), (54, 172, 206), (140, 222, 220)),
    ((24, 146, 178), (70, 192, 200), (162, 232, 216)),
    ((44, 112, 190), (72, 164, 216), (150, 214, 230)),
)
SAND: tuple[Palette, ...] = (  # wet, dry, near
    ((226, 190, 136), (248, 222, 170), (238, 202, 146)),
    ((220, 184, 142), (252, 230, 190), (240, 210, 164)),
    ((230, 186, 122), (252, 216, 152), (236, 192, 124)),
)
WINTER_SKY: tuple[Palette, ...] = (
    ((142, 190, 230), (188, 216, 240), (236, 242, 250)),
    ((166, 186, 226), (206, 212, 238), (250, 236, 238)),
    ((124, 180, 220), (178, 214, 236), (230, 244, 250)),
)
SNOW: tuple[Palette, ...] = (  # farthest drift to nearest
    ((198, 217, 240), (221, 233, 247), (238, 245, 252), (250, 253, 255)),
    ((206, 214, 240), (226, 232, 248), (241, 244, 253), (252, 253, 255)),
)


WHITE = np.array((255, 255, 255), np.float32)


def draw_background(name: str, size: tuple[int, int], rng: Rng) -> np.ndarray:
    """Draw one background.

    Args:
        name: a name of `concepts.BACKGROUNDS`.
        size: (width, height) in pixels.

    Returns:
        (H, W, 3) uint8, sRGB.

    Raises:
        KeyError: no such background.
    """
    width, height = size
    picture = np.zeros((3, height, width), np.float32)
    PAINTERS[name](picture, rng)
    np.clip(picture, 0, 255, out=picture)
    # Adding a half rounds, since the conversion truncates.
    return np.ascontiguousarray((picture + 0.5).astype(np.uint8).transpose(1, 2, 0))


def _blue_sky(picture: np.ndarray, rng: Rng) -> None:
    height, width = picture.shape[1:]
    sky = _mixed(rng, BLUE_SKY)
    _paint_rows(picture, _rows(sky, height))
    _glow(picture, rng.random() * width, 0.1 * rng.random() * height, 0.5, (255, 253, 244), 0.45)
    _clouds(picture, rng, int(rng.integers(2, 5)), 0.12 * height, 0.62 * height)
    base = 0.80 + 0.1 * rng.random()
    for depth in range(2):
        # A bank of clouds far below, so that the picture has a ground of its own.
        tone = sky[2] + (WHITE - sky[2]) * (0.45 + 0.4 * depth)
        level = (base + 0.08 * depth) * height
        _cloud_bank(picture, rng, level, 0.08 * height, tone)


def _sunset(picture: np.ndarray, rng: Rng) -> None:
    height, width = picture.shape[1:]
    sky = _mixed(rng, SUNSET)
    horizon = (0.56 + 0.16 * rng.random()) * height
    _paint_rows(picture, _rows(sky, height, stop=horizon / height))
    sun = ((0.2 + 0.6 * rng.random()) * width, horizon - 0.03 * height)
    for _ in range(int(rng.integers(2, 5))):
        middle = (0.1 + 0.5 * rng.random()) * horizon
        tone = sky[2 if rng.random() < 0.6 else 3]
        span = (0.35 + 0.5 * rng.random()) * width
        _streak(picture, (rng.random() * width, middle), span, 0.022 * height, tone, 0.5)
    _glow(picture, *sun, 0.34, (255, 214, 140), 0.55)
    _glow(picture, *sun, 0.11, (255, 246, 214), 0.85)
    if rng.random() < 0.5:
        water = np.stack([sky[3] * 0.86, sky[2] * 0.8, sky[1] * 0.74, sky[0] * 0.8])
        _paint_rows(picture, _rows(water, height - round(horizon)), top=round(horizon))
        for step in range(5):
            # The path of light on the water: streaks that widen towards the eye.
            level = horizon + (0.015 + 0.055 * step + 0.01 * rng.random()) * height
            span = (0.16 + 0.055 * step + 0.05 * rng.random()) * width
            center = (sun[0] + 0.03 * (rng.random() - 0.5) * width, level)
            _streak(picture, center, span, 0.012 * height, sky[4], 0.65 - 0.09 * step)
    else:
        for depth, share in enumerate((0.62, 0.36, 0.16)):
            tone = sky[0] * (1 - share) * 0.72 + sky[2] * share * 0.9
            level = horizon + (0.015 + 0.12 * depth) * height
            curve = _curve(rng, width, level, (0.05 - 0.01 * depth) * height)
            _land(picture, curve, tone * 1.08, tone * 0.82)


def _night_sky(picture: np.ndarray, rng: Rng) -> None:
    height, width = picture.shape[1:]
    sky = _mixed(rng, NIGHT)
    horizon = (0.68 + 0.1 * rng.random()) * height
    _paint_rows(picture, _rows(sky, height, stop=horizon / height))
    for _ in range(2):
        center = (rng.random() * width, (0.15 + 0.4 * rng.random()) * height)
        _glow(picture, *center, 0.3, tuple(sky[2] * 1.15), 0.4)
    unit = math.sqrt(width * height) / 512
    for _ in range(int(rng.integers(28, 46))):
        radius = (2.4 + 2.2 * rng.random() ** 3) * unit
        center = (rng.random() * width, rng.random() ** 1.2 * horizon * 0.97)
        _dot(picture, center, radius, (255, 250, 228), 0.55 + 0.45 * rng.random())
    for depth, share in enumerate((0.62, 0.36, 0.14)):
        tone = sky[1] * share + sky[0] * (1 - share) * 0.8
        level = horizon + 0.085 * depth * height
        curve = _curve(rng, width, level, (0.06 - 0.012 * depth) * height)
        _land(picture, curve, tone * 1.12, tone * 0.86)


def _green_hills(picture: np.ndarray, rng: Rng) -> None:
    height, width = picture.shape[1:]
    sky = _mixed(rng, DAY)
    hills = _mixed(rng, HILLS)
    horizon = (0.55 + 0.12 * rng.random()) * height
    _paint_rows(picture, _rows(sky, height, stop=horizon / height))
    _glow(picture, rng.random() * width, 0.35 * horizon, 0.36, (255, 252, 240), 0.5)
    _clouds(picture, rng, int(rng.integers(1, 4)), 0.15 * horizon, 0.55 * horizon)
    levels = np.cumsum([0, 0.055, 0.085, 0.12]) + 0.02 * rng.random(4)
    for depth in range(4):
        swing = (0.075 - 0.012 * depth) * height
        curve = _curve(rng, width, horizon + levels[depth] * height, swing)
        _land(picture, curve, hills[depth] * 1.06 + 8, hills[depth] * 0.9)


def _beach(picture: np.ndarray, rng: Rng) -> None:
    height, width = picture.shape[1:]
    sky, sea, sand = _mixed(rng, BEACH_SKY), _mixed(rng, SEA), _mixed(rng, SAND)
    horizon = round((0.5 + 0.1 * rng.random()) * height)
    _paint_rows(picture, _rows(sky, horizon), stop=horizon)
    _glow(picture, rng.random() * width, 0.4 * horizon, 0.34, (255, 252, 238), 0.45)
    _clouds(picture, rng, int(rng.integers(1, 4)), 0.25 * horizon, 0.75 * horizon)
    shore = horizon + (0.13 + 0.08 * rng.random()) * height
    _paint_rows(picture, _rows(sea, height - horizon, stop=0.5), top=horizon)
    for _ in range(int(rng.integers(2, 5))):
        level = horizon + (0.15 + 0.6 * rng.random()) * (shore - horizon)
        span = (0.15 + 0.3 * rng.random()) * width
        center = (rng.random() * width, level)
        _streak(picture, center, span, 0.006 * height, WHITE, 0.35)
    curve = _curve(rng, width, shore, 0.03 * height, slope=0.12 * height)
    lip = _curve(rng, width, 0.0, 0.006 * height)
    foam = curve - (0.02 + 0.012 * rng.random()) * height
    _land(picture, foam + lip, WHITE * 0.98, WHITE)
    _land(picture, curve, sand[0], sand[0])
    wet = curve + (0.03 + 0.015 * rng.random()) * height + lip
    _land(picture, wet, sand[1], sand[2], soft=0.012 * height)


def _snow(picture: np.ndarray, rng: Rng) -> None:
    height, width = picture.shape[1:]
    sky, drifts = _mixed(rng, WINTER_SKY), _mixed(rng, SNOW)
    horizon = (0.55 + 0.12 * rng.random()) * height
    _paint_rows(picture, _rows(sky, height, stop=horizon / height))
    _glow(picture, rng.random() * width, 0.6 * horizon, 0.34, (255, 250, 244), 0.55)
    if rng.random() < 0.6:
        far = (sky[0] + drifts[0]) / 2
        curve = _curve(rng, width, horizon - 0.04 * height, 0.09 * height)
        _land(picture, curve, far * 1.02, drifts[0])
    levels = np.cumsum([0.01, 0.07, 0.09, 0.12]) + 0.02 * rng.random(4)
    for depth in range(4):
        swing = (0.05 - 0.008 * depth) * height
        curve = _curve(rng, width, horizon + levels[depth] * height, swing)
        _land(picture, curve, drifts[depth] + 5, drifts[max(depth - 1, 0)])
    if rng.random() < 0.6:
        unit = math.sqrt(width * height) / 512
        for _ in range(int(rng.integers(16, 30))):
            center = (rng.random() * width, rng.random() * height)
            _dot(picture, center, (3.5 + 3 * rng.random()) * unit, (255, 255, 255), 0.85)


PAINTERS: dict[str, Callable[[np.ndarray, Rng], None]] = {
    "blue sky": _blue_sky,
    "sunset": _sunset,
    "night sky": _night_sky,
    "green hills": _green_hills,
    "beach": _beach,
    "snow": _snow,
}


def _mixed(rng: Rng, palettes: Sequence[Palette]) -> np.ndarray:
    """A palette between two of `palettes`, slightly tinted as a whole. (K, 3) float32."""
    first, second = rng.permutation(len(palettes))[:2]
    share = rng.random()
    mix = np.array(palettes[first]) * (1 - share) + np.array(palettes[second]) * share
    return (mix + rng.uniform(-7, 7, 3)).astype(np.float32)


def _rows(palette: np.ndarray, height: int, stop: float = 1.0) -> np.ndarray:
    """Colours of `height` rows: the palette spread evenly from the top to `stop`. (3, H)."""
    stops = np.linspace(0, stop, len(palette))
    places = np.linspace(0, 1, max(height, 1))
    return np.stack([np.interp(places, stops, channel) for channel in palette.T]).astype(np.float32)


def _paint_rows(
    picture: np.ndarray, rows: np.ndarray, top: int = 0, stop: int | None = None
) -> None:
    picture[:, top:stop] = rows[:, :, None]


def _blend(window: np.ndarray, mask: np.ndarray, colour: np.ndarray) -> None:
    """Move a (3, h, w) view towards `colour` ((3,) or (3, h)) by `mask` (h, w), in place."""
    target = colour[:, :, None] if colour.ndim == 2 else colour[:, None, None]
    window += mask * (target - window)


def _glow(
    picture: np.ndarray,
    x: float,
    y: float,
    radius: float,
    colour: Sequence[float],
    opacity: float,
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


def _dot(
    picture: np.ndarray,
    center: tuple[float, float],
    radius: float,
    colour: Sequence[float],
    opacity: float,
) -> None:
    """A small disc with a soft edge."""
    x, y = center
    height, width = picture.shape[1:]
    reach = 1.6 * radius + 1
    top, stop = max(int(y - reach), 0), min(int(y + reach) + 1, height)
    left, right = max(int(x - reach), 0), min(int(x + reach) + 1, width)
    dy = (np.arange(top, stop, dtype=np.float32) - y)[:, None]
    dx = np.arange(left, right, dtype=np.float32) - x
    mask = opacity * _smooth(1.5 - np.sqrt(dx * dx + dy * dy) / radius)
    _blend(picture[:, top:stop, left:right], mask, np.asarray(colour, np.float32))


def _streak(
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


def _clouds(picture: np.ndarray, rng: Rng, count: int, low: float, high: float) -> None:
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


def _cloud_bank(
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
    _land(picture, curve, np.minimum(colour + 6, 252), colour * 0.975)


def _curve(rng: Rng, width: int, level: float, swing: float, slope: float = 0.0) -> np.ndarray:
    """A smooth skyline around `level`: two slow waves and a slope. (W,) float32, in rows."""
    t = np.arange(width, dtype=np.float32) / width
    waves = np.sin(math.tau * ((0.5 + 0.6 * rng.random()) * t + rng.random()))
    waves += 0.4 * np.sin(math.tau * ((1.2 + 0.8 * rng.random()) * t + rng.random()))
    tilt = slope * (2 * rng.random() - 1) * (t - 0.5)
    return (level + swing / 1.4 * waves + tilt).astype(np.float32)


def _land(
    picture: np.ndarray,
    curve: np.ndarray,
    crest: np.ndarray,
    foot: np.ndarray,
    soft: float = 1.2,
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
    """Smoothstep of `t` clipped to [0, 1]."""
    t = np.clip(t, 0, 1)
    return t * t * (3 - 2 * t)
