"""Trains the region transformer and its text encoder: `layerloom train transformer`.

Tasks are mixed per batch: whole pictures, and edits in which some layers are clean and isolated
(`docs/art.md` 6); the loss is in `objective`. Resumes at any step; several GPUs through torchrun.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
from torch import nn
from torch.utils.data import DataLoader

from engine.models.art.assignment import ASSIGNMENT_T
from engine.models.art.autoencoder import Autoencoder, AutoencoderConfig
from engine.models.art.model import ARTConfig
from engine.models.art.text import Vocabulary
from engine.models.checkpoint import load_model
from engine.training.concepts import concepts_of, stage_path
from engine.training.growth import NEAR_WORDS, grow, prompt_vocabulary
from engine.training.look_mix import LookMix
from engine.training.objective import (
    TextToLayers,
    add_noise,
    art_config,
    flow_loss,
    plan_loss,
    text_config,
    training_loss,
    visible_weights,
)
from engine.training.optim import Muon, learning_rate, split_parameters, update_ema
from engine.training.pictures import Batch, PictureMix, Pictures, collate
from engine.training.precision import mixed_precision
from engine.training.run_folder import RunFolder
from engine.training.seed_choices import CHOICES
from engine.training.sprites import DEFAULT_SPRITES
from engine.training.transformer_options import parse
from engine.words import load_word_table

WARMUP = 150  # steps without a history of gradients
PLAIN = (
    "img_in", "txt_in", "final_layer", "modulation", "table", "embed", "word_in", "assignment",
    "taken_in", "near_in", "pooled_in", "seed_code", "probe",
)  # fmt: skip


def load_autoencoder(run: Path) -> Autoencoder:
    """The averaged weights of an autoencoder run, or the autoencoder of a model file."""
    if run.is_file():
        return load_model(run).autoencoder
    loaded = RunFolder(run).load()
    if loaded is None:
        raise FileNotFoundError(f"no autoencoder in {run}: run `layerloom train autoencoder` first")
    model = Autoencoder(AutoencoderConfig())
    model.load_state_dict({k[4:]: v for k, v in loaded[0].items() if k.startswith("ema.")})
    return model.eval().requires_grad_(False)


@torch.no_grad()
def validate(model: TextToLayers, batches: list[Batch]) -> dict[str, float]:
    """Loss on fixed held-out pictures at fixed levels and noise, split by noise level."""
    result = {}
    levels = {"val_low": 0.25, "val_mid": 0.6, "val_high": 0.95, "val_plan": ASSIGNMENT_T}
    for name, level in levels.items():
        total = 0.0
        for index, batch in enumerate(batches):
            generator = torch.Generator("cpu").manual_seed(index)
            noise = torch.randn(batch.tokens.shape, generator=generator).to(batch.tokens.device)
            t = torch.full((len(batch.tokens),), level, device=batch.tokens.device)
            planned = torch.full_like(batch.shows, name != "val_plan", dtype=torch.bool)
            prediction = model.predict(batch, add_noise(batch, t, noise), t, planned=planned)
            if name == "val_plan":
                total += plan_loss(prediction.plan, batch.shows, batch.shows >= 0).item()
            else:
                total += flow_loss(prediction, batch, t).item()
        result[name] = round(total / len(batches), 4)
    return result


def average_gradients(model: nn.Module, beside: Sequence[float]) -> list[float]:
    """Mean of the gradients over all processes of a group, in place, and of numbers `beside` them.

    A process whose batch had no use for some parameter adds zeros for it: which heads a batch needs
    differs, and every process has to send the same.
    """
    if not dist.is_initialized():
        return list(beside)
    parameters = [p for p in model.parameters() if p.requires_grad]
    gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
    parts = [*(gradient.flatten() for gradient in gradients), gradients[0].new_tensor(beside)]
    flat = torch.cat(parts)
    dist.all_reduce(flat)
    *means, numbers = (flat / dist.get_world_size()).split([len(part) for part in parts])
    for parameter, mean in zip(parameters, means, strict=True):
        parameter.grad = mean.view_as(parameter)
    return numbers.tolist()


def main(argv: list[str]) -> int:
    """Train until `--minutes` or `--steps` are over; resumes from the run's last checkpoint."""
    args = parse(argv, __doc__)
    rank = int(os.environ.get("RANK", 0))
    if "WORLD_SIZE" in os.environ:
        args.device = f"cuda:{os.environ['LOCAL_RANK']}" if torch.cuda.is_available() else "cpu"
        dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    torch.set_num_threads(args.threads)
    device = torch.device(args.device)
    run = RunFolder(args.run)
    autoencoder = load_autoencoder(args.autoencoder)
    loaded = run.load()
    if args.grow_from is not None and loaded is None:
        grow(args.grow_from, run, args.stage or 1)
        loaded = run.load()
    state = loaded[1] if loaded else {"step": 0, "elapsed": 0.0}
    start = load_model(args.start_from) if args.start_from and loaded is None else None
    if start is not None:
        state |= {"vocabulary": start.text.config.vocabulary, "art": start.art.config.to_dict()}
        state |= {"stage": start.card.stage, "near_words": start.text.config.near_words}
    elif loaded is None:
        state["stage"] = args.stage or 1
        state["vocabulary"] = prompt_vocabulary(concepts=concepts_of(state["stage"]))
        sizes = {"seed_signs": CHOICES, **args.config}
        state["art"] = ARTConfig(token_width=autoencoder.token_width, **sizes).to_dict()
        state["near_words"] = NEAR_WORDS
    if args.side_tokens is not None:
        state["side_tokens"] = args.side_tokens
    args.side_tokens = state.setdefault("side_tokens", start.card.side_tokens if start else 0)
    stage = state.setdefault("stage", 1)  # runs begun before there were stages
    if args.stage not in (None, stage):
        raise ValueError(f"this run is of stage {stage}: use --grow-from with a new --run")
    args.stage = stage
    args.sprites = args.sprites or stage_path(DEFAULT_SPRITES, stage)
    text, art = text_config(state), art_config(state)
    torch.manual_seed(args.seed)
    model = TextToLayers(text, art).to(device)
    model.init_weights()
    if start is not None:
        model.text.load_state_dict(start.text.state_dict())
        model.art.load_state_dict(start.art.state_dict())
    warm_from = state["step"]
    optimizer = Muon(*split_parameters(model, PLAIN), lr=args.lr, iterations=3)
    if loaded is None:
        ema = {name: p.detach().clone() for name, p in model.named_parameters()}
    else:
        tensors = loaded[0]
        model.load_state_dict({k[6:]: v for k, v in tensors.items() if k.startswith("model.")})
        ema = {name: p.detach().clone() for name, p in model.named_parameters()}
        ema |= {k[4:]: v.to(device) for k, v in tensors.items() if k.startswith("ema.")}
        moments = {k[10:]: v.to(device) for k, v in tensors.items() if k.startswith("optimizer.")}
        if moments:  # a grown run starts without
            optimizer.load_state(moments)
            warm_from = 0
    step, elapsed = state["step"], state["elapsed"]
    torch.manual_seed(args.seed + step + 7919 * rank)

    vocabulary = Vocabulary(text.vocabulary, load_word_table())
    mix = PictureMix(edit_share=args.edit_share, background_share=args.background_share,
                     composite_share=args.composite_share, max_tokens=args.max_tokens,
                     size=args.size, variety=args.variety,
                     most_things=args.most_things, stage=stage,
                     side_tokens=args.side_tokens,
                     looks=LookMix(args.named_looks, args.first_look, args.open_looks),
                     fixed_backgrounds=True,
                     background_weight=args.background_weight,
                     colour_share=args.colour_share,
                     stranger_share=args.stranger_share, new_share=args.new_share,
                     repeat_share=args.repeat_share, crowd_share=args.crowd_share)  # fmt: skip
    data = Pictures(args.sprites, autoencoder, vocabulary, batch=args.batch, mix=mix,
                    seed=args.seed + step + 104_729 * rank)  # fmt: skip
    loader = DataLoader(data, batch_size=None, num_workers=args.workers, prefetch_factor=4)
    batches = iter(loader)
    held_out = held_out_batches(args, autoencoder, vocabulary, device, True, mix.is_framed)
    averaged = TextToLayers(text, art).to(device)
    visible = visible_weights(autoencoder).to(device)
    if step == 0:
        count = sum(p.numel() for p in model.parameters())
        run.log(
            step=0, parameters=count, config=json.dumps({**asdict(art), **vars(args)}, default=str)
        )

    def save() -> None:
        tensors = {f"model.{k}": v for k, v in model.state_dict().items()}
        tensors |= {f"ema.{k}": v for k, v in ema.items()}
        tensors |= {f"optimizer.{k}": v for k, v in optimizer.state().items()}
        run.save(tensors, {**state, "step": step, "elapsed": elapsed + time.monotonic() - started})

    stopping: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, frame: stopping.append(number))
    started = last_save = time.monotonic()
    first_step, losses, plans, tokens = step, [], [], 0
    goes_on = True
    while step < args.steps and goes_on:
        batch = next(batches).to(device)
        with mixed_precision(device):
            loss, flow, plan = training_loss(model, batch, visible, args.pure_share, args.huber)
        loss.backward()
        # All processes have to end in the same step, and to step by the same rate.
        passed = (time.monotonic() - started) / 60 / args.minutes
        passed, ends = average_gradients(model, (passed, float(bool(stopping))))
        goes_on = passed < 1 and not ends
        progress = max((step - first_step) / max(1, args.steps - first_step), passed)
        decayed = learning_rate(int(progress * 10_000), 10_000, args.lr, 0, args.decay)
        lr = decayed * min(1.0, (step - warm_from + 1) / WARMUP)
        optimizer.step(lr)
        update_ema(ema, model, min(0.9985, (step + 1) / (step + 15)))
        losses.append(flow.item())
        plans.append(plan.item())
        tokens += int(batch.noisy_mask.sum()) + int((batch.clean_owner >= 0).sum())
        step += 1
        if step % 50 == 0 and rank == 0:
            spent = elapsed + time.monotonic() - started
            run.log(step=step, loss=round(sum(losses) / len(losses), 4),
                    plan=round(sum(plans) / len(plans), 4), lr=round(lr, 6),
                    tokens=tokens, seconds=round(spent, 1))  # fmt: skip
            losses.clear()
            plans.clear()
            tokens = 0
        if step % 500 == 0 and rank == 0:
            averaged.load_state_dict(ema)
            run.log(step=step, **validate(averaged, held_out))
        if (time.monotonic() - last_save) / 60 > args.checkpoint_minutes and rank == 0:
            save()
            last_save = time.monotonic()
    if rank == 0:
        save()
        averaged.load_state_dict(ema)
        run.log(step=step, done=1, **validate(averaged, held_out))
    if dist.is_initialized():
        dist.destroy_process_group()
    return 0


def held_out_batches(
    args: argparse.Namespace,
    autoencoder: Autoencoder,
    vocabulary: Vocabulary,
    device: torch.device,
    choices: bool,
    framed: bool,
) -> list[Batch]:
    """Four whole-picture batches of held-out compositions, always the same."""
    from engine.training.entries import entries
    from engine.training.latent_bank import LatentBank
    from engine.training.scenes import evaluation_scenes
    from engine.training.sprites import SpritePack

    concepts = concepts_of(args.stage)
    bank = LatentBank(SpritePack.load(args.sprites).check(concepts), autoencoder, reuse=0)
    rng = np.random.default_rng(99)
    aspects = bank.pack.aspects()
    # Mirrored sprites, where training shows none, let the loss rise while pictures get better.
    scenes = evaluation_scenes(
        32, 99, canvas=(512, 512), concepts=concepts, aspects=aspects, variety=args.variety
    )
    drawn = concepts if choices else None
    grid = {"side_tokens": args.side_tokens, "framed": framed,
            "concepts": drawn}  # fmt: skip
    pictures = [(s, entries(s, bank, rng, **grid)[0], []) for s in scenes]
    pictures.sort(key=lambda p: sum(len(e.tokens) for e in p[1]))
    groups = [pictures[i : i + 8] for i in range(0, len(pictures), 8)]
    return [collate(group, vocabulary, bank.token_px).to(device) for group in groups]


if __name__ == "__main__":
    import sys

    raise SystemExit(main(sys.argv[1:]))
