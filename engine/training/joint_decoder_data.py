"""Pictures for decoders that see several layers: each layer's tokens, place and true pixels.

Scenes are composed as the transformer's training does. Which pictures a step sees depends on seed
and step alone, so that variants train on the same stream. Knows nothing of the decoders.

Shapes: N tokens of all layers of a picture, C numbers per token.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from engine.api import Box
from engine.grid import foreground_grid, token_size
from engine.layout import BACKGROUND, FIRST_FOREGROUND, region_ids
from engine.training.concepts import concepts_of
from engine.training.latent_bank import BASE_SCALE, LatentBank
from engine.training.scenes import Scene, compose, evaluation_scenes

BACKGROUND_SHARE = 0.7
HELD_OUT_SEED = 23


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What pictures are made of.

    Attributes:
        stage: of the vocabulary.
        most_tokens: of a thing's side, see `grid.coarseness`.
        max_tokens: of all layers of a training picture; larger ones are composed again.
    """

    stage: int = 1
    most_tokens: int = 6
    max_tokens: int = 400


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture, layers bottom to top.

    Attributes:
        tokens: (N, C) clean tokens of all layers.
        ids: (N, 3) as `layout.region_ids`.
        sizes: (h, w) tokens per layer.
        pixels: per layer (4, 32 h, 32 w) premultiplied in [0, 1].
        has_background: the first layer is one.
    """

    tokens: Tensor
    ids: Tensor
    sizes: tuple[tuple[int, int], ...]
    pixels: tuple[Tensor, ...]
    has_background: bool

    @property
    def counts(self) -> list[int]:
        return [h * w for h, w in self.sizes]

    def noised(self, level: float, seed: int) -> Tensor:
        """(N, C) tokens with Gaussian noise of standard deviation `level`; latents have unit RMS.

        The noise of a token does not depend on who decodes it.
        """
        generator = torch.Generator().manual_seed(seed)
        return self.tokens + level * torch.randn(self.tokens.shape, generator=generator)


def training_pictures(
    seed: int, step: int, count: int, bank: LatentBank, world: World
) -> list[Picture]:
    """The pictures of a step. The bank's backgrounds fill in the order of the steps."""
    rng = np.random.default_rng([seed, step])
    concepts, aspects = concepts_of(world.stage), bank.pack.aspects()
    found: list[Picture] = []
    while len(found) < count:
        scene = compose(
            rng, with_background=bool(rng.random() < BACKGROUND_SHARE), aspects=aspects,
            size=1 - 0.4 * float(rng.random()), concepts=concepts,
        )  # fmt: skip
        if not scene.things:
            continue
        picture = render(scene, bank, rng, world.most_tokens)
        if len(picture.tokens) <= world.max_tokens:
            found.append(picture)
    return found


def held_out_pictures(count: int, bank: LatentBank, world: World) -> list[Picture]:
    """Always the same; combinations of nouns that no training sees. Two layers or more each."""
    scenes = evaluation_scenes(
        count, HELD_OUT_SEED, canvas=(512, 512), concepts=concepts_of(world.stage),
        aspects=bank.pack.aspects(),
    )  # fmt: skip
    rng = np.random.default_rng(HELD_OUT_SEED)
    return [render(scene, bank, rng, world.most_tokens) for scene in scenes]


def render(scene: Scene, bank: LatentBank, rng: np.random.Generator, most_tokens: int) -> Picture:
    """Draw and encode every layer of a scene."""
    layers: list[tuple[int, Box, int, np.ndarray]] = []
    if scene.background is not None:
        rgba, _ = bank.background(scene.background, scene.canvas, rng)
        layers.append((BACKGROUND, (0, 0, *scene.canvas), BASE_SCALE, rgba))
    for number, thing in enumerate(scene.things):
        size, scale = foreground_grid(thing.box, bank.token_px, most_tokens=most_tokens)
        layers.append((FIRST_FOREGROUND + number, thing.box, scale, bank.draw(thing, size)))
    sizes = tuple(token_size(box, bank.token_px, scale) for _, box, scale, _ in layers)
    ids = [region_ids(index, box, bank.token_px, scale) for index, box, scale, _ in layers]
    return Picture(
        torch.cat([bank.encode(rgba).float() for *_, rgba in layers]), torch.cat(ids), sizes,
        tuple(torch.from_numpy(rgba).movedim(-1, 0).contiguous() for *_, rgba in layers),
        scene.background is not None,
    )  # fmt: skip
