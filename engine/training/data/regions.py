"""Scenes as regions: every layer of a picture drawn and encoded, with all that its tokens need."""

from __future__ import annotations

import random
import zlib
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from engine.api import Box
from engine.layout import (
    BACKGROUND,
    FIRST_FOREGROUND,
    drawn_frame,
    foreground_grid,
    token_size,
)
from engine.models.art.autoencoder import Autoencoder
from engine.models.art.positions import region_ids
from engine.training.data.backgrounds import draw_background
from engine.training.data.concepts import (
    BY_NAME,
    DRAWINGS,
    Choice,
    Concepts,
    background_choice,
    open_backgrounds,
    thing_choice,
)
from engine.training.data.pixels import place, resize_sprite
from engine.training.data.scenes import Scene, Thing, fit_rect
from engine.training.data.sprites import SpritePack

BASE_SCALE = 2  # full-canvas entries have tokens of 2 x 2 cells
VARIANTS = 3  # encoded versions kept per sprite, colour and size
BACKGROUND_VARIANTS = 160
# Of its frame's sides that a thing fills from stage 4 on. What reaches the edge looks cut there.
FILLED = 0.92
FIXED_CANVAS = (512, 512)  # that a drawing is made for which is stretched to all others


def draw_in_box(sprite: np.ndarray, thing: Thing, across: float, down: float) -> np.ndarray:
    """(h, w, 4) premultiplied: a thing in its box, whose sides are multiplied by these factors."""
    x0, y0, x1, y1 = thing.box
    x, y, w, h = thing.rect
    size = (max(1, round(w * across)), max(1, round(h * down)))
    drawn = resize_sprite(sprite, size, thing.flip)
    corner = (round((x - x0) * across), round((y - y0) * down))
    return place(drawn, corner, (round((x1 - x0) * across), round((y1 - y0) * down)))


class LatentBank:
    """Encoded layers by sprite and size, made when first asked for.

    `reuse` is the share of look-ups that take an encoded version when there is one.
    """

    def __init__(self, pack: SpritePack, autoencoder: Autoencoder, reuse: float = 0.85) -> None:
        self.pack, self.autoencoder, self.reuse = pack, autoencoder, reuse
        self.token_px = autoencoder.token_px
        self._coloured: dict[tuple[str, str, int, str | None], np.ndarray] = {}
        self._layers: dict[tuple, list[Tensor]] = {}
        self._backgrounds: dict[tuple[str, tuple[int, int]], list[Tensor]] = {}

    def sprite(self, thing: Thing) -> np.ndarray:
        drawings = self.pack.drawings[thing.noun, thing.look]
        number = (thing.code or 0) % len(drawings)
        key = (thing.noun, thing.look, number, thing.colour)
        if key not in self._coloured:
            self._coloured[key] = self.pack.coloured(thing.noun, thing.look, thing.colour, number)
        return self._coloured[key]

    def draw(self, thing: Thing, size: tuple[int, int] | None = None) -> np.ndarray:
        """(32 h, 32 w, 4) premultiplied pixels of the thing's box on (h, w) tokens, which it fills.

        `size` None = those that the box covers, one per grid cell.
        """
        x0, y0, x1, y1 = thing.box
        rows, cols = size or token_size(thing.box, self.token_px)
        across, down = cols * self.token_px / (x1 - x0), rows * self.token_px / (y1 - y0)
        return draw_in_box(self.sprite(thing), thing, across, down)

    def draw_framed(self, thing: Thing, size: tuple[int, int]) -> np.ndarray:
        """(32 h, 32 w, 4): the thing on (h, w) square tokens, fitted into its frame there.

        Depends on the box for nothing but `drawn_frame`: one picture for all boxes of a token size.
        """
        share = FILLED if self.pack.has_further_drawings else 1.0
        frame_h, frame_w = (share * side * self.token_px for side in drawn_frame(thing.box, size))
        rows, cols = (count * self.token_px for count in size)
        sprite = self.sprite(thing)
        aspect = sprite.shape[1] / sprite.shape[0]
        x, y, w, h = fit_rect((frame_w, frame_h), aspect, BY_NAME[thing.noun].band)
        drawn = resize_sprite(sprite, (max(1, round(w)), max(1, round(h))), thing.flip)
        corner = round(x + (cols - frame_w) / 2), round(y + (rows - frame_h) / 2)
        return place(drawn, corner, (cols, rows))

    @torch.no_grad()
    def encode(self, rgba: np.ndarray) -> Tensor:
        """(h, w, 4) premultiplied -> (h/32 * w/32, C) float16."""
        h, w = rgba.shape[:2]
        step = self.token_px
        padded = np.pad(rgba, ((0, -h % step), (0, -w % step), (0, 0)))  # transparent
        return self.autoencoder.encode([torch.from_numpy(padded).movedim(-1, 0)]).half()

    def framed_layer(self, thing: Thing, size: tuple[int, int]) -> Tensor:
        """(h w, C) float16: `draw_framed` encoded."""
        frame = drawn_frame(thing.box, size)
        key = (thing.noun, thing.look, thing.code, thing.colour, thing.flip, frame, size)
        known = self._layers.setdefault(key, [])
        if not known:
            known.append(self.encode(self.draw_framed(thing, size)))
        return known[0]

    def layer(self, thing: Thing, size: tuple[int, int] | None = None) -> Tensor:
        """(h w, C) float16: `draw` encoded."""
        x0, y0, x1, y1 = thing.box
        key = (thing.noun, thing.look, thing.code, thing.colour, thing.flip, x1 - x0, y1 - y0, size)
        known = self._layers.setdefault(key, [])
        if known and random.random() < self.reuse:
            return random.choice(known)
        tokens = self.encode(self.draw(thing, size))
        if len(known) >= VARIANTS:
            known.pop(0)
        known.append(tokens)
        return tokens

    def background(self, name: str, canvas: tuple[int, int], rng: np.random.Generator) -> Tensor:
        """(h w, C) float16 tokens of a background; mostly another drawing."""
        known = self._backgrounds.setdefault((name, canvas), [])
        if known and rng.random() > 0.03 + 0.25 * (1 - len(known) / BACKGROUND_VARIANTS):
            return known[rng.integers(len(known))]
        known.append(self._encoded(draw_background(name, canvas, rng), canvas))
        if len(known) > BACKGROUND_VARIANTS:
            known.pop(0)
        return known[-1]

    def fixed_background(self, name: str, canvas: tuple[int, int], drawing: int) -> Tensor:
        """As `background`, but one of a few drawings, stretched to the canvas."""
        known = self._backgrounds.setdefault((f"{name} {drawing}", canvas), [])
        if not known:
            rng = np.random.default_rng([zlib.crc32(name.encode()), drawing])
            known.append(self._encoded(draw_background(name, FIXED_CANVAS, rng), canvas))
        return known[0]

    def _encoded(self, rgb: np.ndarray, canvas: tuple[int, int]) -> Tensor:
        image = Image.fromarray(rgb)
        if image.size != canvas:
            image = image.resize(canvas, Image.Resampling.BICUBIC)
        reduced = np.asarray(image.reduce(BASE_SCALE), np.float32) / 255
        return self.encode(np.concatenate([reduced, np.ones_like(reduced[..., :1])], axis=-1))


@dataclass(slots=True)
class Entry:
    """One region of one picture: clean tokens and where they belong."""

    tokens: Tensor
    index: int
    box: Box
    scale: int
    size: tuple[int, int]
    said_at: int | None = None  # end of its mention in the prompt; None = never assigned a word
    choice: Choice = ()  # what the seed decided, see `concepts`

    def ids(self, token_px: int) -> Tensor:
        return region_ids(self.index, self.box, token_px, self.scale, self.size)


def entries(
    scene: Scene,
    bank: LatentBank,
    rng: np.random.Generator,
    *,
    side_tokens: int = 0,
    # draw things on square tokens, as the engine delivers those of one size in tokens
    framed: bool = False,
    # of the scene, where the seed decides which drawing of a background it has
    # (`background_choice`); None = every picture has a new drawing
    concepts: Concepts | None = None,
) -> list[Entry]:
    """The scene's background and foregrounds encoded."""
    canvas_box = (0, 0, *scene.canvas)
    found = []
    if scene.background is not None:
        name, scenery_at = scene.background, scene.background_said_at
        choice: Choice = ()
        if concepts is None:
            tokens = bank.background(name, scene.canvas, rng)
        else:
            drawing = int(rng.integers(DRAWINGS))
            tokens = bank.fixed_background(name, scene.canvas, drawing)
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
    return found
