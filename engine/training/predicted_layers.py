"""Layers as the transformer predicts them, with the pixels that they stand for.

At run time the decoder sees nothing else. One that has only seen the encoder's latents passes every
small error of a prediction on, as blotches; trained on pairs of a prediction and the very art that
was asked for, it learns what they mean. Worth it once shapes are right: before that, what is wrong
in a prediction is nothing that a decoder could mend.

Shapes: B layers, C latent channels, (h, w) tokens of 2 x 2 cells.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from engine.layout import FIRST_FOREGROUND
from engine.models.art.positions import unpatchify
from engine.models.art.text import Vocabulary
from engine.models.checkpoint import Model
from engine.sampling import FIRST_LEVEL
from engine.training.concepts import concepts_of
from engine.training.entries import Entry, entries
from engine.training.latent_bank import LatentBank
from engine.training.look_mix import LookMix
from engine.training.objective import TextToLayers
from engine.training.pictures import collate
from engine.training.scenes import Scene, compose
from engine.training.sprites import SpritePack
from engine.words import load_word_table

PICTURES = 16  # predicted in one pass
WINDOW = 4  # tokens of a side that are cut from a background
LOOKS = LookMix(named=0.8, open=0)

Pair = tuple[Tensor, Tensor]  # (C, 2h, 2w) float16 latents, (4, 32h, 32w) uint8 premultiplied


class PredictedLayers:
    """Endless batches of latents (B, C, 2h, 2w) and their true pixels (B, 4, 32h, 32w).

    Args:
        model: one whose things have the same number of tokens at every size.
        layers: that are predicted, once, before the first batch.
    """

    def __init__(self, model: Model, sprites: Path, *, layers: int, batch: int, seed: int) -> None:
        if not model.card.side_tokens:
            raise ValueError(f"{model.card.name} draws things in many sizes: nothing to compare")
        self.batch = batch
        self.rng = np.random.default_rng(seed)
        self.vocabulary = Vocabulary(model.text.config.vocabulary, load_word_table())
        self.networks = TextToLayers(model.text.config, model.art.config).eval()
        self.networks.text, self.networks.art = model.text, model.art
        bank = LatentBank(SpritePack.load(sprites), model.autoencoder)
        self.pairs: dict[tuple[int, ...], list[Pair]] = {}
        made = 0
        while made < layers:
            for latents, pixels in self._predict(model, bank):
                self.pairs.setdefault(tuple(latents.shape), []).append((latents, pixels))
                made += 1

    def __iter__(self) -> Iterator[Pair]:
        shapes = list(self.pairs)
        shares = np.array([len(self.pairs[shape]) for shape in shapes])
        while True:
            known = self.pairs[shapes[self.rng.choice(len(shapes), p=shares / shares.sum())]]
            chosen = [known[i] for i in self.rng.integers(len(known), size=self.batch)]
            latents, pixels = (torch.stack(part) for part in zip(*chosen, strict=True))
            yield latents.float(), pixels.float() / 255

    @torch.no_grad()
    def _predict(self, model: Model, bank: LatentBank) -> Iterator[Pair]:
        """All layers of some pictures, from pure noise in one step, with the plan known."""
        pictures = [self._picture(model, bank) for _ in range(PICTURES)]
        pictures.sort(key=lambda picture: sum(len(entry.tokens) for entry in picture[1]))
        known = [(scene, found, []) for scene, found, _ in pictures]
        batch = collate(known, self.vocabulary, bank.token_px)
        level = torch.full((len(batch.tokens),), FIRST_LEVEL)
        predicted = self.networks.predict(batch, torch.randn_like(batch.tokens), level).tokens
        for row, (_, found, drawings) in enumerate(pictures):
            at = 0
            for entry, drawn in zip(found, drawings, strict=True):
                h, w = entry.size
                latents = unpatchify(predicted[row, at : at + h * w].float()[None], h, w)[0]
                at += h * w
                yield self._cut(latents, torch.from_numpy(drawn).movedim(-1, 0))

    def _picture(
        self, model: Model, bank: LatentBank
    ) -> tuple[Scene, list[Entry], list[np.ndarray]]:
        """A scene, its regions, and what each of them shows, (32h, 32w, 4)."""
        concepts = concepts_of(model.card.stage)
        while True:
            scene = compose(
                self.rng, with_background=bool(self.rng.random() < 0.4),
                count=int(self.rng.integers(1, 9)), aspects=bank.pack.aspects(), variety=0,
                concepts=concepts, colour_share=0.6, looks=LOOKS,
            )  # fmt: skip
            found, background = entries(
                scene, bank, self.rng, side_tokens=model.card.side_tokens, framed=True,
                concepts=concepts,
            )  # fmt: skip
            # What the prompt does not name has no true pixels.
            if found and all(entry.said_at for entry in found):
                break
        drawings = []
        for entry in found:
            if entry.index >= FIRST_FOREGROUND:
                thing = scene.things[entry.index - FIRST_FOREGROUND]
                drawings.append(bank.draw_framed(thing, entry.size))
            else:
                assert background is not None
                rows, cols = (side * bank.token_px for side in entry.size)
                missing = rows - background.shape[0], cols - background.shape[1]
                drawings.append(np.pad(background, [(0, missing[0]), (0, missing[1]), (0, 0)]))
        return scene, found, drawings

    def _cut(self, latents: Tensor, pixels: Tensor) -> Pair:
        """A thing as it is, and a window of a background: as large as the largest things."""
        h, w = latents.shape[1] // 2, latents.shape[2] // 2
        px = pixels.shape[1] // h
        if max(h, w) > WINDOW:
            high, wide = min(h, WINDOW), min(w, WINDOW)
            y, x = (int(self.rng.integers(n + 1)) for n in (h - high, w - wide))
            latents = latents[:, 2 * y : 2 * (y + high), 2 * x : 2 * (x + wide)]
            pixels = pixels[:, px * y : px * (y + high), px * x : px * (x + wide)]
        return latents.half().clone(), pixels.mul(255).round().byte().clone()
