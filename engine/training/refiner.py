"""Trains the refiner of predicted layers: `layerloom train refiner`.

The transformer stays frozen. A second process composes pictures and predicts them all the time; the
newest predictions form a pool, and this process trains on batches from it. The run resumes from its
last checkpoint. `layerloom train ship --refiner RUN` adds the averaged weights to a model file.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.data import DataLoader

from engine.errors import EngineError
from engine.layout import FIRST_FOREGROUND
from engine.models.art.autoencoder import Autoencoder, clamp_premultiplied
from engine.models.art.positions import unpatchify
from engine.models.art.refiner import Refiner, RefinerConfig
from engine.models.art.text import Vocabulary
from engine.models.checkpoint import Model, default_path, load_model
from engine.sampling import timesteps
from engine.training.concepts import concepts_of, stage_path
from engine.training.entries import entries
from engine.training.latent_bank import LatentBank
from engine.training.objective import visible_weights
from engine.training.optim import Muon, learning_rate, split_parameters, update_ema
from engine.training.pictures import collate
from engine.training.precision import mixed_precision
from engine.training.predicted_tokens import (
    PairPool,
    PredictedTokens,
    TokenPairs,
    frozen_networks,
    predict_pairs,
)
from engine.training.run_folder import RunFolder
from engine.training.scenes import evaluation_scenes
from engine.training.sprites import DEFAULT_SPRITES, SpritePack
from engine.words import load_word_table

BETA = 0.3  # error of a number up to which it counts squared; larger ones count linearly
HELD_OUT_SCENES = 48
HELD_OUT_SEED = 97
HELD_OUT_GROUP = 16
WARMUP = 50
PLAIN = ("token_in", "token_out", "inner_in", "word_in", "prompt_in", "modulation", "table")


def refine(refiner: Refiner, pairs: TokenPairs) -> Tensor:
    """(B, N, C) refined tokens of the pairs' predictions."""
    return refiner(pairs.predicted, pairs.inner, pairs.word, pairs.prompt, pairs.mask)


def token_error(refined: Tensor, pairs: TokenPairs, visible: Tensor) -> Tensor:
    """Mean smooth L1 distance to the true tokens, every layer with the same weight.

    Args:
        refined: (B, N, C).
        visible: (C,) weights of a token's numbers, from `visible_weights`.
    """
    error = F.smooth_l1_loss(refined.float(), pairs.true, beta=BETA, reduction="none")
    share = pairs.mask / pairs.mask.sum(dim=1, keepdim=True)  # (B, N)
    return ((error * visible).mean(dim=-1) * share).sum() / len(pairs)


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Predictions of held-out pictures, and the art that each of them stands for.

    Attributes:
        pairs: of `len(drawings)` layers.
        drawings: per layer (4, 32 h, 32 w) premultiplied.
        looks: per layer the look of its picture.
    """

    pairs: TokenPairs
    drawings: list[Tensor]
    looks: list[str]


def held_out(model: Model, sprites: Path) -> HeldOut:
    """Layers of held-out compositions after the last sampling step, always the same."""
    concepts = concepts_of(model.card.stage)
    bank = LatentBank(SpritePack.load(sprites).check(concepts), model.autoencoder, reuse=0)
    rng = np.random.default_rng(HELD_OUT_SEED)
    scenes = evaluation_scenes(
        HELD_OUT_SCENES, HELD_OUT_SEED, canvas=(512, 512), concepts=concepts,
        aspects=bank.pack.aspects(), variety=0,
    )  # fmt: skip
    vocabulary = Vocabulary(model.text.config.vocabulary, load_word_table())
    networks = frozen_networks(model)
    levels = timesteps(model.card.steps, model.card.mu)
    torch.manual_seed(HELD_OUT_SEED)
    parts, drawings, looks = [], [], []
    for at in range(0, len(scenes), HELD_OUT_GROUP):
        group = []
        for scene in scenes[at : at + HELD_OUT_GROUP]:
            found, _ = entries(
                scene, bank, rng, side_tokens=model.card.side_tokens, framed=True, concepts=concepts
            )
            group.append((scene, found, []))
            for entry in found:
                if entry.index >= FIRST_FOREGROUND and entry.said_at:
                    thing = scene.things[entry.index - FIRST_FOREGROUND]
                    pixels = bank.draw_framed(thing, entry.size)
                    drawings.append(torch.from_numpy(pixels).movedim(-1, 0))
                    looks.append(thing.look)
        batch = collate(group, vocabulary, bank.token_px)
        most_tokens = model.card.side_tokens**2
        *_, last = predict_pairs(networks, batch, levels=levels, most_tokens=most_tokens)
        parts.append(last)
    joined = TokenPairs(
        *(
            torch.cat([getattr(part, name) for part in parts])
            for name in ("predicted", "true", "inner", "mask", "word", "prompt")
        )
    )
    return HeldOut(joined.to(torch.device("cpu")), drawings, looks)


@torch.no_grad()
def decode(autoencoder: Autoencoder, tokens: Tensor, pairs: TokenPairs) -> Iterator[Tensor]:
    """Per layer (4, 32 h, 32 w) premultiplied pixels of (B, N, C) tokens."""
    for own, inner, mask in zip(tokens, pairs.inner, pairs.mask, strict=True):
        w, h = (int(n) for n in inner[0, 2:])
        latents = unpatchify(own[mask][None], h, w)
        yield clamp_premultiplied(autoencoder.decode_latents(latents)[0])


def validate(refiner: Refiner | None, test: HeldOut, model: Model) -> dict[str, float]:
    """Relative squared error of the tokens, and PSNR of the decoded layers in dB.

    Args:
        refiner: None = of the predictions as they are.
    """
    pairs = test.pairs
    visible = visible_weights(model.autoencoder)
    with torch.no_grad():
        refined = pairs.predicted if refiner is None else refine(refiner, pairs)
    real = pairs.mask[..., None] * visible
    error = ((refined - pairs.true).square() * real).sum() / (pairs.true.square() * real).sum()
    by_look: dict[str, list[float]] = {}
    pixels = decode(model.autoencoder, refined, pairs)
    for decoded, drawing, look in zip(pixels, test.drawings, test.looks, strict=True):
        mse = (decoded - drawing).square().mean().clamp(min=1e-6)
        by_look.setdefault(look, []).append(-10 * mse.log10().item())
    values = [value for found in by_look.values() for value in found]
    means = {f"db_{look}": round(sum(v) / len(v), 2) for look, v in sorted(by_look.items())}
    mean = round(sum(values) / len(values), 3)
    return {"val_error": round(error.item(), 5), "val_db": mean, **means}


@torch.no_grad()
def save_picture(
    refiner: Refiner, test: HeldOut, model: Model, path: Path, count: int = 20
) -> None:
    """Predicted, refined and true layers in rows on light grey."""
    from PIL import Image

    size = model.card.side_tokens * model.autoencoder.token_px
    first = test.pairs.select(torch.arange(min(count, len(test.drawings))))
    rows = [
        list(decode(model.autoencoder, first.predicted, first)),
        list(decode(model.autoencoder, refine(refiner, first), first)),
        test.drawings[: len(first)],
    ]
    sheet = torch.zeros(4, size * len(rows), size * len(first))
    for y, row in enumerate(rows):
        for x, layer in enumerate(row):
            h, w = layer.shape[1:]
            sheet[:, y * size : y * size + h, x * size : x * size + w] = layer
    rgb = (sheet[:3] + (1 - sheet[3:]) * 0.9).clamp(0, 1).mul(255).round().byte()
    Image.fromarray(rgb.permute(1, 2, 0).numpy()).save(path)


def parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="layerloom train refiner", description=__doc__)
    parser.add_argument("--weights", type=Path, default=default_path(), help="whose predictions")
    parser.add_argument("--sprites", type=Path, help="those of the model's stage by default")
    parser.add_argument("--run", type=Path, default=Path("runs/refiner"))
    parser.add_argument("--steps", type=int, default=20_000)
    parser.add_argument("--minutes", type=float, default=1e9)
    parser.add_argument("--batch", type=int, default=64, help="layers")
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--decay", type=float, default=0.3, help="share of the run that decays")
    parser.add_argument("--noise", type=float, default=0.03, help="largest noise on the input")
    parser.add_argument("--pool", type=int, default=20_000, help="predictions that are kept")
    parser.add_argument(
        "--reuse", type=float, default=4.0, help="times that a prediction is used on average"
    )
    parser.add_argument("--config", type=json.loads, default={}, help="JSON over RefinerConfig")
    parser.add_argument("--workers", type=int, default=1, help="processes that predict")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--threads", type=int, default=1, help="of this process")
    parser.add_argument("--checkpoint-minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args(argv)


def prediction_stream(
    args: argparse.Namespace, device: torch.device, seed: int
) -> Iterator[TokenPairs]:
    """Endless pairs: from worker processes on a CPU, on the device itself on a GPU."""
    if device.type == "cpu":
        data = PredictedTokens(args.weights, args.sprites, seed=seed, device=device)
        return iter(
            DataLoader(data, batch_size=None, num_workers=args.workers, prefetch_factor=2)
            if args.workers
            else data
        )
    return iter(
        PredictedTokens(
            args.weights, args.sprites, seed=seed, device=device, workers=max(4, args.workers),
            pictures=256,
        )
    )  # fmt: skip


def main(argv: list[str]) -> int:
    """Train until `--minutes` or `--steps` are over; resumes from the run's last checkpoint."""
    args = parse(argv)
    torch.set_num_threads(args.threads)
    device = torch.device(args.device)
    try:
        model = load_model(args.weights)
        args.sprites = args.sprites or stage_path(DEFAULT_SPRITES, model.card.stage)
        test = held_out(model, args.sprites)
    except (OSError, ValueError, EngineError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    run = RunFolder(args.run)
    loaded = run.load()
    state = {"step": 0, "elapsed": 0.0} if loaded is None else loaded[1]
    if loaded is None:
        art = model.art.config
        sizes = {"token_width": art.token_width, "text_width": art.text_width, **args.config}
        state["refiner"] = RefinerConfig(**sizes).to_dict()
    config = RefinerConfig(**state["refiner"])
    torch.manual_seed(args.seed)
    refiner, averaged = Refiner(config).to(device), Refiner(config)
    refiner.init_weights()
    optimizer = Muon(*split_parameters(refiner, PLAIN), lr=args.lr, iterations=3)
    ema = {name: p.detach().clone() for name, p in refiner.named_parameters()}
    if loaded is not None:
        tensors = loaded[0]
        refiner.load_state_dict({k[6:]: v for k, v in tensors.items() if k.startswith("model.")})
        ema = {k[4:]: v.to(device) for k, v in tensors.items() if k.startswith("ema.")}
        optimizer.load_state(
            {k[10:]: v.to(device) for k, v in tensors.items() if k.startswith("optimizer.")}
        )
    step, elapsed = state["step"], state["elapsed"]
    if step == 0:
        ceiling = replace(test, pairs=replace(test.pairs, predicted=test.pairs.true))
        run.log(step=0, of="true tokens", **validate(None, ceiling, model))
        run.log(step=0, of="predictions", **validate(None, test, model))
    torch.manual_seed(args.seed + step)
    visible = visible_weights(model.autoencoder).to(device)

    def save() -> None:
        tensors = {f"model.{k}": v for k, v in refiner.state_dict().items()}
        tensors |= {f"ema.{k}": v for k, v in ema.items()}
        tensors |= {f"optimizer.{k}": v for k, v in optimizer.state().items()}
        spent = elapsed + time.monotonic() - started
        run.save(tensors, {**state, "step": step, "elapsed": spent})
        save_picture(averaged, test, model, run.path / "sheet.png")

    def check(**more: float) -> None:
        averaged.load_state_dict(ema)
        run.log(step=step, **more, **validate(averaged.eval(), test, model))

    stopping: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, frame: stopping.append(number))
    stream = prediction_stream(args, device, args.seed + 1000 * step + 17)
    pool, used = PairPool(args.pool), 0
    started = last_save = time.monotonic()
    first_step, losses = step, []
    while step < args.steps and not stopping:
        passed = (time.monotonic() - started) / 60 / args.minutes
        if passed >= 1:
            break
        while pool.made < min(args.pool / 4, 16 * args.batch) or used > args.reuse * pool.made:
            pool.add(next(stream))
        pairs = pool.draw(args.batch).to(device)
        used += len(pairs)
        level = torch.rand(len(pairs), 1, 1, device=device) * args.noise
        pairs.predicted = pairs.predicted + level * torch.randn_like(pairs.predicted)
        with mixed_precision(device):
            refined = refine(refiner, pairs)
        loss = token_error(refined, pairs, visible)
        loss.backward()
        progress = max((step - first_step) / max(1, args.steps - first_step), passed)
        decayed = learning_rate(int(progress * 10_000), 10_000, args.lr, 0, args.decay)
        optimizer.step(decayed * min(1.0, (step + 1) / WARMUP))
        update_ema(ema, refiner, min(0.999, (step + 1) / (step + 15)))
        losses.append(loss.item())
        step += 1
        if step % 50 == 0:
            mean = sum(losses) / len(losses)
            run.log(step=step, loss=round(mean, 5), lr=round(decayed, 6), made=pool.made,
                    seconds=round(elapsed + time.monotonic() - started, 1))  # fmt: skip
            losses.clear()
        if step % 500 == 0:
            check()
        if (time.monotonic() - last_save) / 60 > args.checkpoint_minutes:
            averaged.load_state_dict(ema)
            save()
            last_save = time.monotonic()
    averaged.load_state_dict(ema)
    save()
    check(done=1)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
