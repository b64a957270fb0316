"""Scenes of the ablations as batches: a small world, so that little training tells variants apart.

16 nouns in one look on a canvas of 256 px. Which scenes a step trains on depends on seed and step
alone, never on the variant.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

import numpy as np

from engine.grid import token_size
from engine.layout import FIRST_FOREGROUND, place_on_canvas
from engine.model.text import Vocabulary
from engine.training.concepts import FIRST
from engine.training.entries import Entry, composite_entry, entries
from engine.training.latent_bank import LatentBank
from engine.training.pictures import Batch, collate
from engine.training.scenes import Scene, compose, editing_split, evaluation_scenes

CANVAS = (256, 256)
NOUNS = 16
LOOK = "flat"
MOST_THINGS = 5
SIZE = 0.6  # things on half the usual canvas
EDIT_SHARE = 0.5
BACKGROUND_SHARE = 1 / 3
COMPOSITE_SHARE = 0.5
# Composing takes the first look or one of the others: here both are the same.
WORLD = replace(FIRST, nouns=FIRST.nouns[:NOUNS], looks=(LOOK, LOOK))

Picture = tuple[Scene, list[Entry], list[Entry]]


@dataclass(frozen=True, slots=True)
class Encoding:
    """How a variant's pictures become tokens.

    Attributes:
        cropped: a thing has the tokens of its box; else those of the whole canvas.
        composite_share: of the training batches, with the merged entry.
    """

    cropped: bool = True
    composite_share: float = 0.0


def training_batch(
    seed: int, step: int, size: int, bank: LatentBank, vocabulary: Vocabulary, encoding: Encoding
) -> Batch:
    """The batch of a step: `size` pictures, all whole or all edits."""
    rng = np.random.default_rng([seed, step])
    is_edit, with_composite = rng.random() < EDIT_SHARE, rng.random() < encoding.composite_share
    with_background = bool(rng.random() < BACKGROUND_SHARE)
    scenes = [
        compose(
            rng, canvas=CANVAS, count=int(rng.integers(1, MOST_THINGS + 1)), concepts=WORLD,
            with_background=with_background, aspects=bank.pack.aspects(), size=SIZE, variety=0,
        )
        for _ in range(size)
    ]  # fmt: skip
    whole = [set(range(-1, len(scene.things))) for scene in scenes]
    targets = [editing_split(rng, scene) for scene in scenes] if is_edit else whole
    return batch_of(scenes, targets, bank, vocabulary, encoding, bool(with_composite), step)


def held_out_scenes(bank: LatentBank, count: int) -> list[Scene]:
    """The same for every variant: combinations that training never sees."""
    return evaluation_scenes(
        count, 17, canvas=CANVAS, concepts=WORLD, aspects=bank.pack.aspects(),
        most_things=MOST_THINGS, size=SIZE, variety=0,
    )  # fmt: skip


def batch_of(
    scenes: list[Scene], targets: list[set[int]], bank: LatentBank, vocabulary: Vocabulary,
    encoding: Encoding, with_composite: bool, seed: int,
) -> Batch:  # fmt: skip
    """Encode scenes; `targets` are the noisy things of each, -1 the background."""
    random.seed(seed)
    rng = np.random.default_rng(seed)
    pictures = [
        _picture(scene, noisy, bank, rng, encoding, with_composite)
        for scene, noisy in zip(scenes, targets, strict=True)
    ]
    batch = collate(pictures, vocabulary, bank.token_px)
    if not encoding.cropped:
        _tell_boxes(batch, pictures)
    return batch


def _picture(
    scene: Scene, targets: set[int], bank: LatentBank, rng: np.random.Generator,
    encoding: Encoding, with_composite: bool,
) -> Picture:  # fmt: skip
    found, background = entries(scene, bank, rng)
    if not encoding.cropped:
        found = [_on_canvas(scene, entry, bank) for entry in found]
    noisy = [e for e in found if e.index - FIRST_FOREGROUND in targets]
    clean = [e for e in found if e.index - FIRST_FOREGROUND not in targets]
    if with_composite:
        is_whole = not clean
        merged = composite_entry(scene, bank, background, set() if is_whole else targets)
        (noisy if is_whole else clean).insert(0, merged)
    return scene, noisy, clean


def _on_canvas(scene: Scene, entry: Entry, bank: LatentBank) -> Entry:
    """A thing's layer as tokens of the whole canvas, transparent around it.

    The linear encoder makes zeros of transparent cells and boxes lie on the token grid, so that
    these are the tokens that encoding the whole canvas would give. The bank cannot be asked for
    them: it knows layers by the size of their box, not by where the thing stands in it.
    """
    if entry.index < FIRST_FOREGROUND:
        return entry
    canvas_box = (0, 0, *scene.canvas)
    rows, cols = token_size(canvas_box, bank.token_px)
    h, w = entry.size
    top, left = entry.box[1] // bank.token_px, entry.box[0] // bank.token_px
    tokens = entry.tokens.new_zeros(rows, cols, entry.tokens.shape[-1])
    tokens[top : top + h, left : left + w] = entry.tokens.view(h, w, -1)
    return replace(entry, tokens=tokens.flatten(0, 1), box=canvas_box, size=(rows, cols))


def _tell_boxes(batch: Batch, pictures: list[Picture]) -> None:
    """Uncropped regions still know which box they belong to: `place` tells it."""
    for i, (scene, noisy, _clean) in enumerate(pictures):
        for number, entry in enumerate(noisy):
            thing = entry.index - FIRST_FOREGROUND
            if thing >= 0:
                place = place_on_canvas(scene.things[thing].box, scene.canvas)
                batch.place[i, batch.owner[i] == number] = place
