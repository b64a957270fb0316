"""The options of `layerloom train transformer`, which is told in `transformer`."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

import torch

from engine.training.concepts import STAGES
from engine.training.look_mix import USUAL_LOOKS
from engine.training.objective import PURE_SHARE
from engine.training.scenes import REPEAT_SHARE


def parse(argv: list[str], description: str | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="layerloom train transformer", description=description)
    parser.add_argument(
        "--stage",
        type=int,
        choices=STAGES,
        help="of the vocabulary; a run that exists keeps its own",
    )
    parser.add_argument("--sprites", type=Path, help="those of the stage by default")
    parser.add_argument(
        "--autoencoder",
        type=Path,
        default=Path("runs/autoencoder"),
        help="run folder or model file; only its encoder matters here",
    )
    parser.add_argument("--run", type=Path, default=Path("runs/transformer"))
    parser.add_argument("--start-from", type=Path, help="model file to begin a new run with")
    parser.add_argument(
        "--grow-from", type=Path, help="run or model file of an earlier stage to begin with"
    )
    parser.add_argument("--steps", type=int, default=20_000)
    parser.add_argument("--minutes", type=float, default=1e9)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--lr", type=float, default=1.5e-3)
    parser.add_argument("--decay", type=float, default=0.25, help="share of the run that decays")
    parser.add_argument("--edit-share", type=float, default=0.35)
    parser.add_argument("--background-share", type=float, default=0.7)
    parser.add_argument(
        "--background-weight", type=float, default=1.0, help="of a background's error, in things"
    )
    parser.add_argument("--composite-share", type=float, default=0.1)
    parser.add_argument("--max-tokens", type=int, default=400, help="image tokens per picture")
    parser.add_argument("--size", type=float, default=1.0, help="factor on the sizes of things")
    parser.add_argument("--most-things", type=int, default=0, help="0 = as composed")
    parser.add_argument(
        "--side-tokens",
        type=int,
        help="of every thing's longer side, whatever its size; 0 = as its box covers, a run keeps "
        "its own",
    )
    looks = USUAL_LOOKS
    parser.add_argument(
        "--named-looks", type=float, default=looks.named, help="whole pictures that name one"
    )
    parser.add_argument(
        "--first-look", type=float, help="of these, in the first look; as in any other by default"
    )
    parser.add_argument(
        "--open-looks",
        type=float,
        default=looks.open,
        help="other looks than the first in whole pictures whose prompt names none",
    )
    parser.add_argument("--variety", type=float, default=1.0, help="mirrored and loose sprites")
    parser.add_argument("--colour-share", type=float, default=0.5, help="of colourable things")
    parser.add_argument("--stranger-share", type=float, default=0.0, help="prompts with odd words")
    parser.add_argument("--new-share", type=float, default=0.0, help="scenes of new nouns only")
    parser.add_argument(
        "--repeat-share", type=float, default=REPEAT_SHARE, help="scenes in which a noun repeats"
    )
    parser.add_argument("--crowd-share", type=float, default=0.0, help="scenes of 9 to 50 things")
    parser.add_argument(
        "--pure-share", type=float, default=PURE_SHARE, help="of pictures at pure noise"
    )
    parser.add_argument(
        "--huber", type=float, default=0.0, help="token error from which on it counts by its length"
    )
    parser.add_argument("--config", type=json.loads, default={}, help="JSON over ARTConfig")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--checkpoint-minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args(argv)
