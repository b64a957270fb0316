"""Backgrounds of stage 4: mountains, farm, street, kitchen, party, autumn, jungle, rain, and plain
colours.

The same large soft shapes as in `backgrounds`, which draws them by name; each place has a ground
where things can stand. What could be cut out is for the nouns.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

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
    paint_panel,
    paint_ray,
    paint_rows,
    paint_streak,
    palette_rows,
    skyline,
    treeline,
)

Painter = Callable[[np.ndarray, Rng], None]

MOUNTAINS: tuple[Palette, ...] = (  # sky from top to horizon, far and near rock, meadow far, near
    ((96, 168, 236), (168, 212, 248), (232, 244, 250), (150, 172, 206), (92, 110, 150),
     (120, 182, 104), (78, 146, 74)),
    ((116, 190, 232), (190, 224, 240), (250, 240, 224), (172, 168, 190), (116, 104, 128),
     (142, 190, 104), (96, 150, 72)),
    ((88, 152, 222), (160, 200, 238), (226, 236, 246), (140, 176, 196), (76, 116, 136),
     (104, 176, 116), (62, 138, 84)),
)  # fmt: skip
FARM: tuple[Palette, ...] = (  # sky from top to horizon, far hill, wheat far and near, grass
    ((104, 188, 240), (172, 220, 248), (244, 246, 232), (130, 188, 110), (250, 218, 116),
     (232, 182, 74), (122, 182, 78)),
    ((128, 200, 236), (198, 230, 238), (254, 244, 216), (150, 194, 98), (246, 208, 100),
     (222, 164, 66), (138, 186, 72)),
    ((92, 172, 232), (164, 212, 244), (236, 242, 240), (110, 176, 114), (252, 226, 130),
     (238, 194, 88), (104, 170, 80)),
)  # fmt: skip
STREET: tuple[Palette, ...] = (  # sky, three house fronts, pavement, road
    ((158, 208, 242), (238, 150, 120), (250, 204, 128), (128, 182, 190), (206, 204, 202),
     (104, 108, 120)),
    ((188, 220, 238), (214, 124, 112), (146, 176, 142), (244, 214, 160), (214, 208, 200),
     (112, 110, 116)),
    ((170, 204, 236), (122, 154, 198), (240, 178, 148), (226, 206, 150), (200, 202, 208),
     (94, 102, 118)),
)  # fmt: skip
KITCHEN: tuple[Palette, ...] = (  # wall, tiles, top of the counter, doors, floor
    ((250, 238, 214), (232, 244, 240), (172, 118, 78), (120, 176, 168), (222, 196, 160)),
    ((236, 240, 238), (250, 250, 246), (198, 150, 102), (232, 176, 112), (204, 190, 178)),
    ((244, 224, 216), (252, 244, 236), (148, 104, 80), (142, 160, 190), (216, 202, 186)),
)
PARTY: tuple[Palette, ...] = (  # wall from top to bottom, floor far and near
    ((150, 92, 196), (222, 124, 196), (255, 178, 190), (132, 72, 150), (96, 52, 120)),
    ((72, 92, 190), (132, 132, 220), (214, 180, 240), (74, 70, 150), (52, 48, 114)),
    ((238, 118, 150), (255, 166, 150), (255, 218, 176), (186, 82, 116), (142, 56, 96)),
)
CONFETTI = ((255, 214, 80), (88, 200, 240), (255, 120, 150), (140, 220, 130), (255, 255, 255))
AUTUMN: tuple[Palette, ...] = (  # sky from top to horizon, trees far to near, ground far and near
    ((190, 214, 226), (236, 232, 210), (254, 232, 184), (242, 196, 112), (232, 146, 66),
     (196, 88, 46), (222, 160, 84), (172, 106, 56)),
    ((206, 216, 214), (246, 232, 196), (255, 222, 164), (248, 184, 98), (222, 120, 58),
     (168, 62, 46), (212, 142, 72), (156, 92, 54)),
    ((178, 206, 228), (226, 226, 216), (250, 236, 196), (246, 210, 110), (226, 160, 56),
     (182, 104, 42), (206, 170, 86), (150, 116, 60)),
)  # fmt: skip
JUNGLE: tuple[Palette, ...] = (  # light from top to middle, leaves far to near, ground far, near
    ((206, 240, 150), (140, 212, 120), (84, 176, 92), (36, 132, 70), (12, 84, 52),
     (70, 130, 52), (36, 84, 40)),
    ((226, 244, 160), (158, 216, 106), (98, 178, 72), (48, 132, 52), (18, 86, 38),
     (94, 128, 48), (54, 82, 34)),
    ((190, 240, 180), (112, 208, 146), (60, 170, 118), (22, 126, 94), (6, 80, 70),
     (56, 126, 76), (26, 82, 56)),
)  # fmt: skip
RAIN: tuple[Palette, ...] = (  # sky from top to horizon, cloud, far hill, ground far and near
    ((96, 110, 136), (140, 154, 176), (186, 196, 208), (82, 92, 116), (112, 138, 140),
     (104, 134, 112), (74, 104, 90)),
    ((84, 108, 140), (126, 152, 180), (172, 192, 210), (70, 90, 118), (98, 130, 146),
     (92, 128, 118), (64, 98, 96)),
    ((112, 114, 132), (156, 158, 172), (200, 200, 206), (94, 96, 114), (128, 140, 136),
     (118, 132, 106), (86, 102, 84)),
)  # fmt: skip
# fmt: off
PLAIN: dict[str, tuple[tuple[int, int, int], ...]] = {  # tones, one of which a drawing has
    "white background": ((255, 255, 255), (252, 250, 246), (246, 249, 253), (250, 250, 250)),
    "pastel background": ((255, 222, 226), (214, 238, 226), (222, 226, 252), (255, 240, 208),
                          (210, 232, 250), (255, 226, 206)),
    "blue background": ((70, 140, 230), (112, 176, 242), (48, 112, 206), (90, 158, 236)),
    "green background": ((96, 190, 110), (128, 206, 128), (66, 166, 92), (110, 196, 96)),
    "yellow background": ((252, 212, 72), (255, 224, 112), (248, 200, 52), (255, 218, 90)),
    "pink background": ((246, 132, 180), (250, 160, 196), (240, 112, 166), (252, 146, 176)),
    "red background": ((216, 56, 56), (226, 80, 72), (200, 44, 54), (220, 64, 48)),
    "black background": ((22, 22, 26), (34, 34, 40), (12, 12, 16), (30, 28, 32)),
}
# fmt: on


def paint_mountains(picture: np.ndarray, rng: Rng) -> None:
    height, width = picture.shape[1:]
    tones = mix_palettes(rng, MOUNTAINS)
    horizon = (0.66 + 0.05 * rng.random()) * height
    paint_rows(picture, palette_rows(tones[:3], height, stop=horizon / height))
    paint_clouds(picture, rng, 2, 0.08 * height, 0.25 * height)
    for depth in range(2):
        tall = (0.44 - 0.13 * depth) * height
        peaks = treeline(rng, width, horizon, tall, (0.42 - 0.12 * depth) * width, False)
        rock = tones[3 + depth]
        snow_end = skyline(rng, width, horizon - 0.58 * tall, 0.05 * height)
        paint_land(picture, peaks, WHITE, WHITE * 0.96)
        paint_land(picture, np.maximum(peaks, snow_end), rock * 1.08, rock * 0.92, soft=2.5)
    for depth in range(2):
        level = horizon - 0.02 * height + 0.12 * depth * height
        curve = skyline(rng, width, level, 0.03 * height)
        paint_land(picture, curve, tones[5 + depth] * 1.08, tones[5 + depth] * 0.92)


def paint_farm(picture: np.ndarray, rng: Rng) -> None:
    height, width = picture.shape[1:]
    tones = mix_palettes(rng, FARM)
    horizon = (0.5 + 0.07 * rng.random()) * height
    paint_rows(picture, palette_rows(tones[:3], height, stop=horizon / height))
    paint_clouds(picture, rng, int(rng.integers(1, 4)), 0.15 * horizon, 0.6 * horizon)
    hill = skyline(rng, width, horizon - 0.02 * height, 0.06 * height)
    paint_land(picture, hill, tones[3] * 1.06, tones[3] * 0.9)
    field = horizon + 0.05 * height
    paint_land(picture, skyline(rng, width, field, 0.02 * height), tones[4], tones[5])
    for step in range(4):
        # Furrows that lie closer together towards the horizon.
        level = field + (0.03 + 0.045 * step) * height
        thickness = (4 + 2 * step) * height / 512
        paint_streak(picture, (width / 2, level), 2.4 * width, thickness, tones[5], 0.5)
    grass = (0.78 + 0.02 * rng.random()) * height
    paint_land(
        picture, skyline(rng, width, grass, 0.015 * height), tones[6] * 1.08, tones[6] * 0.84
    )
    _fence(picture, rng, grass)


def _fence(picture: np.ndarray, rng: Rng, foot: float) -> None:
    height, width = picture.shape[1:]
    wood = np.array((246, 240, 228) if rng.random() < 0.6 else (160, 112, 74), np.float32)
    tall, thick = 0.11 * height, 0.014 * height
    for rail in (0.25, 0.62):
        top = foot - tall * (1 - rail)
        paint_panel(picture, (-4, top, width + 4, top + thick), wood * 0.95)
    gap = 0.16 * width
    x = -gap * rng.random()
    while x < width:
        paint_panel(picture, (x, foot - tall, x + 1.4 * thick, foot + 0.01 * height), wood)
        x += gap


def paint_street(picture: np.ndarray, rng: Rng) -> None:
    height, width = picture.shape[1:]
    tones = mix_palettes(rng, STREET)
    walk = (0.66 + 0.03 * rng.random()) * height
    paint_rows(picture, palette_rows(np.stack([tones[0], tones[0] * 0.4 + WHITE * 0.6]), height))
    x, front = -0.2 * width * rng.random(), int(rng.integers(3))
    while x < width:
        span = (0.22 + 0.12 * rng.random()) * width
        top = (0.1 + 0.2 * rng.random()) * height
        tone = tones[1 + front % 3]
        paint_panel(picture, (x, top, x + span, walk), tone)
        paint_panel(picture, (x - 3, top, x + span + 3, top + 0.03 * height), tone * 0.8)
        for row in range(2):
            for column in range(2):
                left = x + (0.16 + 0.4 * column) * span
                upper = top + 0.09 * height + row * 0.19 * height
                pane = (left, upper, left + 0.27 * span, upper + 0.11 * height)
                paint_panel(picture, pane, np.array((226, 240, 248), np.float32))
        x, front = x + span, front + 1
    paint_panel(picture, (-4, walk, width + 4, height + 4), tones[4])
    road = walk + 0.1 * height
    paint_panel(picture, (-4, road, width + 4, height + 4), tones[5])
    paint_panel(picture, (-4, road, width + 4, road + 0.015 * height), tones[4] * 0.8)
    dash, start = 0.16 * width, 0.3 * width * rng.random()
    level = road + 0.5 * (height - road)
    for step in range(-1, 5):
        left = start + step * 1.9 * dash
        stripe = (left, level, left + dash, level + 0.022 * height)
        paint_panel(picture, stripe, np.array((240, 236, 220), np.float32))


def paint_kitchen(picture: np.ndarray, rng: Rng) -> None:
    height, width = picture.shape[1:]
    tones = mix_palettes(rng, KITCHEN)
    top = (0.56 + 0.05 * rng.random()) * height
    foot = top + 0.32 * height
    paint_rows(picture, palette_rows(np.stack([tones[0] * 1.02, tones[0] * 0.95]), height))
    tile, line = 0.1 * height, tones[0] * 0.86
    paint_panel(picture, (-4, top - 3 * tile, width + 4, top), tones[1])
    for row in range(4):
        level = top - row * tile
        paint_panel(picture, (-4, level - 1.5, width + 4, level + 1.5), line, 0.7)
    x = tile * rng.random()
    while x < width:
        paint_panel(picture, (x - 1.5, top - 3 * tile, x + 1.5, top), line, 0.7)
        x += 1.4 * tile
    paint_panel(picture, (-4, top, width + 4, foot), tones[3])
    door = (0.22 + 0.05 * rng.random()) * width
    x = -door * rng.random()
    while x < width:
        paint_panel(
            picture,
            (x + 6, top + 0.07 * height, x + door - 6, foot - 0.02 * height),
            tones[3] * 1.1,
        )
        x += door
    paint_panel(picture, (-4, top, width + 4, top + 0.045 * height), tones[2])
    paint_panel(picture, (-4, foot, width + 4, height + 4), tones[4])
    paint_glow(picture, rng.random() * width, 0.15 * height, 0.4, (255, 250, 232), 0.4)


def paint_party(picture: np.ndarray, rng: Rng) -> None:
    height, width = picture.shape[1:]
    tones = mix_palettes(rng, PARTY)
    floor = (0.72 + 0.05 * rng.random()) * height
    paint_rows(picture, palette_rows(tones[:3], height, stop=floor / height))
    for _ in range(2):
        paint_glow(
            picture, rng.random() * width, 0.4 * rng.random() * height, 0.3, (255, 240, 220), 0.45
        )
    paint_land(picture, np.full(width, floor, np.float32), tones[3], tones[4])
    paint_streak(
        picture, (width / 2, floor + 0.1 * height), 0.9 * width, 0.05 * height, tones[2], 0.5
    )
    unit = math.sqrt(width * height) / 512
    for _ in range(int(rng.integers(34, 50))):
        colour = CONFETTI[int(rng.integers(len(CONFETTI)))]
        center = (rng.random() * width, rng.random() ** 1.3 * floor)
        paint_dot(picture, center, (4.5 + 4 * rng.random()) * unit, colour, 0.9)
    _bunting(picture, rng)


def _bunting(picture: np.ndarray, rng: Rng) -> None:
    """Two sagging chains of flags along the upper edge."""
    height, width = picture.shape[1:]
    places = np.arange(width, dtype=np.float32)
    sag = 0.05 * height + 0.07 * height * np.sin(math.pi * ((places / width * 2) % 1))
    flag = width / 12
    share = np.abs((places / flag) % 1 - 0.5) * 2  # 1 between flags, 0 in their middle
    ends = sag + 0.085 * height * (1 - share)
    rows = np.arange(height, dtype=np.float32)[:, None]
    mask = np.clip(rows - sag + 0.5, 0, 1) * np.clip((ends - rows) / 1.5 + 0.5, 0, 1)
    first = int(rng.integers(len(CONFETTI)))
    colours = np.array(CONFETTI, np.float32)[(places / flag).astype(int) % 5 - first]
    picture += mask * (colours.T[:, None, :] - picture)


def paint_autumn(picture: np.ndarray, rng: Rng) -> None:
    height, width = picture.shape[1:]
    tones = mix_palettes(rng, AUTUMN)
    horizon = (0.6 + 0.05 * rng.random()) * height
    paint_rows(picture, palette_rows(tones[:3], height, stop=horizon / height))
    paint_glow(picture, rng.random() * width, 0.4 * horizon, 0.35, (255, 246, 214), 0.55)
    for depth in range(3):
        tall, breadth = (0.4 - 0.1 * depth) * height, (0.1 + 0.01 * depth) * width
        level = horizon + 0.03 * depth * height
        crowns = treeline(rng, width, level, tall, breadth, True)
        paint_land(picture, crowns, tones[3 + depth] * 1.06, tones[3 + depth] * 0.92)
    ground = skyline(rng, width, horizon + 0.08 * height, 0.025 * height)
    paint_land(picture, ground, tones[6] * 1.06, tones[7])
    unit = math.sqrt(width * height) / 512
    for _ in range(int(rng.integers(26, 40))):
        share = rng.random()
        center = (rng.random() * width, horizon + (0.12 + 0.26 * share) * height)
        tone = tones[3 + int(rng.integers(3))]
        paint_dot(picture, center, (3.5 + 3.5 * share) * unit, tuple(tone), 0.8)


def paint_jungle(picture: np.ndarray, rng: Rng) -> None:
    height, width = picture.shape[1:]
    tones = mix_palettes(rng, JUNGLE)
    floor = (0.74 + 0.04 * rng.random()) * height
    paint_rows(picture, palette_rows(tones[:2], height, stop=0.7))
    for _ in range(2):
        x, lean = rng.random() * width, 0.3 * (rng.random() - 0.5)
        paint_ray(picture, x, lean, 0.07 * width, tones[0] * 1.04, 0.5)
    for depth in range(2):
        leaves = treeline(rng, width, floor, (0.42 - 0.12 * depth) * height, 0.13 * width, True)
        paint_land(picture, leaves, tones[2 + depth] * 1.1, tones[2 + depth] * 0.85)
    ground = skyline(rng, width, floor, 0.03 * height)
    paint_land(picture, ground, tones[5] * 1.1, tones[6])
    # The canopy: the same crowns upside down, from the upper edge.
    for depth in range(2):
        hanging = treeline(
            rng, width, (0.94 + 0.05 * depth) * height, 0.13 * height, 0.07 * width, depth == 1
        )
        paint_land(picture[:, ::-1], hanging, tones[3 + depth], tones[3 + depth] * 0.8)


def paint_rain(picture: np.ndarray, rng: Rng) -> None:
    height, width = picture.shape[1:]
    tones = mix_palettes(rng, RAIN)
    horizon = (0.64 + 0.06 * rng.random()) * height
    paint_rows(picture, palette_rows(tones[:3], height, stop=horizon / height))
    hill = skyline(rng, width, horizon - 0.03 * height, 0.06 * height)
    paint_land(picture, hill, tones[4] * 1.05, tones[4] * 0.9)
    ground = skyline(rng, width, horizon + 0.05 * height, 0.02 * height)
    paint_land(picture, ground, tones[5] * 1.05, tones[6])
    for _ in range(int(rng.integers(3, 6))):  # puddles
        level = horizon + (0.12 + 0.2 * rng.random()) * height
        span = (0.14 + 0.18 * rng.random()) * width
        paint_streak(picture, (rng.random() * width, level), span, 0.014 * height, tones[2], 0.8)
    unit = math.sqrt(width * height) / 512
    for _ in range(int(rng.integers(60, 80))):
        x, y = rng.random() * width, rng.random() * height
        long = (14 + 14 * rng.random()) * unit
        paint_panel(picture, (x, y, x + 3 * unit, y + long), WHITE, 0.35, soft=2 * unit)
    for depth in range(2):
        level = (0.78 + 0.08 * depth) * height
        paint_cloud_bank(
            picture[:, ::-1], rng, level, 0.08 * height, tones[3] * (1.15 - 0.2 * depth)
        )


def plain_painter(name: str) -> Painter:
    """The painter of one plain colour: an even tone that is a little lighter in one place."""

    def paint(picture: np.ndarray, rng: Rng) -> None:
        height, width = picture.shape[1:]
        tones = np.array(PLAIN[name], np.float32)
        tone = tones[int(rng.integers(len(tones)))]
        shade = 0.015 if name == "white background" else 0.04  # white must not look grey
        tone = tone * (1 - shade * rng.random())
        paint_rows(picture, palette_rows(np.stack([tone, tone * (1 - shade)]), height))
        center = (0.2 + 0.6 * rng.random()) * width, (0.2 + 0.5 * rng.random()) * height
        light = tuple(tone + (WHITE - tone) * 0.35)
        paint_glow(picture, *center, 0.4, light, 0.3 + 0.3 * rng.random())

    return paint


LATER_PAINTERS: dict[str, Painter] = {
    "mountains": paint_mountains,
    "farm": paint_farm,
    "street": paint_street,
    "kitchen": paint_kitchen,
    "party": paint_party,
    "autumn": paint_autumn,
    "jungle": paint_jungle,
    "rain": paint_rain,
    **{name: plain_painter(name) for name in PLAIN},
}
