"""Delivered layers of flat fills, and a picture made of them, for the tests of shapes."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

from app.document import Contents, Rect, Size, new_contents
from app.document.pixels import Pixels

FOLDER = Path(__file__).parent / "flat_layers"
NAMES = ("castle", "cat", "crab", "lamp", "stars", "tent")


@cache
def flat_layer(name: str) -> np.ndarray:
    """The pixels of a delivered layer, (h, w, 4) uint8, read-only."""
    with Image.open(FOLDER / f"{name}.png") as image:
        return np.asarray(image.convert("RGBA"))


def sky(width: int, height: int) -> np.ndarray:
    """A background with a gradient and some grain, opaque."""
    rows, columns = np.mgrid[:height, :width]
    grain = np.random.default_rng(3).integers(-2, 3, (height, width))
    red = 90 + 140 * rows / height + grain
    green = 120 + 60 * rows / height + 10 * columns / width
    blue = 220 - 120 * rows / height
    colours = np.stack([red, green, blue, np.full(rows.shape, 255)], axis=-1)
    return colours.round().astype(np.uint8)


def beach() -> Contents:
    """A generated picture of 512 x 512: background, castle, crab, and a hidden tent."""
    boxes = [Rect(64, 224, 256, 224), Rect(352, 384, 96, 64), Rect(320, 32, 128, 128)]
    contents = new_contents(Size(512, 512), 32, boxes=boxes, prompt="a castle on a beach")
    record = {"prompt": "a castle on a beach", "seed": 7, "word": "castle"}
    made = [
        replace(
            layer, name=name, kind="generated", image=Pixels.of(flat_layer(name)), record=record
        )
        for layer, name in zip(contents.foregrounds, ("castle", "crab", "tent"), strict=True)
    ]
    made[1] = replace(made[1], opacity=0.5, blend="multiply", locked=True)
    made[2] = replace(made[2], visible=False)
    ground = Pixels.of(sky(512, 512))
    background = replace(contents.background, kind="generated", image=ground, record=record)
    return replace(contents, background=background, foregrounds=tuple(made))
