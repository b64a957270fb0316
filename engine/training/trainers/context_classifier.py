"""Trains the classifier of finished layers: `layerloom train recogniser`.

It comes last: the rest of the model file stays as it is, to the bit. Each layer of a composed
picture is read alone, as the cache would keep it, and compared with the words of the prompt.
Sprites are mirrored and placed loosely, since finished layers may have been painted or imported.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.data import DataLoader

from engine.errors import EngineError
from engine.model_files import default_path
from engine.models.art.assignment import (
    ContextClassifier,
    ContextClassifierConfig,
    feature_count,
    layer_features,
)
from engine.models.art.text import Tokenizer
from engine.models.checkpoint import Model, load_model, save_model
from engine.training.data.concepts import concepts_of, stage_path
from engine.training.data.pictures import Batch, PictureMix, Pictures, collate, held_out_pictures
from engine.training.data.regions import LatentBank
from engine.training.data.scenes import SceneSettings
from engine.training.data.sprites import DEFAULT_SPRITES, SpritePack
from engine.training.trainers.loop import Objective, add_loop_options, prepare, train
from engine.training.trainers.optim import Muon, mixed_precision
from engine.training.trainers.text_to_layers import numbered, word_loss
from engine.words import load_word_table

HELD_OUT = 96  # scenes, others than the evaluation's
MIX = PictureMix(
    scenes=SceneSettings(size=1.15, stranger_share=0.05), edit_share=1, background_share=0.5,
    most_things=8,
)  # fmt: skip


class ClassifierObjective(Objective):
    """The word of each finished layer, from frozen networks."""

    def __init__(self, model: Model, pack: SpritePack, args: argparse.Namespace) -> None:
        device = self.device = torch.device(args.device)
        concepts = concepts_of(model.card.stage)
        mix = replace(MIX, side_tokens=model.card.side_tokens,
                      scenes=replace(MIX.scenes, concepts=concepts))  # fmt: skip
        tokenizer = Tokenizer(model.text.config.vocabulary, load_word_table())
        pictures = Pictures(
            args.sprites, model.autoencoder, tokenizer, batch=args.batch, mix=mix, seed=args.seed
        )
        self.held_out = held_out_batches(LatentBank(pack, model.autoencoder, reuse=0), mix,
                                         tokenizer, device)  # fmt: skip
        self.text, self.art = model.text.to(device), model.art.to(device)
        self.model: ContextClassifier = new_classifier(model).to(device)
        self.optimizer = Muon([], self.model.parameters(), weight_decay=0.05)
        self.state = {}
        self.batches: Iterator[Batch] = iter(
            DataLoader(pictures, batch_size=None, num_workers=args.workers, prefetch_factor=2)
        )

    def batch(self) -> Batch:
        """The next that shows something: pictures of one layer, batched together, do not."""
        found = (batch for batch in self.batches if (batch.clean_owner >= 0).any())
        return next(found).to(self.device)

    def loss(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor | float]]:
        loss = word_loss(self.logits(batch), batch.clean_shows, batch.clean_shows >= 0)
        return loss, {"loss": loss}

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Share of held-out layers whose likeliest word is the right one."""
        right = total = 0
        self.model.eval()
        for batch in self.held_out:
            asked = batch.clean_shows >= 0
            right += int((self.logits(batch).argmax(dim=-1) == batch.clean_shows)[asked].sum())
            total += int(asked.sum())
        self.model.train()
        return {"held_out": round(right / total, 4)}

    def logits(self, batch: Batch) -> Tensor:
        """(B, L, T) logits; words that a prompt does not have are out of the question."""
        mask = F.pad(batch.text_mask, (1, 0), value=True)
        with torch.no_grad():
            words = self.text(batch.vectors, batch.known, batch.text_mask)
        logits = self.model(self.features(batch), words)
        return logits.masked_fill(~mask[:, None], -1e4)

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


def held_out_batches(
    bank: LatentBank, mix: PictureMix, tokenizer: Tokenizer, device: torch.device
) -> list[Batch]:
    pictures = held_out_pictures(bank, mix, HELD_OUT, 99, canvas=None)
    # A batch has to have a target.
    finished = [(scene, layers[-1:], layers) for scene, layers, _ in pictures]
    groups = [finished[i : i + 16] for i in range(0, len(finished), 16)]
    return [collate(group, tokenizer, bank.token_px).to(device) for group in groups]


def new_classifier(model: Model) -> ContextClassifier:
    """One that has learned nothing, for the sizes of a model."""
    art = model.art.config
    count = feature_count(art.double_blocks + art.single_blocks, art.width)
    return ContextClassifier(ContextClassifierConfig(features=count, text_width=art.text_width))


def main(argv: list[str]) -> int:
    """Train the classifier of a model file from zero and write the file."""
    parser = argparse.ArgumentParser(prog="layerloom train recogniser", description=__doc__)
    add = parser.add_argument
    add_loop_options(parser, steps=2_000, batch=32, lr=2e-3, decay=0.9)
    add("--weights", type=Path, default=default_path(), help="read and written")
    add("--out", type=Path, help="another file to write instead")
    add("--name", help="of the model from now on; its own by default")
    add("--sprites", type=Path, help="those of the model's stage by default")
    add("--workers", type=int, default=1, help="processes that compose pictures")
    args = parser.parse_args(argv)
    prepare(args)
    try:
        model = load_model(args.weights)
        concepts = concepts_of(model.card.stage)
        args.sprites = args.sprites or stage_path(DEFAULT_SPRITES, concepts.stage)
        pack = SpritePack.load(args.sprites).check(concepts)
    except (OSError, ValueError, EngineError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    objective = ClassifierObjective(model, pack, args)
    steps = train(objective, args, warmup=20, check_every=100)
    model.context_classifier = objective.model.cpu().eval()
    model.text.cpu(), model.art.cpu()
    training = f"{model.card.training.split('; recogniser')[0]}; recogniser {steps} steps"
    model.card = replace(model.card, name=args.name or model.card.name, training=training)
    digest = save_model(args.out or args.weights, model)
    print(f"sha256 of tensors {digest} -> {args.out or args.weights}")
    return 0
