"""How flat layers come out: flat fills, clear edges, closeness to the art, regions that survive.

Single things of the flat look are generated alone, with colours decided and without, and compared
with the art of the same box. A thing may face either way, so the better of drawing and mirror image
counts.

Shapes: layers are (h, w, 4); uint8 straight as delivered, float premultiplied where it says so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from engine.api import ColourChoice, Finished, GenerateRequest
from engine.pixels import to_bytes, to_premultiplied
from engine.prompts.grammar import with_article
from engine.training.data.concepts import BY_NAME, Concepts
from engine.training.data.pixels import place, resize_sprite
from engine.training.data.scenes import fit_rect
from engine.training.data.sprites import SpritePack
from engine.training.eval.metrics import composite_psnr
from engine.training.eval.report import numbers_table
from engine.training.eval.tasks import CANVAS, request_of

LOOK = "flat"
BACKDROPS = np.array([[0, 0, 0], [1, 1, 1]], np.float32)
BOX, FILLS_BOX = 160, 192  # px; multiples of the grid
THINGS, FILLS_THINGS = 120, 16
SOLID = 0.95  # alpha of pixels inside
STEP = 1.5  # of 255: a larger difference between neighbours is seen as one
STRONGEST = 0.05  # of a layer's gradients
LEAST_REGION = 12  # px

Run = Callable[[GenerateRequest], Finished]


@dataclass(frozen=True, slots=True)
class ArtRegion:
    """A fill of the art inside other fills: a mask in a window, RGB in [0, 1] of it and around."""

    place: tuple[slice, slice]
    mask: np.ndarray
    own: np.ndarray
    around: np.ndarray


def flat_rows(
    run: Run, pack: SpritePack, concepts: Concepts, share: float = 1.0
) -> tuple[str, dict[str, dict[str, float]]]:
    """A markdown section and the numbers behind it, of a share of the things.

    Empty where the pack has no flat art.
    """
    nouns = [name for name in concepts.noun_names if (name, LOOK) in pack.sprites]
    if not nouns:
        return "", {}
    chosen = _spread(nouns, round(THINGS * share))
    few = _spread(nouns, round(FILLS_THINGS * share))
    columns: dict[str, dict[str, float]] = {}
    seen: dict[ColourChoice, list[bool]] = {}
    names: dict[ColourChoice, str] = {"on": "colours decided", "off": "undecided"}
    for choice, name in names.items():
        layers = [_generated(run, noun, BOX, choice) for noun in chosen]
        closeness, found = [], []
        for noun, layer in zip(chosen, layers, strict=True):
            drawings = [draw_alone(pack, noun, BOX, flip=flip) for flip in (False, True)]
            pixels = to_premultiplied(layer)
            values = [min(70.0, composite_psnr(pixels, each, BACKDROPS)) for each in drawings]
            closeness.append(max(values))
            regions = regions_of(drawings[int(np.argmax(values))])
            found += [survives(layer, region) for region in regions]
        seen[choice] = found
        columns[name] = {
            "fills": fills([_generated(run, noun, FILLS_BOX, choice) for noun in few]),
            "edges": float(np.mean([edges(layer) for layer in layers])),
            "PSNR to the art, dB": float(np.mean(closeness)),
            "art's regions seen": float(np.mean(found)) if found else 1.0,
        }
    columns["art"] = {
        "fills": fills([to_bytes(draw_alone(pack, noun, FILLS_BOX)) for noun in few]),
        "edges": float(np.mean([edges(to_bytes(draw_alone(pack, n, BOX))) for n in chosen])),
    }
    shares = sum(seen["on"]) / sum(seen["off"]) if any(seen["off"]) else 1.0
    columns["colours decided"]["of those seen undecided"] = shares
    rows = {f"{row}, {name}": value for name, of in columns.items() for row, value in of.items()}
    return numbers_table(f"flat layers, {len(chosen)} things", rows), columns


def _spread(items: Sequence[str], count: int) -> list[str]:
    """At most so many of the items, at equal distances; at least one."""
    count = max(1, min(count, len(items)))
    return [items[index * len(items) // count] for index in range(count)]


def _generated(run: Run, noun: str, side: int, choice: ColourChoice) -> np.ndarray:
    corner = (CANVAS[0] - side) // 2 // 32 * 32
    request = request_of(
        f"{LOOK} illustration of {with_article(noun)}",
        [(corner, corner, corner + side, corner + side)],
        seed_of=lambda _: sum(noun.encode()) * 97,
        clean_colours=choice,
    )
    return run(request).results[0].rgba


def draw_alone(pack: SpritePack, noun: str, side: int, *, flip: bool = False) -> np.ndarray:
    """(side, side, 4) float premultiplied: the flat art as it fills a square box."""
    sprite = pack.sprites[noun, LOOK]
    aspect = sprite.shape[1] / sprite.shape[0]
    x, y, w, h = fit_rect((side, side), aspect, BY_NAME[noun].band)
    drawn = resize_sprite(sprite, (max(1, round(w)), max(1, round(h))), flip)
    return place(drawn, (round(x), round(y)), (side, side))


def fills(layers: Sequence[np.ndarray]) -> float:
    """Share of horizontal neighbours, both inside, whose mean RGB difference is over `STEP`."""
    steps = pairs = 0
    for layer in layers:
        solid = layer[..., 3] > SOLID * 255
        inside = solid[:, 1:] & solid[:, :-1]
        step = np.abs(np.diff(layer[..., :3].astype(np.float32), axis=1)).mean(axis=-1)
        steps += int((step[inside] > STEP).sum())
        pairs += int(inside.sum())
    return steps / max(1, pairs)


def edges(layer: np.ndarray) -> float:
    """Mean of the strongest gradients over white; 0 to 1.4, 1 from black to white in a pixel."""
    pixels = to_premultiplied(layer)
    rgb = pixels[..., :3] + 1 - pixels[..., 3:]
    across = np.abs(np.diff(rgb, axis=1)).mean(axis=-1)[:-1]
    down = np.abs(np.diff(rgb, axis=0)).mean(axis=-1)[:, :-1]
    gradients = np.sort(np.hypot(across, down).ravel())
    return float(gradients[-max(1, int(len(gradients) * STRONGEST)) :].mean())


def regions_of(drawing: np.ndarray) -> list[ArtRegion]:
    """Fills of over `LEAST_REGION` pixels of a premultiplied drawing that lie amid other fills."""
    alpha = drawing[..., 3]
    rgb = np.round(drawing[..., :3] / np.maximum(alpha[..., None], 1e-3) * 255).clip(0, 255)
    keys = np.where(alpha > SOLID, rgb @ (65536.0, 256.0, 1.0), -1)
    components = connected(keys)
    counts = np.bincount(components.ravel(), minlength=keys.size)
    found = []
    for index in np.flatnonzero(counts > LEAST_REGION):
        if keys.flat[index] < 0:
            continue
        rows, cols = np.nonzero(components == index)
        window = (
            slice(max(0, rows.min() - 4), rows.max() + 5),
            slice(max(0, cols.min() - 4), cols.max() + 5),
        )
        mask = components[window] == index
        ring = _grown(mask, 3) & ~_grown(mask, 1)
        inside = ring & (alpha[window] > SOLID)
        if inside.sum() < max(4, 0.5 * ring.sum()):
            continue  # mostly amid nothing: its outline shows it
        own = rgb.reshape(-1, 3)[index] / 255
        around = np.median(rgb[window][inside], axis=0) / 255
        if np.abs(own - around).sum() > 0.02:
            found.append(ArtRegion(window, mask, own, around))
    return found


def survives(layer: np.ndarray, region: ArtRegion) -> bool:
    """Whether a delivered layer shows there the region's colour rather than what surrounds it."""
    mean = layer[region.place][region.mask][:, :3].mean(axis=0) / 255
    return bool(np.linalg.norm(mean - region.own) < np.linalg.norm(mean - region.around))


def connected(keys: np.ndarray) -> np.ndarray:
    """(h, w) -> (h, w) of the smallest index in each four-connected part of equal keys."""
    found = np.arange(keys.size).reshape(keys.shape)
    down, across = keys[1:] == keys[:-1], keys[:, 1:] == keys[:, :-1]
    while True:
        before = found.copy()
        for first, second, same in (
            (found[:-1], found[1:], down), (found[:, :-1], found[:, 1:], across),
        ):  # fmt: skip
            least = np.minimum(first, second)
            for part in (first, second):  # the two overlap
                np.minimum(part, least, out=part, where=same)
        found = found.ravel()[found]
        if np.array_equal(found, before):
            return found


def _grown(mask: np.ndarray, steps: int) -> np.ndarray:
    for _ in range(steps):
        wider = mask.copy()
        wider[1:] |= mask[:-1]
        wider[:-1] |= mask[1:]
        wider[:, 1:] |= mask[:, :-1]
        wider[:, :-1] |= mask[:, 1:]
        mask = wider
    return mask
