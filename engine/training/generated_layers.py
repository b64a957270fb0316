"""Latents as the transformer makes them, with the true pixels: what the decoder meets at run time.

A decoder that has only seen the encoder's latents passes every error of the transformer on, as
seams between cells and blotches. Trained on predicted latents it learns what they stand for, and
as the latents of a prompt and a layout are compared with the very sprite that was asked for, the
mending is learned, not invented.

Runs in worker processes. Shapes: B layers, C latent channels, S pixels of a crop's side.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import IterableDataset, get_worker_info

from engine.grid import token_size
from engine.layout import FIRST_FOREGROUND, unpatchify
from engine.model.autoencoder import Autoencoder
from engine.model.text import Vocabulary
from engine.planning import PLANNING_T
from engine.sampling import denoise, timesteps
from engine.training.latent_bank import LatentBank
from engine.training.objective import TextToLayers
from engine.training.pictures import Batch, Entry, collate, entries
from engine.training.scenes import Scene, compose
from engine.training.sprites import SpritePack
from engine.words import load_word_table

PICTURES = 16  # predicted in one pass
STEP_COUNTS = (1, 2, 4)
CUT_MARGIN = 16  # pixels beside a cut through a layer that teach nothing: their context is missing


class GeneratedLayers(IterableDataset[tuple[Tensor, Tensor, Tensor]]):
    """Batches of latents (B, C, S/16, S/16), pixels (B, 4, S, S) and weights (B, 1, S, S).

    Layers smaller than a crop lie in one of its corners, the rest is zero and has weight 0.

    Args:
        networks: planned, in evaluation mode, on the CPU.
        reuse: how many crops are cut from each predicted layer.
    """

    def __init__(
        self,
        sprites: Path,
        autoencoder: Autoencoder,
        networks: TextToLayers,
        *,
        batch: int,
        size: int,
        mu: float,
        seed: int,
        most_tokens: int = 0,
        variety: float = 0.0,
        reuse: int = 2,
    ) -> None:
        self.sprites, self.autoencoder, self.networks = sprites, autoencoder, networks
        self.batch, self.size, self.mu, self.seed = batch, size, mu, seed
        self.most_tokens, self.variety, self.reuse = most_tokens, variety, reuse

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        info = get_worker_info()
        torch.set_num_threads(1)
        rng = np.random.default_rng([self.seed, info.id if info else 0])
        torch.manual_seed(int(rng.integers(2**31)))
        bank = LatentBank(SpritePack.load(self.sprites), self.autoencoder)
        vocabulary = Vocabulary(self.networks.text.config.vocabulary, load_word_table())
        pool: list[tuple[Tensor, Tensor, Tensor]] = []
        while True:
            while len(pool) < 6 * self.batch:
                for latents, pixels in self._predict(rng, bank, vocabulary):
                    pool += [self._crop(rng, latents, pixels) for _ in range(self.reuse)]
            chosen = set(rng.permutation(len(pool))[: self.batch].tolist())
            crops = [crop for i, crop in enumerate(pool) if i in chosen]
            pool = [crop for i, crop in enumerate(pool) if i not in chosen]
            latents, pixels, weights = (torch.stack(part) for part in zip(*crops, strict=True))
            yield latents, pixels, weights

    def _predict(
        self, rng: np.random.Generator, bank: LatentBank, vocabulary: Vocabulary
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Latents (C, 2h, 2w) and pixels (4, 32h, 32w) of all layers of some pictures."""
        aspects = bank.pack.aspects()
        pictures: list[tuple[Scene, list[Entry], np.ndarray | None]] = []
        while len(pictures) < PICTURES:
            scene = compose(rng, with_background=bool(rng.random() < 0.25), aspects=aspects,
                            count=int(rng.integers(1, 6)), size=1.15 * float(rng.uniform(0.6, 1)),
                            variety=self.variety)  # fmt: skip
            found, background = entries(scene, bank, rng, self.most_tokens)
            # What the prompt does not name has no true pixels.
            if found and scene.look_named and all(entry.said_at for entry in found):
                pictures.append((scene, found, background))
        pictures.sort(key=lambda picture: sum(len(entry.tokens) for entry in picture[1]))
        batch = collate([(s, found, []) for s, found, _ in pictures], vocabulary, bank.token_px)
        tokens = sample(self.networks, batch, int(rng.choice(STEP_COUNTS)), self.mu)
        for row, (scene, found, background) in enumerate(pictures):
            at = 0
            for entry in found:
                h, w = token_size(entry.box, bank.token_px, entry.scale)
                latents = unpatchify(tokens[row, at : at + h * w][None], h, w)[0]
                at += h * w
                if entry.index >= FIRST_FOREGROUND:
                    thing = scene.things[entry.index - FIRST_FOREGROUND]
                    drawn = bank.draw(thing, entry.scale)
                else:
                    assert background is not None
                    drawn = background
                missing = h * bank.token_px - drawn.shape[0], w * bank.token_px - drawn.shape[1]
                padded = np.pad(drawn, ((0, missing[0]), (0, missing[1]), (0, 0)))
                yield latents, torch.from_numpy(padded).movedim(-1, 0)

    def _crop(
        self, rng: np.random.Generator, latents: Tensor, pixels: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        cell = pixels.shape[1] // latents.shape[1]
        cells = self.size // cell
        out = torch.zeros(len(latents), cells, cells)
        target = torch.zeros(4, self.size, self.size)
        weight = torch.zeros(1, self.size, self.size)
        source, place, shown = [], [], []
        for side in latents.shape[1:]:
            if side > cells:  # a window of it
                start = int(rng.integers(0, side - cells + 1))
                source.append((start, start + cells))
                place.append((0, cells))
                cut = CUT_MARGIN * (start > 0), CUT_MARGIN * (start + cells < side)
                shown.append((cut[0], self.size - cut[1]))
            else:  # all of it, at one end
                start = (cells - side) * int(rng.integers(0, 2))
                source.append((0, side))
                place.append((start, start + side))
                shown.append((start * cell, (start + side) * cell))
        (sy, sx), (py, px) = source, place
        out[:, py[0] : py[1], px[0] : px[1]] = latents[:, sy[0] : sy[1], sx[0] : sx[1]]
        target[:, py[0] * cell : py[1] * cell, px[0] * cell : px[1] * cell] = pixels[
            :, sy[0] * cell : sy[1] * cell, sx[0] * cell : sx[1] * cell
        ]
        weight[:, shown[0][0] : shown[0][1], shown[1][0] : shown[1][1]] = 1
        return out, target, weight


@torch.no_grad()
def sample(networks: TextToLayers, batch: Batch, steps: int, mu: float) -> Tensor:
    """Tokens (B, N, C) of padded whole pictures from pure noise by Euler steps, plans known."""

    def predict(x: Tensor, t: float) -> Tensor:
        level = torch.full((len(x),), min(t, PLANNING_T))
        return networks.predict(batch, x, level).tokens

    return denoise(predict, torch.randn_like(batch.tokens), timesteps(steps, mu))
