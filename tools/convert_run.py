"""Converts a training run of older versions to today's names of parameters, once.

    python tools/convert_run.py runs/transformer-4

The transformer's parameters got other names and another order, and the linear head that trains
along moved out of the transformer. The checkpoint's model, its average and the optimizer's moments
are converted together, so that the next step is the same. The old files are replaced.
"""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

from torch import Tensor

from engine.models.art.older_files import PREFIXES, current_configs
from engine.training.trainers.loop import RunFolder
from engine.training.trainers.optim import split_parameters
from engine.training.trainers.text_to_layers import TextToLayers, art_config, text_config
from engine.training.trainers.transformer import PLAIN

logger = logging.getLogger(__name__)
PROBE = {"art.plan_seen_query.": "probe.query.", "art.plan_seen_key.": "probe.key."}
RENAMED = {**PREFIXES, **PROBE}
# Modules of the old transformer in their order, by which the optimizer numbers its moments.
OLD_ORDER = (
    "art.img_table", "art.txt_table", "art.single_table", "art.img_in", "art.txt_in",
    "art.time_in", "art.pooled_in", "art.inner_in", "art.place_in", "art.double_blocks",
    "art.single_blocks", "art.img_mods", "art.txt_mods", "art.single_mods", "art.final_layer",
    "art.plan_in", "art.plan_query", "art.plan_key", "art.plan_taken", "art.plan_seen_query",
    "art.plan_seen_key", "art.plan_mod", "art.choice_in", "art.choice_mod",
)  # fmt: skip


def new_name(name: str) -> str:
    """Today's name of a parameter of `TextToLayers`."""
    for old, new in RENAMED.items():
        if name.startswith(old):
            return new + name[len(old) :]
    return name


def old_name(name: str) -> str:
    for old, new in RENAMED.items():
        if name.startswith(new):
            return old + name[len(new) :]
    return name


def convert(tensors: dict[str, Tensor], state: dict) -> tuple[dict[str, Tensor], dict]:
    """A checkpoint of an older version -> the same checkpoint today.

    Raises ValueError: it has today's names already, or lacks parts that every model has today.
    """
    if not any(name.startswith("model.art.plan_in.") for name in tensors):
        raise ValueError("this run has today's names already")
    configs = current_configs({"art": state["art"], "autoencoder": {}})
    state = {"near_words": 0, "side_tokens": 0, **state}
    state.pop("most_tokens", None)
    state["art"] = configs["art"]
    found: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        kind, _, rest = name.partition(".")
        if kind in ("model", "ema"):
            found[f"{kind}.{new_name(rest)}"] = tensor
    numbers = _numbers(TextToLayers(text_config(state), art_config(state)))
    for name, tensor in tensors.items():
        if name.startswith("optimizer.adamw."):
            _, _, number, moment = name.split(".")
            found[f"optimizer.adamw.{numbers[int(number)]}.{moment}"] = tensor
        elif name.startswith("optimizer."):
            found[name] = tensor
    return found, state


def _numbers(model: TextToLayers) -> dict[int, int]:
    """The optimizer's old number of each parameter that AdamW steps -> today's.

    Muon's matrices keep their order.
    """
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    stepped = [names[id(parameter)] for parameter in split_parameters(model, PLAIN)[1]]

    def place(name: str) -> int:
        old = old_name(name)
        return next((at for at, start in enumerate(OLD_ORDER, 1) if old.startswith(start)), 0)

    before = sorted(stepped, key=place)
    return {number: stepped.index(name) for number, name in enumerate(before)}


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("run", type=Path)
    run = RunFolder(parser.parse_args(argv).run)
    loaded = run.load()
    if loaded is None:
        logger.error("%s has no checkpoint.", run.path)
        return 1
    run.save(*convert(*loaded))
    logger.info("%s is converted.", run.path)
    return 0


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    raise SystemExit(main(sys.argv[1:]))
