"""Trains the judge of the evaluation: `layerloom train judge`.

Its pictures are sprites, recoloured, bent, blurred, spoilt. The augmentation is deliberately not
the generator's (which only moves, scales, flips and shifts hues): the judge must recognise a thing
that was drawn softly and a little wrong, and must refuse what is no thing at all.

Pictures are premultiplied float32 in [0, 1]. Shapes: B pictures, P = `INPUT_PX`, S = `SOURCE_PX`.
"""

from __future__ import annotations

import argparse
import json
import math
import os
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor

from engine.models.art.autoencoder import clamp_premultiplied
from engine.pixels import to_bytes
from engine.training.data.concepts import FIRST, STAGES, Concepts, concepts_of, stage_path
from engine.training.data.sprites import DEFAULT_SPRITES, SpritePack
from engine.training.eval.judges import DEFAULT_PATH, INPUT_PX, JudgeNet, fit, load_net, on_backdrop
from engine.training.trainers.loop import Objective, add_loop_options, prepare, train
from engine.training.trainers.optim import Muon, mixed_precision

SOURCE_PX = 96
OTHER_SHARE = 0.22
BLURS = (0.0, 1.0, 2.0, 2.5)  # sigmas of the report, in input pixels

Pictures = tuple[Tensor, Tensor, Tensor]  # inputs, nouns, looks


class JudgeObjective(Objective):
    """Noun and look of spoilt sprites."""

    def __init__(self, net: JudgeNet, pack: SpritePack, batch: int, seed: int) -> None:
        self.model: JudgeNet = net
        self.optimizer = Muon([], net.parameters(), weight_decay=0.02)
        self.state = {}
        self.pack, self.batch_size, self.seed = pack, batch, seed
        self.data = JudgeData(pack, seed, net.concepts)

    def batch(self) -> Pictures:
        self.model.train()
        return self.data.batch(self.batch_size)

    def loss(self, batch: Pictures) -> tuple[Tensor, dict[str, Tensor | float]]:
        inputs, nouns, looks = batch
        with mixed_precision(inputs.device):
            noun_logits, look_logits = (logits.float() for logits in self.model(inputs))
        loss = F.cross_entropy(noun_logits, nouns, label_smoothing=0.03)
        things = nouns != self.data.other
        loss = loss + 0.5 * F.cross_entropy(look_logits[things], looks[things])
        return loss, {"loss": loss}

    def validate(self) -> dict[str, float]:
        """Shares of right answers on new augmentations, of the mixture and of things by blur."""
        held_out = JudgeData(self.pack, self.seed + 10_001, self.model.concepts)
        report = self.right_answers([held_out.batch(128) for _ in range(12)], "mixture")
        for blur in BLURS:
            inputs = on_backdrop(held_out.vary(held_out.sources, blur), (0.5, 0.5, 0.5))
            pictures = inputs, held_out.nouns, held_out.looks
            report |= self.right_answers([pictures], f"blur {blur}")
        self.state["report"] = report
        return report

    @torch.inference_mode()
    def right_answers(self, batches: list[Pictures], name: str) -> dict[str, float]:
        """Shares of right nouns, of right "no thing" and of right looks, 0 to 1."""
        self.model.eval()
        shares: dict[str, list[Tensor]] = {"noun": [], "other": [], "look": []}
        for inputs, nouns, looks in batches:
            noun_logits, look_logits = self.model(inputs)
            hit, is_other = noun_logits.argmax(1) == nouns, nouns == self.data.other
            shares["noun"].append(hit[~is_other])
            shares["other"].append(hit[is_other])
            shares["look"].append((look_logits.argmax(1) == looks)[~is_other])
        joined = {kind: torch.cat(found) for kind, found in shares.items()}
        return {
            f"{name}, {kind}": round(found.float().mean().item(), 4)
            for kind, found in joined.items()
            if len(found)
        }


def save_net(net: JudgeNet, path: Path, report: dict[str, float], sprites: str) -> None:
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


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="layerloom train judge", description=__doc__)
    add = parser.add_argument
    add_loop_options(parser, steps=2400, batch=64, lr=2e-3, decay=0.6, threads=1, device=False)
    add("--stage", type=int, choices=STAGES, default=FIRST.stage, help="of the vocabulary")
    add("--sprites", type=Path, help="those of the stage by default")
    add("--out", type=Path, help="runs/judge/judge-STAGE.safetensors by default")
    add("--start", type=Path, help="a judge of the same nouns to go on from")
    args = parser.parse_args(argv)
    prepare(args)
    concepts = concepts_of(args.stage)
    out = args.out or stage_path(DEFAULT_PATH, args.stage)
    pack = SpritePack.load(args.sprites or stage_path(DEFAULT_SPRITES, args.stage)).check(concepts)
    net = JudgeNet(concepts) if args.start is None else load_net(args.start)[0]
    if net.concepts is not concepts:
        parser.error(f"{args.start} is a judge of stage {net.concepts.stage}")
    objective = JudgeObjective(net, pack, args.batch, args.seed)
    train(objective, args, check_every=args.steps + 1)
    save_net(net, out, objective.state["report"], pack.sha256)
    print(f"{sum(p.numel() for p in net.parameters()):,} parameters -> {out}")
    return 0


class JudgeData:
    """All sprites and their recoloured versions, and random batches made from them."""

    def __init__(self, pack: SpritePack, seed: int, concepts: Concepts = FIRST) -> None:
        pictures, nouns, looks, weights = [], [], [], []
        noun_of = {noun.name: (index, noun) for index, noun in enumerate(concepts.nouns)}
        look_of = {look: index for index, look in enumerate(concepts.looks)}
        self.other = len(noun_of)  # "no single thing"
        for (name, look), drawings in pack.drawings.items():
            if name not in noun_of or look not in look_of:
                continue
            index, noun = noun_of[name]
            colours = concepts.colours_of(noun, look)
            # All drawings in all colours would be 2 GB: each has every third one.
            step = 3 if pack.has_further_drawings else 1
            variants = [
                pack.coloured(name, look, colour, number)
                for number in range(len(drawings))
                for colour in (None, *colours[(index + number) % step :: step])
            ]
            for variant in variants:
                pictures.append(fit(variant, SOURCE_PX))
                nouns.append(index)
                looks.append(look_of[look])
                weights.append(1 / len(variants))
        self.sources = torch.from_numpy(np.stack(pictures))  # (n, 4, S, S) premultiplied
        self.nouns, self.looks = torch.tensor(nouns), torch.tensor(looks)
        self._weights = torch.tensor(weights)
        self._rng = torch.Generator().manual_seed(seed)

    def batch(self, size: int) -> tuple[Tensor, Tensor, Tensor]:
        """Random pictures (B, 4, P, P) on random backdrops; (B,) nouns and (B,) looks."""
        chosen = torch.multinomial(self._weights, size, True, generator=self._rng)
        num_other = int(size * OTHER_SHARE)
        pictures = self.sources[chosen]
        nouns = self.nouns[chosen].clone()
        pictures = torch.cat([self._spoil(pictures[:num_other]), pictures[num_other:]])
        nouns[:num_other] = self.other
        return on_backdrop(self.vary(pictures), self._rand(size, 3)), nouns, self.looks[chosen]

    def vary(self, pictures: Tensor, blur: float | None = None) -> Tensor:
        """Bend, tint, soften and speckle: (B, 4, S, S) -> (B, 4, P, P).

        `blur` is a sigma in input pixels for all of them; None draws 0 to 2.5.
        """
        x = self._tint(self._warp(pictures, angle=12.0, bend=0.035))
        x = self._cut_holes(x)
        count = len(x)
        sigmas = self._rand(count) * 2.5 * (self._rand(count) < 0.7)
        if blur is not None:
            sigmas = torch.full((count,), blur)
        x = gaussian_blur(x, sigmas)
        if blur is None:
            for index in torch.nonzero(self._rand(count) < 0.25).flatten().tolist():
                side = int(INPUT_PX / (1.3 + 2.2 * float(self._rand(1))))
                low = F.interpolate(x[index : index + 1], size=(side, side), mode="area")
                x[index : index + 1] = F.interpolate(
                    low, size=(INPUT_PX, INPUT_PX), mode="bilinear"
                )
        strength = self._rand(count, 1, 1, 1) ** 2
        speckle = self._randn(count, 4, INPUT_PX, INPUT_PX) * 0.05
        blotches = F.interpolate(
            self._randn(count, 4, 8, 8), size=(INPUT_PX, INPUT_PX), mode="bicubic"
        )
        return clamp_premultiplied(x + strength * (speckle + 0.06 * blotches) * (x[:, 3:] > 0.02))

    def _warp(self, pictures: Tensor, angle: float, bend: float) -> Tensor:
        """Rotate, scale, stretch, shift, mirror and bend by a smooth random field."""
        count = len(pictures)
        turn = (self._rand(count) * 2 - 1) * math.radians(angle)
        zoom = 0.95 + 0.4 * self._rand(count)
        stretch = torch.exp(0.08 * self._randn(count).clamp(-2, 2))
        mirror = torch.where(self._rand(count) < 0.5, 1.0, -1.0)
        cos, sin = turn.cos() * zoom, turn.sin() * zoom
        theta = torch.zeros(count, 2, 3)
        theta[:, 0, 0], theta[:, 0, 1] = cos * stretch * mirror, -sin * stretch * mirror
        theta[:, 1, 0], theta[:, 1, 1] = sin / stretch, cos / stretch
        theta[:, :, 2] = (self._rand(count, 2) * 2 - 1) * 0.12
        grid = F.affine_grid(theta, [count, 4, INPUT_PX, INPUT_PX], align_corners=False)
        field = F.interpolate(
            self._randn(count, 2, 5, 5), size=(INPUT_PX, INPUT_PX), mode="bicubic"
        )
        grid = grid + bend * field.movedim(1, -1)
        return F.grid_sample(pictures, grid, align_corners=False)

    def _tint(self, x: Tensor) -> Tensor:
        """Brightness, contrast, saturation and a small turn of the hue."""
        count = len(x)
        rgb, alpha = x[:, :3], x[:, 3:]
        angle = self._randn(count).clamp(-2, 2) * 0.15
        # A turn about the grey axis (Rodrigues) is a turn of the hue.
        third, root = (1 - angle.cos()) / 3, angle.sin() / math.sqrt(3)
        turn = torch.stack(
            [
                *(angle.cos() + third, third - root, third + root),
                *(third + root, angle.cos() + third, third - root),
                *(third - root, third + root, angle.cos() + third),
            ],
            dim=1,
        ).view(count, 3, 3)
        rgb = torch.einsum("bij,bjhw->bihw", turn, rgb)
        grey = rgb.mean(1, keepdim=True)
        saturation = 0.7 + 0.6 * self._rand(count, 1, 1, 1)
        contrast = 0.75 + 0.5 * self._rand(count, 1, 1, 1)
        brightness = (self._rand(count, 1, 1, 1) - 0.5) * 0.3
        rgb = grey + (rgb - grey) * saturation
        rgb = 0.5 * alpha + (rgb - 0.5 * alpha) * contrast + brightness * alpha
        return clamp_premultiplied(torch.cat([rgb, alpha], dim=1))

    def _cut_holes(self, x: Tensor) -> Tensor:
        """Now and then a small part is missing or filled with one colour."""
        for index in torch.nonzero(self._rand(len(x)) < 0.15).flatten().tolist():
            h, w = (int(INPUT_PX * (0.1 + 0.15 * float(self._rand(1)))) for _ in range(2))
            top, left = (int(float(self._rand(1)) * (INPUT_PX - side)) for side in (h, w))
            patch = x[index, :, top : top + h, left : left + w]
            if float(self._rand(1)) < 0.5:
                patch.zero_()
            else:
                patch[:3] = self._rand(3, 1, 1) * patch[3:]
        return x

    def _spoil(self, pictures: Tensor) -> Tensor:
        """Turn (B, 4, S, S) things into what is no thing, or no single thing."""
        others = self.sources[
            torch.randint(len(self.sources), (len(pictures),), generator=self._rng)
        ]
        ways = (
            *(self._blobs, self._halves, self._two_things, self._melted),
            *(self._shuffled, self._wrong_skin, self._crushed),
        )
        spoilt = pictures.clone()
        which = torch.randint(len(ways), (len(pictures),), generator=self._rng)
        for index, way in enumerate(ways):
            rows = torch.nonzero(which == index).flatten()
            if len(rows):
                spoilt[rows] = clamp_premultiplied(way(pictures[rows], others[rows]))
        return spoilt

    def _noise(self, count: int, channels: int, cells: int) -> Tensor:
        noise = self._randn(count, channels, cells, cells)
        return F.interpolate(noise, size=(SOURCE_PX, SOURCE_PX), mode="bicubic")

    def _blobs(self, pictures: Tensor, others: Tensor) -> Tensor:
        """Smooth patches of colour with smooth outlines."""
        count = len(pictures)
        cells = 3 + int(4 * float(self._rand(1)))
        axis = torch.linspace(-1, 1, SOURCE_PX)
        disc = 1.2 - 2 * (axis[:, None].square() + axis.square()).sqrt()
        alpha = ((self._noise(count, 1, cells) + 1.5 * disc) * 6).sigmoid()
        colour = self._rand(count, 3, 1, 1) + 0.4 * self._noise(count, 3, cells)
        return torch.cat([colour.clamp(0, 1) * alpha, alpha], dim=1)

    def _halves(self, pictures: Tensor, others: Tensor) -> Tensor:
        """About a third of a thing, enlarged as a tight crop would enlarge it.

        Not half: the better half of a fish is a fish.
        """
        axis = torch.linspace(-1, 1, SOURCE_PX)
        angle = self._rand(len(pictures), 1, 1) * 2 * math.pi
        side = axis[:, None] * angle.sin() + axis * angle.cos()
        half = pictures * (side > 0.25)[:, None]
        fitted = [fit(to_bytes(part.permute(1, 2, 0).numpy()), SOURCE_PX) for part in half]
        return torch.from_numpy(np.stack(fitted))

    def _two_things(self, pictures: Tensor, others: Tensor) -> Tensor:
        """Two things in one picture, side by side or one above the other."""
        half = int(SOURCE_PX * 0.6)
        small = F.interpolate(pictures, size=(half, half), mode="area")
        other = F.interpolate(others, size=(half, half), mode="area")
        result = torch.zeros_like(pictures)
        middle = (SOURCE_PX - half) // 2
        if float(self._rand(1)) < 0.7:
            result[..., middle : middle + half, :half] = small
            under = result[..., middle : middle + half, -half:]
        else:
            result[..., :half, middle : middle + half] = small
            under = result[..., -half:, middle : middle + half]
        under.copy_(other + under * (1 - other[:, 3:]))
        return result

    def _melted(self, pictures: Tensor, others: Tensor) -> Tensor:
        """Two things that run into each other."""
        mask = (self._noise(len(pictures), 1, 3) * 3).sigmoid()
        if float(self._rand(1)) < 0.3:
            mask = torch.full_like(mask, 0.5)
        return pictures * mask + others * (1 - mask)

    def _shuffled(self, pictures: Tensor, others: Tensor) -> Tensor:
        """The pieces of a thing in another order."""
        cells = 3 if float(self._rand(1)) < 0.5 else 4
        side = SOURCE_PX // cells
        pieces = pictures.unfold(2, side, side).unfold(3, side, side).flatten(2, 3)
        pieces = pieces[:, :, torch.randperm(cells * cells, generator=self._rng)]
        rows = pieces.unflatten(2, (cells, cells)).permute(0, 1, 2, 4, 3, 5)
        return rows.reshape_as(pictures)

    def _wrong_skin(self, pictures: Tensor, others: Tensor) -> Tensor:
        """The outline of one thing filled with the middle of another, or with smooth colours."""
        alpha = pictures[:, 3:]
        quarter = SOURCE_PX // 4
        skin = others[..., quarter:-quarter, quarter:-quarter]
        skin = F.interpolate(skin, size=(SOURCE_PX, SOURCE_PX), mode="bilinear")
        colour = skin[:, :3] / skin[:, 3:].clamp(min=0.05)
        if float(self._rand(1)) < 0.4:
            colour = self._rand(len(alpha), 3, 1, 1) + 0.4 * self._noise(len(alpha), 3, 4)
        return torch.cat([colour.clamp(0, 1) * alpha, alpha], dim=1)

    def _crushed(self, pictures: Tensor, others: Tensor) -> Tensor:
        """Bent or blurred beyond recognition."""
        if float(self._rand(1)) < 0.5:
            low = F.interpolate(pictures, size=(5, 5), mode="area")
            return F.interpolate(low, size=(SOURCE_PX, SOURCE_PX), mode="bicubic")
        warped = self._warp(pictures, angle=180.0, bend=0.3)
        return F.interpolate(warped, size=(SOURCE_PX, SOURCE_PX), mode="bilinear")

    def _rand(self, *shape: int) -> Tensor:
        return torch.rand(shape, generator=self._rng)

    def _randn(self, *shape: int) -> Tensor:
        return torch.randn(shape, generator=self._rng)


def gaussian_blur(x: Tensor, sigmas: Tensor) -> Tensor:
    """Blur each of (B, C, H, W) by its own sigma in pixels; 0 leaves it alone."""
    count, channels, radius = *x.shape[:2], 6
    offsets = torch.arange(-radius, radius + 1)
    kernels = torch.exp(-0.5 * (offsets / sigmas.clamp(min=1e-3)[:, None]).square())
    kernels = (kernels / kernels.sum(1, keepdim=True)).repeat_interleave(channels, dim=0)
    flat = x.reshape(1, count * channels, *x.shape[2:])
    flat = F.conv2d(flat, kernels[:, None, :, None], padding=(radius, 0), groups=len(kernels))
    flat = F.conv2d(flat, kernels[:, None, None, :], padding=(0, radius), groups=len(kernels))
    return flat.view_as(x)
