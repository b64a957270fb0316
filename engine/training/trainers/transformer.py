"""Trains the region transformer and its text encoder: `layerloom train transformer`.

Tasks are mixed per batch: whole pictures, and edits in which some layers are clean and isolated
(`docs/art.md` 6); the loss is in `text_to_layers`. Resumes at any step; several GPUs through
torchrun. `--grow-from` begins a run with a model of an earlier stage of the vocabulary.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from engine.models.art.assignment import ASSIGNMENT_T
from engine.models.art.autoencoder import Autoencoder, AutoencoderConfig
from engine.models.art.model import ARTConfig
from engine.models.art.text import Tokenizer
from engine.models.checkpoint import Model, load_model
from engine.training.data.concepts import CHOICES, FIRST, STAGES, Concepts, concepts_of, stage_path
from engine.training.data.pictures import Batch, PictureMix, Pictures, collate, held_out_pictures
from engine.training.data.regions import LatentBank
from engine.training.data.scenes import REPEAT_SHARE, USUAL_LOOKS, LookMix, SceneSettings, compose
from engine.training.data.sprites import DEFAULT_SPRITES, SpritePack
from engine.training.trainers.loop import (
    Objective,
    RunFolder,
    State,
    add_loop_options,
    load_run,
    part_of,
    prepare,
    train,
)
from engine.training.trainers.optim import Muon, mixed_precision, split_parameters
from engine.training.trainers.text_to_layers import (
    PURE_SHARE,
    TextToLayers,
    add_noise,
    art_config,
    flow_loss,
    text_config,
    training_loss,
    visible_weights,
    word_loss,
)
from engine.words import load_word_table, tokenize

HELD_OUT = 32  # pictures
WARMUP = 150  # steps without a history of gradients
VALIDATION_LEVELS = {"val_low": 0.25, "val_mid": 0.6, "val_high": 0.95, "val_plan": ASSIGNMENT_T}
PLAIN = (
    "img_in", "txt_in", "final_layer", "modulation", "table", "embed", "word_in", "assignment",
    "taken_in", "near_in", "pooled_in", "seed_code", "probe",
)  # fmt: skip


class TransformerObjective(Objective):
    """Flow matching of layers and assignment of words, on an endless stream of pictures."""

    def __init__(
        self,
        model: TextToLayers,
        data: Pictures,
        held_out: list[Batch],
        args: argparse.Namespace,
        state: State,
    ) -> None:
        self.model, self.state, self.held_out = model, state, held_out
        self.device = torch.device(args.device)
        loader = DataLoader(data, batch_size=None, num_workers=args.workers, prefetch_factor=4)
        self.batches = iter(loader)
        self.averaged: TextToLayers = TextToLayers(model.text.config, model.art.config)
        self.averaged.to(self.device)
        self.optimizer = Muon(*split_parameters(model, PLAIN))
        self.visible = visible_weights(data.autoencoder).to(self.device)
        self.pure_share, self.huber = args.pure_share, args.huber

    def batch(self) -> Batch:
        return next(self.batches).to(self.device)

    def loss(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor | float]]:
        with mixed_precision(self.device):
            loss, flow, words = training_loss(
                self.model, batch, self.visible, self.pure_share, self.huber
            )
        tokens = int(batch.noisy_mask.sum()) + int((batch.clean_owner >= 0).sum())
        return loss, {"loss": flow, "plan": words, "tokens_per_step": tokens}

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Loss on fixed held-out pictures at fixed levels and noise, split by noise level."""
        result = {}
        for name, level in VALIDATION_LEVELS.items():
            total = 0.0
            for index, batch in enumerate(self.held_out):
                generator = torch.Generator("cpu").manual_seed(index)
                noise = torch.randn(batch.tokens.shape, generator=generator).to(self.device)
                t = torch.full((len(batch.tokens),), level, device=self.device)
                assigned = torch.full_like(batch.shows, name != "val_plan", dtype=torch.bool)
                noisy = add_noise(batch, t, noise)
                prediction = self.averaged.predict(batch, noisy, t, assigned=assigned)
                if name == "val_plan":
                    logits = prediction.assignment
                    total += word_loss(logits, batch.shows, batch.shows >= 0).item()
                else:
                    total += flow_loss(prediction, batch, t).item()
            result[name] = round(total / len(self.held_out), 4)
        return result


def load_autoencoder(run: Path) -> Autoencoder:
    """The averaged weights of an autoencoder run, or the autoencoder of a model file."""
    if run.is_file():
        return load_model(run).autoencoder
    model = Autoencoder(AutoencoderConfig())
    model.load_state_dict(part_of(load_run(run, "autoencoder")[0], "ema"))
    return model.eval().requires_grad_(False)


def held_out_batches(
    bank: LatentBank, mix: PictureMix, tokenizer: Tokenizer, device: torch.device
) -> list[Batch]:
    """Whole-picture batches of held-out compositions, always the same."""
    pictures = held_out_pictures(bank, mix, HELD_OUT, 99)
    pictures.sort(key=lambda p: sum(len(e.tokens) for e in p[1]))
    groups = [pictures[i : i + 8] for i in range(0, len(pictures), 8)]
    return [collate(group, tokenizer, bank.token_px).to(device) for group in groups]


def state_of(model: Model) -> State:
    return {
        "vocabulary": model.text.config.vocabulary,
        "art": asdict(model.art.config),
        "stage": model.card.stage,
        "near_words": model.text.config.near_words,
        "side_tokens": model.card.side_tokens,
    }


def mix_of(args: argparse.Namespace, concepts: Concepts) -> PictureMix:
    """From the options, most of which have the names of fields."""

    def named(kind: type) -> dict[str, Any]:
        return {f.name: getattr(args, f.name) for f in fields(kind) if hasattr(args, f.name)}

    looks = LookMix(args.named_looks, args.first_look, args.open_looks)
    scenes = SceneSettings(concepts=concepts, looks=looks, **named(SceneSettings))
    return PictureMix(scenes=scenes, fixed_backgrounds=True, **named(PictureMix))


def main(argv: list[str]) -> int:
    """Train until `--minutes` or `--steps` are over; resumes from the run's last checkpoint."""
    args = parse(argv)
    device, rank = prepare(args)
    run = RunFolder(args.run)
    autoencoder = load_autoencoder(args.autoencoder)
    if args.grow_from is not None and run.load() is None:
        grow(args.grow_from, run, args.stage or FIRST.stage)
    loaded = run.load()
    start = load_model(args.start_from) if args.start_from and loaded is None else None
    if loaded is not None:
        state = loaded[1]
    elif start is not None:
        state = state_of(start)
    else:
        stage = args.stage or FIRST.stage
        state = {
            "stage": stage,
            "vocabulary": prompt_vocabulary(concepts_of(stage)),
            "art": asdict(
                ARTConfig(
                    token_width=autoencoder.token_width, **{"seed_signs": CHOICES, **args.config}
                )
            ),
            "near_words": NEAR_WORDS,
            "side_tokens": 0,
        }
    if args.stage not in (None, state["stage"]):
        raise ValueError(f"this run is of stage {state['stage']}: use --grow-from with a new --run")
    if args.side_tokens is not None:
        state["side_tokens"] = args.side_tokens
    args.side_tokens = state["side_tokens"]
    concepts = concepts_of(state["stage"])
    args.sprites = args.sprites or stage_path(DEFAULT_SPRITES, concepts.stage)
    torch.manual_seed(args.seed)
    model = TextToLayers(text_config(state), art_config(state)).to(device)
    model.init_weights()
    if start is not None:
        model.text.load_state_dict(start.text.state_dict())
        model.art.load_state_dict(start.art.state_dict())
    step = state.get("step", 0)
    tokenizer = Tokenizer(model.text.config.vocabulary, load_word_table())
    mix = mix_of(args, concepts)
    bank = LatentBank(SpritePack.load(args.sprites).check(concepts), autoencoder, reuse=0)
    held_out = held_out_batches(bank, mix, tokenizer, device)
    data = Pictures(args.sprites, autoencoder, tokenizer, batch=args.batch, mix=mix,
                    seed=args.seed + step + 104_729 * rank)  # fmt: skip
    torch.manual_seed(args.seed + step + 7919 * rank)
    objective = TransformerObjective(model, data, held_out, args, state)
    if loaded is None:
        objective.begin()
    else:
        objective.resume(loaded[0])
    if step == 0:
        count = sum(p.numel() for p in model.parameters())
        config = json.dumps({**asdict(model.art.config), **vars(args)}, default=str)
        run.log(step=0, parameters=count, config=config)
    train(objective, args, run, warmup=WARMUP, average=0.9985)
    return 0


def parse(argv: list[str]) -> argparse.Namespace:
    """The options; `docs/training.md` has the recipe."""
    parser = argparse.ArgumentParser(prog="layerloom train transformer", description=__doc__)
    add, share = parser.add_argument, {"type": float}
    add_loop_options(
        parser, steps=20_000, batch=16, lr=1.5e-3, decay=0.25, run=Path("runs/transformer")
    )
    add("--stage", type=int, choices=STAGES, help="of the vocabulary; a run keeps its own")
    add("--sprites", type=Path, help="those of the stage by default")
    add("--autoencoder", type=Path, default=Path("runs/autoencoder"),
        help="run folder or model file; only its encoder matters here")  # fmt: skip
    add("--start-from", type=Path, help="model file to begin a new run with")
    add("--grow-from", type=Path, help="run or model file of an earlier stage to begin with")
    add("--config", type=json.loads, default={}, help="JSON over ARTConfig")
    add("--workers", type=int, default=1, help="processes that compose pictures")
    add("--max-tokens", type=int, default=400, help="image tokens per picture")
    add("--size", type=float, default=1.0, help="factor on the sizes of things")
    add("--most-things", type=int, default=0, help="0 = as composed")
    add("--side-tokens", type=int, help="of every thing's longer side, whatever its size; "
        "0 = as its box covers, a run keeps its own")  # fmt: skip
    add("--variety", type=float, default=1.0, help="mirrored and loose sprites")
    add("--edit-share", **share, default=0.35, help="batches with finished layers")
    add("--background-share", **share, default=0.7, help="pictures with a background")
    add("--background-weight", type=float, default=1.0, help="of its error, in things")
    add("--named-looks", **share, default=USUAL_LOOKS.named, help="whole pictures that name one")
    add("--first-look", **share, help="of these, in the first look; as in any other by default")
    add("--open-looks", **share, default=USUAL_LOOKS.open,
        help="other looks than the first in whole pictures whose prompt names none")  # fmt: skip
    add("--colour-share", **share, default=0.5, help="of colourable things")
    add("--stranger-share", **share, default=0.0, help="prompts with odd words")
    add("--repeat-share", **share, default=REPEAT_SHARE, help="scenes in which a noun repeats")
    add("--crowd-share", **share, default=0.0, help="scenes of 9 to 50 things")
    add("--pure-share", **share, default=PURE_SHARE, help="of pictures at pure noise")
    add("--huber", type=float, default=0.0,
        help="token error from which on it counts by its length")  # fmt: skip
    return parser.parse_args(argv)


# ---- a larger vocabulary ----

# Every weight stays, the optimizer starts from zero, and parts that the older model lacks add
# nothing at first. The text encoder's table of trained words gets rows for the words that are new,
# each a copy of row 0, the row of words without a vector of their own. So a prompt gives the same
# text tokens as before, bit for bit, and training goes on from there. Known rows do not show where
# a new one should be: predicted from the frozen word vectors by ridge regression, left out one at a
# time, they come out worse than their mean, because what tells words apart is the projection of the
# frozen vectors (14.5 long, against 5.0 of a row).
TABLE = "text.word_embed.weight"
NEAR_WORDS = 3  # "blue hot air balloon"
SAMPLES_PER_NOUN = 20_000 / 52  # prompts in which the words of a vocabulary are counted


def prompt_vocabulary(
    concepts: Concepts, samples: int | None = None, at_least: int = 8
) -> tuple[str, ...]:
    """Words that occur `at_least` so often in composed prompts, most frequent first.

    `samples` None takes `SAMPLES_PER_NOUN` prompts of each noun.
    """
    rng, settings = np.random.default_rng(2026), SceneSettings(concepts=concepts)
    if samples is None:
        samples = int(SAMPLES_PER_NOUN * len(concepts.nouns))
    prompts = (compose(rng, settings).prompt for _ in range(samples))
    counts = Counter(word for prompt in prompts for word in tokenize(prompt))
    return tuple(word for word, count in counts.most_common() if count >= at_least)


def grow(source: Path, run: RunFolder, stage: int) -> None:
    """Write the first checkpoint of a run of a later stage than `source`, a run or a model file.

    Raises FileNotFoundError (no checkpoint), ValueError (no earlier stage), FileExistsError
    (begun).
    """
    if run.load() is not None:
        raise FileExistsError(f"{run.path} has a checkpoint: grow into a new folder")
    if source.is_file():
        tensors, state = _checkpoint_of(load_model(source))
    else:
        tensors, state = load_run(source, "transformer")
    if state["stage"] >= stage:
        raise ValueError(f"{source} is of stage {state['stage']}: nothing grows to {stage}")
    # The old words stay in their old places.
    new_words = prompt_vocabulary(concepts_of(stage))
    words = tuple(dict.fromkeys([*state["vocabulary"], *new_words]))
    new = {**state, "vocabulary": words, "stage": stage, "near_words": NEAR_WORDS}
    model = TextToLayers(text_config(new), art_config(new))
    model.init_weights()
    kept = {k: v for k, v in tensors.items() if not k.startswith("optimizer.")}
    for copy in ("model", "ema"):
        table = kept[f"{copy}.{TABLE}"]
        more = table[:1].expand(len(words) + 1 - len(table), -1)
        kept[f"{copy}.{TABLE}"] = torch.cat([table, more])
        kept = {f"{copy}.{name}": value for name, value in model.state_dict().items()} | kept
    run.save(kept, new)
    added = len(words) - len(state["vocabulary"])
    run.log(step=state["step"], grown_from=str(source), stage=stage, words=added)


def _checkpoint_of(start: Model) -> tuple[dict[str, Tensor], State]:
    """A model file as the checkpoint of a run that has not stepped yet."""
    tensors = {
        f"{copy}.{prefix}.{name}": value
        for copy in ("model", "ema")
        for prefix, network in {"text": start.text, "art": start.art}.items()
        for name, value in network.state_dict().items()
    }
    return tensors, {"step": 0, "elapsed": 0.0, **state_of(start)}


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
