"""Backgrounds: named kinds of scenery, drawn anew each time from a random generator.

Large soft shapes in the palettes of modern illustration, because a small model learns them at a
quarter of the pixels; no sun, moon or tree, which are nouns of the vocabulary, and clouds only
pale and see-through. The first six are here, those of later stages in `places` and
`later_places`. Numpy only; knows
neither scenes nor prompts.

Shapes: H W canvas height and width. Pictures are painted as (3, H, W) float32 in [0, 255], planar
because whole planes are what every step touches. Colours are sRGB triples.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from engine.training.later_places import LATER_PAINTERS
from engine.training.paint import (
    WHITE,
    Palette,
    Rng,
    mix_palettes,
    paint_cloud_bank,
    paint_clouds,
    paint_dot,
    paint_glow,
    paint_land,
    paint_rows,
    paint_streak,
    palette_rows,
    skyline,
)
from engine.training.places import (
    paint_city,
    paint_desert,
    paint_forest,
    paint_room,
    paint_space,
    paint_underwater,
)

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


def draw_background(name: str, size: tuple[int, int], rng: Rng) -> np.ndarray:
    """Draw one background.

    Args:
        name: of a background of any stage.
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
    sky = mix_palettes(rng, BLUE_SKY)
    paint_rows(picture, palette_rows(sky, height))
    paint_glow(
        picture, rng.random() * width, 0.1 * rng.random() * height, 0.5, (255, 253, 244), 0.45
    )
    paint_clouds(picture, rng, int(rng.integers(2, 5)), 0.12 * height, 0.62 * height)
    base = 0.80 + 0.1 * rng.random()
    for depth in range(2):
        # A bank of clouds far below, so that the picture has a ground of its own.
        tone = sky[2] + (WHITE - sky[2]) * (0.45 + 0.4 * depth)
        level = (base + 0.08 * depth) * height
        paint_cloud_bank(picture, rng, level, 0.08 * height, tone)


def _sunset(picture: np.ndarray, rng: Rng) -> None:
    height, width = picture.shape[1:]
    sky = mix_palettes(rng, SUNSET)
    horizon = (0.56 + 0.16 * rng.random()) * height
    paint_rows(picture, palette_rows(sky, height, stop=horizon / height))
    sun = ((0.2 + 0.6 * rng.random()) * width, horizon - 0.03 * height)
    for _ in range(int(rng.integers(2, 5))):
        middle = (0.1 + 0.5 * rng.random()) * horizon
        tone = sky[2 if rng.random() < 0.6 else 3]
        span = (0.35 + 0.5 * rng.random()) * width
        paint_streak(picture, (rng.random() * width, middle), span, 0.022 * height, tone, 0.5)
    paint_glow(picture, *sun, 0.34, (255, 214, 140), 0.55)
    paint_glow(picture, *sun, 0.11, (255, 246, 214), 0.85)
    if rng.random() < 0.5:
        water = np.stack([sky[3] * 0.86, sky[2] * 0.8, sky[1] * 0.74, sky[0] * 0.8])
        paint_rows(picture, palette_rows(water, height - round(horizon)), top=round(horizon))
        for step in range(5):
            # The path of light on the water: streaks that widen towards the eye.
            level = horizon + (0.015 + 0.055 * step + 0.01 * rng.random()) * height
            span = (0.16 + 0.055 * step + 0.05 * rng.random()) * width
            center = (sun[0] + 0.03 * (rng.random() - 0.5) * width, level)
            paint_streak(picture, center, span, 0.012 * height, sky[4], 0.65 - 0.09 * step)
    else:
        for depth, share in enumerate((0.62, 0.36, 0.16)):
            tone = sky[0] * (1 - share) * 0.72 + sky[2] * share * 0.9
            level = horizon + (0.015 + 0.12 * depth) * height
            curve = skyline(rng, width, level, (0.05 - 0.01 * depth) * height)
            paint_land(picture, curve, tone * 1.08, tone * 0.82)


def _night_sky(picture: np.ndarray, rng: Rng) -> None:
    height, width = picture.shape[1:]
    sky = mix_palettes(rng, NIGHT)
    horizon = (0.68 + 0.1 * rng.random()) * height
    paint_rows(picture, palette_rows(sky, height, stop=horizon / height))
    for _ in range(2):
        center = (rng.random() * width, (0.15 + 0.4 * rng.random()) * height)
        paint_glow(picture, *center, 0.3, tuple(sky[2] * 1.15), 0.4)
    unit = math.sqrt(width * height) / 512
    for _ in range(int(rng.integers(28, 46))):
        radius = (2.4 + 2.2 * rng.random() ** 3) * unit
        center = (rng.random() * width, rng.random() ** 1.2 * horizon * 0.97)
        paint_dot(picture, center, radius, (255, 250, 228), 0.55 + 0.45 * rng.random())
    for depth, share in enumerate((0.62, 0.36, 0.14)):
        tone = sky[1] * share + sky[0] * (1 - share) * 0.8
        level = horizon + 0.085 * depth * height
        curve = skyline(rng, width, level, (0.06 - 0.012 * depth) * height)
        paint_land(picture, curve, tone * 1.12, tone * 0.86)


def _green_hills(picture: np.ndarray, rng: Rng) -> None:
    height, width = picture.shape[1:]
    sky = mix_palettes(rng, DAY)
    hills = mix_palettes(rng, HILLS)
    horizon = (0.55 + 0.12 * rng.random()) * height
    paint_rows(picture, palette_rows(sky, height, stop=horizon / height))
    paint_glow(picture, rng.random() * width, 0.35 * horizon, 0.36, (255, 252, 240), 0.5)
    paint_clouds(picture, rng, int(rng.integers(1, 4)), 0.15 * horizon, 0.55 * horizon)
    levels = np.cumsum([0, 0.055, 0.085, 0.12]) + 0.02 * rng.random(4)
    for depth in range(4):
        swing = (0.075 - 0.012 * depth) * height
        curve = skyline(rng, width, horizon + levels[depth] * height, swing)
        paint_land(picture, curve, hills[depth] * 1.06 + 8, hills[depth] * 0.9)


def _beach(picture: np.ndarray, rng: Rng) -> None:
    height, width = picture.shape[1:]
    sky, sea, sand = mix_palettes(rng, BEACH_SKY), mix_palettes(rng, SEA), mix_palettes(rng, SAND)
    horizon = round((0.5 + 0.1 * rng.random()) * height)
    paint_rows(picture, palette_rows(sky, horizon), stop=horizon)
    paint_glow(picture, rng.random() * width, 0.4 * horizon, 0.34, (255, 252, 238), 0.45)
    paint_clouds(picture, rng, int(rng.integers(1, 4)), 0.25 * horizon, 0.75 * horizon)
    shore = horizon + (0.13 + 0.08 * rng.random()) * height
    paint_rows(picture, palette_rows(sea, height - horizon, stop=0.5), top=horizon)
    for _ in range(int(rng.integers(2, 5))):
        level = horizon + (0.15 + 0.6 * rng.random()) * (shore - horizon)
        span = (0.15 + 0.3 * rng.random()) * width
        center = (rng.random() * width, level)
        paint_streak(picture, center, span, 0.006 * height, WHITE, 0.35)
    curve = skyline(rng, width, shore, 0.03 * height, slope=0.12 * height)
    lip = skyline(rng, width, 0.0, 0.006 * height)
    foam = curve - (0.02 + 0.012 * rng.random()) * height
    paint_land(picture, foam + lip, WHITE * 0.98, WHITE)
    paint_land(picture, curve, sand[0], sand[0])
    wet = curve + (0.03 + 0.015 * rng.random()) * height + lip
    paint_land(picture, wet, sand[1], sand[2], soft=0.012 * height)


def _snow(picture: np.ndarray, rng: Rng) -> None:
    height, width = picture.shape[1:]
    sky, drifts = mix_palettes(rng, WINTER_SKY), mix_palettes(rng, SNOW)
    horizon = (0.55 + 0.12 * rng.random()) * height
    paint_rows(picture, palette_rows(sky, height, stop=horizon / height))
    paint_glow(picture, rng.random() * width, 0.6 * horizon, 0.34, (255, 250, 244), 0.55)
    if rng.random() < 0.6:
        far = (sky[0] + drifts[0]) / 2
        curve = skyline(rng, width, horizon - 0.04 * height, 0.09 * height)
        paint_land(picture, curve, far * 1.02, drifts[0])
    levels = np.cumsum([0.01, 0.07, 0.09, 0.12]) + 0.02 * rng.random(4)
    for depth in range(4):
        swing = (0.05 - 0.008 * depth) * height
        curve = skyline(rng, width, horizon + levels[depth] * height, swing)
        paint_land(picture, curve, drifts[depth] + 5, drifts[max(depth - 1, 0)])
    if rng.random() < 0.6:
        unit = math.sqrt(width * height) / 512
        for _ in range(int(rng.integers(16, 30))):
            center = (rng.random() * width, rng.random() * height)
            paint_dot(picture, center, (3.5 + 3 * rng.random()) * unit, (255, 255, 255), 0.85)


PAINTERS: dict[str, Callable[[np.ndarray, Rng], None]] = {
    "blue sky": _blue_sky,
    "sunset": _sunset,
    "night sky": _night_sky,
    "green hills": _green_hills,
    "beach": _beach,
    "snow": _snow,
    "desert": paint_desert,
    "forest": paint_forest,
    "city": paint_city,
    "underwater": paint_underwater,
    "space": paint_space,
    "room": paint_room,
    **LATER_PAINTERS,
}
