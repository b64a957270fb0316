"""Training pictures as tokens: scenes rendered, encoded and padded into batches.

Shapes: B pictures, T words, N noisy tokens, M clean tokens, C token width.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import IterableDataset, get_worker_info

from engine.layout import BACKGROUND, FIRST_FOREGROUND
from engine.models.art.autoencoder import Autoencoder
from engine.models.art.positions import inner_coordinates, place_on_canvas
from engine.models.art.text import Tokenizer
from engine.training.data.concepts import CHOICES, open_backgrounds, thing_codes
from engine.training.data.prompts import pick
from engine.training.data.regions import Entry, LatentBank, entries
from engine.training.data.scenes import (
    CROWD,
    CROWD_CANVASES,
    USUAL,
    USUAL_LOOKS,
    Scene,
    SceneSettings,
    compose,
    editing_split,
    evaluation_scenes,
)
from engine.training.data.sprites import SpritePack
from engine.words import MAX_WORDS, located_words

CROWD_TOKENS = 2
Picture = tuple[Scene, list[Entry], list[Entry]]  # noisy and clean entries


def length(found: list[Entry]) -> int:
    """Tokens of all of them."""
    return sum(len(entry.tokens) for entry in found)


@dataclass(slots=True)
class Batch:
    """Padded pictures. Padding has weight 0, `noisy_mask` False and `clean_owner` -1.

    vectors (B, T, 128), known (B, T), text_mask (B, T): the prompts.
    tokens (B, N, C), ids (B, N, 3), inner and place (B, N, 4), weight (B, N), noisy_mask (B, N).
    owner (B, N): the picture's region of each token; -1 for padding.
    choice (B, N, S): what the seed decided for each token's region (`concepts`).
    shows (B, R): the text token that each region shows (0 = not named), -1 = no such region.
    clean_*: the same for clean layers, with `clean_owner` (B, M) naming the layer of each token and
    `clean_shows` (B, L) the text token of each layer.
    """

    vectors: Tensor
    known: Tensor
    text_mask: Tensor
    tokens: Tensor
    ids: Tensor
    inner: Tensor
    place: Tensor
    weight: Tensor
    noisy_mask: Tensor
    owner: Tensor
    shows: Tensor
    choice: Tensor
    clean_tokens: Tensor
    clean_ids: Tensor
    clean_inner: Tensor
    clean_owner: Tensor
    clean_shows: Tensor

    def to(self, device: torch.device) -> Batch:
        return Batch(**{f.name: getattr(self, f.name).to(device) for f in fields(self)})


def collate(
    pictures: list[Picture], tokenizer: Tokenizer, token_px: int, background_weight: float = 1.0
) -> Batch:
    """Pad (scene, noisy entries, clean entries) into one batch; weights average per layer.

    A background weighs as much as `background_weight` things.
    """
    prompts = [tokenizer.encode(scene.prompt) for scene, _, _ in pictures]
    words = max(1, *(len(known) for _, known in prompts))
    noisy = max(length(noisy) for _, noisy, _ in pictures)
    clean = max(length(clean) for _, _, clean in pictures)
    layers = sum(len(noisy) for _, noisy, _ in pictures)
    regions = max(len(noisy) for _, noisy, _ in pictures)
    context = max(len(clean) for _, _, clean in pictures)
    b, c = len(pictures), pictures[0][1][0].tokens.shape[1]
    batch = Batch(
        vectors=torch.zeros(b, words, 128), known=torch.zeros(b, words, dtype=torch.long),
        text_mask=torch.zeros(b, words, dtype=torch.bool),
        tokens=torch.zeros(b, noisy, c), ids=torch.zeros(b, noisy, 3),
        inner=torch.ones(b, noisy, 4), place=torch.zeros(b, noisy, 4),
        weight=torch.zeros(b, noisy), noisy_mask=torch.zeros(b, noisy, dtype=torch.bool),
        owner=torch.full((b, noisy), -1), shows=torch.full((b, regions), -1),
        choice=torch.zeros(b, noisy, CHOICES),
        clean_tokens=torch.zeros(b, clean, c), clean_ids=torch.zeros(b, clean, 3),
        clean_inner=torch.ones(b, clean, 4), clean_owner=torch.full((b, clean), -1),
        clean_shows=torch.full((b, context), -1),
    )  # fmt: skip
    for i, (scene, noisy_entries, clean_entries) in enumerate(pictures):
        vectors, known = prompts[i]
        batch.vectors[i, : len(known)] = torch.from_numpy(vectors)
        batch.known[i, : len(known)] = torch.from_numpy(known)
        batch.text_mask[i, : len(known)] = True
        for prefix, found in (("", noisy_entries), ("clean_", clean_entries)):
            at = 0
            for number, entry in enumerate(found):
                part = slice(at, at := at + len(entry.tokens))
                getattr(batch, f"{prefix}tokens")[i, part] = entry.tokens.float()
                getattr(batch, f"{prefix}ids")[i, part] = entry.ids(token_px)
                getattr(batch, f"{prefix}inner")[i, part] = inner_coordinates(*entry.size)
                if prefix or entry.said_at is not None:
                    getattr(batch, f"{prefix}owner")[i, part] = number
                if entry.said_at is not None:
                    word = token_at(tokenizer, scene.prompt, entry.said_at)
                    getattr(batch, f"{prefix}shows")[i, number] = word
                if not prefix:
                    batch.place[i, part] = place_on_canvas(entry.box, scene.canvas)
                    share = background_weight if entry.index == BACKGROUND else 1.0
                    batch.weight[i, part] = share / len(entry.tokens) / layers
                    batch.noisy_mask[i, part] = True
                    if entry.choice:
                        batch.choice[i, part] = torch.tensor(entry.choice)
    return batch


def token_at(tokenizer: Tokenizer, prompt: str, end: int) -> int:
    """The text token whose word ends at a place of the prompt; 0 = none, or beyond what is read."""
    beginning = prompt[:end]
    is_read = len(located_words(beginning)) <= MAX_WORDS
    return tokenizer.count(beginning) if is_read else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureMix:
    """What the stream consists of."""

    # of whole pictures; their size is the largest, and pictures draw .6 to 1 of it, because small
    # things cost fewer tokens and a model must know all sizes anyway. Edits, which see a look in
    # finished layers, have the usual looks.
    scenes: SceneSettings = USUAL
    edit_share: float = 0.35  # batches in which some layers are clean and some to be generated
    background_share: float = 0.7
    max_tokens: int = 400  # image tokens per picture; larger ones are composed again
    # 1 to this many foregrounds per picture, all counts alike; 0 = as composed. Few things first:
    # what a noun looks like is learned before which thing is where.
    most_things: int = 0
    side_tokens: int = 0  # of a thing, see `layout.foreground_grid`
    # a few drawings of each, between which the seed decides (`concepts.background_choice`); else
    # every picture has a new drawing
    fixed_backgrounds: bool = False
    background_weight: float = 1.0  # of a background's error, in things
    # pictures with 9 to 50 things, half of them in rows, of up to `CROWD_TOKENS` times `max_tokens`
    crowd_share: float = 0.0

    def entries(self, scene: Scene, bank: LatentBank, rng: np.random.Generator) -> list[Entry]:
        """The scene's layers encoded as this mix has them."""
        # On square tokens, tokens alone say where a thing is, not the box's proportions.
        framed = self.side_tokens > 0 and self.scenes.variety == 0
        concepts = self.scenes.concepts if self.fixed_backgrounds else None
        return entries(
            scene, bank, rng, side_tokens=self.side_tokens, framed=framed, concepts=concepts
        )


def held_out_pictures(
    bank: LatentBank,
    mix: PictureMix,
    count: int,
    seed: int,
    canvas: tuple[int, int] | None = (512, 512),
) -> list[Picture]:
    """Whole pictures of held-out compositions, always the same; all their layers are noisy."""
    rng = np.random.default_rng(seed)
    settings = SceneSettings(
        concepts=mix.scenes.concepts,
        aspects=bank.pack.aspects(),
        canvas=canvas,
        variety=mix.scenes.variety,
    )
    scenes = evaluation_scenes(count, seed, settings)
    return [(scene, mix.entries(scene, bank, rng), []) for scene in scenes]


class Pictures(IterableDataset[Batch]):
    """Endless batches; pictures of similar length share one, so that padding stays small."""

    SORTED_GROUP = 10  # batches composed at once and sorted by length

    def __init__(
        self,
        pack: Path,
        autoencoder: Autoencoder,
        tokenizer: Tokenizer,
        *,
        batch: int,
        mix: PictureMix,
        seed: int,
    ) -> None:
        self.pack, self.autoencoder, self.tokenizer = pack, autoencoder, tokenizer
        self.batch, self.mix, self.seed = batch, mix, seed

    def __iter__(self) -> Iterator[Batch]:
        info = get_worker_info()
        worker = info.id if info else 0
        rng = np.random.default_rng([self.seed, worker])
        random.seed(self.seed * 1009 + worker)
        torch.set_num_threads(1)
        mix = self.mix
        bank = LatentBank(SpritePack.load(self.pack), self.autoencoder)
        concepts = mix.scenes.concepts
        settings = replace(
            mix.scenes,
            aspects=bank.pack.aspects(),
            unsaid_backgrounds=open_backgrounds(concepts) if mix.fixed_backgrounds else (),
            most_of_one=6 if thing_codes(concepts) else 3,
        )
        while True:
            is_edit = rng.random() < mix.edit_share
            shared = replace(
                settings,
                with_background=bool(rng.random() < mix.background_share),
                looks=USUAL_LOOKS if is_edit else mix.scenes.looks,
            )
            pictures = [
                self._picture(rng, bank, shared, is_edit)
                for _ in range(self.batch * self.SORTED_GROUP)
            ]
            for group in self._groups(rng, pictures):
                yield collate(group, self.tokenizer, bank.token_px, mix.background_weight)

    def _groups(self, rng: np.random.Generator, pictures: list[Picture]) -> Iterator[list[Picture]]:
        """Pictures of similar length, in random order; crowds spread over them, as memory is."""
        counts = [length(noisy) + length(clean) for _, noisy, clean in pictures]
        usual = [p for p, n in zip(pictures, counts, strict=True) if n <= self.mix.max_tokens]
        crowds = [p for p, n in zip(pictures, counts, strict=True) if n > self.mix.max_tokens]
        # Padding stays small: like noisy lengths first, then the rest.
        usual.sort(key=lambda p: (length(p[1]) // 10, length(p[2]) + 2 * len(p[0].prompt.split())))
        ends = np.linspace(0, len(usual), self.SORTED_GROUP + 1).round().astype(int)
        for i in rng.permutation(self.SORTED_GROUP).tolist():
            if group := usual[ends[i] : ends[i + 1]] + crowds[i :: self.SORTED_GROUP]:
                yield group

    def _picture(
        self,
        rng: np.random.Generator,
        bank: LatentBank,
        settings: SceneSettings,
        is_edit: bool,
    ) -> Picture:
        mix = self.mix
        is_crowd = bool(rng.random() < mix.crowd_share)
        low, high = CROWD if is_crowd else (1, mix.most_things)
        most_tokens = mix.max_tokens * (CROWD_TOKENS if is_crowd else 1)
        while True:
            # The order of these draws is that of the runs that exist.
            own = replace(
                settings,
                canvas=pick(rng, CROWD_CANVASES) if is_crowd else None,
                count=int(rng.integers(low, high + 1)) if high else None,
                size=settings.size * (1 - 0.4 * float(rng.random())),
                rows=is_crowd and rng.random() < 0.5,
            )
            scene = compose(rng, own)
            if not scene.things and scene.background is None:
                continue
            found = mix.entries(scene, bank, rng)
            if length(found) <= most_tokens:
                break
        targets = set(range(-1, len(scene.things)))
        if is_edit:
            targets = editing_split(rng, scene)
        is_target = [e.index - FIRST_FOREGROUND in targets for e in found]
        noisy = [e for e, t in zip(found, is_target, strict=True) if t]
        clean = [e for e, t in zip(found, is_target, strict=True) if not t]
        return scene, noisy, clean
