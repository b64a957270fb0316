"""How much of the machine's matrix rate a training step reaches: `layerloom train throughput`.

Real batches of the pinned art, the model of a file, the trainer's own loss and optimizer, and next
to each step the same matrix products alone, forward and backward, at their own shapes.
"""

from __future__ import annotations

import argparse
import itertools
import os
import platform
import time
from functools import partial
from pathlib import Path

import torch

from engine.benchmarks.measure import Measured, ProductCounter, Work, alternate, summary
from engine.benchmarks.report import Table
from engine.models.art.text import Tokenizer
from engine.models.checkpoint import Model, load_model
from engine.training.data.concepts import concepts_of, stage_path
from engine.training.data.pictures import Batch, PictureMix, Pictures
from engine.training.data.scenes import SceneSettings
from engine.training.data.sprites import DEFAULT_SPRITES
from engine.training.trainers.optim import Muon, mixed_precision, product_dtype, split_parameters
from engine.training.trainers.text_to_layers import TextToLayers, training_loss, visible_weights
from engine.training.trainers.transformer import PLAIN
from engine.words import load_word_table

CPU = torch.device("cpu")
LARGE = 2048  # side of the square product that stands for the machine's rate
PARTS = ("forward", "backward", "optimizer")


class Trainer:
    """A step of the transformer's trainer, with a clock between its parts.

    Attributes:
        spent: seconds of each of `PARTS`, a value per step.
    """

    def __init__(self, model: Model) -> None:
        self.model = TextToLayers(model.text.config, model.art.config)
        self.model.text.load_state_dict(model.text.state_dict())
        self.model.art.load_state_dict(model.art.state_dict())
        self.visible = visible_weights(model.autoencoder)
        self.optimizer = Muon(*split_parameters(self.model, PLAIN))
        self.spent: dict[str, list[float]] = {part: [] for part in PARTS}

    def step(self, batch: Batch) -> None:
        """One step at a rate of 0: the work of training without its effect."""
        marks = [time.perf_counter()]
        with mixed_precision(CPU):
            loss, _, _ = training_loss(self.model, batch, self.visible)
        marks.append(time.perf_counter())
        loss.backward()
        marks.append(time.perf_counter())
        self.optimizer.step(0.0)
        marks.append(time.perf_counter())
        for part, (began, ended) in zip(PARTS, itertools.pairwise(marks), strict=True):
            self.spent[part].append(ended - began)

    def products(self, batch: Batch) -> ProductCounter:
        """The products of forward and backward pass; torch's generator is left as it was."""
        with torch.random.fork_rng(), ProductCounter() as counter, mixed_precision(CPU):
            training_loss(self.model, batch, self.visible)[0].backward()
        self.model.zero_grad()
        return counter


@torch.no_grad()
def repeat(works: list[tuple[Work, int]]) -> None:
    for work, count in works:
        for _ in range(count):
            work()


def report(trainer: Trainer, batches: list[Batch], rounds: int, command: str) -> str:
    """Measure in turn, step by step; a Markdown table."""
    counters = [trainer.products(batch) for batch in batches]
    full = torch.rand(LARGE, LARGE)
    side = full.to(product_dtype(CPU))
    works: dict[str, Work] = {"large": lambda: side @ side, "large float32": lambda: full @ full}
    for i, (batch, counter) in enumerate(zip(batches, counters, strict=True)):
        works[f"step {i}"] = partial(trainer.step, batch)
        alone = [(product.alone(), count) for product, count in counter.found.items()]
        works[f"alone {i}"] = partial(repeat, alone)
    alternate(works, 1)
    trainer.spent = {part: [] for part in PARTS}
    taken = alternate(works, rounds)
    flops = [counter.flops for counter in counters]

    def rate(name: str, operations: list[int]) -> Measured:
        """GFLOP/s of a work, over all batches."""
        found = [n / t / 1e9 for i, n in enumerate(operations) for t in taken[name.format(i)]]
        return summary(found)

    useful, alone_rate = rate("step {}", flops), rate("alone {}", flops)
    large, large_full = (rate(name, [2 * LARGE**3]) for name in ("large", "large float32"))
    whole = sum(map(sum, trainer.spent.values()))
    shares = ", ".join(f"{100 * sum(part) / whole:.0f} %" for part in trainer.spent.values())
    tokens = sum(int(b.noisy_mask.sum()) + int((b.clean_owner >= 0).sum()) for b in batches)
    rows = {
        "useful GFLOP/s of a step": useful,
        "the same products alone, GFLOP/s": alone_rate,
        "number format of the products": str(product_dtype(CPU)).removeprefix("torch."),
        f"a product of {LARGE} x {LARGE}, GFLOP/s": large,
        "the same in float32, GFLOP/s": large_full,
        "**share of the products' rate**": f"{useful.median / alone_rate.median:.0%}",
        "**share of the large product's rate**": f"{useful.median / large.median:.0%}",
        "share of its rate in float32": f"{useful.median / large_full.median:.0%}",
        "seconds a step": summary([t for i in range(len(batches)) for t in taken[f"step {i}"]]),
        ", ".join(PARTS): shares,
        "image tokens a step": f"{tokens / len(batches):.0f}",
        "10^9 operations a step": f"{sum(flops) / len(flops) / 1e9:.0f}",
    }
    where = f"{platform.machine()}, {platform.system()}, torch {torch.__version__}"
    title = f"`{command}`, {where}, {torch.get_num_threads()} thread(s)"
    return Table(title, ["of training", "found"], list(rows.items())).markdown()


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="layerloom train throughput", description=__doc__)
    parser.add_argument("--weights", type=Path, help="a model file; the shipped one by default")
    parser.add_argument("--sprites", type=Path, help="those of the model's stage by default")
    parser.add_argument("--batch", type=int, default=48)
    parser.add_argument("--batches", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    args = parser.parse_args(argv)
    torch.manual_seed(0)
    model = load_model(args.weights)
    concepts = concepts_of(model.card.stage)
    sprites = args.sprites or stage_path(DEFAULT_SPRITES, concepts.stage)
    mix = PictureMix(
        scenes=SceneSettings(concepts=concepts, variety=0.0), edit_share=0.25,
        background_share=0.35, max_tokens=350, most_things=8,
        side_tokens=model.card.side_tokens,
    )  # fmt: skip
    tokenizer = Tokenizer(model.text.config.vocabulary, load_word_table())
    data = iter(Pictures(sprites, model.autoencoder, tokenizer, batch=args.batch, mix=mix, seed=0))
    batches = [next(data) for _ in range(args.batches)]
    torch.set_num_threads(args.threads)  # making batches sets it to 1, as in a worker process
    command = " ".join(["layerloom train throughput", *argv])
    print(report(Trainer(model), batches, args.rounds, command))
    return 0
