"""Growing a model's vocabulary: from a run or a model file of one stage to the start of the next.

Every weight stays, the optimizer starts anew, and parts that the older model lacks add nothing at
first. The text encoder's table of trained words gets rows for the words that are new,
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

from engine.models.checkpoint import load_model
from engine.training.concepts import FIRST, Concepts, concepts_of
from engine.training.objective import TextToLayers, art_config, text_config
from engine.training.run_folder import RunFolder
from engine.training.scenes import compose
from engine.words import tokenize

TABLE = "text.word_embed.weight"
NEAR_WORDS = 3  # "blue hot air balloon"
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


def grown_rows(table: Tensor, rows: int) -> Tensor:
    """(n, D) -> (rows, D): more rows, copies of row 0."""
    return torch.cat([table, table[:1].expand(rows - len(table), -1)])


def grown_state(state: dict, stage: int) -> dict:
    """A run's state with the words of `stage`."""
    words = grown_vocabulary(state["vocabulary"], prompt_vocabulary(concepts=concepts_of(stage)))
    return {**state, "vocabulary": words, "stage": stage, "near_words": NEAR_WORDS}


def grow(source: Path, run: RunFolder, stage: int) -> None:
    """Write the first checkpoint of a run of a later stage.

    Args:
        source: run folder or model file of an earlier stage.
        run: has no checkpoint yet.

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
    new = grown_state(state, stage)
    model = TextToLayers(text_config(new), art_config(new))
    model.init_weights()
    kept = {k: v for k, v in tensors.items() if not k.startswith("optimizer.")}
    for copy in ("model", "ema"):
        kept[f"{copy}.{TABLE}"] = grown_rows(kept[f"{copy}.{TABLE}"], len(new["vocabulary"]) + 1)
        fresh = {f"{copy}.{name}": value for name, value in model.state_dict().items()}
        kept = fresh | kept
    run.save(kept, new)
    words = len(new["vocabulary"]) - len(state["vocabulary"])
    run.log(step=state["step"], grown_from=str(source), stage=stage, words=words)


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
