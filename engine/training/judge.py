"""Judge: a small classifier that says which noun a generated layer shows, and in which look.

For evaluation only: trained on the sprites with other augmentation than the generator's, never
used in the generator's training, never imported by the engine. `layerloom train judge` makes it
in some minutes; its checkpoint (`runs/judge/judge.safetensors`) is not shipped. The one that the
model card's figures are from is kept beside the tools, so that they can be had again.

Shapes: B pictures of 64 x 64; composite colour and alpha are the four channels.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from engine.training.concepts import FIRST, STAGES, Concepts, concepts_of, stage_path
from engine.training.judge_data import (
    INPUT_PX,
    JudgeData,
    fit,
    on_backdrop,
)
from engine.training.precision import mixed_precision
from engine.training.sprites import DEFAULT_SPRITES, SpritePack

DEFAULT_PATH = Path("runs/judge/judge.safetensors")
KEPT_PATH = Path(__file__).parents[2] / "tools/judges/judge.safetensors"
BACKDROPS = (0.15, 0.5, 0.85)  # greys that a layer is judged on; the answers are averaged
EMPTY_SHARE = 0.02  # of the box: less visible area than this is an empty layer
MIN_CONFIDENCE = 0.5


class JudgeNet(nn.Module):
    """(B, 4, 64, 64) -> logits (B, nouns + 1) and (B, looks); about 1.2 M parameters.

    The last noun is "no single thing".
    """

    def __init__(self, concepts: Concepts = FIRST) -> None:
        super().__init__()
        self.concepts = concepts
        self.body = nn.Sequential(
            nn.PixelUnshuffle(2),
            *_block(16, 32),
            *_block(32, 64, stride=2),
            *_block(64, 64),
            *_block(64, 128, stride=2),
            *_block(128, 128),
            *_block(128, 192, stride=2),
            *_block(192, 256),
        )
        self.noun = nn.Linear(256, len(concepts.nouns) + 1)
        self.look = nn.Linear(256, len(concepts.looks))
        for parameter in self.parameters():
            if parameter.ndim == 4:  # channels last is twice as fast on CPUs
                parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = ((x - 0.5) * 2).contiguous(memory_format=torch.channels_last)
        features = self.body(x).amax(dim=(2, 3))  # (B, 256)
        features = F.dropout(features, 0.2, self.training)
        return self.noun(features), self.look(features)


def _block(inputs: int, outputs: int, stride: int = 1) -> tuple[nn.Module, ...]:
    conv = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
    return conv, nn.BatchNorm2d(outputs), nn.ReLU()


def judge_path(stage: int) -> Path:
    """The judge of a stage: one that was trained here, else the kept one."""
    trained = stage_path(DEFAULT_PATH, stage)
    return trained if trained.exists() else stage_path(KEPT_PATH, stage)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the judge says of one layer.

    Attributes:
        noun: a name of the vocabulary, or None when it shows no single known thing.
        confidence: probability of the best answer, "no thing" included, 0 to 1.
        empty: hardly anything is visible; then noun is None.
        look: the likeliest look; means nothing where noun is None.
        noun_shares: (nouns + 1,) float32 probabilities, the last one of "no thing".
    """

    noun: str | None
    confidence: float
    empty: bool
    look: str
    noun_shares: np.ndarray


class Judge:
    """Judges layers. Not thread-safe; knows nothing of prompts and boxes.

    Attributes:
        sha256: of the checkpoint, for reports; empty for an untrained one.
    """

    def __init__(self, net: JudgeNet, sha256: str = "") -> None:
        self._net = net.eval()
        self._names, self._looks = net.concepts.noun_names, net.concepts.looks
        self.sha256 = sha256

    @classmethod
    def load(
        cls, path: Path = DEFAULT_PATH, sprites: str | None = None, stage: int | None = None
    ) -> Judge:
        """Read a checkpoint.

        Args:
            sprites: sha256 of the pack that it must have been trained on; None asks nothing.
            stage: of the vocabulary that it must know; None asks nothing.

        Raises:
            FileNotFoundError: there is none; names the command that makes one.
            ValueError: it is damaged, or was trained on other nouns or sprites.
        """
        if not path.exists():
            raise FileNotFoundError(f"no judge at {path}: run `layerloom train judge` first")
        net, metadata = load_net(path)
        if sprites not in (None, metadata.get("sprites")):
            raise ValueError(f"the judge {path} was trained on other sprites: train it again")
        if stage not in (None, net.concepts.stage):
            raise ValueError(f"the judge {path} is of stage {net.concepts.stage}, not {stage}")
        return cls(net, hashlib.sha256(path.read_bytes()).hexdigest())

    @torch.inference_mode()
    def judge(self, layers: Sequence[np.ndarray]) -> list[Verdict]:
        """Judge layers, each (h, w, 4) uint8 straight alpha of any size, cropped to its box."""
        if not layers:
            return []
        pictures = torch.from_numpy(np.stack([fit(layer, INPUT_PX) for layer in layers]))
        nouns = torch.zeros(len(layers), len(self._names) + 1)
        looks = torch.zeros(len(layers), len(self._looks))
        for grey in BACKDROPS:
            inputs = on_backdrop(pictures, (grey, grey, grey))
            noun_logits, look_logits = self._net(inputs)
            nouns += noun_logits.softmax(1) / len(BACKDROPS)
            looks += look_logits.softmax(1) / len(BACKDROPS)
        return [
            _verdict(layer, noun.numpy(), self._names, self._looks[int(look.argmax())])
            for layer, noun, look in zip(layers, nouns, looks, strict=True)
        ]


def visible_share(rgba: np.ndarray) -> float:
    """Mean alpha of (h, w, 4) uint8, 0 to 1."""
    return float(rgba[..., 3].mean() / 255)


def _verdict(layer: np.ndarray, shares: np.ndarray, names: Sequence[str], look: str) -> Verdict:
    best = int(shares.argmax())
    empty = visible_share(layer) < EMPTY_SHARE
    sure = not empty and best < len(names) and shares[best] >= MIN_CONFIDENCE
    return Verdict(
        names[best] if sure else None,
        float(shares[best]),
        empty,
        look,
        shares.astype(np.float32),
    )


@torch.inference_mode()
def validate(net: JudgeNet, data: JudgeData, batches: int, blur: float | None) -> dict[str, float]:
    """Shares of right answers, 0 to 1, on fresh augmentations.

    Args:
        blur: sigma in input pixels, for things only; None judges the training mixture, in which
            "other" counts too.
    """
    net.eval()
    right = {"noun": 0, "other": 0, "look": 0}
    count = {"noun": 0, "other": 0, "look": 0}
    for _ in range(batches):
        if blur is None:
            inputs, nouns, looks = data.batch(128)
        else:
            chosen = torch.arange(len(data.sources))
            pictures = data.vary(data.sources, blur)
            inputs = on_backdrop(pictures, torch.full((len(chosen), 3), 0.5))
            nouns, looks = data.nouns, data.looks
        noun_logits, look_logits = net(inputs)
        hit, is_other = noun_logits.argmax(1) == nouns, nouns == data.other
        right["noun"] += int((hit & ~is_other).sum())
        right["other"] += int((hit & is_other).sum())
        right["look"] += int(((look_logits.argmax(1) == looks) & ~is_other).sum())
        count["noun"] += int((~is_other).sum())
        count["other"] += int(is_other.sum())
        count["look"] += int((~is_other).sum())
    net.train()
    return {name: round(right[name] / count[name], 4) for name in right if count[name]}


def load_net(path: Path) -> tuple[JudgeNet, dict[str, str]]:
    """A checkpoint's network and metadata. Raises ValueError: damaged, or for other nouns."""
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {key: file.get_tensor(key) for key in file.keys()}
        net = JudgeNet(concepts_of(int(metadata.get("stage", "1"))))
        if json.loads(metadata["nouns"]) != list(net.concepts.noun_names):
            raise ValueError("it was trained for other nouns")
        net.load_state_dict(tensors)
    except (SafetensorError, KeyError, RuntimeError, ValueError) as error:
        raise ValueError(f"the judge {path} cannot be used, train it again: {error}") from error
    return net, metadata


def save(net: JudgeNet, path: Path, report: dict, sprites: str) -> None:
    """Write a checkpoint; `sprites` is the sha256 of the pack that it was trained on."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    metadata = {
        "stage": str(net.concepts.stage),
        "nouns": json.dumps(net.concepts.noun_names),
        "report": json.dumps(report),
        "sprites": sprites,
    }
    save_file({k: v.contiguous() for k, v in net.state_dict().items()}, temporary, metadata)
    os.replace(temporary, path)


def train_judge(
    net: JudgeNet, data: JudgeData, *, steps: int, minutes: float, batch: int, lr: float
) -> int:
    """AdamW with a warm-up and a fall to zero; ends after `steps` or `minutes`, what comes first.

    Args:
        minutes: of processor time, so that being paused or starved costs no learning.

    Returns:
        the steps made.
    """
    net.train()
    optimizer = torch.optim.AdamW(net.parameters(), lr=lr, weight_decay=0.02)
    started, losses = time.process_time(), []
    warmup = max(1, min(50, steps // 10))
    for step in range(steps):
        progress = max(step / steps, (time.process_time() - started) / 60 / minutes)
        if progress >= 1:
            return step
        for group in optimizer.param_groups:
            group["lr"] = lr * min(1.0, (step + 1) / warmup, (1 - progress) / 0.6)
        inputs, nouns, looks = data.batch(batch)
        with mixed_precision(inputs.device):
            noun_logits, look_logits = (logits.float() for logits in net(inputs))
        loss = F.cross_entropy(noun_logits, nouns, label_smoothing=0.03)
        things = nouns != data.other
        loss = loss + 0.5 * F.cross_entropy(look_logits[things], looks[things])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        if (step + 1) % 100 == 0:
            seconds = time.process_time() - started
            print(f"step {step + 1} loss {np.mean(losses):.4f} {seconds:.0f} s", flush=True)
            losses.clear()
    return steps


def main(argv: list[str]) -> int:
    """`layerloom train judge`: train, report, save."""
    parser = argparse.ArgumentParser(prog="layerloom train judge", description=__doc__)
    parser.add_argument("--stage", type=int, choices=STAGES, default=1, help="of the vocabulary")
    parser.add_argument("--sprites", type=Path, help="by default those of the stage")
    parser.add_argument("--out", type=Path, help=f"{DEFAULT_PATH}, or judge-STAGE")
    parser.add_argument("--start", type=Path, help="a judge of the same nouns to go on from")
    parser.add_argument("--steps", type=int, default=2400)
    parser.add_argument("--minutes", type=float, default=30.0, help="of processor time")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(argv)
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    concepts = concepts_of(args.stage)
    out = args.out or stage_path(DEFAULT_PATH, args.stage)
    pack = SpritePack.load(args.sprites or stage_path(DEFAULT_SPRITES, args.stage)).check(concepts)
    net = JudgeNet(concepts) if args.start is None else load_net(args.start)[0]
    if net.concepts is not concepts:
        parser.error(f"{args.start} is a judge of stage {net.concepts.stage}")
    data = JudgeData(pack, args.seed, concepts)
    steps = train_judge(
        net, data, steps=args.steps, minutes=args.minutes, batch=args.batch, lr=args.lr
    )
    held_out = JudgeData(pack, args.seed + 10_001, concepts)
    report: dict = {"steps": steps, "mixture": validate(net, held_out, 12, None)}
    for blur in (0.0, 1.0, 2.0, 2.5):
        report[f"blur {blur}"] = validate(net, held_out, 1, blur)
    for name, values in report.items():
        print(name, values)
    save(net, out, report, pack.sha256)
    print(f"{sum(p.numel() for p in net.parameters()):,} parameters -> {out}")
    return 0


if __name__ == "__main__":
    import sys

    raise SystemExit(main(sys.argv[1:]))
