"""Growing a model's vocabulary: from a run or a model file of one stage to the start of the next.

Every weight stays. The text encoder's table of trained words gets rows for the words that are new,
each a copy of row 0, which stands for "a word without a vector of its own": so a prompt gives the
same text tokens, bit for bit, as it did before, and training goes on from there. Known rows cannot
tell where a new one should lie: predicted from the frozen word vectors by ridge regression, left
out one at a time, they come out worse than their mean, because what tells words apart is the
projection of the frozen vectors (14.5 long, against 5.0 of a row).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from engine.model.text import TextConfig
from engine.model.transformer import ARTConfig
from engine.training.concepts import FIRST, Concepts, concepts_of
from engine.training.objective import TextToLayers
from engine.training.optim import Muon, split_parameters
from engine.training.run_folder import RunFolder
from engine.training.scenes import compose
from engine.weights import load_model
from engine.words import tokenize

TABLE = "text.word_embed.weight"
SAMPLES = 20_000  # prompts that the vocabulary of the first stage is counted in


def prompt_vocabulary(
    samples: int | None = None, at_least: int = 8, concepts: Concepts = FIRST
) -> tuple[str, ...]:
    """Words of composed prompts, most frequent first.

    Args:
        samples: prompts; None takes as many per noun as in the first stage.
        at_least: rarer words get no vector of their own.
    """
    if samples is None:
        samples = SAMPLES * len(concepts.nouns) // len(FIRST.nouns)
    rng = np.random.default_rng(2026)
    prompts = (compose(rng, concepts=concepts).prompt for _ in range(samples))
    counts = Counter(word for prompt in prompts for word in tokenize(prompt))
    return tuple(word for word, count in counts.most_common() if count >= at_least)


def grown_vocabulary(old: Sequence[str], new: Iterable[str]) -> tuple[str, ...]:
    """The old words in their old places, then the new ones that are not among them."""
    return tuple(dict.fromkeys([*old, *new]))


def grown_rows(table: Tensor, rows: int, *, copies: bool) -> Tensor:
    """(n, D) -> (rows, D): more rows, copies of row 0 or zeros."""
    extra = table[:1].expand(rows - len(table), -1)
    return torch.cat([table, extra if copies else torch.zeros_like(extra)])


def grow(source: Path, run: RunFolder, stage: int, plain: Iterable[str]) -> None:
    """Write the first checkpoint of a run of a later stage.

    Args:
        source: run folder (its optimizer's moments stay) or model file of an earlier stage.
        run: has no checkpoint yet.
        plain: as for `split_parameters` in the trainer.

    Raises:
        FileNotFoundError: the source has no checkpoint.
        ValueError: the source is not of an earlier stage.
        FileExistsError: the run has begun already.
    """
    if run.load() is not None:
        raise FileExistsError(f"{run.path} has a checkpoint: grow into a new folder")
    tensors, state = _from_file(source) if source.is_file() else _from_run(source)
    if state.get("stage", 1) >= stage:
        raise ValueError(f"{source} is of stage {state.get('stage', 1)}: nothing grows to {stage}")
    old = tuple(state["vocabulary"])
    words = grown_vocabulary(old, prompt_vocabulary(concepts=concepts_of(stage)))
    rows = len(words) + 1
    art = {name: tuple(v) if isinstance(v, list) else v for name, v in state["art"].items()}
    model = TextToLayers(TextConfig(vocabulary=words), ARTConfig(**{**art, "planning": True}))
    matrices, others = split_parameters(model, plain)
    optimizer = Muon(matrices, others, lr=0.0)
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    place = next(i for i, parameter in enumerate(others) if names[id(parameter)] == TABLE)
    grown = {f"optimizer.{name}": value for name, value in optimizer.state().items()} | tensors
    for name in (f"model.{TABLE}", f"ema.{TABLE}"):
        grown[name] = grown_rows(grown[name], rows, copies=True)
    for moment in ("exp_avg", "exp_avg_sq"):
        name = f"optimizer.adamw.{place}.{moment}"
        if name in grown:
            grown[name] = grown_rows(grown[name], rows, copies=False)
    run.save(grown, {**state, "vocabulary": words, "stage": stage})
    run.log(step=state["step"], grown_from=str(source), stage=stage, words=len(words) - len(old))


def _from_run(path: Path) -> tuple[dict[str, Tensor], dict]:
    loaded = RunFolder(path).load() if path.is_dir() else None
    if loaded is None:
        raise FileNotFoundError(f"no checkpoint in {path}")
    return loaded


def _from_file(path: Path) -> tuple[dict[str, Tensor], dict]:
    """A model file as the checkpoint of a run that has not stepped yet."""
    start = load_model(path)
    networks = {"text": start.text, "art": start.art}
    tensors = {
        f"{copy}.{prefix}.{name}": value
        for copy in ("model", "ema")
        for prefix, network in networks.items()
        for name, value in network.state_dict().items()
    }
    state = {
        "step": 0,
        "elapsed": 0.0,
        "vocabulary": start.text.config.vocabulary,
        "art": start.art.config.to_dict(),
        "stage": start.card.stage,
    }
    return tensors, state
