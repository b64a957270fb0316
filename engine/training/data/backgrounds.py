"""Backgrounds: named kinds of scenery, each drawing decided by a random generator.

Large soft shapes in the palettes of modern illustration (`palettes.tsv`), because a small model
learns them at a quarter of the pixels. Each place has a ground where things can stand. There is no
sun, moon, tree, rock or lamp: what could be cut out is for the nouns of the vocabulary.

Pictures are painted as (3, H, W) float32 in [0, 255] (`paint`), colours are sRGB triples.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from engine.training.data import paint
from engine.training.data.paint import WHITE, Rng

Painter = Callable[[np.ndarray, Rng], None]
PLAIN = tuple(f"{name} background" for name in (
    "white", "pastel", "blue", "green", "yellow", "pink", "red", "black"))  # fmt: skip


def draw_background(name: str, size: tuple[int, int], rng: Rng) -> np.ndarray:
    """(H, W, 3) uint8 sRGB of a background of any stage; `size` is (width, height)."""
    width, height = size
    picture = np.zeros((3, height, width), np.float32)
    PAINTERS[name](picture, rng)
    np.clip(picture, 0, 255, out=picture)
    # Adding a half rounds, since the conversion truncates.
    return np.ascontiguousarray((picture + 0.5).astype(np.uint8).transpose(1, 2, 0))


def _blue_sky(picture: np.ndarray, rng: Rng) -> None:
    height, width = picture.shape[1:]
    sky = paint.mixed(rng, "blue sky")
    paint.rows(picture, paint.gradient(sky, height))
    paint.glow(
        picture, rng.random() * width, 0.1 * rng.random() * height, 0.5, (255, 253, 244), 0.45
    )
    paint.clouds(picture, rng, int(rng.integers(2, 5)), 0.12 * height, 0.62 * height)
    base = 0.80 + 0.1 * rng.random()
    for depth in range(2):
        # A bank of clouds far below, so that the picture has a ground of its own.
        tone = sky[2] + (WHITE - sky[2]) * (0.45 + 0.4 * depth)
        level = (base + 0.08 * depth) * height
        paint.cloud_bank(picture, rng, level, 0.08 * height, tone)


def _sunset(picture: np.ndarray, rng: Rng) -> None:
    height, width = picture.shape[1:]
    sky = paint.mixed(rng, "sunset")
    horizon = (0.56 + 0.16 * rng.random()) * height
    paint.rows(picture, paint.gradient(sky, height, stop=horizon / height))
    sun = ((0.2 + 0.6 * rng.random()) * width, horizon - 0.03 * height)
    for _ in range(int(rng.integers(2, 5))):
        middle = (0.1 + 0.5 * rng.random()) * horizon
        tone = sky[2 if rng.random() < 0.6 else 3]
        span = (0.35 + 0.5 * rng.random()) * width
        paint.streak(picture, (rng.random() * width, middle), span, 0.022 * height, tone, 0.5)
    paint.glow(picture, *sun, 0.34, (255, 214, 140), 0.55)
    paint.glow(picture, *sun, 0.11, (255, 246, 214), 0.85)
    if rng.random() < 0.5:
        water = np.stack([sky[3] * 0.86, sky[2] * 0.8, sky[1] * 0.74, sky[0] * 0.8])
        paint.rows(picture, paint.gradient(water, height - round(horizon)), top=round(horizon))
        for step in range(5):
            # The path of light on the water: streaks that widen towards the eye.
            level = horizon + (0.015 + 0.055 * step + 0.01 * rng.random()) * height
            span = (0.16 + 0.055 * step + 0.05 * rng.random()) * width
            center = (sun[0] + 0.03 * (rng.random() - 0.5) * width, level)
            paint.streak(picture, center, span, 0.012 * height, sky[4], 0.65 - 0.09 * step)
    else:
        for depth, share in enumerate((0.62, 0.36, 0.16)):
            tone = sky[0] * (1 - share) * 0.72 + sky[2] * share * 0.9
            level = horizon + (0.015 + 0.12 * depth) * height
            curve = paint.skyline(rng, width, level, (0.05 - 0.01 * depth) * height)
            paint.land(picture, curve, tone * 1.08, tone * 0.82)


def _night_sky(picture: np.ndarray, rng: Rng) -> None:
    height, width = picture.shape[1:]
    sky = paint.mixed(rng, "night")
    horizon = (0.68 + 0.1 * rng.random()) * height
    paint.rows(picture, paint.gradient(sky, height, stop=horizon / height))
    for _ in range(2):
        center = (rng.random() * width, (0.15 + 0.4 * rng.random()) * height)
        paint.glow(picture, *center, 0.3, tuple(sky[2] * 1.15), 0.4)
    unit = math.sqrt(width * height) / 512
    for _ in range(int(rng.integers(28, 46))):
        radius = (2.4 + 2.2 * rng.random() ** 3) * unit
        center = (rng.random() * width, rng.random() ** 1.2 * horizon * 0.97)
        paint.dot(picture, center, radius, (255, 250, 228), 0.55 + 0.45 * rng.random())
    for depth, share in enumerate((0.62, 0.36, 0.14)):
        tone = sky[1] * share + sky[0] * (1 - share) * 0.8
        level = horizon + 0.085 * depth * height
        curve = paint.skyline(rng, width, level, (0.06 - 0.012 * depth) * height)
        paint.land(picture, curve, tone * 1.12, tone * 0.86)


def _green_hills(picture: np.ndarray, rng: Rng) -> None:
    height, width = picture.shape[1:]
    sky = paint.mixed(rng, "day")
    hills = paint.mixed(rng, "hills")
    horizon = (0.55 + 0.12 * rng.random()) * height
    paint.rows(picture, paint.gradient(sky, height, stop=horizon / height))
    paint.glow(picture, rng.random() * width, 0.35 * horizon, 0.36, (255, 252, 240), 0.5)
    paint.clouds(picture, rng, int(rng.integers(1, 4)), 0.15 * horizon, 0.55 * horizon)
    levels = np.cumsum([0, 0.055, 0.085, 0.12]) + 0.02 * rng.random(4)
    for depth in range(4):
        swing = (0.075 - 0.012 * depth) * height
        curve = paint.skyline(rng, width, horizon + levels[depth] * height, swing)
        paint.land(picture, curve, hills[depth] * 1.06 + 8, hills[depth] * 0.9)


def _beach(picture: np.ndarray, rng: Rng) -> None:
    height, width = picture.shape[1:]
    sky, sea, sand = (
        paint.mixed(rng, "beach sky"),
        paint.mixed(rng, "sea"),
        paint.mixed(rng, "sand"),
    )
    horizon = round((0.5 + 0.1 * rng.random()) * height)
    paint.rows(picture, paint.gradient(sky, horizon), stop=horizon)
    paint.glow(picture, rng.random() * width, 0.4 * horizon, 0.34, (255, 252, 238), 0.45)
    paint.clouds(picture, rng, int(rng.integers(1, 4)), 0.25 * horizon, 0.75 * horizon)
    shore = horizon + (0.13 + 0.08 * rng.random()) * height
    paint.rows(picture, paint.gradient(sea, height - horizon, stop=0.5), top=horizon)
    for _ in range(int(rng.integers(2, 5))):
        level = horizon + (0.15 + 0.6 * rng.random()) * (shore - horizon)
        span = (0.15 + 0.3 * rng.random()) * width
        center = (rng.random() * width, level)
        paint.streak(picture, center, span, 0.006 * height, WHITE, 0.35)
    curve = paint.skyline(rng, width, shore, 0.03 * height, slope=0.12 * height)
    lip = paint.skyline(rng, width, 0.0, 0.006 * height)
    foam = curve - (0.02 + 0.012 * rng.random()) * height
    paint.land(picture, foam + lip, WHITE * 0.98, WHITE)
    paint.land(picture, curve, sand[0], sand[0])
    wet = curve + (0.03 + 0.015 * rng.random()) * height + lip
    paint.land(picture, wet, sand[1], sand[2], soft=0.012 * height)


def _snow(picture: np.ndarray, rng: Rng) -> None:
    height, width = picture.shape[1:]
    sky, drifts = paint.mixed(rng, "winter sky"), paint.mixed(rng, "snow")
    horizon = (0.55 + 0.12 * rng.random()) * height
    paint.rows(picture, paint.gradient(sky, height, stop=horizon / height))
    paint.glow(picture, rng.random() * width, 0.6 * horizon, 0.34, (255, 250, 244), 0.55)
    if rng.random() < 0.6:
        far = (sky[0] + drifts[0]) / 2
        curve = paint.skyline(rng, width, horizon - 0.04 * height, 0.09 * height)
        paint.land(picture, curve, far * 1.02, drifts[0])
    levels = np.cumsum([0.01, 0.07, 0.09, 0.12]) + 0.02 * rng.random(4)
    for depth in range(4):
        swing = (0.05 - 0.008 * depth) * height
        curve = paint.skyline(rng, width, horizon + levels[depth] * height, swing)
        paint.land(picture, curve, drifts[depth] + 5, drifts[max(depth - 1, 0)])
    if rng.random() < 0.6:
        unit = math.sqrt(width * height) / 512
        for _ in range(int(rng.integers(16, 30))):
            center = (rng.random() * width, rng.random() * height)
            paint.dot(picture, center, (3.5 + 3 * rng.random()) * unit, (255, 255, 255), 0.85)


def _desert(picture: np.ndarray, rng: Rng) -> None:
    height, width = picture.shape[1:]
    sky, dunes = paint.mixed(rng, "desert sky"), paint.mixed(rng, "dunes")
    horizon = (0.46 + 0.12 * rng.random()) * height
    paint.rows(picture, paint.gradient(sky, height, stop=horizon / height))
    paint.glow(picture, rng.random() * width, 0.5 * horizon, 0.3, (255, 248, 222), 0.6)
    levels = np.cumsum([0, 0.07, 0.12, 0.15]) + 0.02 * rng.random(4)
    for depth in range(4):
        swing = (0.035 + 0.018 * depth) * height
        curve = paint.skyline(rng, width, horizon + levels[depth] * height, swing, 0.1 * height)
        paint.land(picture, curve, np.minimum(dunes[depth] * 1.08 + 6, 255), dunes[depth] * 0.9)


def _forest(picture: np.ndarray, rng: Rng) -> None:
    height, width = picture.shape[1:]
    sky, trees = paint.mixed(rng, "forest sky"), paint.mixed(rng, "trees")
    paint.rows(picture, paint.gradient(sky, height, stop=0.7))
    paint.glow(picture, rng.random() * width, 0.3 * height, 0.34, (255, 252, 226), 0.6)
    unit = min(height, width)
    round_tops = bool(rng.random() < 0.4)
    for depth in range(4):
        level = (0.44 + 0.09 * depth) * height
        tall = (0.15 + 0.045 * depth) * unit
        breadth = (0.05 + 0.018 * depth) * unit * (1.4 if round_tops else 1.0)
        curve = paint.treeline(rng, width, level, tall, breadth, round_tops)
        mist = trees[depth] + (sky[2] - trees[depth]) * 0.5
        # Steep edges need more rows of softness to be as smooth as flat ones.
        paint.land(picture, curve, trees[depth], mist if depth < 3 else trees[depth], soft=3.0)
    for depth in range(2):
        level = (0.73 + 0.1 * depth + 0.03 * rng.random()) * height
        curve = paint.skyline(rng, width, level, 0.03 * height)
        tone = trees[4] * (1.2 - 0.2 * depth)
        paint.land(picture, curve, np.minimum(tone + 10, 255), tone * 0.86)


def _city(picture: np.ndarray, rng: Rng) -> None:
    height, width = picture.shape[1:]
    tones = paint.mixed(rng, "city")
    paint.rows(picture, paint.gradient(tones[:3], height, stop=0.66))
    paint.glow(picture, rng.random() * width, 0.45 * height, 0.34, tones[2], 0.6)
    paint.clouds(picture, rng, int(rng.integers(0, 3)), 0.1 * height, 0.25 * height)
    ground = (0.72 + 0.04 * rng.random()) * height
    for depth in range(3):
        tone = tones[3 + depth]
        breadth = (0.085 + 0.025 * depth) * min(height, width)
        curve = paint.roofline(rng, width, ground, (0.48 - 0.12 * depth) * height, breadth)
        paint.land(picture, curve, tone * 1.04, tone + (tones[2] - tone) * (0.35 - 0.1 * depth))
    street = tones[6]
    paint.land(picture, np.full(width, ground, np.float32), street * 1.2, street * 1.08)
    kerb = ground + 0.06 * height
    paint.land(picture, np.full(width, kerb, np.float32), street * 0.82, street * 0.7)


def _underwater(picture: np.ndarray, rng: Rng) -> None:
    height, width = picture.shape[1:]
    water = paint.mixed(rng, "water")
    paint.rows(picture, paint.gradient(water[:3], height))
    start, lean = rng.random() * 0.3, 0.1 + 0.25 * rng.random()
    for number in range(4):
        x = (start + 0.26 * number - 0.1) * width
        breadth = (0.03 + 0.04 * rng.random()) * width
        paint.ray(picture, x, lean, breadth, WHITE, 0.16 + 0.1 * rng.random())
    for depth in range(2):
        level = (0.7 + 0.06 * depth) * height
        curve = paint.skyline(rng, width, level, (0.09 - 0.03 * depth) * height)
        tone = water[3] * (1.0 + 0.12 * depth)
        paint.land(picture, curve, tone, tone * 0.9)
    curve = paint.skyline(rng, width, (0.84 + 0.04 * rng.random()) * height, 0.025 * height)
    paint.land(picture, curve, water[4], water[4] * 0.82)
    unit = math.sqrt(width * height) / 512
    for _ in range(int(rng.integers(8, 18))):
        center = (rng.random() * width, (0.1 + 0.65 * rng.random()) * height)
        paint.dot(picture, center, (3 + 5 * rng.random()) * unit, (225, 250, 255), 0.4)


def _space(picture: np.ndarray, rng: Rng) -> None:
    height, width = picture.shape[1:]
    tones = paint.mixed(rng, "cosmos")
    paint.rows(picture, paint.gradient(tones[:3], height, stop=0.85))
    for number in range(4):
        center = (rng.random() * width, (0.08 + 0.55 * rng.random()) * height)
        paint.glow(picture, *center, 0.12 + 0.16 * rng.random(), tones[3 + number % 2], 0.5)
    unit = math.sqrt(width * height) / 512
    for _ in range(int(rng.integers(40, 64))):
        radius = (1.8 + 2.4 * rng.random() ** 3) * unit
        center = (rng.random() * width, rng.random() * 0.78 * height)
        paint.dot(picture, center, radius, (248, 246, 255), 0.5 + 0.5 * rng.random())
    for depth in range(2):
        tone = tones[5 + depth]
        level = (0.76 + 0.1 * depth + 0.02 * rng.random()) * height
        curve = paint.skyline(rng, width, level, (0.035 - 0.01 * depth) * height)
        paint.land(picture, curve, np.minimum(tone * 1.15, 255), tone * 0.8)
    for _ in range(int(rng.integers(3, 6))):  # craters
        level = (0.88 + 0.1 * rng.random()) * height
        span = (0.1 + 0.16 * rng.random()) * width
        center = (rng.random() * width, level)
        paint.streak(picture, center, span, 0.014 * height, tones[6] * 0.66, 0.6)


def _room(picture: np.ndarray, rng: Rng) -> None:
    height, width = picture.shape[1:]
    tones = paint.mixed(rng, "walls")
    floor = (0.66 + 0.07 * rng.random()) * height
    paint.rows(picture, paint.gradient(tones[:2], height, stop=floor / height))
    paint.glow(picture, rng.random() * width, 0.25 * height, 0.4, (255, 250, 236), 0.45)
    if rng.random() < 0.75:
        _window(picture, rng, floor)
    level = np.full(width, floor, np.float32)
    paint.land(picture, level - 0.035 * height, WHITE * 0.97, WHITE * 0.97)
    paint.land(picture, level, tones[2], tones[3])
    center = ((0.3 + 0.4 * rng.random()) * width, floor + 0.55 * (height - floor))
    span = (0.6 + 0.25 * rng.random()) * width
    paint.streak(picture, center, span, 0.06 * height, tones[4], 0.9)


def _window(picture: np.ndarray, rng: Rng, floor: float) -> None:
    """A white frame with a view of a pale sky; nothing in it that could be a thing."""
    height, width = picture.shape[1:]
    wide, tall = (0.22 + 0.14 * rng.random()) * width, (0.42 + 0.14 * rng.random()) * floor
    x0, y0 = rng.random() * 0.85 * (width - wide) + 0.075 * (width - wide), 0.16 * floor
    rim = 0.018 * math.sqrt(width * height)
    paint.panel(picture, (x0 - rim, y0 - rim, x0 + wide + rim, y0 + tall + rim), WHITE * 0.98)
    pane = np.array((168, 214, 240), np.float32) + rng.uniform(-14, 14, 3).astype(np.float32)
    half = wide / 2
    for left in (x0, x0 + half + rim / 4):
        paint.panel(picture, (left, y0, left + half - rim / 4, y0 + tall), pane)
        paint.panel(picture, (left, y0 + 0.6 * tall, left + half - rim / 4, y0 + tall), WHITE, 0.35)


def _mountains(picture: np.ndarray, rng: Rng) -> None:
    height, width = picture.shape[1:]
    tones = paint.mixed(rng, "mountains")
    horizon = (0.66 + 0.05 * rng.random()) * height
    paint.rows(picture, paint.gradient(tones[:3], height, stop=horizon / height))
    paint.clouds(picture, rng, 2, 0.08 * height, 0.25 * height)
    for depth in range(2):
        tall = (0.44 - 0.13 * depth) * height
        peaks = paint.treeline(rng, width, horizon, tall, (0.42 - 0.12 * depth) * width, False)
        rock = tones[3 + depth]
        snow_end = paint.skyline(rng, width, horizon - 0.58 * tall, 0.05 * height)
        paint.land(picture, peaks, WHITE, WHITE * 0.96)
        paint.land(picture, np.maximum(peaks, snow_end), rock * 1.08, rock * 0.92, soft=2.5)
    for depth in range(2):
        level = horizon - 0.02 * height + 0.12 * depth * height
        curve = paint.skyline(rng, width, level, 0.03 * height)
        paint.land(picture, curve, tones[5 + depth] * 1.08, tones[5 + depth] * 0.92)


def _farm(picture: np.ndarray, rng: Rng) -> None:
    height, width = picture.shape[1:]
    tones = paint.mixed(rng, "farm")
    horizon = (0.5 + 0.07 * rng.random()) * height
    paint.rows(picture, paint.gradient(tones[:3], height, stop=horizon / height))
    paint.clouds(picture, rng, int(rng.integers(1, 4)), 0.15 * horizon, 0.6 * horizon)
    hill = paint.skyline(rng, width, horizon - 0.02 * height, 0.06 * height)
    paint.land(picture, hill, tones[3] * 1.06, tones[3] * 0.9)
    field = horizon + 0.05 * height
    paint.land(picture, paint.skyline(rng, width, field, 0.02 * height), tones[4], tones[5])
    for step in range(4):
        # Furrows that lie closer together towards the horizon.
        level = field + (0.03 + 0.045 * step) * height
        thickness = (4 + 2 * step) * height / 512
        paint.streak(picture, (width / 2, level), 2.4 * width, thickness, tones[5], 0.5)
    grass = (0.78 + 0.02 * rng.random()) * height
    paint.land(
        picture, paint.skyline(rng, width, grass, 0.015 * height), tones[6] * 1.08, tones[6] * 0.84
    )
    _fence(picture, rng, grass)


def _fence(picture: np.ndarray, rng: Rng, foot: float) -> None:
    height, width = picture.shape[1:]
    wood = np.array((246, 240, 228) if rng.random() < 0.6 else (160, 112, 74), np.float32)
    tall, thick = 0.11 * height, 0.014 * height
    for rail in (0.25, 0.62):
        top = foot - tall * (1 - rail)
        paint.panel(picture, (-4, top, width + 4, top + thick), wood * 0.95)
    gap = 0.16 * width
    x = -gap * rng.random()
    while x < width:
        paint.panel(picture, (x, foot - tall, x + 1.4 * thick, foot + 0.01 * height), wood)
        x += gap


def _street(picture: np.ndarray, rng: Rng) -> None:
    height, width = picture.shape[1:]
    tones = paint.mixed(rng, "street")
    walk = (0.66 + 0.03 * rng.random()) * height
    paint.rows(picture, paint.gradient(np.stack([tones[0], tones[0] * 0.4 + WHITE * 0.6]), height))
    x, front = -0.2 * width * rng.random(), int(rng.integers(3))
    while x < width:
        span = (0.22 + 0.12 * rng.random()) * width
        top = (0.1 + 0.2 * rng.random()) * height
        tone = tones[1 + front % 3]
        paint.panel(picture, (x, top, x + span, walk), tone)
        paint.panel(picture, (x - 3, top, x + span + 3, top + 0.03 * height), tone * 0.8)
        for row in range(2):
            for column in range(2):
                left = x + (0.16 + 0.4 * column) * span
                upper = top + 0.09 * height + row * 0.19 * height
                pane = (left, upper, left + 0.27 * span, upper + 0.11 * height)
                paint.panel(picture, pane, np.array((226, 240, 248), np.float32))
        x, front = x + span, front + 1
    paint.panel(picture, (-4, walk, width + 4, height + 4), tones[4])
    road = walk + 0.1 * height
    paint.panel(picture, (-4, road, width + 4, height + 4), tones[5])
    paint.panel(picture, (-4, road, width + 4, road + 0.015 * height), tones[4] * 0.8)
    dash, start = 0.16 * width, 0.3 * width * rng.random()
    level = road + 0.5 * (height - road)
    for step in range(-1, 5):
        left = start + step * 1.9 * dash
        stripe = (left, level, left + dash, level + 0.022 * height)
        paint.panel(picture, stripe, np.array((240, 236, 220), np.float32))


def _kitchen(picture: np.ndarray, rng: Rng) -> None:
    height, width = picture.shape[1:]
    tones = paint.mixed(rng, "kitchen")
    top = (0.56 + 0.05 * rng.random()) * height
    foot = top + 0.32 * height
    paint.rows(picture, paint.gradient(np.stack([tones[0] * 1.02, tones[0] * 0.95]), height))
    tile, line = 0.1 * height, tones[0] * 0.86
    paint.panel(picture, (-4, top - 3 * tile, width + 4, top), tones[1])
    for row in range(4):
        level = top - row * tile
        paint.panel(picture, (-4, level - 1.5, width + 4, level + 1.5), line, 0.7)
    x = tile * rng.random()
    while x < width:
        paint.panel(picture, (x - 1.5, top - 3 * tile, x + 1.5, top), line, 0.7)
        x += 1.4 * tile
    paint.panel(picture, (-4, top, width + 4, foot), tones[3])
    door = (0.22 + 0.05 * rng.random()) * width
    x = -door * rng.random()
    while x < width:
        paint.panel(
            picture,
            (x + 6, top + 0.07 * height, x + door - 6, foot - 0.02 * height),
            tones[3] * 1.1,
        )
        x += door
    paint.panel(picture, (-4, top, width + 4, top + 0.045 * height), tones[2])
    paint.panel(picture, (-4, foot, width + 4, height + 4), tones[4])
    paint.glow(picture, rng.random() * width, 0.15 * height, 0.4, (255, 250, 232), 0.4)


def _party(picture: np.ndarray, rng: Rng) -> None:
    height, width = picture.shape[1:]
    tones, (confetti,) = paint.mixed(rng, "party"), paint.palettes("confetti")
    floor = (0.72 + 0.05 * rng.random()) * height
    paint.rows(picture, paint.gradient(tones[:3], height, stop=floor / height))
    for _ in range(2):
        paint.glow(
            picture, rng.random() * width, 0.4 * rng.random() * height, 0.3, (255, 240, 220), 0.45
        )
    paint.land(picture, np.full(width, floor, np.float32), tones[3], tones[4])
    paint.streak(
        picture, (width / 2, floor + 0.1 * height), 0.9 * width, 0.05 * height, tones[2], 0.5
    )
    unit = math.sqrt(width * height) / 512
    for _ in range(int(rng.integers(34, 50))):
        colour = confetti[int(rng.integers(len(confetti)))]
        center = (rng.random() * width, rng.random() ** 1.3 * floor)
        paint.dot(picture, center, (4.5 + 4 * rng.random()) * unit, colour, 0.9)
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
    (confetti,) = paint.palettes("confetti")
    first = int(rng.integers(len(confetti)))
    colours = confetti.astype(np.float32)[(places / flag).astype(int) % 5 - first]
    picture += mask * (colours.T[:, None, :] - picture)


def _autumn(picture: np.ndarray, rng: Rng) -> None:
    height, width = picture.shape[1:]
    tones = paint.mixed(rng, "autumn")
    horizon = (0.6 + 0.05 * rng.random()) * height
    paint.rows(picture, paint.gradient(tones[:3], height, stop=horizon / height))
    paint.glow(picture, rng.random() * width, 0.4 * horizon, 0.35, (255, 246, 214), 0.55)
    for depth in range(3):
        tall, breadth = (0.4 - 0.1 * depth) * height, (0.1 + 0.01 * depth) * width
        level = horizon + 0.03 * depth * height
        crowns = paint.treeline(rng, width, level, tall, breadth, True)
        paint.land(picture, crowns, tones[3 + depth] * 1.06, tones[3 + depth] * 0.92)
    ground = paint.skyline(rng, width, horizon + 0.08 * height, 0.025 * height)
    paint.land(picture, ground, tones[6] * 1.06, tones[7])
    unit = math.sqrt(width * height) / 512
    for _ in range(int(rng.integers(26, 40))):
        share = rng.random()
        center = (rng.random() * width, horizon + (0.12 + 0.26 * share) * height)
        tone = tones[3 + int(rng.integers(3))]
        paint.dot(picture, center, (3.5 + 3.5 * share) * unit, tuple(tone), 0.8)


def _jungle(picture: np.ndarray, rng: Rng) -> None:
    height, width = picture.shape[1:]
    tones = paint.mixed(rng, "jungle")
    floor = (0.74 + 0.04 * rng.random()) * height
    paint.rows(picture, paint.gradient(tones[:2], height, stop=0.7))
    for _ in range(2):
        x, lean = rng.random() * width, 0.3 * (rng.random() - 0.5)
        paint.ray(picture, x, lean, 0.07 * width, tones[0] * 1.04, 0.5)
    for depth in range(2):
        leaves = paint.treeline(
            rng, width, floor, (0.42 - 0.12 * depth) * height, 0.13 * width, True
        )
        paint.land(picture, leaves, tones[2 + depth] * 1.1, tones[2 + depth] * 0.85)
    ground = paint.skyline(rng, width, floor, 0.03 * height)
    paint.land(picture, ground, tones[5] * 1.1, tones[6])
    # The canopy: the same crowns upside down, from the upper edge.
    for depth in range(2):
        hanging = paint.treeline(
            rng, width, (0.94 + 0.05 * depth) * height, 0.13 * height, 0.07 * width, depth == 1
        )
        paint.land(picture[:, ::-1], hanging, tones[3 + depth], tones[3 + depth] * 0.8)


def _rain(picture: np.ndarray, rng: Rng) -> None:
    height, width = picture.shape[1:]
    tones = paint.mixed(rng, "rain")
    horizon = (0.64 + 0.06 * rng.random()) * height
    paint.rows(picture, paint.gradient(tones[:3], height, stop=horizon / height))
    hill = paint.skyline(rng, width, horizon - 0.03 * height, 0.06 * height)
    paint.land(picture, hill, tones[4] * 1.05, tones[4] * 0.9)
    ground = paint.skyline(rng, width, horizon + 0.05 * height, 0.02 * height)
    paint.land(picture, ground, tones[5] * 1.05, tones[6])
    for _ in range(int(rng.integers(3, 6))):  # puddles
        level = horizon + (0.12 + 0.2 * rng.random()) * height
        span = (0.14 + 0.18 * rng.random()) * width
        paint.streak(picture, (rng.random() * width, level), span, 0.014 * height, tones[2], 0.8)
    unit = math.sqrt(width * height) / 512
    for _ in range(int(rng.integers(60, 80))):
        x, y = rng.random() * width, rng.random() * height
        long = (14 + 14 * rng.random()) * unit
        paint.panel(picture, (x, y, x + 3 * unit, y + long), WHITE, 0.35, soft=2 * unit)
    for depth in range(2):
        level = (0.78 + 0.08 * depth) * height
        paint.cloud_bank(
            picture[:, ::-1], rng, level, 0.08 * height, tones[3] * (1.15 - 0.2 * depth)
        )


def _plain_painter(name: str) -> Painter:
    """The painter of one plain colour: an even tone that is a little lighter in one place."""

    def painter(picture: np.ndarray, rng: Rng) -> None:
        height, width = picture.shape[1:]
        tones = paint.palettes(name)[0].astype(np.float32)
        tone = tones[int(rng.integers(len(tones)))]
        shade = 0.015 if name == "white background" else 0.04  # white must not look grey
        tone = tone * (1 - shade * rng.random())
        paint.rows(picture, paint.gradient(np.stack([tone, tone * (1 - shade)]), height))
        center = (0.2 + 0.6 * rng.random()) * width, (0.2 + 0.5 * rng.random()) * height
        light = tuple(tone + (WHITE - tone) * 0.35)
        paint.glow(picture, *center, 0.4, light, 0.3 + 0.3 * rng.random())

    return painter


PAINTERS: dict[str, Painter] = {
    **{
        painter.__name__[1:].replace("_", " "): painter
        for painter in (
            *(_blue_sky, _sunset, _night_sky, _green_hills, _beach, _snow, _desert, _forest, _city),
            *(_underwater, _space, _room, _mountains, _farm, _street, _kitchen, _party, _autumn),
            *(_jungle, _rain),
        )
    },
    **{name: _plain_painter(name) for name in PLAIN},
}
