"""Pixels of training pictures: resizing, placing and recolouring sprites. numpy and pillow only.

Everything is premultiplied float32 in [0, 1] unless a name says otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from engine.training.data.concepts import COLOURS, data_rows

# Neutral colour -> (hue in degrees, saturation, darkest, lightest): the tones, 0 to 1, that the
# darkest and the lightest part of a sprite's main colour are given. Not down to black nor up to
# white, so that shading and outline stay visible.
NEUTRAL_TONES = {
    row["colour"]: [float(value) for value in row["neutral"].split(",")]
    for row in data_rows("colours.tsv")
    if row["neutral"]
}
MAIN_SHARE = (0.05, 0.95)  # quantiles of the main colour's lightness that become the two ends


def resize_sprite(rgba: np.ndarray, size: tuple[int, int], flip: bool = False) -> np.ndarray:
    """(h, w, 4) uint8 straight -> (size[1], size[0], 4) float32 premultiplied."""
    image = Image.fromarray(rgba).convert("RGBa")  # premultiplied: no dark or bright fringes
    if flip:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    # BICUBIC in pillow averages when shrinking; Lanczos would ring around hard edges.
    resized = np.asarray(image.resize(size, Image.Resampling.BICUBIC))
    return resized.astype(np.float32) / 255.0


def place(sprite: np.ndarray, rect_xy: tuple[int, int], size: tuple[int, int]) -> np.ndarray:
    """Put a premultiplied sprite at (x, y) on an empty (size[1], size[0], 4) layer, clipped."""
    layer = np.zeros((size[1], size[0], 4), np.float32)
    x, y = rect_xy
    h, w = sprite.shape[:2]
    x0, y0, x1, y1 = max(x, 0), max(y, 0), min(x + w, size[0]), min(y + h, size[1])
    if x1 > x0 and y1 > y0:
        layer[y0:y1, x0:x1] = sprite[y0 - y : y1 - y, x0 - x : x1 - x]
    return layer


def over(top: np.ndarray, bottom: np.ndarray) -> np.ndarray:
    """Premultiplied `top` over `bottom`."""
    return top + bottom * (1 - top[..., 3:])


def rotate_hue(rgba: np.ndarray, degrees: float | np.ndarray) -> np.ndarray:
    """Turn the hue of (h, w, 4) uint8 by `degrees` (a number or (h, w)); grey stays grey."""
    hsv = np.asarray(Image.fromarray(rgba[..., :3]).convert("HSV")).copy()
    shift = np.asarray(degrees, np.float32) * (256 / 360)
    hsv[..., 0] = ((hsv[..., 0] + shift) % 256).astype(np.uint8)
    rgb = np.asarray(Image.fromarray(hsv, "HSV").convert("RGB"))
    return np.concatenate([rgb, rgba[..., 3:]], axis=-1) * (rgba[..., 3:] > 0)


def dominant_hue(rgba: np.ndarray) -> float:
    """The main hue in degrees of the saturated visible pixels of (h, w, 4) uint8 straight."""
    hsv = np.asarray(Image.fromarray(rgba[..., :3]).convert("HSV")).astype(np.float32)
    weight = hsv[..., 1] * hsv[..., 2] * rgba[..., 3]
    weight = weight * (hsv[..., 1] > 60)
    counts = np.bincount((hsv[..., 0] / 4).astype(int).ravel(), weight.ravel(), minlength=64)
    smooth = counts + np.roll(counts, 1) + np.roll(counts, -1) + 1e-9
    peak = int(smooth.argmax())
    near = (np.arange(64) - peak + 32) % 64 - 32
    window = np.abs(near) <= 3
    centre = peak + (near * counts * window).sum() / max((counts * window).sum(), 1e-9)
    return float((centre + 0.5) * (360 / 64) % 360)


def recolour(rgba: np.ndarray, colour: str) -> np.ndarray:
    """Turn the main colour of (h, w, 4) uint8 straight to `colour`; other hues stay."""
    main = dominant_hue(rgba)
    hsv = np.asarray(Image.fromarray(rgba[..., :3]).convert("HSV")).astype(np.float32)
    distance = np.abs((hsv[..., 0] * (360 / 256) - main + 180) % 360 - 180)
    near = np.clip((75 - distance) / 15, 0, 1)  # soft edge: no ring between turned and kept hues
    if colour in NEUTRAL_TONES:
        return _neutral(rgba, colour, near * np.clip((hsv[..., 1] - 40) / 40, 0, 1))
    shifted = rotate_hue(rgba, (COLOURS[colour] - main + 180) % 360 - 180)
    mixed = rgba + (shifted.astype(np.float32) - rgba) * near[..., None]
    return np.round(mixed).astype(np.uint8)


def _neutral(rgba: np.ndarray, colour: str, main: np.ndarray) -> np.ndarray:
    """Spread the lightness of what is `main` ((h, w), 0 to 1) over the tones of a neutral colour.

    Pixels without colour of their own (tyres, windows, highlights) are not `main` and stay.
    """
    hue, saturation, darkest, lightest = NEUTRAL_TONES[colour]
    light = rgba[..., :3].astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32) / 255
    chosen = light[(main > 0.5) & (rgba[..., 3] > 128)]
    if not len(chosen):
        return rgba
    low, high = np.quantile(chosen, MAIN_SHARE)
    # A plainly coloured thing has one lightness: it gets the middle of the tones, not their ends.
    span, middle = max(high - low, 0.35), (low + high) / 2
    share = np.clip(0.5 + (light - middle) / span, 0, 1)
    value = darkest + (lightest - darkest) * share
    hsv = np.stack([np.full_like(value, hue / 360), np.full_like(value, saturation), value], -1)
    tones = np.asarray(Image.fromarray((hsv * 255).astype(np.uint8), "HSV").convert("RGB")).astype(
        np.float32
    )
    rgb = rgba[..., :3] + (tones - rgba[..., :3]) * main[..., None]
    return np.concatenate([np.round(rgb).astype(np.uint8), rgba[..., 3:]], axis=-1)


# ---- recolouring by the main colour's family ----

# The family is all shades of one hue, or the neutral body of a thing; stages with drawings use it.
# `recolour` turns hues, so brown stays dark, cream stays pale and a white sheep stays white. Here
# the main colour gets the tone of the colour that is asked for, and its shades keep their distance
# in lightness; eyes, beaks and stripes of other hues stay. Colours are compared in OKLab (Björn
# Ottosson, 2020): lightness 0 to 1, chroma about 0 to 0.3, hue in degrees.

# What the middle of a main colour becomes, sRGB. Hues as in `concepts.COLOURS`.
TONES = {
    row["colour"]: [int(value) for value in row["tone"].split(",")]
    for row in data_rows("colours.tsv")
}
NEUTRAL_CHROMA = 0.045  # below it a colour counts as grey
DARK = 0.45  # lightness that parts dark neutrals from light ones
HUE_REACH = 26.0  # degrees around the main hue that belong to it; fades over HUE_FADE more
HUE_FADE = 12.0
NEUTRAL_REACH = 0.26  # lightness around a neutral main colour that belongs to it
CHROMATIC_LEAD = 1.5  # a hue wins over a neutral with up to this many times its area
MOST_SLOPE = 1.0  # of lightness against the original: shading is never exaggerated

_TO_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ],
    np.float32,
)
_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ],
    np.float32,
)
_FROM_LMS, _FROM_LAB = np.linalg.inv(_TO_LMS), np.linalg.inv(_TO_LAB)


@dataclass(frozen=True, slots=True)
class MainColour:
    """What a sprite is mostly painted in: hue in degrees (None = neutral), and medians."""

    hue: float | None
    lightness: float
    chroma: float


def oklab(rgb: np.ndarray) -> np.ndarray:
    """(..., 3) sRGB in [0, 255] -> OKLab float32; bytes are looked up, which is faster."""
    rgb = np.asarray(rgb)
    linear = _LINEAR[rgb] if rgb.dtype == np.uint8 else _linear(rgb.astype(np.float32))
    return np.cbrt(linear @ _TO_LMS.T) @ _TO_LAB.T


def _linear(rgb: np.ndarray) -> np.ndarray:
    """Light of sRGB values in [0, 255], float32 in [0, 1]."""
    value = rgb / 255
    return np.where(value > 0.04045, ((value + 0.055) / 1.055) ** 2.4, value / 12.92)


_LINEAR = _linear(np.arange(256, dtype=np.float32))


def srgb(lab: np.ndarray) -> np.ndarray:
    """(..., 3) OKLab -> sRGB in [0, 255], float32; colours that screens lack are clipped."""
    linear = ((lab @ _FROM_LAB.T) ** 3) @ _FROM_LMS.T
    linear = np.clip(linear, 0, 1)
    value = np.where(linear > 0.0031308, 1.055 * linear ** (1 / 2.4) - 0.055, linear * 12.92)
    return (value * 255).astype(np.float32)


def _colours(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The (C, 3) different colours of (N, 4) uint8 pixels, and the number of each pixel's.

    Drawings of 40,000 pixels have about a hundred, so colours are worked on, not pixels.
    """
    packed = pixels[:, 0] * np.uint32(65536) + pixels[:, 1] * np.uint32(256) + pixels[:, 2]
    found, where = np.unique(packed, return_inverse=True)
    return np.stack([found >> 16, found >> 8 & 255, found & 255], axis=-1).astype(np.uint8), where


def main_colour(lab: np.ndarray, counts: np.ndarray) -> MainColour | None:
    """The main colour of (C, 3) OKLab colours, each of `counts` pixels."""
    if not counts.any():
        return None
    light, chroma = lab[:, 0], np.hypot(lab[:, 1], lab[:, 2])
    hue = np.degrees(np.arctan2(lab[:, 2], lab[:, 1])) % 360
    coloured = chroma >= NEUTRAL_CHROMA
    peak = _busiest_hue(hue[coloured], counts[coloured])
    candidates: list[tuple[float, float | None, np.ndarray]] = [
        (1.0, None, ~coloured & (light >= DARK)),
        (1.0, None, ~coloured & (light < DARK)),
    ]
    if peak is not None:
        candidates.append((CHROMATIC_LEAD, peak, coloured & (_away(hue, peak) <= HUE_REACH)))
    _, found, members = max(candidates, key=lambda entry: entry[0] * counts[entry[2]].sum())
    return MainColour(
        found,
        float(np.median(np.repeat(light[members], counts[members]))),
        float(np.median(np.repeat(chroma[members], counts[members]))),
    )


def recolour_main(rgba: np.ndarray, colour: str) -> np.ndarray:
    """Give the main colour's family in (h, w, 4) uint8 straight the tone of `colour` in `TONES`."""
    visible = rgba[..., 3] > 0
    pixels = rgba[visible]
    colours, where = _colours(pixels)
    lab = oklab(colours)
    solid = np.bincount(where, weights=pixels[:, 3] > 127).astype(int)  # more than half opaque
    main = main_colour(lab, solid)
    if main is None:
        return rgba
    member = _membership(lab, main)
    painted = srgb(_in_tone(lab, main, oklab(np.array(TONES[colour], np.uint8))))
    mixed = np.round(colours + (painted - colours) * member[:, None]).astype(np.uint8)
    out = np.zeros_like(rgba)
    out[visible] = np.concatenate([mixed[where], pixels[:, 3:]], axis=-1)
    return out


def _in_tone(lab: np.ndarray, main: MainColour, tone: np.ndarray) -> np.ndarray:
    """The family of `main` around another OKLab tone (3,): (C, 3) colours -> (C, 3)."""
    light, chroma = lab[:, 0], np.hypot(lab[:, 1], lab[:, 2])
    step = light - main.lightness
    up = min((1 - tone[0]) / max(1 - main.lightness, 1e-3), MOST_SLOPE)
    down = min(tone[0] / max(main.lightness, 1e-3), MOST_SLOPE)
    lightness = tone[0] + step * np.where(step > 0, up, down)
    strength = np.ones_like(chroma)
    if main.hue is not None and np.hypot(tone[1], tone[2]) >= NEUTRAL_CHROMA:
        # Pale and dark parts of the family keep their share of the colour.
        strength = np.clip(chroma / max(main.chroma, 1e-3), 0, 1.1)
    return np.stack([lightness, tone[1] * strength, tone[2] * strength], axis=-1)


def _membership(lab: np.ndarray, main: MainColour) -> np.ndarray:
    """How far each colour (C, 3) belongs to the main colour's family, 0 to 1; (C,)."""
    chroma = np.hypot(lab[..., 1], lab[..., 2])
    if main.hue is None:
        grey = np.clip((NEUTRAL_CHROMA + 0.03 - chroma) / 0.03, 0, 1)
        away = np.abs(lab[..., 0] - main.lightness)
        # A light body keeps its highlights, a dark one its black: they are ends of the family.
        towards_end = (lab[..., 0] > main.lightness) == (main.lightness >= DARK)
        near = np.where(towards_end, 1, np.clip((NEUTRAL_REACH + 0.06 - away) / 0.06, 0, 1))
        return grey * near
    hue = np.degrees(np.arctan2(lab[..., 2], lab[..., 1])) % 360
    near = np.clip((HUE_REACH + HUE_FADE - _away(hue, main.hue)) / HUE_FADE, 0, 1)
    # The edge between the colour and black or white is a mix of both and turns with it.
    return near * np.clip((chroma - 0.012) / 0.02, 0, 1)


def _away(hue: np.ndarray, centre: float) -> np.ndarray:
    return np.abs((hue - centre + 180) % 360 - 180)


def _busiest_hue(hue: np.ndarray, pixels: np.ndarray) -> float | None:
    """The middle of the busiest stretch of 2 * HUE_REACH degrees; None for no hues at all."""
    if not pixels.any():
        return None
    counts = np.bincount((hue / 4).astype(int) % 90, weights=pixels, minlength=90)
    reach = round(HUE_REACH / 4)
    window = sum(np.roll(counts, step) for step in range(-reach, reach + 1))
    peak = int(np.argmax(window))
    steps = (np.arange(90) - peak + 45) % 90 - 45
    near = np.abs(steps) <= reach
    return float((peak + 0.5 + (steps * counts * near).sum() / (counts * near).sum()) * 4 % 360)
