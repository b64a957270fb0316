"""A decoder that sees all layers against one that sees each alone: `train joint-decoder`.

Both variants are the same network (`engine.model.joint_decoder`) in front of the shipped per-layer
decoder, which stays frozen; they start from the same weights and see the same pictures with the
same noise for the same number of steps. The untouched decoder is the third row. A variant that is
finished has a JSON file in the output folder and is not trained again; its weights lie beside it.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from engine.layout import unpatchify
from engine.model.autoencoder import Autoencoder
from engine.model.joint_decoder import JointDecoder, JointDecoderConfig
from engine.training.autoencoder import reconstruction_loss
from engine.training.comparison import budget_notes, is_kept, keep, measured_by
from engine.training.comparison import table as markdown_table
from engine.training.concepts import STAGES, concepts_of
from engine.training.joint_decoder_data import (
    Picture,
    World,
    held_out_pictures,
    training_pictures,
)
from engine.training.joint_decoder_scores import (
    ALPHA,
    RGB,
    PictureDecoder,
    edit_effects,
    fidelity_at,
)
from engine.training.latent_bank import LatentBank
from engine.training.optim import Muon, learning_rate, split_parameters, update_ema
from engine.training.sprites import DEFAULT_SPRITES, SpritePack
from engine.training.transformer import load_autoencoder

TABLE = "joint-decoder.md"
PLAIN = ("token_in", "token_out")  # first and last layers, see `optim.Muon`
VARIANTS = {
    "joint": "joint: tokens read all layers",
    "alone": "alone: tokens read their own layer",
    "untouched": "the shipped decoder, untouched",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What every variant gets. `noise` is the largest in training, and the one scored beside 0."""

    steps: int
    batch: int = 8
    lr: float = 1e-3
    noise: float = 0.1
    pictures: int = 48
    seed: int = 0


@dataclass(slots=True)
class Result:
    """What a variant's file keeps: scores by noise level, in dB and processor seconds."""

    name: str
    budget: dict
    parameters: int
    seconds_per_step: float
    scores: dict[str, dict[str, float]]
    effects: dict[str, float]


def build(name: str, token_width: int, sizes: dict, seed: int) -> JointDecoder | None:
    """An untrained variant; the same seed gives both the same weights."""
    if name == "untouched":
        return None
    torch.manual_seed(seed)
    return JointDecoder(JointDecoderConfig(token_width=token_width, joint=name == "joint", **sizes))


def picture_loss(
    model: JointDecoder, autoencoder: Autoencoder, pictures: Sequence[Picture], noise: float
) -> Tensor:
    """Loss in pixels on one layer per picture, chosen by chance, mean over pictures.

    All tokens are mended, but decoding costs some thirty times what mending does.
    """
    levels = (torch.rand(len(pictures)) * noise).tolist()
    seeds = torch.randint(2**31, (len(pictures),)).tolist()
    chosen = [int(torch.randint(len(p.sizes), ())) for p in pictures]
    triples = zip(pictures, levels, seeds, strict=True)
    tokens = torch.cat([p.noised(level, seed) for p, level, seed in triples])
    counts = [p.counts for p in pictures]
    mended = model(tokens, torch.cat([p.ids for p in pictures]), counts)
    total = mended.new_zeros(())
    parts = mended.split([sum(layers) for layers in counts])
    for picture, part, number in zip(pictures, parts, chosen, strict=True):
        layer = part.split(picture.counts)[number]
        latents = unpatchify(layer[None], *picture.sizes[number])
        latents = latents.contiguous(memory_format=torch.channels_last)
        decoded = autoencoder.decode_latents(latents)
        total = total + reconstruction_loss(decoded, picture.pixels[number][None])
    return total / len(pictures)


def train(
    model: JointDecoder, autoencoder: Autoencoder, bank: LatentBank, budget: Budget, world: World
) -> float:
    """Train in place, averaged weights at the end; processor seconds per step."""
    optimizer = Muon(*split_parameters(model, PLAIN), lr=budget.lr, iterations=3)
    ema = {name: p.detach().clone() for name, p in model.named_parameters()}
    began, losses = time.process_time(), []
    for step in range(budget.steps):
        pictures = training_pictures(budget.seed, step, budget.batch, bank, world)
        torch.manual_seed(budget.seed * 1_000_003 + step)  # noise, choices and backdrops
        loss = picture_loss(model, autoencoder, pictures, budget.noise)
        loss.backward()
        warmup = max(1, min(100, budget.steps // 10))
        optimizer.step(learning_rate(step, budget.steps, budget.lr, warmup, 0.4))
        update_ema(ema, model, min(0.99, (step + 1) / (step + 15)))
        losses.append(loss.item())
        if (step + 1) % 50 == 0:
            spent, mean = time.process_time() - began, sum(losses) / len(losses)
            print(f"  step {step + 1} loss {mean:.5f} {spent:.0f} s", flush=True)
            losses.clear()
    model.load_state_dict(ema)
    return (time.process_time() - began) / max(1, budget.steps)


def run_variant(
    name: str, budget: Budget, world: World, autoencoder: Autoencoder, pack: SpritePack,
    sizes: dict,
) -> tuple[Result, JointDecoder | None]:  # fmt: skip
    """Train and score one variant. A bank of its own: all banks then fill in the same order."""
    model = build(name, autoencoder.token_width, sizes, budget.seed)
    per_step = 0.0
    if model is not None:
        per_step = train(model, autoencoder, LatentBank(pack, autoencoder), budget, world)
        model.eval()
    pictures = held_out_pictures(budget.pictures, LatentBank(pack, autoencoder), world)
    decode = PictureDecoder(autoencoder, model)
    levels = sorted({0.0, budget.noise})
    result = Result(
        name, asked(budget, world, sizes),
        0 if model is None else sum(p.numel() for p in model.parameters()), per_step,
        {f"{level:g}": fidelity_at(decode, pictures, level) for level in levels},
        edit_effects(decode, pictures, budget.noise),
    )  # fmt: skip
    return result, model


def asked(budget: Budget, world: World, sizes: dict) -> dict:
    """Everything that results must share to be compared."""
    return {**asdict(budget), **asdict(world), "sizes": sizes}


def table(results: Sequence[Result], command: str, decoder_parameters: int) -> str:
    """Markdown: a row per variant and noise level."""
    head = [
        "variant", "noise", "RGB dB", "RGB dB, delivered", "alpha dB", "alpha dB, delivered",
        "parameters", "seconds per picture", "seconds per training step",
        "other layers bit-identical when one changes", "largest change",
    ]  # fmt: skip
    lines: list[list[str]] = []
    for result in results:
        effects = result.effects
        same, pictures = int(effects["untouched"]), int(effects["pictures"])
        largest = f"{effects['largest']:.0f} of 255; {100 * effects['changed']:.2f} % of pixels"
        for level, scores in result.scores.items():
            cells = [VARIANTS[result.name], level]
            cells += [
                f"{scores[f'{name}, {what}']:.2f}"
                for name in (RGB, ALPHA)
                for what in ("decoded", "delivered")
            ]
            cells += [f"{result.parameters:,} + {decoder_parameters:,}", f"{scores['seconds']:.3f}"]
            cells += [f"{result.seconds_per_step:.2f}" if result.parameters else "-"]
            cells += [f"{'yes' if same == pictures else 'no'}, {same} of {pictures}", largest]
            lines.append(cells)
    notes = [
        *measured_by(command),
        "Held-out pictures; seconds are of the processor. RGB: PSNR over random backdrops, mean "
        "over layers; alpha: PSNR, mean over foregrounds; decoder's output, and as delivered. The "
        "decoder behind both variants is the same and frozen; its parameters stand behind the "
        "plus. The topmost layer is changed at the larger noise: emptied, and taken away.",
        "Noise is independent from token to token. Other layers say nothing about such noise; they "
        "may only say what kind of picture it is. A generator's errors need not be so.",
        *budget_notes(result.budget for result in results),
    ]
    return "\n".join([*markdown_table(head, lines), "", "\n\n".join(notes), ""])


def save_weights(model: JointDecoder, path: Path) -> None:
    """Averaged weights, with the configuration as JSON in the metadata."""
    config = json.dumps(asdict(model.config))
    save_file(model.state_dict(), path, metadata={"config": config})


def parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="layerloom train joint-decoder", description=__doc__)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--batch", type=int, default=8, help="pictures per step")
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument(
        "--noise", type=float, default=0.1,
        help="what generation leaves in latents of unit size: the most in training, and the level "
        "that is scored beside none",
    )  # fmt: skip
    parser.add_argument("--pictures", type=int, default=48, help="held-out pictures to score on")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--stage", type=int, choices=STAGES, default=1, help="of the vocabulary")
    parser.add_argument("--most-tokens", type=int, default=6, help="of a thing's side; 0 = any")
    parser.add_argument("--config", type=json.loads, default={}, help="JSON: sizes of the network")
    parser.add_argument("--autoencoder", type=Path, default=Path("runs/autoencoder"))
    parser.add_argument("--sprites", type=Path, default=DEFAULT_SPRITES)
    parser.add_argument("--out", type=Path, default=Path("runs/joint-decoder"))
    return parser.parse_args(argv)


def main(argv: list[str]) -> int:
    """`layerloom train joint-decoder`."""
    args = parse(argv)
    torch.set_num_threads(args.threads)
    budget = Budget(
        steps=args.steps, batch=args.batch, lr=args.lr, noise=args.noise, pictures=args.pictures,
        seed=args.seed,
    )  # fmt: skip
    world = World(stage=args.stage, most_tokens=args.most_tokens)
    args.out.mkdir(parents=True, exist_ok=True)
    autoencoder = load_autoencoder(args.autoencoder).eval().requires_grad_(False)
    pack = SpritePack.load(args.sprites).check(concepts_of(world.stage))
    for name in VARIANTS:
        path = args.out / f"{name}.json"
        if is_kept(path, asked(budget, world, args.config)):
            print(f"{name}: kept from {path}", flush=True)
            continue
        print(name, flush=True)
        result, model = run_variant(name, budget, world, autoencoder, pack, args.config)
        if model is not None:
            save_weights(model, path.with_suffix(".safetensors"))
        keep(path, asdict(result))
    files = [args.out / f"{name}.json" for name in VARIANTS]
    results = [Result(**json.loads(path.read_text(encoding="utf-8"))) for path in files]
    decoder_parameters = sum(p.numel() for p in autoencoder.decoder.parameters())
    command = "layerloom train joint-decoder " + " ".join(argv)
    text = table(results, command.strip(), decoder_parameters)
    (args.out / TABLE).write_text(text, encoding="utf-8")
    print(text)
    return 0


if __name__ == "__main__":
    import sys

    raise SystemExit(main(sys.argv[1:]))
