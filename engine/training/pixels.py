"""Pixels of training pictures: resizing, placing and recolouring sprites. numpy and pillow only.

Everything is premultiplied float32 in [0, 1] unless a name says otherwise.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

from engine.training.concepts import COLOURS

# Neutral colour -> (hue in degrees, saturation, darkest, lightest): the tones, 0 to 1, that the
# darkest and the lightest part of a sprite's main colour are given. Not down to black nor up to
# white, so that shading and outline stay visible.
NEUTRAL_TONES: dict[str, tuple[float, float, float, float]] = {
    "black": (230.0, 0.10, 0.05, 0.30),
    "white": (220.0, 0.03, 0.84, 1.00),
    "grey": (220.0, 0.05, 0.40, 0.68),
    "brown": (22.0, 0.62, 0.26, 0.56),
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
    """Give the sprite's main colour the hue of `colour`, or its neutral tones; other hues stay.

    Args:
        rgba: (h, w, 4) uint8 straight alpha.
        colour: a key of COLOURS or of NEUTRAL_TONES.
    """
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


def to_straight_bytes(premultiplied: np.ndarray) -> np.ndarray:
    """(h, w, 4) float premultiplied -> uint8 straight; colour 0 where alpha rounds to 0."""
    alpha = np.round(premultiplied[..., 3:] * 255)
    rgb = np.where(alpha > 0, premultiplied[..., :3] / np.maximum(premultiplied[..., 3:], 1e-6), 0)
    rgb = np.round(rgb.clip(0, 1) * 255)
    return np.concatenate([rgb, alpha], axis=-1).astype(np.uint8)
