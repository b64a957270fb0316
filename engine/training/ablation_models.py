"""How clean layers are read, in the two ways that the product does not use (`art.md` 12.1).

C2, the product's: each clean layer reads only itself (`TextToLayers`). C1: the clean layers of a
picture read each other. B: clean tokens lie among the noisy ones, read and are read, at t = 0.
Only for `layerloom train ablations`.

Shapes: B pictures, N noisy tokens, M clean tokens, L clean layers, T text tokens.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.model.features import region_means
from engine.model.frame import UNDECIDED
from engine.model.packing import Packing, Rows
from engine.training.objective import Prediction, TextToLayers
from engine.training.pictures import Batch


class JointlyClean(TextToLayers):
    """C1: the clean layers of one picture read each other; still neither text nor noisy layers."""

    def clean_lengths(self, owner: Tensor, packing: Packing) -> list[int]:
        return [count for count in packing.cleans or () if count]


@dataclass(frozen=True, slots=True)
class MixedPacking(Packing):
    """Passes whose image tokens are noisy ones, then clean ones.

    Attributes:
        noisy: how many of each pass's image tokens are noisy. The clean ones of all passes have
            one more row of modulation, behind those of the passes.
    """

    noisy: tuple[int, ...] = ()

    def rows(self, device: torch.device) -> Rows:
        clean_row = len(self.texts)
        images: list[Tensor] = []
        woven: list[Tensor] = []
        texts: list[Tensor] = []
        for number, (text, image, noisy) in enumerate(
            zip(self.texts, self.images, self.noisy, strict=True)
        ):
            texts.append(torch.full((text,), number, device=device))
            row = torch.full((image,), number, device=device)
            row[noisy:] = clean_row
            images.append(row)
            woven += [texts[-1], row]
        return Rows(torch.cat(images), torch.cat(texts), torch.cat(woven))


class TwoWay(TextToLayers):
    """B: clean tokens in the sequence of the noisy ones, modulated at t = 0, made anew each step.

    As in C2, a clean token is not told its region's place on the canvas (it has its ids), and the
    words that clean layers show are marked in the text.
    """

    def predict(
        self,
        batch: Batch,
        noisy: Tensor,
        t: Tensor,
        *,
        drop_text: Tensor | None = None,
        planned: Tensor | None = None,
        told: Tensor | None = None,
    ) -> Prediction:
        """As `TextToLayers.predict`."""
        if not batch.clean_tokens.shape[1]:
            return super().predict(batch, noisy, t, drop_text=drop_text, planned=planned, told=told)
        txt = self.text(batch.vectors, batch.known, batch.text_mask)
        texts = F.pad(batch.text_mask, (1, 0), value=True)
        shown = batch.shows if planned is None else batch.shows.where(planned, UNDECIDED)
        marked = batch.clean_shows if told is None else batch.clean_shows.where(told, -1)
        seen = torch.zeros(texts.shape, device=txt.device)
        seen = seen.scatter_reduce(1, marked.clamp(min=0), (marked > 0).float(), "amax")
        if drop_text is not None:
            null = F.pad(self.text.null(), (0, 0, 0, txt.shape[1] - 1))
            txt = torch.where(drop_text[:, None, None], null, txt)
            texts = texts & (~drop_text[:, None] | (torch.arange(texts.shape[1]) == 0))
            shown = shown.where(~drop_text[:, None], UNDECIDED)
            seen = seen * ~drop_text[:, None]
        cleans = batch.clean_owner >= 0
        images = torch.cat([batch.noisy_mask, cleans], dim=1)  # (B, N + M)
        packing = MixedPacking(_counts(texts), _counts(images), noisy=_counts(batch.noisy_mask))
        owner = torch.cat([batch.owner, torch.full_like(batch.clean_owner, -1)], dim=1)
        layer = torch.cat([torch.full_like(batch.owner, -1), batch.clean_owner], dim=1)
        plan = F.pad(shown, (0, 1), value=UNDECIDED)  # owner -1 reads the last column
        plan = plan.gather(1, owner % plan.shape[1])
        before = texts.sum(dim=1).cumsum(0) - texts.sum(dim=1)
        plan = torch.where(plan == UNDECIDED, plan, plan + before[:, None])

        def pack(first: Tensor, second: Tensor) -> Tensor:
            return torch.cat([first, second.to(first.dtype)], dim=1)[images][None]

        nowhere = torch.zeros_like(batch.clean_inner)
        frame = self.art.frame(
            pack(batch.ids, batch.clean_ids), pack(batch.inner, batch.clean_inner),
            pack(batch.place, nowhere), txt[texts][None], plan[images][None], seen[texts][None],
            packing,
        )  # fmt: skip
        vec = torch.cat([self.art.vec(t, txt[:, 0]), self.art.clean_vec(noisy)])  # (B + 1, D)
        reading = self.art.read(pack(noisy, batch.clean_tokens), frame, vec)

        pictures, regions, layers = len(texts), batch.shows.shape[1], batch.clean_shows.shape[1]
        of_region = _number(owner, regions)[images][None]
        query, key = self.art.pointers(reading, of_region, pictures * regions)
        keys = key.new_zeros(*texts.shape, key.shape[-1])
        keys[texts] = key[0]
        logits = query.view(pictures, regions, -1) @ keys.mT / math.sqrt(keys.shape[-1])
        seen_tokens = packing.unweave(reading.x, 1)[1]
        summary = region_means(seen_tokens, _number(layer, layers)[images][None], pictures * layers)
        recognised = self.art.recognise(summary.view(pictures, layers, -1), txt)
        predicted = self.art.finish(reading)
        everything = predicted.new_zeros(*images.shape, predicted.shape[-1])
        everything[images] = predicted[0]
        return Prediction(
            everything[:, : noisy.shape[1]],
            logits.masked_fill(~texts[:, None], -1e4),
            recognised.masked_fill(~texts[:, None], -1e4),
        )


def _counts(mask: Tensor) -> tuple[int, ...]:
    return tuple(mask.sum(dim=1).tolist())


def _number(owner: Tensor, count: int) -> Tensor:
    """Regions (B, S) of each picture -> numbered through the batch; -1 stays."""
    first = torch.arange(len(owner), device=owner.device)[:, None] * count
    return torch.where(owner < 0, owner, owner + first)
