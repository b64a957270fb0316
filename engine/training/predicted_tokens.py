"""Pairs of predicted and true tokens of foreground layers: the training data of the refiner.

Pictures are composed as for the transformer's own training. The frozen transformer predicts them
from fresh noise with the assignment of words known, in one step and in two, as the engine does.
Every prediction of a layer that the prompt names becomes one pair.

Shapes: B layers, N tokens of the largest layer, C token width, E text width.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path

import torch
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from engine.layout import FIRST_FOREGROUND
from engine.models.art.text import Vocabulary
from engine.models.checkpoint import Model, load_model
from engine.sampling import euler_step, timesteps, velocity_towards
from engine.training.look_mix import LookMix
from engine.training.objective import TextToLayers
from engine.training.pictures import Batch, PictureMix, Pictures
from engine.training.precision import mixed_precision
from engine.words import load_word_table

PICTURES = 24  # predicted in one pass


@dataclass(slots=True)
class TokenPairs:
    """Predicted and true tokens of some layers, and the refiner's other inputs.

    predicted, true (B, N, C) and inner (B, N, 4), half precision; mask (B, N) True for real tokens;
    word and prompt (B, E), half precision.
    """

    predicted: Tensor
    true: Tensor
    inner: Tensor
    mask: Tensor
    word: Tensor
    prompt: Tensor

    def __len__(self) -> int:
        return len(self.predicted)

    def select(self, index: Tensor) -> TokenPairs:
        """Layers by number."""
        return TokenPairs(**{f.name: getattr(self, f.name)[index] for f in fields(self)})

    def to(self, device: torch.device) -> TokenPairs:
        """On a device; numbers of half precision as float32."""

        def moved(tensor: Tensor) -> Tensor:
            tensor = tensor.to(device)
            return tensor.float() if tensor.is_floating_point() else tensor

        return TokenPairs(**{f.name: moved(getattr(self, f.name)) for f in fields(self)})


def frozen_networks(model: Model) -> TextToLayers:
    """The text encoder and the transformer of a model file, not trainable."""
    networks = TextToLayers(model.text.config, model.art.config).eval().requires_grad_(False)
    networks.text, networks.art = model.text, model.art
    return networks


def token_pairs(batch: Batch, predicted: Tensor, text: Tensor, most_tokens: int) -> TokenPairs:
    """The foreground layers of a batch that its prompts name.

    Args:
        predicted: (pictures, tokens, C) clean tokens as the transformer predicts them.
        text: (pictures, words + 1, E) text tokens of the prompts.
        most_tokens: N.
    """
    rows, layers = (batch.shows > 0).nonzero(as_tuple=True)
    foreground = batch.ids[..., 0] >= FIRST_FOREGROUND
    found = []
    for row, layer in zip(rows.tolist(), layers.tolist(), strict=True):
        own = (batch.owner[row] == layer) & foreground[row]
        if own.any():
            found.append((row, layer, own.nonzero()[:, 0]))
    device, count = predicted.device, len(found)
    pairs = TokenPairs(
        predicted=torch.zeros(count, most_tokens, predicted.shape[-1], device=device),
        true=torch.zeros(count, most_tokens, predicted.shape[-1], device=device),
        inner=torch.ones(count, most_tokens, 4, device=device),
        mask=torch.zeros(count, most_tokens, dtype=torch.bool, device=device),
        word=torch.zeros(count, text.shape[-1], device=device),
        prompt=torch.zeros(count, text.shape[-1], device=device),
    )
    for number, (row, layer, own) in enumerate(found):
        pairs.predicted[number, : len(own)] = predicted[row, own].float()
        pairs.true[number, : len(own)] = batch.tokens[row, own]
        pairs.inner[number, : len(own)] = batch.inner[row, own]
        pairs.mask[number, : len(own)] = True
        pairs.word[number] = text[row, batch.shows[row, layer]]
        pairs.prompt[number] = text[row, 0]
    half = {
        f.name: value.half() if (value := getattr(pairs, f.name)).is_floating_point() else value
        for f in fields(pairs)
    }
    return TokenPairs(**half)


@torch.no_grad()
def predict_pairs(
    networks: TextToLayers, batch: Batch, *, levels: list[float], most_tokens: int
) -> Iterator[TokenPairs]:
    """Pairs of a batch after each sampling step, from fresh noise with every word known."""
    text = networks.text(batch.vectors, batch.known, batch.text_mask)
    x = torch.randn_like(batch.tokens)
    for t, t_next in itertools.pairwise(levels):
        level = torch.full((len(x),), t, device=x.device)
        with mixed_precision(x.device):
            predicted = networks.predict(batch, x, level).tokens
        predicted = predicted.float()
        yield token_pairs(batch, predicted, text, most_tokens)
        x = euler_step(x, velocity_towards(x, predicted, t), t, t_next)


class PredictedTokens(IterableDataset[TokenPairs]):
    """Endless groups of pairs of one pass of the transformer.

    With `workers` 0 everything runs in the process that iterates: one worker of a `DataLoader`, so
    that predicting and training share two cores. On a GPU the pictures are composed by `workers`
    processes and predicted on the device of the networks.

    Args:
        weights: model file whose predictions are refined; its things must have the same number of
            tokens at every size.
        edit_share: batches in which some layers are finished.

    Raises:
        ValueError: the model draws things in many sizes.
    """

    def __init__(
        self, weights: Path, sprites: Path, *, seed: int, device: torch.device,
        workers: int = 0, pictures: int = PICTURES, edit_share: float = 0.25,
    ) -> None:  # fmt: skip
        self.weights, self.sprites, self.seed = weights, sprites, seed
        self.device, self.workers, self.pictures = device, workers, pictures
        card = load_model(weights).card
        if not card.side_tokens:
            raise ValueError(f"{card.name} draws things in many sizes: nothing to compare")
        self.mix = PictureMix(
            edit_share=edit_share, background_share=0.3, composite_share=0, size=1.15, variety=0,
            most_things=10, max_tokens=300, side_tokens=card.side_tokens, fixed_backgrounds=True,
            looks=LookMix(named=0.8, open=0), stage=card.stage, colour_share=0.6,
            stranger_share=0.05,
        )  # fmt: skip

    def __iter__(self) -> Iterator[TokenPairs]:
        worker = get_worker_info()
        seed = self.seed + (worker.id if worker else 0)
        torch.manual_seed(seed)
        model = load_model(self.weights)
        vocabulary = Vocabulary(model.text.config.vocabulary, load_word_table())
        batches: Iterable[Batch] = Pictures(
            self.sprites, model.autoencoder, vocabulary, batch=self.pictures, mix=self.mix,
            seed=seed,
        )  # fmt: skip
        if self.workers:
            batches = DataLoader(
                batches, batch_size=None, num_workers=self.workers, prefetch_factor=4
            )
        networks = frozen_networks(model).to(self.device)
        levels = timesteps(model.card.steps, model.card.mu)
        most_tokens = model.card.side_tokens**2
        for batch in batches:
            is_edit = batch.clean_tokens.shape[1] > 0
            # Layers are added to finished ones in one step, whole pictures in all of them.
            used = timesteps(model.card.edit_steps, model.card.mu) if is_edit else levels
            pairs = predict_pairs(
                networks, batch.to(self.device), levels=used, most_tokens=most_tokens
            )
            yield from (found for found in pairs if len(found))


class PairPool:
    """The newest pairs, from which batches are drawn at random.

    Args:
        size: pairs that are kept; newer ones replace the oldest.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self.made = 0
        self._pairs: TokenPairs | None = None

    def __len__(self) -> int:
        return min(self.made, self.size)

    def add(self, pairs: TokenPairs) -> None:
        """Keep these, over the oldest where the pool is full."""
        if self._pairs is None:
            self._pairs = TokenPairs(
                **{
                    f.name: torch.zeros(
                        self.size, *getattr(pairs, f.name).shape[1:],
                        dtype=getattr(pairs, f.name).dtype, device=getattr(pairs, f.name).device,
                    )
                    for f in fields(pairs)
                }
            )  # fmt: skip
        slots = (torch.arange(len(pairs)) + self.made) % self.size
        for f in fields(pairs):
            getattr(self._pairs, f.name)[slots] = getattr(pairs, f.name)
        self.made += len(pairs)

    def draw(self, count: int) -> TokenPairs:
        """`count` pairs, each drawn at random."""
        if self._pairs is None:
            raise ValueError("the pool is empty: add pairs first")
        return self._pairs.select(torch.randint(len(self), (count,)))
