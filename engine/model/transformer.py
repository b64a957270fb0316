"""ART: the anonymous region transformer, an MMDiT of the FLUX family on region tokens.

`forward` predicts for the regions that are being generated; `clean` computes, once, the keys and
values of a finished layer, which depend on nothing but that layer's own tokens (`docs/art.md` 6.3).
What stays the same over the steps of a request is made once, by `frame`.

Choices that differ from the paper, each switched by the config:
- in-region coordinates are added to image tokens (they do not change when a region moves, so the
  exact cache stays exact), and the region's place on the canvas to noisy tokens only;
- modulation heads may be shared by all blocks of a kind, with a small table per block
  (PixArt-alpha, FLUX.2), which saves a third of the weights;
- no additive layer table (the published code's `layer_pe`): it would spoil the cache;
- planning: the regions stay anonymous to the user, but the model decides, at pure noise, which word
  of the prompt each of them shows (`point`), and a decided region reads that word's text token
  (`frame(plan=...)`). Without it, who shows what is settled by the sampling path alone.

Shapes: B batch, T text tokens, N image tokens, R regions, D width, C token width.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.model.art_config import ARTConfig
from engine.model.features import (
    INNER_WAVES,
    PLACE_WAVES,
    inner_features,
    place_features,
    region_means,
)
from engine.model.frame import UNDECIDED, Frame, Reading
from engine.model.layers import (
    DoubleBlock,
    FinalLayer,
    Mlp,
    SingleBlock,
    TimeEmbedder,
)
from engine.model.modulation import ModulationHead, Modulations, Told
from engine.model.packing import Clean, KeyValue, Packing, Rows
from engine.model.rope import rotate, rotations


class ART(nn.Module):
    """Predicts clean tokens of noisy regions from text, from each other and from clean layers."""

    def __init__(self, config: ARTConfig) -> None:
        super().__init__()
        self.config = config
        width, heads = config.width, config.heads
        self.img_in = nn.Linear(config.token_width, width)
        self.txt_in = nn.Linear(config.text_width, width)
        self.time_in = TimeEmbedder(width)
        if config.guidance_embed:
            self.guidance_in = TimeEmbedder(width)
        if config.pooled_width is not None:
            self.pooled_in = Mlp(config.pooled_width, width, width)
        if config.region_features:
            self.inner_in = Mlp(4 * INNER_WAVES + 2, width, width)
            self.place_in = Mlp(8 * PLACE_WAVES, width, width)
        self.double_blocks = nn.ModuleList(
            DoubleBlock(width, heads, config.mlp_ratio) for _ in range(config.double_blocks)
        )
        self.single_blocks = nn.ModuleList(
            SingleBlock(width, heads, config.mlp_ratio) for _ in range(config.single_blocks)
        )
        double_heads = 1 if config.shared_modulation else config.double_blocks
        single_heads = 1 if config.shared_modulation else config.single_blocks
        self.img_mods = nn.ModuleList(ModulationHead(width, 2) for _ in range(double_heads))
        self.txt_mods = nn.ModuleList(ModulationHead(width, 2) for _ in range(double_heads))
        self.single_mods = nn.ModuleList(ModulationHead(width, 1) for _ in range(single_heads))
        if config.shared_modulation:
            self.img_table = nn.Parameter(torch.zeros(config.double_blocks, 6 * width))
            self.txt_table = nn.Parameter(torch.zeros(config.double_blocks, 6 * width))
            self.single_table = nn.Parameter(torch.zeros(config.single_blocks, 3 * width))
        self.final_layer = FinalLayer(width, config.token_width)
        if config.planning:
            self.plan_in = nn.Linear(config.text_width, width)
            self.plan_query = nn.Linear(width, width)
            self.plan_key = nn.Linear(width, width)
            self.plan_taken = nn.Linear(1, width, bias=False)  # marks words that a layer shows
            self.plan_seen_query = nn.Linear(width, width)
            self.plan_seen_key = nn.Linear(config.text_width, width)
        if config.word_modulation:
            self.plan_mod = nn.Linear(config.text_width, width, bias=False)
        if config.choices:
            self.choice_in = Mlp(config.choices, width, width)
            self.choice_mod = Mlp(config.choices, width, width)

    @torch.no_grad()
    def init_weights(self) -> None:
        """Xavier for matrices; modulation and output start at zero."""
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        zero: list[nn.Linear] = [self.final_layer.modulation, self.final_layer.linear]
        heads = [*self.img_mods, *self.txt_mods, *self.single_mods]
        if self.config.pooled_width is not None:
            zero.append(self.pooled_in.out_layer)
        zero += [head.lin for head in heads if isinstance(head, ModulationHead)]
        if self.config.planning:
            zero += [self.plan_in, self.plan_taken]
        if self.config.word_modulation:
            zero.append(self.plan_mod)
        if self.config.choices:
            zero += [self.choice_in.out_layer, self.choice_mod.out_layer]
        for linear in zero:
            nn.init.zeros_(linear.weight)

    # ---- conditioning ----

    def vec(
        self, t: Tensor, pooled: Tensor | None = None, guidance: Tensor | None = None
    ) -> Tensor:
        """(B, D) conditioning of text and noisy tokens: time, pooled text, distilled guidance.

        `pooled` (B, pooled_width) is left alone by a model that was not made for it.
        """
        vec = self.time_in(t)
        if guidance is not None:
            vec = vec + self.guidance_in(guidance)
        if pooled is not None and self.config.pooled_width is not None:
            vec = vec + self.pooled_in(pooled)
        return vec

    def clean_vec(self, like: Tensor) -> Tensor:
        """(1, D) conditioning of clean layers: t = 0 and nothing else, least of all the prompt."""
        return self.time_in(torch.zeros(1, device=like.device))

    def rotations(self, ids: Tensor) -> Tensor:
        """(B, S, 3) ids -> (B, 1, S, head_dim/2)."""
        return rotations(ids, self.config.axes_dim, self.config.theta).unsqueeze(-3)

    def frame(
        self,
        ids: Tensor,
        inner: Tensor,
        place: Tensor,
        txt: Tensor,
        plan: Tensor | None = None,
        seen: Tensor | None = None,
        packing: Packing | None = None,
        choice: Tensor | None = None,
    ) -> Frame:
        """Embed once what all steps of a request share.

        Args:
            ids: (B, N, 3) positions (layer, row, column) in cells.
            inner, place: (B, N, 4) from `engine.layout`.
            txt: (B, T, text_width); text sits at position (0, 0, 0).
            plan: (B, N) the text token that each image token's region shows, or `UNDECIDED`;
                0, the token of the whole prompt, for a thing that the prompt does not name. The
                same in all tokens of a region.
            seen: (B, T) 1 for words that clean layers show already, else 0; goes with `plan`.
            packing: several pictures in one sequence (B = 1), `plan` counting through all their
                text tokens; None = a single one.
            choice: (B, N, choices) from `sampling.region_choice` for a background's tokens, 0 for
                all others; None = 0 everywhere.
        """
        fixed = None
        if self.config.region_features:
            fixed = self.inner_in(inner_features(inner)) + self.place_in(place_features(place))
        packing = packing or Packing((txt.shape[1],), (ids.shape[1],))
        origin = ids.new_zeros(*ids.shape[:1], txt.shape[1], 3)
        pe = self.rotations(packing.weave(origin, ids, 1))
        told = None
        if self.config.word_modulation:
            told = Told.nothing(ids[..., 0], packing.images, self.config.width)
        if self.config.choices:
            assert told is not None
            if choice is None:
                choice = txt.new_zeros(*ids.shape[:2], self.config.choices)
            told = told.more(self.choice_mod(told.of_regions(choice)))
            chosen = self.choice_in(choice)
            fixed = chosen if fixed is None else fixed + chosen
        frame = Frame(fixed, self.txt_in(txt), pe, packing, told)
        return frame if plan is None else self.decide(frame, txt, plan, seen)

    def decide(self, frame: Frame, txt: Tensor, plan: Tensor, seen: Tensor | None = None) -> Frame:
        """A frame without a plan -> the same with one; arguments as for `frame`.

        Planning tries several plans in one frame: positions and places are embedded once.
        """
        decided = (plan != UNDECIDED).to(txt.dtype)
        index = plan.clamp(min=0)
        shown = txt.gather(1, index[..., None].expand(-1, -1, txt.shape[-1]))  # (B, N, width)
        told = frame.told
        if told is not None:
            words = told.of_regions(shown * decided[..., None])
            told = told.more(self.plan_mod(words))
        shown = self.plan_in(shown) * decided[..., None]
        fixed = shown if frame.fixed is None else frame.fixed + shown
        taken = txt.new_zeros(txt.shape[:2]).scatter_reduce(1, index, decided, "amax")
        if seen is not None:
            taken = torch.maximum(taken, seen.to(taken.dtype))
        marked = frame.txt + self.plan_taken(taken[..., None])
        return replace(frame, fixed=fixed, txt=marked, told=told)

    def _modulations(
        self, vec: Tensor, rows: Rows | None = None, frame: Frame | None = None
    ) -> tuple[list[tuple[list[Modulations], list[Modulations]]], list[Modulations]]:
        """Per double block (image, text) and per single block, the modulations."""
        of_images = of_all = vec
        images = texts = woven = None
        if rows is not None:
            images, texts, woven = rows.images, rows.texts, rows.woven
        if frame is not None and frame.told is not None:
            # Rows for each pass, as texts have them, and behind them for each region.
            assert rows is not None
            told = frame.told
            of_images = vec.index_select(0, told.of_regions(rows.images)) + told.values
            of_all = torch.cat([vec, of_images])
            images = told.regions
            woven = frame.packing.weave(rows.texts, images + len(vec), 1)
        if not self.config.shared_modulation:
            heads = zip(self.img_mods, self.txt_mods, strict=True)
            double = [(i(of_images, images), t(vec, texts)) for i, t in heads]
            return double, [head(of_all, woven)[0] for head in self.single_mods]
        img, txt, single = self.img_mods[0], self.txt_mods[0], self.single_mods[0]
        assert isinstance(img, ModulationHead)
        assert isinstance(txt, ModulationHead)
        assert isinstance(single, ModulationHead)
        of_blocks = zip(
            img.per_block(of_images, self.img_table, images),
            txt.per_block(vec, self.txt_table, texts),
            strict=True,
        )
        singles = [mods[0] for mods in single.per_block(of_all, self.single_table, woven)]
        return list(of_blocks), singles

    # ---- the two passes ----

    def read(
        self,
        tokens: Tensor,
        frame: Frame,
        vec: Tensor,
        *,
        clean: Sequence[Clean] | None = None,
    ) -> Reading:
        """The first part of a pass: enough to plan by.

        Args:
            tokens: (B, N, C) noisy tokens, packed region after region.
            vec: (B, D) from `vec`; one row per pass where passes of other levels are packed.
            clean: per block the clean layers' ROTATED keys, and values; None = none.
        """
        img, txt = self.img_in(tokens), frame.txt
        if frame.fixed is not None:
            img = img + frame.fixed
        rows = None
        if frame.told is not None or len(vec) != len(tokens):
            rows = frame.packing.rows(len(tokens), vec.device)
            if len(vec) == 1:
                vec = vec.expand(len(tokens) * len(frame.packing.texts), -1)
        double_mods, single_mods = self._modulations(vec, rows, frame)
        blocks = len(self.double_blocks) + len(self.single_blocks)
        given: Sequence[Clean | None] = clean or [None] * blocks
        for i, block in enumerate(self.double_blocks):
            img, txt = block(img, txt, double_mods[i], frame.pe, frame.packing, given[i])
        given = given[len(self.double_blocks) :]
        x = frame.packing.weave(txt, img, 1)  # (B, T + N, D)
        for i, block in enumerate(self.single_blocks[: self._half]):
            x = block(x, single_mods[i], frame.pe, frame.packing, given[i])
        return Reading(x, frame, vec, rows, single_mods, given)

    @property
    def _half(self) -> int:
        return len(self.single_blocks) // 2

    def finish(self, reading: Reading) -> Tensor:
        """The second part of a pass: (B, N, C) predicted clean tokens."""
        x, frame = reading.x, reading.frame
        for i in range(self._half, len(self.single_blocks)):
            block, mod = self.single_blocks[i], reading.mods[i]
            x = block(x, mod, frame.pe, frame.packing, reading.clean[i])
        rows = None if reading.rows is None else reading.rows.images
        return self.final_layer(frame.packing.unweave(x, 1)[1], reading.vec, rows)

    def point(self, reading: Reading, owner: Tensor, regions: int) -> Tensor:
        """(B, R, T) logits: which text token each region is going to show.

        Args:
            owner: (B, N) the region of each image token; anything outside 0..R-1 is no region.
        """
        query, key = self.pointers(reading, owner, regions)
        return query @ key.mT / math.sqrt(self.config.width)

    def pointers(self, reading: Reading, owner: Tensor, regions: int) -> tuple[Tensor, Tensor]:
        """The two sides of `point`: (B, R, D) of the regions and (B, T, D) of the text."""
        x = F.layer_norm(reading.x, reading.x.shape[-1:], eps=1e-6)
        txt, img = reading.frame.packing.unweave(x, 1)
        return self.plan_query(region_means(img, owner, regions)), self.plan_key(txt)

    def forward(
        self,
        tokens: Tensor,
        frame: Frame,
        vec: Tensor,
        *,
        clean: Sequence[Clean] | None = None,
    ) -> Tensor:
        """(B, N, C) predicted clean tokens of the noisy regions; arguments as for `read`."""
        return self.finish(self.read(tokens, frame, vec, clean=clean))

    def clean(
        self, tokens: Tensor, ids: Tensor, inner: Tensor, lengths: Sequence[int] | None = None
    ) -> list[KeyValue]:
        """Keys BEFORE rotation and values of clean layers, per block; what the cache stores.

        They depend on no other layer, no text, no noise level, and not on the layer's place: only
        differences of `ids` count.

        Args:
            tokens: (B, M, C) finished tokens.
            ids: (B, M, 3); inner: (B, M, 4).
            lengths: tokens of each layer, where several lie in one sequence; None = one layer.
        """
        lengths = lengths or (tokens.shape[1],)
        x = self.img_in(tokens)
        if self.config.region_features:
            x = x + self.inner_in(inner_features(inner))
        pe = self.rotations(ids)
        double_mods, single_mods = self._modulations(self.clean_vec(tokens))
        stored = []
        for block, mods in zip(self.double_blocks, double_mods, strict=True):
            assert isinstance(block, DoubleBlock)
            x, kv = block.clean(x, mods[0], pe, lengths)
            stored.append(kv)
        for block, mod in zip(self.single_blocks, single_mods, strict=True):
            assert isinstance(block, SingleBlock)
            x, kv = block.clean(x, mod, pe, lengths)
            stored.append(kv)
        return stored

    def summarise(self, stored: list[KeyValue], owner: Tensor, layers: int) -> Tensor:
        """(B, L, D): the mean of each clean layer's values in the last block.

        Args:
            stored: from `clean`, so that the cache has all that it takes.
            owner: (B, M) the layer of each clean token.
        """
        values = stored[-1].v.transpose(1, 2).flatten(2)  # (B, M, D)
        return region_means(values, owner, layers)

    def recognise(self, summary: Tensor, txt: Tensor) -> Tensor:
        """(B, L, T) logits: which text token each clean layer shows; 0 = none of the words.

        Only training asks this, so that the values stay readable; the shipped answer is
        `engine.model.recogniser`'s, which is learned afterwards and right more often.

        Args:
            summary: (B, L, D) from `summarise`.
            txt: (B, T, text_width) from the text encoder.
        """
        query = self.plan_seen_query(F.layer_norm(summary, summary.shape[-1:], eps=1e-6))
        return query @ self.plan_seen_key(txt).mT / math.sqrt(self.config.width)

    def rotate_clean(self, stored: list[KeyValue], ids: Tensor) -> list[KeyValue]:
        """Rotate stored keys to where their layers are now: `ids` (B, M, 3)."""
        pe = self.rotations(ids)
        return [KeyValue(rotate(kv.k, pe), kv.v) for kv in stored]
