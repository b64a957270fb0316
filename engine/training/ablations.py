"""What the model's choices are worth, each left out at a small equal budget: `train ablations`.

Every variant starts from the same seed and sees the same scenes for the same number of steps. A
variant that is finished has a JSON file in the output folder and is not trained again.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch

from engine.model.art_config import ARTConfig
from engine.model.autoencoder import Autoencoder
from engine.model.text import TextConfig, Vocabulary
from engine.training.ablation_data import WORLD, Encoding, held_out_scenes, training_batch
from engine.training.ablation_models import JointlyClean, TwoWay
from engine.training.ablation_scores import JudgeLayers, Setting, score
from engine.training.comparison import budget_notes, is_kept, keep, measured_by
from engine.training.comparison import table as markdown_table
from engine.training.evaluation_report import rate_text
from engine.training.growth import NEAR_WORDS, prompt_vocabulary
from engine.training.judge import DEFAULT_PATH, Judge
from engine.training.latent_bank import LatentBank
from engine.training.metrics import Rate, Scores
from engine.training.objective import TextToLayers, training_loss, visible_weights
from engine.training.optim import Muon, learning_rate, split_parameters, update_ema
from engine.training.sprites import DEFAULT_SPRITES, SpritePack
from engine.training.transformer import PLAIN, load_autoencoder
from engine.words import load_word_table

TABLE = "ablations.md"


@dataclass(frozen=True, slots=True)
class Variant:
    """One change to the base."""

    title: str
    model: type[TextToLayers] = TextToLayers
    axes_dim: tuple[int, int, int] = (16, 24, 24)
    encoding: Encoding = field(default_factory=Encoding)


VARIANTS = {
    "base": Variant("base: 3-D RoPE, region crop, no composite, clean layers apart"),
    "flat-rope": Variant("2-D RoPE", axes_dim=(0, 32, 32)),
    "uncropped": Variant("uncropped layers", encoding=Encoding(cropped=False)),
    "composite": Variant("composite entry", encoding=Encoding(composite_share=0.5)),
    "joint-clean": Variant("clean layers read each other", JointlyClean),
    "two-way": Variant("clean tokens read and are read (B)", TwoWay),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What every variant gets. `minutes` are of processor time; 0 = as long as the steps take."""

    steps: int
    minutes: float = 0.0
    batch: int = 16
    lr: float = 1.5e-3
    seed: int = 0


@dataclass(slots=True)
class Result:
    """What a variant's file keeps: rates as [hits, total], means as numbers."""

    name: str
    budget: dict
    config: dict
    parameters: int
    steps: int
    rates: dict[str, tuple[float, int]]
    means: dict[str, float]
    rates_with_composite: dict[str, tuple[float, int]] | None = None
    means_with_composite: dict[str, float] | None = None


def build(
    variant: Variant, words: tuple[str, ...], token_width: int, sizes: dict, seed: int
) -> TextToLayers:
    """An untrained variant; the same seed gives all of them the same weights."""
    text = TextConfig(vocabulary=words, near_words=NEAR_WORDS)
    art = ARTConfig(
        token_width=token_width, planning=True, pooled_width=text.width,
        axes_dim=variant.axes_dim, **sizes,
    )  # fmt: skip
    torch.manual_seed(seed)
    model = variant.model(text, art)
    model.init_weights()
    return model


def train(
    model: TextToLayers, budget: Budget, bank: LatentBank, vocabulary: Vocabulary,
    encoding: Encoding,
) -> tuple[int, float]:  # fmt: skip
    """Train in place, averaged weights at the end; (steps made, processor seconds per step)."""
    optimizer = Muon(*split_parameters(model, PLAIN), lr=budget.lr, iterations=3)
    ema = {name: p.detach().clone() for name, p in model.named_parameters()}
    visible = visible_weights(bank.autoencoder)
    began, in_steps, step = time.process_time(), 0.0, 0
    while step < budget.steps:
        progress = step / budget.steps
        if budget.minutes:
            progress = max(progress, (time.process_time() - began) / 60 / budget.minutes)
        if progress >= 1:
            break
        batch = training_batch(budget.seed, step, budget.batch, bank, vocabulary, encoding)
        torch.manual_seed(budget.seed * 1_000_003 + step)
        step_began = time.process_time()
        loss, flow, plan = training_loss(model, batch, visible)
        loss.backward()
        warm = min(1.0, (step + 1) / max(1, min(100, budget.steps // 10)))
        optimizer.step(learning_rate(int(progress * 10_000), 10_000, budget.lr, 0, 0.4) * warm)
        update_ema(ema, model, min(0.99, (step + 1) / (step + 15)))
        in_steps += time.process_time() - step_began
        step += 1
        if step % 100 == 0:
            spent = time.process_time() - began
            print(f"  step {step} flow {flow:.3f} plan {plan:.3f} {spent:.0f} s", flush=True)
    model.load_state_dict(ema, strict=False)
    return step, in_steps / max(1, step)


def run_variant(
    name: str, budget: Budget, autoencoder: Autoencoder, pack: SpritePack, judge: JudgeLayers,
    *, sizes: dict, words: tuple[str, ...], scenes: int,
) -> Result:  # fmt: skip
    """Train and score one variant. A bank of its own: all banks then fill in the same order."""
    variant = VARIANTS[name]
    model = build(variant, words, autoencoder.token_width, sizes, budget.seed)
    vocabulary = Vocabulary(words, load_word_table())
    bank = LatentBank(pack, autoencoder)
    steps, per_step = train(model, budget, bank, vocabulary, variant.encoding)
    model.eval()
    bank = LatentBank(pack, autoencoder)
    held_out = held_out_scenes(bank, scenes)
    setting = Setting(bank, vocabulary, judge, variant.encoding)
    rates, means = score(model, held_out, setting)
    result = Result(
        name, {**asdict(budget), "scenes": scenes}, {**model.art.config.to_dict()},
        sum(p.numel() for p in model.parameters()), steps, _plain(rates),
        {**means, "seconds per training step": per_step},
    )  # fmt: skip
    if variant.encoding.composite_share:
        setting = Setting(bank, vocabulary, judge, variant.encoding, with_composite=True)
        rates, means = score(model, held_out, setting)
        result.rates_with_composite = _plain(rates)
        result.means_with_composite = {**means, "seconds per training step": per_step}
    return result


def _plain(rates: Scores) -> dict[str, tuple[float, int]]:
    return {name: (float(rate.hits), rate.total) for name, rate in rates.items()}


def table(results: Sequence[Result], command: str) -> str:
    """Markdown: a row per variant; what was not measured is a dash."""
    rates = (
        "plan right", "things found", "layers in conflict", "repeated", "empty", "unclear",
        "fill-in found", "overlapping layers found",
    )  # fmt: skip
    means = (
        "flow loss, whole", "flow loss, edit", "seconds per training step",
        "seconds per sampling step",
    )  # fmt: skip
    head = ["variant", *means[:2], *rates, *means[2:], "steps", "parameters"]
    lines: list[list[str]] = []
    for result in results:
        title = VARIANTS[result.name].title
        rows = [(title, result.rates, result.means)]
        if result.rates_with_composite is not None and result.means_with_composite is not None:
            rows[0] = (f"{title}, in half the training batches; drawn without", *rows[0][1:])
            again = (result.rates_with_composite, result.means_with_composite)
            rows.append((f"{title}, the same weights; drawn with", *again))
        for name, rated, mean in rows:
            known = {key: Rate(*value) for key, value in rated.items()}
            cells = [name, *(f"{mean[key]:.4f}" for key in means[:2])]
            cells += [rate_text(known.get(key)) for key in rates]
            cells += [f"{mean[key]:.3f}" for key in means[2:]]
            cells += [str(result.steps), f"{result.parameters:,}"]
            lines.append(cells)
    notes = [
        *measured_by(command),
        "Seconds are of the processor, those of a sampling step per picture, without a cache. "
        "Rates with Wilson's 95 % interval.",
        *budget_notes(result.budget for result in results),
    ]
    return "\n".join([*markdown_table(head, lines), "", "\n\n".join(notes), ""])


def main(argv: list[str]) -> int:
    """`layerloom train ablations`."""
    parser = argparse.ArgumentParser(prog="layerloom train ablations", description=__doc__)
    parser.add_argument("--only", default=",".join(VARIANTS), help="comma-separated variants")
    parser.add_argument("--steps", type=int, default=700)
    parser.add_argument(
        "--minutes-each", type=float, default=0.0,
        help="of processor time: equal time, not equal steps; 0 = as the steps take",
    )  # fmt: skip
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--scenes", type=int, default=96, help="held-out scenes to score on")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument(
        "--config", type=json.loads,
        default={"width": 128, "heads": 2, "double_blocks": 1, "single_blocks": 4},
        help="JSON: sizes of the transformer",
    )  # fmt: skip
    parser.add_argument("--autoencoder", type=Path, default=Path("runs/autoencoder"))
    parser.add_argument("--sprites", type=Path, default=DEFAULT_SPRITES)
    parser.add_argument("--judge", type=Path, default=DEFAULT_PATH)
    parser.add_argument("--out", type=Path, default=Path("runs/ablations"))
    args = parser.parse_args(argv)
    names = args.only.split(",")
    unknown = [name for name in names if name not in VARIANTS]
    if unknown:
        parser.error(f"no variant {', '.join(unknown)}; there are {', '.join(VARIANTS)}")
    torch.set_num_threads(args.threads)
    budget = Budget(steps=args.steps, minutes=args.minutes_each, batch=args.batch, seed=args.seed)
    asked = {**asdict(budget), "scenes": args.scenes}
    args.out.mkdir(parents=True, exist_ok=True)
    autoencoder, pack = load_autoencoder(args.autoencoder), SpritePack.load(args.sprites)
    judge = Judge.load(args.judge, sprites=pack.sha256, stage=1)
    words = prompt_vocabulary(concepts=WORLD)
    for name in names:
        path = args.out / f"{name}.json"
        if is_kept(path, asked):
            print(f"{name}: kept from {path}", flush=True)
            continue
        print(name, flush=True)
        result = run_variant(
            name, budget, autoencoder, pack, judge.judge,
            sizes=args.config, words=words, scenes=args.scenes,
        )  # fmt: skip
        keep(path, asdict(result))
    done = [args.out / f"{name}.json" for name in VARIANTS]
    results = [Result(**json.loads(p.read_text(encoding="utf-8"))) for p in done if p.exists()]
    text = table(results, "layerloom train ablations " + " ".join(argv))
    (args.out / TABLE).write_text(text, encoding="utf-8")
    print(text)
    return 0


if __name__ == "__main__":
    import sys

    raise SystemExit(main(sys.argv[1:]))
