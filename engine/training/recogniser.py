"""Trains the part that recognises finished layers: `layerloom train recogniser`.

It comes last: the rest of the model file stays as it is, to the bit. Each layer of a composed
picture is read alone, as the cache would keep it, and compared with the words of the prompt.
Sprites are mirrored and placed loosely, since finished layers may have been painted or imported.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.data import DataLoader

from engine.errors import EngineError
from engine.models.art.assignment import (
    ContextClassifier,
    ContextClassifierConfig,
    feature_count,
    layer_features,
)
from engine.models.art.text import Vocabulary
from engine.models.checkpoint import Model, default_path, load_model, save_model
from engine.training.concepts import concepts_of, stage_path
from engine.training.entries import entries
from engine.training.latent_bank import LatentBank
from engine.training.objective import numbered, plan_loss
from engine.training.pictures import Batch, PictureMix, Pictures, collate
from engine.training.precision import mixed_precision
from engine.training.scenes import evaluation_scenes
from engine.training.sprites import DEFAULT_SPRITES, SpritePack
from engine.words import load_word_table

LR = 2e-3
HELD_OUT = 96  # scenes
MIX = PictureMix(
    edit_share=1, background_share=0.5, composite_share=0, size=1.15, colour_share=0.5,
    most_things=8, stranger_share=0.05,
)  # fmt: skip


class Frozen:
    """The parts of a model that the recogniser reads; they do not learn."""

    def __init__(self, model: Model, device: torch.device) -> None:
        self.text, self.art = model.text.to(device), model.art.to(device)

    @torch.no_grad()
    def features(self, batch: Batch) -> Tensor:
        """(B, L, F) of the clean layers of a batch; zeros where there is none."""
        real = batch.clean_owner >= 0
        pictures, layers = batch.clean_shows.shape
        owner = numbered(batch.clean_owner, layers)[real]
        numbers, lengths = torch.unique_consecutive(owner, return_counts=True)
        with mixed_precision(real.device):
            stored = self.art.encode_context(
                batch.clean_tokens[real][None], batch.clean_ids[real][None],
                batch.clean_inner[real][None], lengths.tolist(),
            )  # fmt: skip
        values = torch.cat([kv.v for kv in stored]).float()  # (blocks, heads, M, head_dim)
        found = [layer_features(part) for part in values.split(lengths.tolist(), dim=2)]
        result = found[0].new_zeros(pictures * layers, len(found[0]))
        result[numbers] = torch.stack(found)
        return result.view(pictures, layers, -1)

    @torch.no_grad()
    def words(self, batch: Batch) -> Tensor:
        """(B, T, text width) text tokens of the prompts."""
        return self.text(batch.vectors, batch.known, batch.text_mask)


def logits_of(recogniser: ContextClassifier, frozen: Frozen, batch: Batch) -> Tensor:
    """(B, L, T) logits; words that a prompt does not have are out of the question."""
    mask = F.pad(batch.text_mask, (1, 0), value=True)
    logits = recogniser(frozen.features(batch), frozen.words(batch))
    return logits.masked_fill(~mask[:, None], -1e4)


@torch.no_grad()
def recognised(
    recogniser: ContextClassifier, frozen: Frozen, batches: list[Batch]
) -> tuple[int, int]:
    """Of how many layers the likeliest word is the right one, and how many there are."""
    right = total = 0
    for batch in batches:
        asked = batch.clean_shows >= 0
        guess = logits_of(recogniser, frozen, batch).argmax(dim=-1)
        right += int((guess == batch.clean_shows)[asked].sum())
        total += int(asked.sum())
    return right, total


def held_out(pack: SpritePack, model: Model, vocabulary: Vocabulary) -> list[Batch]:
    """Held-out compositions, others than the evaluation's; all layers are finished."""
    bank = LatentBank(pack, model.autoencoder, reuse=0)
    rng = np.random.default_rng(99)
    card = model.card
    concepts = concepts_of(card.stage)
    found = evaluation_scenes(HELD_OUT, 99, concepts=concepts, aspects=pack.aspects())
    pictures = []
    for scene in found:
        layers = entries(scene, bank, rng, side_tokens=card.side_tokens)[0]
        pictures.append((scene, layers[-1:], layers))  # a batch has to have a target
    groups = [pictures[i : i + 16] for i in range(0, len(pictures), 16)]
    return [collate(group, vocabulary, bank.token_px) for group in groups]


def with_finished_layers(batches: Iterable[Batch]) -> Iterator[Batch]:
    """Those with something to see: pictures of a single layer, batched together, have nothing."""
    return (batch for batch in batches if (batch.clean_owner >= 0).any())


def new_recogniser(model: Model) -> ContextClassifier:
    """One that has learned nothing, for the sizes of a model."""
    art = model.art.config
    count = feature_count(art.double_blocks + art.single_blocks, art.width)
    return ContextClassifier(ContextClassifierConfig(features=count, text_width=art.text_width))


def parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="layerloom train recogniser", description=__doc__)
    parser.add_argument("--weights", type=Path, default=default_path(), help="read and written")
    parser.add_argument("--out", type=Path, help="another file to write instead")
    parser.add_argument("--name", help="of the model from now on; its own by default")
    parser.add_argument("--sprites", type=Path, help="those of the model's stage by default")
    parser.add_argument("--steps", type=int, default=2_000)
    parser.add_argument("--batch", type=int, default=32, help="pictures")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--workers", type=int, default=1, help="processes that compose pictures")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args(argv)


def main(argv: list[str]) -> int:
    """Train the recogniser of a model file anew and write the file."""
    args = parse(argv)
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    device = torch.device(args.device)
    try:
        model = load_model(args.weights)
        concepts = concepts_of(model.card.stage)
        sprites = args.sprites or stage_path(DEFAULT_SPRITES, concepts.stage)
        pack = SpritePack.load(sprites).check(concepts)
    except (OSError, ValueError, EngineError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    vocabulary = Vocabulary(model.text.config.vocabulary, load_word_table())
    card = model.card
    mix = replace(MIX, stage=card.stage, side_tokens=card.side_tokens)
    pictures = Pictures(
        sprites, model.autoencoder, vocabulary, batch=args.batch, mix=mix, seed=args.seed
    )
    test = [batch.to(device) for batch in held_out(pack, model, vocabulary)]
    frozen, recogniser = Frozen(model, device), new_recogniser(model).to(device)
    optimizer = torch.optim.AdamW(recogniser.parameters(), LR, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, LR, total_steps=args.steps, pct_start=min(0.1, 20 / args.steps)
    )
    batches = with_finished_layers(
        DataLoader(pictures, batch_size=None, num_workers=args.workers, prefetch_factor=2)
    )
    started, losses = time.monotonic(), []
    for step in range(1, args.steps + 1):
        batch = next(batches).to(device)
        asked = batch.clean_shows >= 0
        loss = plan_loss(logits_of(recogniser, frozen, batch), batch.clean_shows, asked)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
        if step % 100 == 0 or step == args.steps:
            recogniser.eval()
            right, total = recognised(recogniser, frozen, test)
            recogniser.train()
            spent = time.monotonic() - started
            mean = sum(losses[-100:]) / len(losses[-100:])
            print(f"step {step} loss {mean:.4f} held out {right}/{total} {spent:.0f} s", flush=True)
    model.context_classifier = recogniser.cpu().eval()
    training = f"{model.card.training.split('; recogniser')[0]}; recogniser {args.steps} steps"
    model.card = replace(model.card, name=args.name or model.card.name, training=training)
    digest = save_model(args.out or args.weights, model)
    print(f"sha256 of tensors {digest} -> {args.out or args.weights}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
