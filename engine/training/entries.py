"""Scenes as regions: every layer of a picture drawn and encoded, with all that its tokens need.

Runs in a worker process; knows neither batches nor prompts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch import Tensor

from engine.api import Box
from engine.layout import BACKGROUND, FIRST_FOREGROUND, MERGED, foreground_grid, token_size
from engine.models.art.positions import region_ids
from engine.training.concepts import Concepts
from engine.training.latent_bank import BASE_SCALE, LatentBank
from engine.training.pixels import over, place
from engine.training.scenes import Scene
from engine.training.seed_choices import (
    DRAWINGS,
    Choice,
    background_choice,
    open_backgrounds,
    thing_choice,
)


@dataclass(slots=True)
class Entry:
    """One region of one picture: clean tokens and where they belong."""

    tokens: Tensor
    index: int
    box: Box
    scale: int
    size: tuple[int, int]
    said_at: int | None = None  # end of its mention in the prompt; None = never planned
    choice: Choice = ()  # what the seed decided, see `seed_choices`

    def ids(self, token_px: int) -> Tensor:
        """(n, 3) positions of its tokens."""
        return region_ids(self.index, self.box, token_px, self.scale, self.size)


def entries(
    scene: Scene,
    bank: LatentBank,
    rng: np.random.Generator,
    *,
    side_tokens: int = 0,
    framed: bool = False,
    concepts: Concepts | None = None,
) -> tuple[list[Entry], np.ndarray | None]:
    """The scene's background and foregrounds encoded, and the background's pixels.

    Args:
        side_tokens: as for `layout.foreground_grid`.
        framed: draw things on square tokens, as the engine delivers those of one size in tokens.
        concepts: of the scene, where the seed decides which drawing of a background it has
            (`seed_choices`); None = backgrounds are drawn anew.
    """
    canvas_box = (0, 0, *scene.canvas)
    found, pixels = [], None
    if scene.background is not None:
        name, scenery_at = scene.background, scene.background_said_at
        choice: Choice = ()
        if concepts is None:
            pixels, tokens = bank.background(name, scene.canvas, rng)
        else:
            drawing = int(rng.integers(DRAWINGS))
            pixels, tokens = bank.fixed_background(name, scene.canvas, drawing)
            unsaid = not scenery_at and name in open_backgrounds(concepts)
            choice = background_choice(drawing, name if unsaid else None, concepts, rng)
        size = token_size(canvas_box, bank.token_px, BASE_SCALE)
        found.append(Entry(tokens, BACKGROUND, canvas_box, BASE_SCALE, size, scenery_at, choice))
    for i, thing in enumerate(scene.things):
        said_at = scene.said_at[i] if scene.said_at else None
        size = foreground_grid(thing.box, bank.token_px, side_tokens=side_tokens)
        tokens = bank.framed_layer(thing, size) if framed else bank.layer(thing, size)
        code: Choice = () if thing.code is None else thing_choice(thing.code)
        found.append(Entry(tokens, FIRST_FOREGROUND + i, thing.box, 1, size, said_at, code))
    return found, pixels


def composite_entry(
    scene: Scene, bank: LatentBank, background: np.ndarray | None, skip: set[int]
) -> Entry:
    """The merged picture without the things in `skip` (and without the background for -1)."""
    width, height = (side // BASE_SCALE for side in scene.canvas)
    canvas = np.zeros((height, width, 4), np.float32)
    if background is not None and -1 not in skip:
        canvas = background
    for i, thing in enumerate(scene.things):
        if i not in skip:
            x0, y0 = thing.box[0] // BASE_SCALE, thing.box[1] // BASE_SCALE
            layer = place(bank.draw_reduced(thing, BASE_SCALE), (x0, y0), (width, height))
            canvas = over(layer, canvas)
    full = (0, 0, *scene.canvas)
    size = token_size(full, bank.token_px, BASE_SCALE)
    return Entry(bank.encode(canvas), MERGED, full, BASE_SCALE, size)
