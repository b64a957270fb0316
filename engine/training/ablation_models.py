"""How clean layers are read, in the two ways that the product does not use (`docs/art.md` 6.2).

The product isolates clean layers: each reads only itself (`TextToLayers`). Joint: the clean layers
of a picture read each other. Two-way: clean tokens lie among the noisy ones, read and are read, at
t = 0. Only for `layerloom train ablations`.

Shapes: B pictures, N noisy tokens, M clean tokens, L clean layers, T text tokens.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from engine.model.features import region_means
from engine.model.packing import Packing, Rows
from engine.training.objective import Prediction, TextToLayers, counts, numbered
from engine.training.pictures import Batch


class JointlyClean(TextToLayers):
    """Joint: clean layers of one picture read each other; still neither text nor noisy layers."""

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

    def rows(self, batch: int, device: torch.device) -> Rows:
        assert batch == 1
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
        return Rows(*(torch.cat(parts)[None] for parts in (images, texts, woven)))


class TwoWay(TextToLayers):
    """Two-way: clean tokens among the noisy ones, modulated at t = 0, computed in each step.

    As when isolated, a clean token has its ids but no place on the canvas among its inputs, and
    the words that clean layers show are marked in the text.
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
        words = self.read_words(batch, drop_text=drop_text, planned=planned, told=told)
        texts, cleans = words.mask, batch.clean_owner >= 0
        images = torch.cat([batch.noisy_mask, cleans], dim=1)  # (B, N + M)
        packing = MixedPacking(counts(texts), counts(images), noisy=counts(batch.noisy_mask))
        owner = torch.cat([batch.owner, torch.full_like(batch.clean_owner, -1)], dim=1)
        layer = torch.cat([torch.full_like(batch.owner, -1), batch.clean_owner], dim=1)

        def pack(first: Tensor, second: Tensor) -> Tensor:
            return torch.cat([first, second.to(first.dtype)], dim=1)[images][None]

        nowhere = torch.zeros_like(batch.clean_inner)
        frame = self.art.frame(
            pack(batch.ids, batch.clean_ids), pack(batch.inner, batch.clean_inner),
            pack(batch.place, nowhere), words.txt[texts][None], words.plan(owner)[images][None],
            words.seen[texts][None], packing,
        )  # fmt: skip
        # (B + 1, D)
        vec = torch.cat([self.art.vec(t, words.txt[:, 0]), self.art.clean_vec(noisy)])
        reading = self.art.read(pack(noisy, batch.clean_tokens), frame, vec)
        regions, layers = batch.shows.shape[1], batch.clean_shows.shape[1]
        logits = self.point(reading, numbered(owner, regions)[images][None], regions, words)
        seen_tokens = packing.unweave(reading.x, 1)[1]
        of_layer = numbered(layer, layers)[images][None]
        summary = region_means(seen_tokens, of_layer, len(texts) * layers)
        predicted = self.art.finish(reading)
        everything = predicted.new_zeros(*images.shape, predicted.shape[-1])
        everything[images] = predicted[0]
        tokens = everything[:, : noisy.shape[1]]
        return Prediction(tokens, logits, self.recognise(summary, words))
