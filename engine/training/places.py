"""Six more backgrounds of the later stages: desert, forest, city, under water, space, a room.

The same large soft shapes as in `backgrounds`, which draws them by name; each has a ground where
things can stand. No tree, rock or lamp stands by itself: what could be cut out is for the nouns.
"""

from __future__ import annotations

import math

import numpy as np

from engine.training.paint import (
    WHITE,
    Palette,
    Rng,
    mix_palettes,
    paint_clouds,
    paint_dot,
    paint_glow,
    paint_land,
    paint_panel,
    paint_ray,
    paint_rows,
    paint_streak,
    palette_rows,
    roofline,
    skyline,
    treeline,
)

DESERT_SKY: tuple[Palette, ...] = (
    ((92, 176, 222), (170, 212, 222), (252, 232, 196)),
    ((120, 190, 214), (206, 218, 204), (255, 224, 176)),
    ((74, 160, 214), (150, 204, 226), (246, 236, 212)),
)
DUNES: tuple[Palette, ...] = (  # farthest to nearest
    ((242, 206, 150), (236, 182, 112), (226, 156, 82), (208, 130, 62)),
    ((246, 200, 146), (240, 170, 104), (230, 140, 78), (206, 112, 60)),
    ((238, 212, 166), (232, 190, 126), (222, 166, 92), (200, 140, 70)),
)
FOREST_SKY: tuple[Palette, ...] = (
    ((170, 212, 206), (206, 230, 206), (240, 244, 212)),
    ((186, 214, 196), (220, 232, 190), (250, 242, 196)),
    ((152, 204, 206), (190, 224, 214), (228, 242, 222)),
)
TREES: tuple[Palette, ...] = (  # farthest to nearest, then the floor
    ((150, 196, 176), (98, 160, 132), (52, 116, 90), (24, 76, 60), (70, 116, 62)),
    ((168, 200, 160), (116, 166, 110), (68, 122, 74), (34, 82, 52), (98, 126, 62)),
    ((140, 190, 188), (86, 150, 148), (42, 106, 102), (20, 68, 72), (58, 108, 78)),
)
CITY: tuple[Palette, ...] = (  # sky from top to horizon, then far, middle and near houses, street
    ((126, 178, 228), (184, 212, 236), (240, 232, 222), (184, 198, 220), (146, 166, 198),
     (104, 126, 166), (150, 156, 170)),
    ((112, 118, 190), (196, 150, 196), (255, 198, 166), (196, 156, 190), (150, 116, 168),
     (98, 80, 138), (122, 108, 142)),
    ((128, 200, 214), (188, 226, 222), (248, 238, 208), (178, 204, 206), (130, 172, 182),
     (84, 130, 148), (148, 160, 158)),
)  # fmt: skip
WATER: tuple[Palette, ...] = (  # surface to depth, then the far and the near floor
    ((116, 222, 228), (38, 160, 204), (18, 96, 164), (40, 110, 156), (188, 178, 136)),
    ((128, 226, 206), (40, 172, 182), (14, 106, 142), (34, 116, 136), (196, 190, 148)),
    ((104, 198, 240), (42, 132, 212), (24, 74, 158), (42, 92, 154), (172, 170, 152)),
)
COSMOS: tuple[Palette, ...] = (  # sky from top to horizon, two clouds, far and near ground
    ((8, 8, 28), (22, 16, 56), (48, 28, 86), (176, 62, 160), (52, 120, 214), (150, 146, 176),
     (104, 100, 134)),
    ((6, 12, 30), (14, 30, 62), (24, 54, 92), (38, 160, 172), (126, 70, 196), (174, 162, 160),
     (124, 112, 116)),
    ((16, 6, 28), (44, 14, 52), (82, 26, 74), (232, 96, 110), (96, 72, 208), (170, 126, 120),
     (126, 82, 88)),
)  # fmt: skip
WALLS: tuple[Palette, ...] = (  # wall above and below, floor far and near, rug
    ((246, 226, 200), (238, 210, 176), (198, 146, 100), (172, 118, 78), (206, 100, 92)),
    ((206, 224, 226), (186, 210, 214), (206, 168, 126), (182, 140, 98), (92, 140, 160)),
    ((222, 228, 204), (204, 214, 182), (188, 142, 104), (160, 114, 80), (226, 178, 98)),
    ((240, 212, 214), (228, 192, 196), (214, 178, 146), (190, 150, 118), (136, 120, 170)),
)


def paint_desert(picture: np.ndarray, rng: Rng) -> None:
    height, width = picture.shape[1:]
    sky, dunes = mix_palettes(rng, DESERT_SKY), mix_palettes(rng, DUNES)
    horizon = (0.46 + 0.12 * rng.random()) * height
    paint_rows(picture, palette_rows(sky, height, stop=horizon / height))
    paint_glow(picture, rng.random() * width, 0.5 * horizon, 0.3, (255, 248, 222), 0.6)
    levels = np.cumsum([0, 0.07, 0.12, 0.15]) + 0.02 * rng.random(4)
    for depth in range(4):
        swing = (0.035 + 0.018 * depth) * height
        curve = skyline(rng, width, horizon + levels[depth] * height, swing, 0.1 * height)
        paint_land(picture, curve, np.minimum(dunes[depth] * 1.08 + 6, 255), dunes[depth] * 0.9)


def paint_forest(picture: np.ndarray, rng: Rng) -> None:
    height, width = picture.shape[1:]
    sky, trees = mix_palettes(rng, FOREST_SKY), mix_palettes(rng, TREES)
    paint_rows(picture, palette_rows(sky, height, stop=0.7))
    paint_glow(picture, rng.random() * width, 0.3 * height, 0.34, (255, 252, 226), 0.6)
    unit = min(height, width)
    round_tops = bool(rng.random() < 0.4)
    for depth in range(4):
        level = (0.44 + 0.09 * depth) * height
        tall = (0.15 + 0.045 * depth) * unit
        breadth = (0.05 + 0.018 * depth) * unit * (1.4 if round_tops else 1.0)
        curve = treeline(rng, width, level, tall, breadth, round_tops)
        mist = trees[depth] + (sky[2] - trees[depth]) * 0.5
        # Steep edges need more rows of softness to be as smooth as flat ones.
        paint_land(picture, curve, trees[depth], mist if depth < 3 else trees[depth], soft=3.0)
    for depth in range(2):
        level = (0.73 + 0.1 * depth + 0.03 * rng.random()) * height
        curve = skyline(rng, width, level, 0.03 * height)
        tone = trees[4] * (1.2 - 0.2 * depth)
        paint_land(picture, curve, np.minimum(tone + 10, 255), tone * 0.86)


def paint_city(picture: np.ndarray, rng: Rng) -> None:
    height, width = picture.shape[1:]
    tones = mix_palettes(rng, CITY)
    paint_rows(picture, palette_rows(tones[:3], height, stop=0.66))
    paint_glow(picture, rng.random() * width, 0.45 * height, 0.34, tones[2], 0.6)
    paint_clouds(picture, rng, int(rng.integers(0, 3)), 0.1 * height, 0.25 * height)
    ground = (0.72 + 0.04 * rng.random()) * height
    for depth in range(3):
        tone = tones[3 + depth]
        breadth = (0.085 + 0.025 * depth) * min(height, width)
        curve = roofline(rng, width, ground, (0.48 - 0.12 * depth) * height, breadth)
        paint_land(picture, curve, tone * 1.04, tone + (tones[2] - tone) * (0.35 - 0.1 * depth))
    street = tones[6]
    paint_land(picture, np.full(width, ground, np.float32), street * 1.2, street * 1.08)
    kerb = ground + 0.06 * height
    paint_land(picture, np.full(width, kerb, np.float32), street * 0.82, street * 0.7)


def paint_underwater(picture: np.ndarray, rng: Rng) -> None:
    height, width = picture.shape[1:]
    water = mix_palettes(rng, WATER)
    paint_rows(picture, palette_rows(water[:3], height))
    start, lean = rng.random() * 0.3, 0.1 + 0.25 * rng.random()
    for number in range(4):
        x = (start + 0.26 * number - 0.1) * width
        breadth = (0.03 + 0.04 * rng.random()) * width
        paint_ray(picture, x, lean, breadth, WHITE, 0.16 + 0.1 * rng.random())
    for depth in range(2):
        level = (0.7 + 0.06 * depth) * height
        curve = skyline(rng, width, level, (0.09 - 0.03 * depth) * height)
        tone = water[3] * (1.0 + 0.12 * depth)
        paint_land(picture, curve, tone, tone * 0.9)
    curve = skyline(rng, width, (0.84 + 0.04 * rng.random()) * height, 0.025 * height)
    paint_land(picture, curve, water[4], water[4] * 0.82)
    unit = math.sqrt(width * height) / 512
    for _ in range(int(rng.integers(8, 18))):
        center = (rng.random() * width, (0.1 + 0.65 * rng.random()) * height)
        paint_dot(picture, center, (3 + 5 * rng.random()) * unit, (225, 250, 255), 0.4)


def paint_space(picture: np.ndarray, rng: Rng) -> None:
    height, width = picture.shape[1:]
    tones = mix_palettes(rng, COSMOS)
    paint_rows(picture, palette_rows(tones[:3], height, stop=0.85))
    for number in range(4):
        center = (rng.random() * width, (0.08 + 0.55 * rng.random()) * height)
        paint_glow(picture, *center, 0.12 + 0.16 * rng.random(), tones[3 + number % 2], 0.5)
    unit = math.sqrt(width * height) / 512
    for _ in range(int(rng.integers(40, 64))):
        radius = (1.8 + 2.4 * rng.random() ** 3) * unit
        center = (rng.random() * width, rng.random() * 0.78 * height)
        paint_dot(picture, center, radius, (248, 246, 255), 0.5 + 0.5 * rng.random())
    for depth in range(2):
        tone = tones[5 + depth]
        level = (0.76 + 0.1 * depth + 0.02 * rng.random()) * height
        curve = skyline(rng, width, level, (0.035 - 0.01 * depth) * height)
        paint_land(picture, curve, np.minimum(tone * 1.15, 255), tone * 0.8)
    for _ in range(int(rng.integers(3, 6))):  # craters
        level = (0.88 + 0.1 * rng.random()) * height
        span = (0.1 + 0.16 * rng.random()) * width
        center = (rng.random() * width, level)
        paint_streak(picture, center, span, 0.014 * height, tones[6] * 0.66, 0.6)


def paint_room(picture: np.ndarray, rng: Rng) -> None:
    height, width = picture.shape[1:]
    tones = mix_palettes(rng, WALLS)
    floor = (0.66 + 0.07 * rng.random()) * height
    paint_rows(picture, palette_rows(tones[:2], height, stop=floor / height))
    paint_glow(picture, rng.random() * width, 0.25 * height, 0.4, (255, 250, 236), 0.45)
    if rng.random() < 0.75:
        _window(picture, rng, floor)
    level = np.full(width, floor, np.float32)
    paint_land(picture, level - 0.035 * height, WHITE * 0.97, WHITE * 0.97)
    paint_land(picture, level, tones[2], tones[3])
    center = ((0.3 + 0.4 * rng.random()) * width, floor + 0.55 * (height - floor))
    span = (0.6 + 0.25 * rng.random()) * width
    paint_streak(picture, center, span, 0.06 * height, tones[4], 0.9)


def _window(picture: np.ndarray, rng: Rng, floor: float) -> None:
    """A white frame with a view of a pale sky; nothing in it that could be a thing."""
    height, width = picture.shape[1:]
    wide, tall = (0.22 + 0.14 * rng.random()) * width, (0.42 + 0.14 * rng.random()) * floor
    x0, y0 = rng.random() * 0.85 * (width - wide) + 0.075 * (width - wide), 0.16 * floor
    rim = 0.018 * math.sqrt(width * height)
    paint_panel(picture, (x0 - rim, y0 - rim, x0 + wide + rim, y0 + tall + rim), WHITE * 0.98)
    pane = np.array((168, 214, 240), np.float32) + rng.uniform(-14, 14, 3).astype(np.float32)
    half = wide / 2
    for left in (x0, x0 + half + rim / 4):
        paint_panel(picture, (left, y0, left + half - rim / 4, y0 + tall), pane)
        paint_panel(picture, (left, y0 + 0.6 * tall, left + half - rim / 4, y0 + tall), WHITE, 0.35)
