"""Scores of an ablation's variant on held-out scenes, batch by batch.

The plan is decided greedily at pure noise as in `engine.planning`, then two sampling steps without
guidance, then each layer is decoded and judged. In edits the words of the clean layers are told.

Shapes: B pictures, N noisy tokens, R regions, T text tokens, C token width.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from engine.grid import token_size
from engine.layout import BACKGROUND, FIRST_FOREGROUND, MERGED
from engine.model.autoencoder import Autoencoder
from engine.model.frame import UNDECIDED
from engine.model.text import Vocabulary
from engine.planning import MAX_PASSES, PLANNING_T, TAKEN
from engine.sampling import euler_step, velocity
from engine.training.ablation_data import CANVAS, Encoding, batch_of
from engine.training.judge import Verdict
from engine.training.latent_bank import LatentBank
from engine.training.metrics import Rate, Scores, add_scores, found, layer_kinds
from engine.training.objective import TextToLayers, add_noise, flow_loss
from engine.training.pictures import Batch
from engine.training.pixels import to_straight_bytes
from engine.training.placement import Box
from engine.training.scenes import Scene

LEVELS = (PLANNING_T, 0.85, 0.0)  # of the two sampling steps
LOSS_LEVELS = (0.6, 0.95)
PICTURES = 16  # per batch

JudgeLayers = Callable[[Sequence[np.ndarray]], list[Verdict]]


@dataclass(frozen=True, slots=True)
class Setting:
    """What a variant is scored with: the same for all but `encoding` and `with_composite`."""

    bank: LatentBank
    vocabulary: Vocabulary
    judge: JudgeLayers
    encoding: Encoding
    with_composite: bool = False


@torch.inference_mode()
def score(
    model: TextToLayers, scenes: Sequence[Scene], setting: Setting
) -> tuple[Scores, dict[str, float]]:
    """Rates, and means: the two losses and processor seconds per picture and sampling step."""
    rates: list[Scores] = []
    losses: dict[str, list[float]] = {"flow loss, whole": [], "flow loss, edit": []}
    seconds, steps = 0.0, 0
    for start in range(0, len(scenes), PICTURES):
        part = list(scenes[start : start + PICTURES])
        whole = [set(range(-1, len(scene.things))) for scene in part]
        single = [{(start + i) % len(scene.things)} for i, scene in enumerate(part)]
        for name, targets in (("whole", whole), ("edit", single)):
            batch = batch_of(
                part, targets, setting.bank, setting.vocabulary, setting.encoding,
                setting.with_composite, seed=start,
            )  # fmt: skip
            losses[f"flow loss, {name}"].append(held_out_loss(model, batch, part, targets))
            decided, right = decide(model, batch)
            began = time.process_time()
            tokens = sample(model, replace(batch, shows=decided), seed=start)
            if name == "whole":
                seconds += time.process_time() - began
                steps += len(part) * (len(LEVELS) - 1)
                rates.append({"plan right": right})
            for i, scene in enumerate(part):
                layers = decode(setting.bank.autoencoder, batch, tokens, i, scene, targets[i])
                verdicts = setting.judge(list(layers.values()))
                nouns = [scene.things[k].noun for k in layers]
                if name == "edit":
                    rates.append({"fill-in found": found(nouns, verdicts)})
                else:
                    rates.append(picture_scores(scene, nouns, verdicts))
    means = {name: float(np.mean(values)) for name, values in losses.items()}
    return add_scores(rates), {**means, "seconds per sampling step": seconds / steps}


def picture_scores(scene: Scene, nouns: list[str], verdicts: list[Verdict]) -> Scores:
    """What the judge says of a whole picture's things, bottom to top."""
    kinds = layer_kinds(nouns, verdicts)
    wrong = {name: kinds[f"layers {name}"] for name in ("repeated", "empty", "unclear")}
    conflicts = Rate(sum(rate.hits for rate in wrong.values()), len(nouns))
    boxes = [thing.box for thing in scene.things]
    crossed = [i for i, box in enumerate(boxes) if any(_meet(box, o) for o in boxes if o != box)]
    overlapping = found([nouns[i] for i in crossed], [verdicts[i] for i in crossed])
    return {
        "things found": found(nouns, verdicts),
        "layers in conflict": conflicts,
        **wrong,
        "overlapping layers found": overlapping,
    }


def held_out_loss(
    model: TextToLayers, batch: Batch, scenes: Sequence[Scene], targets: Sequence[set[int]]
) -> float:
    """Flow loss with the plan known, over the same tokens in every variant.

    Left out are the merged entry, and an uncropped thing's tokens outside its box.
    """
    counted = batch.weight * (batch.ids[..., 0] != MERGED)
    for i, (scene, noisy) in enumerate(zip(scenes, targets, strict=True)):
        for number in noisy - {-1}:
            mine = batch.noisy_mask[i] & (batch.ids[i, :, 0] == number + FIRST_FOREGROUND)
            outside = mine & ~_inside(batch.ids[i], scene.things[number].box)
            counted[i, outside] = 0
            counted[i, mine & ~outside] = 1 / max(1, int((mine & ~outside).sum()))
        mine = batch.noisy_mask[i] & (batch.ids[i, :, 0] == BACKGROUND)
        counted[i, mine] = 1 / max(1, int(mine.sum()))
    batch = replace(batch, weight=counted / counted.sum())
    total = 0.0
    for level in LOSS_LEVELS:
        t = torch.full((len(batch.tokens),), level)
        noisy_tokens = add_noise(batch, t, _noise(batch, seed=1))
        total += flow_loss(model.predict(batch, noisy_tokens, t), batch, t).item()
    return total / len(LOSS_LEVELS)


def decide(model: TextToLayers, batch: Batch) -> tuple[Tensor, Rate]:
    """(B, R) the word that each region decides for, and how many are those of the scene.

    As `engine.planning.make_plan` without its random choice: the surest regions decide first.
    """
    shows = torch.full_like(batch.shows, UNDECIDED)
    noise = _noise(batch, seed=0)
    t = torch.full((len(noise),), PLANNING_T)
    left = [
        {r for r in range(batch.shows.shape[1]) if (batch.owner[i] == r).any()}
        for i in range(len(noise))
    ]
    taken = [torch.zeros(batch.text_mask.shape[1] + 1) for _ in left]
    for passes_left in range(MAX_PASSES, 0, -1):
        logits = model.predict(replace(batch, shows=shows), noise, t).plan.log_softmax(-1)
        for i, regions in enumerate(left):
            for _ in range(-(-len(regions) // passes_left)):
                scores = {r: logits[i, r] - taken[i] for r in sorted(regions)}
                region = max(scores, key=lambda r: float(scores[r].max()))
                word = int(scores[region].argmax())
                shows[i, region], taken[i][word] = word, TAKEN
                regions.remove(region)
    asked = batch.shows > 0
    return shows, Rate(int((shows == batch.shows)[asked].sum()), int(asked.sum()))


def sample(model: TextToLayers, batch: Batch, seed: int) -> Tensor:
    """(B, N, C) clean tokens after two steps from noise."""
    x = _noise(batch, seed)
    for level, following in pairwise(LEVELS):
        predicted = model.predict(batch, x, torch.full((len(x),), level)).tokens
        x = euler_step(x, velocity(x, predicted, level), level, following)
    return x


def decode(
    autoencoder: Autoencoder, batch: Batch, tokens: Tensor, picture: int, scene: Scene,
    targets: set[int],
) -> dict[int, np.ndarray]:  # fmt: skip
    """Generated things by their number, (h, w, 4) uint8 straight, cut to their boxes."""
    layers = {}
    for number in sorted(targets - {-1}):
        mine = batch.noisy_mask[picture] & (batch.ids[picture, :, 0] == number + FIRST_FOREGROUND)
        box, canvas = scene.things[number].box, (0, 0, *CANVAS)
        is_cropped = int(mine.sum()) != np.prod(token_size(canvas, autoencoder.token_px))
        drawn = box if is_cropped else canvas
        size = token_size(drawn, autoencoder.token_px)
        pixels = autoencoder.decode(tokens[picture, mine], [size])[0].movedim(0, -1).numpy()
        layer = to_straight_bytes(pixels)
        x0, y0 = box[0] - drawn[0], box[1] - drawn[1]
        layers[number] = layer[y0 : y0 + box[3] - box[1], x0 : x0 + box[2] - box[0]]
    return layers


def _noise(batch: Batch, seed: int) -> Tensor:
    return torch.randn(batch.tokens.shape, generator=torch.Generator("cpu").manual_seed(seed))


def _inside(ids: Tensor, box: Box, token_px: int = 32) -> Tensor:
    """(N,) whether the token's cell lies in the box."""
    y, x = ids[:, 1] * token_px, ids[:, 2] * token_px
    return (x >= box[0]) & (x < box[2]) & (y >= box[1]) & (y < box[3])


def _meet(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
