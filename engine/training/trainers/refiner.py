"""Trains the refiner of predicted layers: `layerloom train refiner`.

The transformer stays frozen. A second process composes pictures and predicts them all the time, in
one step and in two, from fresh noise with the words assigned, as the engine does. The newest
predictions of layers that the prompt names form a pool, and this process trains on batches from it.
`layerloom train ship --refiner RUN` adds the averaged weights to a model file.

Shapes: B layers, N tokens of the largest layer, C token width, E text width.
"""

from __future__ import annotations

import argparse
import copy
import itertools
import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from engine.errors import EngineError
from engine.layout import FIRST_FOREGROUND
from engine.model_files import default_path
from engine.models.art.autoencoder import Autoencoder, clamp_premultiplied
from engine.models.art.positions import unpatchify
from engine.models.art.refiner import Refiner, RefinerConfig
from engine.models.art.text import Tokenizer
from engine.models.checkpoint import Model, load_model
from engine.sampling import euler_step, timesteps, velocity_towards
from engine.training.data.concepts import concepts_of, stage_path
from engine.training.data.pictures import Batch, PictureMix, Pictures, collate, held_out_pictures
from engine.training.data.regions import LatentBank
from engine.training.data.scenes import LookMix, SceneSettings
from engine.training.data.sprites import DEFAULT_SPRITES, SpritePack
from engine.training.trainers.autoencoder import save_rows
from engine.training.trainers.loop import Objective, RunFolder, add_loop_options, prepare, train
from engine.training.trainers.optim import Muon, mixed_precision, split_parameters
from engine.training.trainers.text_to_layers import TextToLayers, frozen_networks, visible_weights
from engine.words import load_word_table

BETA = 0.3  # error of a number up to which it counts squared; larger ones count linearly
HELD_OUT_SCENES = 48
HELD_OUT_SEED = 97
HELD_OUT_GROUP = 16
PICTURES = 24  # predicted in one pass
SHEET = 20  # layers on the picture of a run
PLAIN = ("token_in", "token_out", "inner_in", "word_in", "prompt_in", "modulation", "table")


class RefinerObjective(Objective):
    """Predicted tokens to true ones, layer by layer."""

    def __init__(
        self,
        refiner: Refiner,
        autoencoder: Autoencoder,
        test: HeldOut,
        stream: Iterator[TokenPairs],
        args: argparse.Namespace,
        state: dict,
    ) -> None:
        self.device = torch.device(args.device)
        self.model: Refiner = refiner
        self.averaged: Refiner = copy.deepcopy(refiner).eval()
        self.optimizer = Muon(*split_parameters(refiner, PLAIN))
        self.state, self.test, self.stream = state, test, stream
        self.autoencoder = autoencoder
        self.visible = visible_weights(autoencoder)
        self.pool, self.used = PairPool(args.pool), 0
        self.batch_size, self.noise, self.reuse = args.batch, args.noise, args.reuse

    def batch(self) -> TokenPairs:
        least = min(self.pool.size / 4, 16 * self.batch_size)
        while self.pool.made < least or self.used > self.reuse * self.pool.made:
            self.pool.add(next(self.stream))
        pairs = self.pool.draw(self.batch_size).to(self.device)
        self.used += len(pairs)
        level = torch.rand(len(pairs), 1, 1, device=self.device) * self.noise
        pairs.predicted = pairs.predicted + level * torch.randn_like(pairs.predicted)
        return pairs

    def loss(self, batch: TokenPairs) -> tuple[Tensor, dict[str, Tensor | float]]:
        with mixed_precision(self.device):
            refined = refine(self.model, batch)
        loss = token_error(refined, batch, self.visible.to(self.device))
        return loss, {"loss": loss, "made": self.pool.made}

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        return self.scores(refine(self.averaged, self.test.pairs.to(self.device)).cpu())

    @torch.no_grad()
    def scores(self, refined: Tensor) -> dict[str, float]:
        """Relative squared error of held-out tokens, and PSNR of the decoded layers in dB."""
        pairs = self.test.pairs
        real = pairs.mask[..., None] * self.visible
        error = (refined - pairs.true).square() * real
        relative = error.sum() / (pairs.true.square() * real).sum()
        by_look: dict[str, list[float]] = {}
        layers = decode(self.autoencoder, refined, pairs)
        for decoded, drawing, look in zip(layers, self.test.drawings, self.test.looks, strict=True):
            mse = (decoded - drawing).square().mean().clamp(min=1e-6)
            by_look.setdefault(look, []).append(-10 * mse.log10().item())
        values = [value for found in by_look.values() for value in found]
        means = {f"db_{look}": round(sum(v) / len(v), 2) for look, v in sorted(by_look.items())}
        mean = round(sum(values) / len(values), 3)
        return {"val_error": round(relative.item(), 5), "val_db": mean, **means}

    @torch.no_grad()
    def picture(self, folder: Path) -> None:
        """Predicted, refined and true layers in rows on light grey."""
        first = self.test.pairs.select(torch.arange(min(SHEET, len(self.test.drawings))))
        rows = [
            list(decode(self.autoencoder, tokens, first))
            for tokens in (first.predicted, refine(self.averaged, first.to(self.device)).cpu())
        ]
        save_rows([*rows, self.test.drawings[: len(first)]], 0.9, folder / "sheet.png")


def refine(refiner: Refiner, pairs: TokenPairs) -> Tensor:
    return refiner(pairs.predicted, pairs.inner, pairs.word, pairs.prompt, pairs.mask)


def token_error(refined: Tensor, pairs: TokenPairs, visible: Tensor) -> Tensor:
    """Mean smooth L1 distance of (B, N, C) to the true tokens, every layer with the same weight."""
    error = F.smooth_l1_loss(refined.float(), pairs.true, beta=BETA, reduction="none")
    share = pairs.mask / pairs.mask.sum(dim=1, keepdim=True)  # (B, N)
    return ((error * visible).mean(dim=-1) * share).sum() / len(pairs)


@torch.no_grad()
def decode(autoencoder: Autoencoder, tokens: Tensor, pairs: TokenPairs) -> Iterator[Tensor]:
    """Per layer (4, 32 h, 32 w) premultiplied pixels of (B, N, C) tokens."""
    for own, inner, mask in zip(tokens, pairs.inner, pairs.mask, strict=True):
        w, h = (int(n) for n in inner[0, 2:])
        latents = unpatchify(own[mask][None], h, w)
        yield clamp_premultiplied(autoencoder.decode_latents(latents)[0])


def prediction_stream(args: argparse.Namespace, seed: int) -> Iterator[TokenPairs]:
    """Endless pairs: from worker processes on a CPU, on the device itself on a GPU."""
    device = torch.device(args.device)
    if device.type == "cpu":
        data = PredictedTokens(
            args.weights, args.sprites, seed=seed, device=device, pictures=PICTURES
        )
        if not args.workers:
            return iter(data)
        return iter(DataLoader(data, batch_size=None, num_workers=args.workers, prefetch_factor=2))
    workers = max(4, args.workers)
    return iter(PredictedTokens(args.weights, args.sprites, seed=seed, device=device,
                                workers=workers, pictures=256))  # fmt: skip


def main(argv: list[str]) -> int:
    """Train until `--minutes` or `--steps` are over; resumes from the run's last checkpoint."""
    parser = argparse.ArgumentParser(prog="layerloom train refiner", description=__doc__)
    add = parser.add_argument
    add_loop_options(
        parser, steps=20_000, batch=64, lr=1e-3, decay=0.3, threads=1, run=Path("runs/refiner")
    )
    add("--weights", type=Path, default=default_path(), help="whose predictions")
    add("--sprites", type=Path, help="those of the model's stage by default")
    add("--noise", type=float, default=0.03, help="largest noise on the input")
    add("--pool", type=int, default=20_000, help="predictions that are kept")
    add("--reuse", type=float, default=4.0, help="times that a prediction is used on average")
    add("--config", type=json.loads, default={}, help="JSON over RefinerConfig")
    add("--workers", type=int, default=1, help="processes that predict")
    args = parser.parse_args(argv)
    prepare(args)
    try:
        model = load_model(args.weights)
        args.sprites = args.sprites or stage_path(DEFAULT_SPRITES, model.card.stage)
        test = held_out(model, args.sprites)
    except (OSError, ValueError, EngineError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    run = RunFolder(args.run)
    loaded = run.load()
    state: dict = loaded[1] if loaded else {"step": 0, "elapsed": 0.0}
    if loaded is None:
        art = model.art.config
        sizes = {"token_width": art.token_width, "text_width": art.text_width, **args.config}
        state["refiner"] = asdict(RefinerConfig(**sizes))
    torch.manual_seed(args.seed)
    refiner = Refiner(RefinerConfig(**state["refiner"]))
    refiner.init_weights()
    torch.manual_seed(args.seed + state["step"])
    stream = prediction_stream(args, args.seed + 1000 * state["step"] + 17)
    device = torch.device(args.device)
    objective = RefinerObjective(refiner.to(device), model.autoencoder, test, stream, args, state)
    if loaded is None:
        objective.begin()
        run.log(step=0, of="true tokens", **objective.scores(test.pairs.true))
        run.log(step=0, of="predictions", **objective.scores(test.pairs.predicted))
    else:
        objective.resume(loaded[0])
    train(objective, args, run)
    return 0


# ---- held-out layers ----


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Predictions of held-out layers; per layer its art (4, 32 h, 32 w) premultiplied, its look."""

    pairs: TokenPairs
    drawings: list[Tensor]
    looks: list[str]


def held_out(model: Model, sprites: Path) -> HeldOut:
    """Layers of held-out compositions after the last sampling step, always the same."""
    concepts = concepts_of(model.card.stage)
    bank = LatentBank(SpritePack.load(sprites).check(concepts), model.autoencoder, reuse=0)
    scenes = SceneSettings(concepts=concepts, variety=0)
    mix = PictureMix(scenes=scenes, side_tokens=model.card.side_tokens, fixed_backgrounds=True)
    pictures = held_out_pictures(bank, mix, HELD_OUT_SCENES, HELD_OUT_SEED)
    drawings, looks = [], []
    for scene, found, _ in pictures:
        for entry in found:
            if entry.index >= FIRST_FOREGROUND and entry.said_at:
                thing = scene.things[entry.index - FIRST_FOREGROUND]
                pixels = bank.draw_framed(thing, entry.size)
                drawings.append(torch.from_numpy(pixels).movedim(-1, 0))
                looks.append(thing.look)
    tokenizer = Tokenizer(model.text.config.vocabulary, load_word_table())
    networks = frozen_networks(model)
    levels = timesteps(model.card.steps, model.card.mu)
    torch.manual_seed(HELD_OUT_SEED)
    parts = []
    for at in range(0, len(pictures), HELD_OUT_GROUP):
        batch = collate(pictures[at : at + HELD_OUT_GROUP], tokenizer, bank.token_px)
        most_tokens = model.card.side_tokens**2
        *_, last = predict_pairs(networks, batch, levels=levels, most_tokens=most_tokens)
        parts.append(last)
    joined = {f.name: torch.cat([getattr(p, f.name) for p in parts]) for f in fields(TokenPairs)}
    return HeldOut(TokenPairs(**joined).to(torch.device("cpu")), drawings, looks)


# ---- pairs of predicted and true tokens ----


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
        return TokenPairs(**{f.name: getattr(self, f.name)[index] for f in fields(self)})

    def to(self, device: torch.device) -> TokenPairs:
        """On a device; numbers of half precision as float32."""

        def moved(tensor: Tensor) -> Tensor:
            tensor = tensor.to(device)
            return tensor.float() if tensor.is_floating_point() else tensor

        return TokenPairs(**{f.name: moved(getattr(self, f.name)) for f in fields(self)})


def token_pairs(batch: Batch, predicted: Tensor, text: Tensor, most_tokens: int) -> TokenPairs:
    """The foreground layers of a batch that its prompts name; N is `most_tokens`.

    From (pictures, tokens, C) predicted clean tokens and (pictures, words + 1, E) text tokens.
    """
    rows, layers = (batch.shows > 0).nonzero(as_tuple=True)
    foreground = batch.ids[..., 0] >= FIRST_FOREGROUND
    found = []
    for row, layer in zip(rows.tolist(), layers.tolist(), strict=True):
        own = (batch.owner[row] == layer) & foreground[row]
        if own.any():
            found.append((row, int(batch.shows[row, layer]), own.nonzero()[:, 0]))
    device = predicted.device

    def padded(tokens: Tensor, value: float = 0.0) -> Tensor:
        """(pictures, tokens, …) -> (layers, N, …) in half precision."""
        out = torch.full((len(found), most_tokens, tokens.shape[-1]), value, device=device)
        for number, (row, _, own) in enumerate(found):
            out[number, : len(own)] = tokens[row, own].float()
        return out.half()

    numbers = [(row, word, len(own)) for row, word, own in found]
    pictures, words, sizes = torch.tensor(numbers, device=device).long().view(-1, 3).T
    return TokenPairs(
        predicted=padded(predicted),
        true=padded(batch.tokens),
        inner=padded(batch.inner, 1.0),
        mask=torch.arange(most_tokens, device=device) < sizes[:, None],
        word=text[pictures, words].half(),
        prompt=text[pictures, 0].half(),
    )


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

    Raises ValueError: the model draws things in many sizes.
    """

    def __init__(
        self, weights: Path, sprites: Path, *, seed: int, device: torch.device,
        pictures: int, workers: int = 0,
    ) -> None:  # fmt: skip
        self.weights, self.sprites, self.seed = weights, sprites, seed
        self.device, self.workers, self.pictures = device, workers, pictures
        card = load_model(weights).card
        if not card.side_tokens:
            raise ValueError(f"{card.name} draws things in many sizes: nothing to compare")
        scenes = SceneSettings(
            concepts=concepts_of(card.stage), size=1.15, variety=0, colour_share=0.6,
            stranger_share=0.05, looks=LookMix(named=0.8, open=0),
        )  # fmt: skip
        self.mix = PictureMix(
            scenes=scenes, edit_share=0.25, background_share=0.3,
            most_things=10, max_tokens=300, side_tokens=card.side_tokens, fixed_backgrounds=True,
        )  # fmt: skip

    def __iter__(self) -> Iterator[TokenPairs]:
        worker = get_worker_info()
        seed = self.seed + (worker.id if worker else 0)
        torch.manual_seed(seed)
        model = load_model(self.weights)
        tokenizer = Tokenizer(model.text.config.vocabulary, load_word_table())
        batches: Iterable[Batch] = Pictures(
            self.sprites, model.autoencoder, tokenizer, batch=self.pictures, mix=self.mix,
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
    """The newest `size` pairs, from which batches are drawn at random."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.made = 0
        self._pairs: TokenPairs | None = None

    def __len__(self) -> int:
        return min(self.made, self.size)

    def add(self, pairs: TokenPairs) -> None:
        """Keep these, over the oldest where the pool is full."""
        if self._pairs is None:
            first = pairs.select(torch.zeros(1, dtype=torch.long))
            self._pairs = first.select(torch.zeros(self.size, dtype=torch.long))
        slots = (torch.arange(len(pairs)) + self.made) % self.size
        for f in fields(pairs):
            getattr(self._pairs, f.name)[slots] = getattr(pairs, f.name)
        self.made += len(pairs)

    def draw(self, count: int) -> TokenPairs:
        if self._pairs is None:
            raise ValueError("the pool is empty: add pairs first")
        return self._pairs.select(torch.randint(len(self), (count,)))
