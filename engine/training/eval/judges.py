"""Judges of the evaluation: which noun and look a layer shows, which colour, which background.

The judge of nouns is a small network, trained on the sprites with other augmentation than the
generator's and never used in the generator's training. The one that the model card's figures are
from is kept in `tools/judges`, so that they can be had again. The judge of backgrounds compares
with drawn examples, the judge of neutral colours counts pixels.

Shapes: B pictures of 64 x 64; composite colour and alpha are the four channels.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from engine.training.data.backgrounds import draw_background
from engine.training.data.concepts import FIRST, NEUTRALS, Concepts, concepts_of, stage_path

INPUT_PX = 64
FILL = 0.92  # of the input's side: the longest side of a thing that was cropped tightly
DEFAULT_PATH = Path("runs/judge/judge.safetensors")
KEPT_PATH = Path(__file__).parents[3] / "tools/judges/judge.safetensors"
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


def fit(rgba: np.ndarray, size: int) -> np.ndarray:
    """Crop to what is visible and centre it in a square: (h, w, 4) uint8 straight -> (4, size,
    size) float32 premultiplied. Nothing visible gives zeros.

    Rows and columns with only a few faint pixels do not count as visible.
    """
    alpha = rgba[..., 3].astype(np.float32) / 255
    rows = np.nonzero(alpha.sum(1) > max(1.0, 0.01 * alpha.shape[1]))[0]
    cols = np.nonzero(alpha.sum(0) > max(1.0, 0.01 * alpha.shape[0]))[0]
    square = np.zeros((size, size, 4), np.float32)
    if len(rows) == 0 or len(cols) == 0:
        return square.transpose(2, 0, 1)
    rgba = rgba[rows[0] : rows[-1] + 1, cols[0] : cols[-1] + 1]
    ratio = FILL * size / max(rgba.shape[:2])
    w, h = (max(1, round(side * ratio)) for side in (rgba.shape[1], rgba.shape[0]))
    small = Image.fromarray(rgba).convert("RGBa").resize((w, h), Image.Resampling.BICUBIC)
    y, x = (size - h) // 2, (size - w) // 2
    square[y : y + h, x : x + w] = np.asarray(small, np.float32) / 255
    return square.transpose(2, 0, 1)


def on_backdrop(x: Tensor, colours: Tensor | Sequence[float]) -> Tensor:
    """Composite (B, 4, P, P) over (B, 3) or (3,) colours; alpha stays as the fourth channel."""
    backdrop = torch.as_tensor(colours).view(-1, 3, 1, 1)
    return torch.cat([x[:, :3] + (1 - x[:, 3:]) * backdrop, x[:, 3:]], dim=1)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the judge says of one layer."""

    noun: str | None  # None when it shows no single known thing, or hardly anything (`empty`)
    confidence: float  # probability of the best answer, "no thing" included, 0 to 1
    empty: bool
    look: str  # the likeliest look; means nothing where noun is None
    noun_shares: np.ndarray  # (nouns + 1,) float32 probabilities, the last one of "no thing"


Judging = Callable[[Sequence[np.ndarray]], list[Verdict]]


class Judge:
    """Judges layers, without prompts and boxes. Not thread-safe."""

    def __init__(self, net: JudgeNet, sha256: str = "") -> None:
        self._net = net.eval()
        self._names, self._looks = net.concepts.noun_names, net.concepts.looks
        self.sha256 = sha256

    @classmethod
    def load(
        cls, path: Path = DEFAULT_PATH, sprites: str | None = None, stage: int | None = None
    ) -> Judge:
        """Read a checkpoint that was trained on the pack of this sha256, and of this stage.

        Raises FileNotFoundError or ValueError (damaged, other nouns, other sprites).
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
        verdicts = []
        for layer, shares, look in zip(layers, nouns.numpy(), looks, strict=True):
            best, empty = int(shares.argmax()), visible_share(layer) < EMPTY_SHARE
            sure = not empty and best < len(self._names) and shares[best] >= MIN_CONFIDENCE
            noun, name = self._names[best] if sure else None, self._looks[int(look.argmax())]
            verdicts.append(Verdict(noun, float(shares[best]), empty, name, shares))
        return verdicts


def visible_share(rgba: np.ndarray) -> float:
    """Mean alpha of (h, w, 4) uint8, 0 to 1."""
    return float(rgba[..., 3].mean() / 255)


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


# ---- neutral colours ----

# The seven hues are judged by their main hue (`metrics.has_colour`); a neutral colour is what most
# of the visible area is painted in, because tyres and outlines are black on a red car too.

MIN_SHARE = 0.3  # of the visible area


def neutral_shares(rgba: np.ndarray) -> dict[str, float]:
    """Shares of `NEUTRALS` and "other" in what is visible (alpha over 1/2) of (h, w, 4) uint8.

    "other" is saturated and not brown; the rest is tints. All 0 where nothing is visible.
    """
    hsv = np.asarray(Image.fromarray(rgba[..., :3]).convert("HSV"))[rgba[..., 3] > 127]
    if not len(hsv):
        return dict.fromkeys((*NEUTRALS, "other"), 0.0)
    hue = hsv[:, 0].astype(np.float32) * (360 / 256)
    saturation, value = hsv[:, 1:].astype(np.float32).T / 255
    brown = (hue > 5) & (hue < 42) & (saturation > 0.35) & (value > 0.18) & (value < 0.64)
    black = (value < 0.2) | ((value < 0.37) & (saturation < 0.32))
    grey = (saturation < 0.2) & (value >= 0.37) & (value < 0.74)
    white = (saturation < 0.14) & (value >= 0.74)
    parts = {"black": black & ~brown, "white": white, "grey": grey, "brown": brown}
    rest = ~(black | white | grey | brown) & (saturation > 0.4)
    return {name: float(part.mean()) for name, part in {**parts, "other": rest}.items()}


def has_neutral(rgba: np.ndarray, colour: str) -> bool:
    """Whether more of a thing is painted in this neutral colour than in any other one."""
    shares = neutral_shares(rgba)
    return shares[colour] >= MIN_SHARE and shares[colour] == max(shares.values())


# ---- backgrounds ----

EXAMPLES = 48  # of each kind
NEIGHBOURS = 5
CELLS = 12
DRAWN = (256, 256)


class BackgroundJudge:
    """The nearest neighbours among `EXAMPLES` drawings of each background of a stage.

    The kinds differ in large soft shapes and colours, so a picture of 12 x 12 pixels says enough.
    """

    def __init__(self, concepts: Concepts = FIRST) -> None:
        kinds = tuple(concepts.background_names)
        self._names = [name for name in kinds for _ in range(EXAMPLES)]
        self._examples = _examples(kinds)

    def __call__(self, rgba: np.ndarray) -> str:
        """The likeliest name for (H, W, 3 or 4) uint8 of any size."""
        errors = np.square(self._examples - _features(rgba)).sum(1)
        nearest = np.argsort(errors)[:NEIGHBOURS]
        return Counter(self._names[index] for index in nearest).most_common(1)[0][0]


@cache
def _examples(kinds: tuple[str, ...]) -> np.ndarray:
    """The features of `EXAMPLES` drawings of each kind, in order; drawing them takes seconds."""
    rng = np.random.default_rng(77)
    drawn = [
        _features(draw_background(name, DRAWN, rng)) for name in kinds for _ in range(EXAMPLES)
    ]
    examples = np.stack(drawn)
    examples.flags.writeable = False  # all judges of these kinds share it
    return examples


def _features(picture: np.ndarray) -> np.ndarray:
    small = Image.fromarray(picture[..., :3]).resize((CELLS, CELLS), Image.Resampling.BOX)
    return np.asarray(small, np.float32).ravel()
