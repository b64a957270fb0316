"""Metrics of the evaluation: what was asked for against what the judge saw. Pure functions.

Everything is a `Rate`, so that the scores of pictures add up. Layers are (h, w, 4) uint8, straight
alpha, in the order of the scene's things. At the end: how much of real art survives the
autoencoder, its colour, alpha and soft edges.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from engine.models.art.autoencoder import Autoencoder
from engine.pixels import fit, resample, to_premultiplied, to_straight
from engine.training.data.concepts import BY_NAME, COLOURS, NEUTRALS
from engine.training.data.pixels import dominant_hue
from engine.training.data.scenes import GROUND_LIMIT, SKY_LIMIT, Box, Scene
from engine.training.eval.judges import Verdict, has_neutral

HUE_TOLERANCE = 25.0
SOFT = (0.02, 0.98)  # alpha between these is soft


@dataclass(frozen=True, slots=True)
class Rate:
    """`hits` of `total`; hits may be fractions (a mean). Rates add up."""

    hits: float = 0.0
    total: int = 0

    def __add__(self, other: Rate) -> Rate:
        return Rate(self.hits + other.hits, self.total + other.total)

    @property
    def share(self) -> float | None:
        """hits / total, None where nothing was counted."""
        return self.hits / self.total if self.total else None

    def interval(self) -> tuple[float, float] | None:
        """Wilson's 95 % interval of the share."""
        if not self.total:
            return None
        n, p, z = self.total, self.hits / self.total, 1.96
        middle = (p + z * z / (2 * n)) / (1 + z * z / n)
        half = z / (1 + z * z / n) * math.sqrt(max(p * (1 - p) / n + z * z / (4 * n * n), 0))
        return max(0.0, middle - half), min(1.0, middle + half)


Scores = dict[str, Rate]


def add_scores(scores: Sequence[Scores]) -> Scores:
    names = dict.fromkeys(name for score in scores for name in score)
    return {name: sum((s[name] for s in scores if name in s), Rate()) for name in names}


def found(wanted: Sequence[str], verdicts: Sequence[Verdict]) -> Rate:
    """How many of the wanted nouns stand in some layer; a noun wanted twice needs two layers."""
    seen = Counter(verdict.noun for verdict in verdicts if verdict.noun is not None)
    return Rate((Counter(wanted) & seen).total(), len(wanted))


def layer_kinds(wanted: Sequence[str], verdicts: Sequence[Verdict]) -> Scores:
    """Every layer is exactly one of: wanted, repeated, foreign, unclear, empty."""
    left = Counter(wanted)
    counts = dict.fromkeys(("wanted", "repeated", "foreign", "unclear", "empty"), 0)
    for verdict in verdicts:
        if verdict.empty:
            counts["empty"] += 1
        elif verdict.noun is None:
            counts["unclear"] += 1
        elif left[verdict.noun] > 0:
            left[verdict.noun] -= 1
            counts["wanted"] += 1
        else:
            counts["repeated" if verdict.noun in wanted else "foreign"] += 1
    return {f"layers {kind}": Rate(count, len(verdicts)) for kind, count in counts.items()}


def inside_box(layers: Sequence[np.ndarray], boxes: Sequence[Box]) -> Rate:
    """Layers that have exactly the size of their box, so that no alpha can lie outside."""
    right = [
        layer.shape == (box[3] - box[1], box[2] - box[0], 4)
        for layer, box in zip(layers, boxes, strict=True)
    ]
    return Rate(sum(right), len(right))


def look_agreement(look: str, verdicts: Sequence[Verdict]) -> Rate:
    things = [verdict for verdict in verdicts if verdict.noun is not None]
    return Rate(sum(verdict.look == look for verdict in things), len(things))


def one_look(verdicts: Sequence[Verdict]) -> Rate:
    """Layers with a thing in the picture's commonest look; nothing for fewer than two."""
    looks = Counter(verdict.look for verdict in verdicts if verdict.noun is not None)
    if looks.total() < 2:
        return Rate()
    return Rate(max(looks.values()), looks.total())


def has_colour(rgba: np.ndarray, colour: str) -> bool:
    """Whether a thing is of this colour: most of it neutral, or its main saturated hue."""
    if not rgba[..., 3].any():
        return False
    if colour in NEUTRALS:
        return has_neutral(rgba, colour)
    return abs((dominant_hue(rgba) - COLOURS[colour] + 180) % 360 - 180) <= HUE_TOLERANCE


def colours_obeyed(scene: Scene, layers: Sequence[np.ndarray], verdicts: Sequence[Verdict]) -> Rate:
    """Things with a named colour that were found: is one of their layers of that colour?"""
    rate = Rate()
    for thing in scene.things:
        if thing.colour is None:
            continue
        shown = [layer for layer, v in zip(layers, verdicts, strict=True) if v.noun == thing.noun]
        if shown:
            rate += Rate(any(has_colour(layer, thing.colour) for layer in shown), 1)
    return rate


def fits_band(noun: str, box: Box, canvas_height: int) -> bool:
    """Whether a box suits the place where a noun belongs: sky, ground or anywhere."""
    band = BY_NAME[noun].band
    if band == "sky":
        return (box[1] + box[3]) / 2 < SKY_LIMIT * canvas_height
    return band == "any" or box[3] > GROUND_LIMIT * canvas_height


def composition(scene: Scene, verdicts: Sequence[Verdict]) -> Scores:
    """Wanted things of sky or ground that stand where they belong, and the same by chance."""
    boxes = [thing.box for thing in scene.things]
    wanted = {thing.noun for thing in scene.things}
    height = scene.canvas[1]
    rate, chance = Rate(), Rate()
    for verdict, box in zip(verdicts, boxes, strict=True):
        if verdict.noun not in wanted or BY_NAME[verdict.noun].band == "any":
            continue
        rate += Rate(fits_band(verdict.noun, box, height), 1)
        fitting = sum(fits_band(verdict.noun, other, height) for other in boxes)
        chance += Rate(fitting / len(boxes), 1)
    return {"sky and ground": rate, "sky and ground by chance": chance}


def box_fill(rgba: np.ndarray) -> float:
    """Share of the box's side that the visible part (alpha over 1/2) spans, the larger of two."""
    visible = rgba[..., 3] > 127
    spans = []
    for axis in (0, 1):
        places = np.nonzero(visible.any(axis))[0]
        spans.append((places[-1] - places[0] + 1) / visible.shape[1 - axis] if len(places) else 0.0)
    return float(max(spans))


def score_picture(
    scene: Scene, layers: Sequence[np.ndarray], verdicts: Sequence[Verdict]
) -> Scores:
    """All metrics of one whole picture whose prompt names each of the scene's things."""
    wanted = [thing.noun for thing in scene.things]
    scores = {"things found": found(wanted, verdicts), **layer_kinds(wanted, verdicts)}
    scores["alpha inside its box"] = inside_box(layers, [thing.box for thing in scene.things])
    if scene.look_named:
        scores["named look"] = look_agreement(scene.look, verdicts)
    scores["one look per picture"] = one_look(verdicts)
    scores["named colours"] = colours_obeyed(scene, layers, verdicts)
    scores |= composition(scene, verdicts)
    fills = [box_fill(layer) for layer in layers]
    scores["box filled"] = Rate(sum(fills), len(fills))
    return scores


def soft_alpha_share(alpha: np.ndarray) -> float:
    """Soft pixels among all that are not fully transparent; `alpha` in [0, 1]."""
    visible = alpha > SOFT[0]
    return float((visible & (alpha < SOFT[1])).sum() / max(1, visible.sum()))


def psnr(first: np.ndarray, second: np.ndarray) -> float:
    """Peak signal-to-noise ratio in dB of arrays in [0, 1]; infinite where equal."""
    error = float(np.mean((first.astype(np.float64) - second) ** 2))
    return math.inf if error == 0 else -10 * math.log10(error)


def composite_psnr(first: np.ndarray, second: np.ndarray, colours: np.ndarray) -> float:
    """PSNR in dB of two premultiplied (h, w, 4) pictures in [0, 1] over (n, 3) backdrops."""
    shown = [
        [x[..., :3] + (1 - x[..., 3:]) * colour for colour in colours] for x in (first, second)
    ]
    return psnr(np.stack(shown[0]), np.stack(shown[1]))


# ---- what the autoencoder keeps ----

NUM_BACKDROPS = 8


@torch.inference_mode()
def reconstruct(autoencoder: Autoencoder, rgba: np.ndarray) -> np.ndarray:
    """(h, w, 4) premultiplied float32 -> the same after encoding and decoding.

    Sides that are no multiples of a token are padded with transparency, and cut again.
    """
    h, w = rgba.shape[:2]
    step = autoencoder.token_px
    padded = np.pad(rgba, ((0, -h % step), (0, -w % step), (0, 0)))
    device = next(autoencoder.parameters()).device
    pixels = torch.from_numpy(padded).movedim(-1, 0).to(device)
    size = padded.shape[0] // step, padded.shape[1] // step
    decoded = autoencoder.decode(autoencoder.encode([pixels]), [size])[0]
    return decoded.movedim(0, -1).float().cpu().numpy()[:h, :w]


def reconstruct_bytes(
    autoencoder: Autoencoder, layer: np.ndarray, tokens: tuple[int, int]
) -> np.ndarray:
    """A layer as the best generator would deliver it, drawn on (rows, columns) of tokens.

    (h, w, 4) uint8 straight in and out.
    """
    rows, cols = (count * autoencoder.token_px for count in tokens)
    drawn = reconstruct(autoencoder, resample(to_premultiplied(layer), (rows, cols)))
    return fit(drawn, (layer.shape[0], layer.shape[1]))


def reconstruction_numbers(
    autoencoder: Autoencoder, layers: Sequence[np.ndarray]
) -> dict[str, float]:
    """Means over layers, each (h, w, 4) uint8 straight, as large as it is drawn.

    Of the decoder's output, and of layers as they are delivered (`engine.pixels.to_straight`).
    """
    rng = np.random.default_rng(0)
    rows: dict[str, list[float]] = {}
    for layer in layers:
        original = to_premultiplied(layer)
        backdrops = rng.random((NUM_BACKDROPS, 3), dtype=np.float32)
        decoded = reconstruct(autoencoder, original)
        soft = "soft share of visible pixels"
        found = {f"{soft}, original": soft_alpha_share(original[..., 3])}
        delivered = to_premultiplied(to_straight(decoded))
        for what, pixels in (("decoded", decoded), ("delivered", delivered)):
            # Equal pictures would give infinity, which no mean survives.
            over = min(99.0, composite_psnr(original, pixels, backdrops))
            found[f"PSNR over random backdrops, dB, {what}"] = over
            found[f"PSNR of alpha, dB, {what}"] = min(99.0, psnr(original[..., 3], pixels[..., 3]))
            found[f"{soft}, {what}"] = soft_alpha_share(pixels[..., 3])
        for name, value in found.items():
            rows.setdefault(name, []).append(value)
    means = {name: float(np.mean(values)) for name, values in rows.items()}
    return {"layers": float(len(layers)), **means}
