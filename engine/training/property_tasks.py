"""Properties that the evaluation measures besides single scenes: variety, fit, colours, crowds.

Each function makes its requests, runs them, and returns rates by name. Prompts are of the form that
training uses; whole sentences are the task "natural". Everything is deterministic.

Layers are (h, w, 4) uint8, straight alpha.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image

from engine.api import GenerateRequest, LayerRequest
from engine.prompts.grammar import with_article
from engine.training.concepts import Concepts, Noun
from engine.training.judge import Verdict
from engine.training.main_colour import TONES, oklab
from engine.training.metrics import Rate, Scores, add_scores, found
from engine.training.placement import Box, place_in_rows
from engine.training.sprites import SpritePack

PROPERTIES = "properties"  # the task's name
SHARES = {"variety": 0.4, "fit": 0.4, "colours": 0.6, "crowds": 0.03}  # cases per scene asked for
Running = Callable[[GenerateRequest], Sequence[np.ndarray]]  # the layers, in the request's order
Judging = Callable[[Sequence[np.ndarray]], list[Verdict]]

CANVAS = (512, 512)
SIDE = 192  # of a single box, in pixels
LOOK = "flat"  # what pictures show whose prompt names no look
VARIETY_SEEDS, VARIETY_WANTED = 8, 3
THUMB = 32  # side at which layers and drawings are compared
EDGE_ALPHA, EDGE_SHARE = 128, 0.15  # of a side's pixels; a thing cut off fills more of it
LONG_BOXES = ((96, 480), (480, 96))
CROWDS = {20: (512, 512), 50: (1024, 1024)}  # things and the canvas that they stand on


def property_scores(
    running: Running,
    judging: Judging,
    pack: SpritePack,
    concepts: Concepts,
    scenes: int,
    seed: int = 0,
) -> Scores:
    """All properties; `scenes` sets how many cases each has, 40 nouns of variety at 100."""
    counts = {name: max(2, round(share * scenes)) for name, share in SHARES.items()}
    return {
        **variety(running, judging, pack, sample_nouns(concepts, counts["variety"], seed), seed),
        **fit(running, judging, sample_nouns(concepts, counts["fit"], seed + 1), seed),
        **colours(running, judging, concepts, counts["colours"], seed),
        **crowds(running, judging, concepts, counts["crowds"], seed),
    }


def request_of(
    prompt: str, boxes: Sequence[Box], seed: int, canvas: tuple[int, int] = CANVAS
) -> GenerateRequest:
    """A picture without background; box N has the seed `seed` + N."""
    layers = [
        LayerRequest(layer_id=number, kind="foreground", box=box, seed=(seed + number) % 2**32)
        for number, box in enumerate(boxes, start=1)
    ]
    return GenerateRequest(
        job_id=seed % 2**31, canvas=canvas, prompt=prompt, layers=tuple(layers), preview_every=0
    )


def sample_nouns(concepts: Concepts, count: int, seed: int, look: str = LOOK) -> list[Noun]:
    """`count` different nouns that have art in a look; all of them where there are fewer."""
    known = [noun for noun in concepts.nouns if look not in noun.without]
    order = np.random.default_rng([17, seed]).permutation(len(known))[:count]
    return [known[index] for index in order.tolist()]


# ---- variety ----


def variety(
    running: Running, judging: Judging, pack: SpritePack, nouns: Sequence[Noun], seed: int = 0
) -> Scores:
    """Nouns of which eight seeds match three training drawings or more, each layer recognised.

    A drawing counts for the layers that it is the nearest match of, colour and mirror ignored.
    """
    box = _middle_box((SIDE, SIDE))
    varied, recognised = Rate(), Rate()
    for number, noun in enumerate(nouns):
        layers = [
            running(request_of(with_article(noun.name), [box], seed + 1009 * number + 31 * each))[0]
            for each in range(VARIETY_SEEDS)
        ]
        right = [verdict.noun == noun.name for verdict in judging(layers)]
        recognised += Rate(sum(right), len(right))
        drawings = pack.drawings[noun.name, LOOK]
        matched = {nearest_drawing(layer, drawings) for layer in layers}
        varied += Rate(all(right) and len(matched) >= VARIETY_WANTED, 1)
    return {
        "nouns with three drawings in eight seeds": varied,
        "eight seeds recognised": recognised,
    }


def nearest_drawing(layer: np.ndarray, drawings: Sequence[np.ndarray]) -> int:
    """Index of the drawing that a layer resembles most, colour and mirror ignored."""
    own = _form(layer)
    distances = [
        min(float(np.square(own - form).mean()) for form in (other, other[:, ::-1]))
        for other in map(_form, drawings)
    ]
    return int(np.argmin(distances))


def _form(rgba: np.ndarray) -> np.ndarray:
    """(THUMB, THUMB, 2) alpha, and lightness about its mean times alpha, of the visible part."""
    rows, cols = (np.nonzero((rgba[..., 3] > 25).any(axis))[0] for axis in (1, 0))
    if not len(rows):
        return np.zeros((THUMB, THUMB, 2), np.float32)
    cut = rgba[rows[0] : rows[-1] + 1, cols[0] : cols[-1] + 1]
    image = Image.fromarray(np.ascontiguousarray(cut)).convert("RGBa")
    side = max(image.size)
    square = Image.new("RGBa", (side, side))
    square.paste(image, ((side - image.width) // 2, (side - image.height) // 2))
    small = np.asarray(square.resize((THUMB, THUMB), Image.Resampling.BOX), np.float32) / 255
    alpha = small[..., 3]
    light = small[..., :3] @ np.array([0.299, 0.587, 0.114], np.float32)
    mean = light.sum() / max(float(alpha.sum()), 1e-6)
    return np.stack([alpha, light - mean * alpha], axis=-1)


# ---- fit ----


def fit(running: Running, judging: Judging, nouns: Sequence[Noun], seed: int = 0) -> Scores:
    """Whether things end inside their boxes, and whether boxes of 1:5 and 5:1 hold whole ones."""
    inside, long_boxes = Rate(), Rate()
    for number, noun in enumerate(nouns):
        prompt, own_seed = with_article(noun.name), seed + 2003 * number
        (layer,) = running(request_of(prompt, [_middle_box((SIDE, SIDE))], own_seed))
        inside += Rate(not is_cut(layer), 1)
        size = LONG_BOXES[number % len(LONG_BOXES)]
        (layer,) = running(request_of(prompt, [_middle_box(size)], own_seed))
        (verdict,) = judging([layer])
        long_boxes += Rate(verdict.noun == noun.name and not is_cut(layer), 1)
    return {"things not cut by their box": inside, "boxes of 1:5 hold a whole thing": long_boxes}


def is_cut(layer: np.ndarray) -> bool:
    """Whether more than 15 % of the pixels at some side of the box are opaque."""
    alpha = layer[..., 3] >= EDGE_ALPHA
    return any(
        float(side.mean()) > EDGE_SHARE for side in (alpha[0], alpha[-1], alpha[:, 0], alpha[:, -1])
    )


# ---- colours ----


def colours(
    running: Running, judging: Judging, concepts: Concepts, count: int, seed: int = 0
) -> Scores:
    """One, two and three things with a colour each: recognised, and nearest to the colour asked."""
    rng = np.random.default_rng([19, seed])
    known = [noun for noun in concepts.nouns if concepts.colours_of(noun, LOOK)]
    scores: list[Scores] = []
    for number in range(count):
        things = 1 + number % 3
        nouns = [known[index] for index in rng.permutation(len(known))[:things].tolist()]
        asked = []
        for noun in nouns:
            left = [c for c in concepts.colours_of(noun, LOOK) if c not in asked]
            asked.append(left[int(rng.integers(len(left)))])
        boxes = [(32 + 160 * place, 160, 160 + 160 * place, 320) for place in range(things)]
        named = [with_article(f"{c} {noun.name}") for noun, c in zip(nouns, asked, strict=True)]
        layers = running(request_of(_list(named), boxes, seed + 3001 * number))
        shown = {v.noun: layer for v, layer in zip(judging(layers), layers, strict=True)}
        right = sum(
            noun.name in shown and colour_of(shown[noun.name]) == colour
            for noun, colour in zip(nouns, asked, strict=True)
        )
        name = ("a colour", "two colours", "three colours")[things - 1]
        scores.append({f"things of {name}": Rate(right, things)})
    return add_scores(scores)


def colour_of(layer: np.ndarray) -> str | None:
    """The colour of `main_colour.TONES` that most of a thing is nearest to; None where empty.

    Nearest in OKLab with lightness at half its weight, because shading is no other colour.
    """
    seen = layer[layer[..., 3] > 200][:, :3]
    if not len(seen):
        return None
    weights = np.array([0.5, 1.0, 1.0], np.float32)
    tones = oklab(np.array(list(TONES.values()), np.uint8)) * weights
    lab = oklab(seen) * weights
    nearest = np.square(lab[:, None] - tones[None]).sum(axis=-1).argmin(axis=1)
    counts = np.bincount(nearest, minlength=len(TONES))
    return list(TONES)[int(counts.argmax())]


# ---- crowds ----


def crowds(
    running: Running, judging: Judging, concepts: Concepts, pictures: int, seed: int = 0
) -> Scores:
    """Twenty and fifty different things, all named, in as many boxes side by side."""
    scores: list[Scores] = []
    for count, canvas in CROWDS.items():
        for number in range(pictures):
            own_seed = seed + 5003 * number + count
            nouns = sample_nouns(concepts, count, own_seed)
            rng = np.random.default_rng([23, own_seed])
            placed = place_in_rows(rng, canvas, nouns, [1.0] * len(nouns))
            wanted = [entry.noun.name for entry in placed]
            boxes = [entry.box for entry in placed]
            layers = running(request_of(_list(wanted), boxes, own_seed, canvas))
            scores.append({f"{count} named things": found(wanted, judging(layers))})
    return add_scores(scores)


def _list(parts: Sequence[str]) -> str:
    return " and ".join(", ".join(parts).rsplit(", ", 1)) if len(parts) < 4 else ", ".join(parts)


def _middle_box(size: tuple[int, int]) -> Box:
    width, height = size
    x0, y0 = ((side - own) // 64 * 32 for side, own in zip(CANVAS, size, strict=True))
    return x0, y0, x0 + width, y0 + height
