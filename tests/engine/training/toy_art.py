"""Toy art for tests: a sprite per noun and look with an outline of its own, and a judge for it."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image
from safetensors.numpy import save_file

from engine.training.data.concepts import COLOURS, FIRST
from engine.training.data.sprites import SpritePack, tight
from engine.training.eval.judges import Verdict, fit, visible_share

BRIGHTNESS = dict(zip(FIRST.looks, (96, 160, 240, 130, 200), strict=True))
# Looks whose brightness is far apart, and colours that leave the brightness as it is.
TOY = replace(FIRST, looks=FIRST.looks[:3], colours=tuple(COLOURS))


@cache
def toy_pack(side: int = 96) -> SpritePack:
    """One saturated colour per noun; the brightness tells the look, the outline tells the noun.

    Args:
        side: of a drawing before it is cropped, in pixels.
    """
    sprites = {}
    for number, noun in enumerate(FIRST.nouns):
        rng = np.random.default_rng(number)
        cells = Image.fromarray((rng.random((5, 5)) > 0.45).astype(np.uint8) * 255)
        alpha = np.asarray(cells.resize((side, side), Image.Resampling.BICUBIC))
        for look, value in BRIGHTNESS.items():
            hue = int(rng.integers(256))
            hsv = np.empty((side, side, 3), np.uint8)
            hsv[:] = hue, 220, value
            rgb = np.asarray(Image.fromarray(hsv, "HSV").convert("RGB"))
            sprites[noun.name, look] = tight(np.dstack([rgb, alpha]))
    return SpritePack({key: (rgba,) for key, rgba in sprites.items()}, "toy")


def save_pack(pack: SpritePack, path: Path) -> None:
    """Write a pack as `layerloom train sprites` does."""
    tensors = {}
    for (noun, look), rgba in pack.sprites.items():
        data = io.BytesIO()
        Image.fromarray(rgba).save(data, "WEBP", lossless=True, method=0)
        tensors[f"{noun}|{look}"] = np.frombuffer(data.getvalue(), np.uint8)
    save_file(tensors, path, metadata={"credits": '["toy"]'})


class ToyJudge:
    """Knows the toy art by its outline: a stand-in for the trained judge in tests."""

    def __init__(self, pack: SpritePack) -> None:
        looks = list(TOY.looks)
        self.names = [noun.name for noun in FIRST.nouns]
        self.outlines = np.stack([fit(pack.sprites[name, looks[0]], 24)[3] for name in self.names])

    def __call__(self, layers: Sequence[np.ndarray]) -> list[Verdict]:
        return [self._judge(layer) for layer in layers]

    def _judge(self, layer: np.ndarray) -> Verdict:
        outline = fit(layer, 24)[3]
        both = [np.abs(self.outlines - side).mean((1, 2)) for side in (outline, outline[:, ::-1])]
        errors = np.minimum(*both)
        best = int(errors.argmin())
        shares = np.zeros(len(self.names) + 1, np.float32)
        shares[best] = 1
        empty = visible_share(layer) < 0.02
        known = not empty and errors[best] < 0.12
        value = layer[layer[..., 3] > 200][:, :3].max(1).mean() if known else 0
        look = min(TOY.looks, key=lambda name: abs(BRIGHTNESS[name] - value))
        return Verdict(self.names[best] if known else None, 1.0, empty, look, shares)
