"""Random layers for the autoencoder: sprites, recoloured and scaled, backgrounds and composites.

An endless stream made in worker processes; knows nothing of the models.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import IterableDataset, get_worker_info

from engine.training.backgrounds import draw_background
from engine.training.concepts import BACKGROUNDS_BY_NAME
from engine.training.pixels import over, place, resize_sprite, rotate_hue
from engine.training.sprites import SpritePack

BASE_SCALE = 2  # full-canvas entries are encoded at half their size


class LayerCrops(IterableDataset[Tensor]):
    """Batches (B, 4, size, size) of premultiplied crops in [0, 1]."""

    def __init__(self, sprites: Path, *, batch: int, size: int, seed: int) -> None:
        self.sprites, self.batch, self.size, self.seed = sprites, batch, size, seed

    def __iter__(self) -> Iterator[Tensor]:
        info = get_worker_info()
        rng = np.random.default_rng([self.seed, info.id if info else 0])
        pack = SpritePack.load(self.sprites)
        pictures = list(pack.sprites.values())
        backgrounds: list[np.ndarray] = []
        while True:
            if len(backgrounds) < 64 or rng.random() < 0.1:
                drawn = random_background(rng, self.size)
                backgrounds = [*backgrounds[-255:], drawn]
            crops = [self._crop(rng, pictures, backgrounds) for _ in range(self.batch)]
            yield torch.from_numpy(np.stack(crops)).movedim(-1, 1).contiguous()

    def _crop(
        self, rng: np.random.Generator, pictures: list[np.ndarray], backgrounds: list[np.ndarray]
    ) -> np.ndarray:
        kind = rng.random()
        if kind < 0.1:
            return backgrounds[rng.integers(len(backgrounds))]
        layer = random_layer(rng, pictures, self.size)
        if kind < 0.2:  # composites: several layers over a background
            for _ in range(rng.integers(3)):
                layer = over(random_layer(rng, pictures, self.size), layer)
            return over(layer, backgrounds[rng.integers(len(backgrounds))])
        return layer


def random_layer(
    rng: np.random.Generator, pictures: list[np.ndarray], size: int, side: int | None = None
) -> np.ndarray:
    """One (size, size, 4) premultiplied crop of a sprite at a random scale and place."""
    rgba = pictures[rng.integers(len(pictures))]
    if rng.random() < 0.3:
        rgba = rotate_hue(rgba, rng.uniform(0, 360))
    longest = side or int(np.exp(rng.uniform(np.log(56), np.log(272))))
    ratio = longest / max(rgba.shape[:2])
    stretch = np.exp(rng.normal(0, 0.06))
    w = max(8, round(rgba.shape[1] * ratio * stretch))
    h = max(8, round(rgba.shape[0] * ratio / stretch))
    sprite = resize_sprite(rgba, (w, h), flip=bool(rng.random() < 0.5))
    x = int(rng.integers(min(0, size - w), max(0, size - w) + 1))
    y = int(rng.integers(min(0, size - h), max(0, size - h) + 1))
    return place(sprite, (x, y), (size, size))


def random_background(rng: np.random.Generator, size: int) -> np.ndarray:
    """A random (size, size, 4) opaque crop of a background at the scale it is encoded at."""
    names = list(BACKGROUNDS_BY_NAME)
    full = draw_background(names[rng.integers(len(names))], (256, 256), rng)
    x, y = rng.integers(0, 256 - size + 1, 2)
    crop = full[y : y + size, x : x + size].astype(np.float32) / 255
    return np.concatenate([crop, np.ones_like(crop[..., :1])], axis=-1)
