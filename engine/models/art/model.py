"""ART: the anonymous region transformer, an MMDiT of the FLUX family on region tokens.

`forward` predicts the clean tokens of the regions that are being generated. `encode_context`
computes, once per layer, the keys and values of a finished layer, which depend on that layer's own
tokens only (docs/art.md, section 6), so that a cache can keep them. `condition` embeds once what
all sampling steps of a request share.

Differences from the paper:
- Coordinates inside a region are added to its tokens. They stay the same when a region moves, so
  that cached layers stay exact. The region's place on the canvas is added to noisy tokens only.
- One modulation head serves all blocks of a kind, with a small table per block (PixArt-alpha,
  FLUX.2), which saves a third of the weights.
- There is no additive layer table (`layer_pe` of the published code): it would enter the cache.
- Assignment: regions stay anonymous to the user, but the model decides at pure noise which word of
  the prompt each region shows (`assignment_logits`), and the region then reads the text token of
  that word (`with_assignment`).
- Seed codes: signs that a region's seed chooses name one of several drawings.

Shapes: B batch, T text tokens, N image tokens to generate, M context tokens, S = T + N, R regions,
D width, C token width, L layers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.models.art.attention import (
    Context,
    KeyValue,
    Packing,
    SegmentIds,
    attend_segments,
    rotate,
    rotations,
)

UNDECIDED = -1  # a region whose word is not assigned yet
INNER_WAVES, PLACE_WAVES = 4, 3


@dataclass(frozen=True, slots=True, kw_only=True)
class ARTConfig:
    """Sizes of the transformer; the defaults are those of the shipped model."""

    token_width: int = 192  # C: numbers per image token, in and out
    text_width: int = 256  # numbers per text token from the text encoder
    width: int = 256  # D
    heads: int = 4
    double_blocks: int = 2
    single_blocks: int = 6
    mlp_ratio: int = 4
    axes_dim: tuple[int, int, int] = (16, 24, 24)  # rotary dimensions of layer, row, column
    theta: float = 100.0  # positions stay below 64 cells; FLUX uses 10000
    seed_signs: int = 4  # signs that a region's seed chooses

    def __post_init__(self) -> None:
        if self.width % self.heads:
            raise ValueError(f"width {self.width} is not a multiple of heads {self.heads}")
        head_dim = self.width // self.heads
        if sum(self.axes_dim) != head_dim:
            raise ValueError(f"axes_dim {self.axes_dim} does not add up to head size {head_dim}")


# ---- modulation (adaLN-Zero) ----


@dataclass(frozen=True, slots=True)
class Modulation:
    """Shift, scale and gate of the tokens, one row for all tokens that are modulated alike.

    A picture of eleven layers has eleven rows for three hundred tokens. `expand` copies the rows to
    the tokens when a block needs them, so that only one block's copies are in memory.
    """

    values: Tensor  # (rows, 3 D)
    rows: Tensor | None  # (B, S) the row of each token; None = one row per entry of the batch

    def expand(self) -> ExpandedModulation:
        """One shift, scale and gate per token."""
        return ExpandedModulation(*expand_rows(self.values, self.rows).chunk(3, dim=-1))

    def narrow(self, first: int, length: int) -> Modulation:
        """The modulation of a range of the tokens."""
        assert self.rows is not None
        return Modulation(self.values, self.rows.narrow(1, first, length))


@dataclass(frozen=True, slots=True)
class ExpandedModulation:
    """(B, 1 or S, D) each."""

    shift: Tensor
    scale: Tensor
    gate: Tensor

    def apply(self, x: Tensor) -> Tensor:
        """LayerNorm without affine parameters, then scale and shift."""
        x = F.layer_norm(x, x.shape[-1:], eps=1e-6)
        return torch.addcmul(self.shift, x, 1 + self.scale)


def expand_rows(values: Tensor, rows: Tensor | None) -> Tensor:
    """(B, D) -> (B, 1, D), or (rows, D) -> (B, S, D) with the row of each token."""
    if rows is None:
        return values[:, None]
    return values.index_select(0, rows.flatten()).unflatten(0, rows.shape)


class ModulationHead(nn.Module):
    """Conditioning vectors -> `count` modulations for each block that shares the head.

    Starts at zero, so that untrained blocks are the identity.
    """

    def __init__(self, width: int, count: int) -> None:
        super().__init__()
        self.count = count
        self.lin = nn.Linear(width, 3 * count * width)

    def forward(
        self, vec: Tensor, tables: Tensor, rows: Tensor | None = None
    ) -> list[list[Modulation]]:
        """(rows, D) and (blocks, 3 count D) offsets -> per block `count` modulations."""
        out = self.lin(F.silu(vec))  # (rows, 3 count D)
        return [
            [Modulation(part, rows) for part in (out + table).chunk(self.count, dim=-1)]
            for table in tables
        ]


# ---- blocks ----


class TimeEmbedder(nn.Module):
    """Noise level t in [0, 1] -> (B, D): sinusoids of 1000 t, then an MLP."""

    def __init__(self, width: int, frequencies: int = 256) -> None:
        super().__init__()
        self.frequencies = frequencies
        self.in_layer = nn.Linear(frequencies, width)
        self.out_layer = nn.Linear(width, width)

    def forward(self, t: Tensor) -> Tensor:
        half = self.frequencies // 2
        rates = torch.exp(-math.log(10000) * torch.arange(half, device=t.device) / half)
        angles = 1000 * t.float()[:, None] * rates  # (B, half)
        sinusoids = torch.cat([angles.cos(), angles.sin()], dim=-1)  # (B, frequencies)
        return self.out_layer(F.silu(self.in_layer(sinusoids.to(self.in_layer.weight.dtype))))


class Mlp(nn.Module):
    """Linear -> activation -> Linear.

    GELU is the exact one: FLUX.1's approximation by tanh differs by 5e-4 at most and took four
    times as long on CPUs, a fifth of the linear maps around it.
    """

    def __init__(self, width_in: int, hidden: int, width_out: int, act: str = "silu") -> None:
        super().__init__()
        self.in_layer = nn.Linear(width_in, hidden)
        self.out_layer = nn.Linear(hidden, width_out)
        self.act = act

    def forward(self, x: Tensor) -> Tensor:
        x = self.in_layer(x)
        x = F.gelu(x) if self.act == "gelu" else F.silu(x)
        return self.out_layer(x)


class QkNorm(nn.Module):
    """RMS norm of queries and keys over head_dim, with learned gains.

    Both in one call: in a step of few tokens the number of operations counts, not their size.
    """

    def __init__(self, head_dim: int) -> None:
        super().__init__()
        self.query = nn.Parameter(torch.ones(head_dim))
        self.key = nn.Parameter(torch.ones(head_dim))

    def forward(self, qk: Tensor) -> Tensor:
        """(2, B, heads, S, head_dim) -> the same."""
        gains = torch.stack([self.query, self.key]).to(qk.dtype)[:, None, None, None]
        return F.rms_norm(qk, self.query.shape, eps=1e-6) * gains


def init_matrices(network: nn.Module) -> None:
    """Xavier for the weights of all linear maps, zero for their biases."""
    for module in network.modules():
        if isinstance(module, nn.Linear):
            nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def split_heads(qkv: Tensor, heads: int) -> tuple[Tensor, Tensor]:
    """(B, S, 3 D) -> q and k (2, B, heads, S, head_dim), v (B, heads, S, head_dim)."""
    x = qkv.unflatten(-1, (3, heads, -1)).permute(2, 0, 3, 1, 4)
    return x[:2], x[2]


class Stream(nn.Module):
    """Text side or image side of a double-stream block."""

    def __init__(self, width: int, heads: int, mlp_ratio: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.norm = QkNorm(width // heads)
        self.proj = nn.Linear(width, width)
        self.mlp = Mlp(width, mlp_ratio * width, width, act="gelu")

    def project(self, x: Tensor, mod: ExpandedModulation) -> tuple[Tensor, Tensor]:
        """Normed queries and keys, and values, as `split_heads` returns them."""
        qk, v = split_heads(self.qkv(mod.apply(x)), self.heads)
        return self.norm(qk), v

    def update(self, x: Tensor, attended: Tensor, mods: list[ExpandedModulation]) -> Tensor:
        """The residual steps of attention and of the MLP: (B, S, D) -> (B, S, D)."""
        x = torch.addcmul(x, mods[0].gate, self.proj(attended))
        return torch.addcmul(x, mods[1].gate, self.mlp(mods[1].apply(x)))


class DoubleBlock(nn.Module):
    """Text and image with weights of their own, one joint attention."""

    def __init__(self, width: int, heads: int, mlp_ratio: int) -> None:
        super().__init__()
        self.img = Stream(width, heads, mlp_ratio)
        self.txt = Stream(width, heads, mlp_ratio)

    def forward(
        self,
        img: Tensor,
        txt: Tensor,
        mods: tuple[Sequence[Modulation], Sequence[Modulation]],
        pe: Tensor,
        packing: Packing,
        context: Context | None,
    ) -> tuple[Tensor, Tensor]:
        """`pe` rotates the interleaved sequence; `context` has rotated keys; `mods` (img, txt)."""
        img_mods, txt_mods = ([mod.expand() for mod in side] for side in mods)
        img_qk, img_v = self.img.project(img, img_mods[0])  # (2, B, heads, N, head_dim)
        txt_qk, txt_v = self.txt.project(txt, txt_mods[0])  # (2, B, heads, T, head_dim)
        q, k = rotate(packing.interleave(txt_qk, img_qk, 3), pe)  # (B, heads, S, head_dim)
        v = packing.interleave(txt_v, img_v, 2)
        txt_attended, img_attended = packing.split(packing.attend(q, k, v, context), 1)
        img = self.img.update(img, img_attended, img_mods)  # (B, N, D)
        txt = self.txt.update(txt, txt_attended, txt_mods)  # (B, T, D)
        return img, txt

    def encode_context(
        self, img: Tensor, mods: Sequence[Modulation], pe: Tensor, lengths: Sequence[int]
    ) -> tuple[Tensor, KeyValue]:
        """Context layers, each by itself; returns new tokens and keys BEFORE rotation."""
        expanded = [mod.expand() for mod in mods]
        qk, v = self.img.project(img, expanded[0])
        q, k = rotate(qk, pe)
        attended = attend_segments(q, k, v, lengths)  # (B, M, D)
        return self.img.update(img, attended, expanded), KeyValue(qk[1], v)


class SingleBlock(nn.Module):
    """Text and image as one sequence; attention and MLP in parallel."""

    def __init__(self, width: int, heads: int, mlp_ratio: int) -> None:
        super().__init__()
        self.heads = heads
        self.widths = [3 * width, mlp_ratio * width]
        self.linear1 = nn.Linear(width, sum(self.widths))
        self.linear2 = nn.Linear(width + mlp_ratio * width, width)
        self.norm = QkNorm(width // heads)

    def project(self, x: Tensor, mod: ExpandedModulation) -> tuple[Tensor, Tensor, Tensor]:
        """Normed queries and keys, values, and the hidden layer (B, S, mlp_ratio D)."""
        qkv, hidden = self.linear1(mod.apply(x)).split(self.widths, dim=-1)
        qk, v = split_heads(qkv, self.heads)
        return self.norm(qk), v, hidden

    def update(
        self, x: Tensor, attended: Tensor, hidden: Tensor, mod: ExpandedModulation
    ) -> Tensor:
        """The residual step: (B, S, D) -> (B, S, D)."""
        # linear2 of [attended, hidden] without the copy that concatenates them: 8 % of a step.
        weight, width = self.linear2.weight, attended.shape[-1]
        hidden = F.gelu(hidden).flatten(0, 1)  # (B S, mlp_ratio D)
        out = F.linear(attended, weight[:, :width], self.linear2.bias).flatten(0, 1)
        out = torch.addmm(out, hidden, weight[:, width:].T)  # (B S, D)
        return torch.addcmul(x, mod.gate, out.view_as(x))

    def forward(
        self, x: Tensor, mod: Modulation, pe: Tensor, attend: Callable[..., Tensor]
    ) -> tuple[Tensor, KeyValue]:
        """New tokens, and the keys BEFORE rotation with the values; `attend` takes q, k and v."""
        expanded = mod.expand()
        qk, v, hidden = self.project(x, expanded)
        q, k = rotate(qk, pe)  # (B, heads, S, head_dim)
        attended = attend(q, k, v)  # (B, S, D)
        return self.update(x, attended, hidden, expanded), KeyValue(qk[1], v)


class FinalLayer(nn.Module):
    """Modulated norm and projection to token numbers."""

    def __init__(self, width: int, token_width: int) -> None:
        super().__init__()
        self.modulation = nn.Linear(width, 2 * width)
        self.linear = nn.Linear(width, token_width)

    def forward(self, x: Tensor, vec: Tensor, rows: Tensor | None = None) -> Tensor:
        scale, shift = expand_rows(self.modulation(F.silu(vec)), rows).chunk(2, dim=-1)
        x = F.layer_norm(x, x.shape[-1:], eps=1e-6)
        return self.linear(torch.addcmul(shift, x, 1 + scale))  # (B, N, C)


# ---- conditioning ----


@dataclass(frozen=True, slots=True)
class RegionConditioning:
    """Conditioning of each region besides noise level and prompt: its word and its seed code."""

    values: Tensor  # (R, D) added to the vector that modulates the region's tokens
    first: Tensor  # (R,) the first token of each region, counted through the whole batch
    regions: Tensor  # (B, N) the region of each image token

    @classmethod
    def zero(cls, layer: Tensor, images: tuple[int, ...], width: int) -> RegionConditioning:
        """For regions without word and seed code.

        `layer` (B, N) has the place of each token's region in the layer list; `images` the lengths
        of the packed passes.
        """
        begins = torch.ones_like(layer, dtype=torch.bool)
        begins[:, 1:] = layer[:, 1:] != layer[:, :-1]
        ends = torch.tensor(images[:-1], dtype=torch.long, device=layer.device).cumsum(0)
        begins[:, ends] = True  # a picture's last layer may have the number of the next one's first
        first = begins.flatten().nonzero()[:, 0]  # (R,)
        regions = (begins.flatten().cumsum(0) - 1).view_as(layer)  # (B, N)
        return cls(torch.zeros(len(first), width, device=layer.device), first, regions)

    def of_regions(self, x: Tensor) -> Tensor:
        """(B, N, ...) the same in all tokens of a region -> (R, ...)."""
        return x.flatten(0, 1).index_select(0, self.first)

    def plus(self, values: Tensor) -> RegionConditioning:
        """With `values` (R, D) added."""
        return RegionConditioning(self.values + values, self.first, self.regions)

    def packed_with(self, other: RegionConditioning) -> RegionConditioning:
        """Both passes in one sequence (B = 1)."""
        count, tokens = len(self.first), self.regions.shape[1]
        return RegionConditioning(
            torch.cat([self.values, other.values]),
            torch.cat([self.first, other.first + tokens]),
            torch.cat([self.regions, other.regions + count], dim=1),
        )


@dataclass(frozen=True, slots=True)
class Conditioning:
    """What all sampling steps of a request share."""

    # (B, N, D) added to the embedded image tokens: positions, seed code, assigned word
    offset: Tensor
    txt: Tensor  # (B, T, D) embedded text
    pe: Tensor  # (B, 1, S, head_dim/2) rotations of the interleaved text and image tokens
    packing: Packing  # of the passes
    regions: RegionConditioning  # what modulates each region's tokens

    def packed_with(self, other: Conditioning) -> Conditioning:
        """Both passes in one sequence, attending separately; N and T become the sums (B = 1)."""
        first, second = self.packing, other.packing
        return Conditioning(
            torch.cat([self.offset, other.offset], dim=1),
            torch.cat([self.txt, other.txt], dim=1),
            torch.cat([self.pe, other.pe], dim=2),
            Packing(first.texts + second.texts, first.images + second.images),
            self.regions.packed_with(other.regions),
        )

    def only(self, index: int) -> Conditioning:
        """One of the packed passes."""
        packing, regions = self.packing, self.regions
        texts, images, length = packing.texts[index], packing.images[index], packing.lengths[index]
        first = sum(packing.images[:index])
        return Conditioning(
            self.offset.narrow(1, first, images),
            self.txt.narrow(1, sum(packing.texts[:index]), texts),
            self.pe.narrow(2, sum(packing.lengths[:index]), length),
            Packing((texts,), (images,)),
            replace(regions, regions=regions.regions.narrow(1, first, images)),
        )


@dataclass(frozen=True, slots=True)
class PartialForward:
    """State between the halves of a forward pass; the assignment is read from it."""

    x: Tensor  # (B, S, D)
    conditioning: Conditioning
    vec: Tensor  # (passes, D)
    segments: SegmentIds | None
    mods: Sequence[Modulation]  # of the single blocks
    context: Sequence[Context | None]  # of the single blocks

    def only(self, index: int) -> PartialForward:
        """One of several packed passes, each with a row of `vec`, to be finished by itself."""
        lengths = self.conditioning.packing.lengths
        first, length = sum(lengths[:index]), lengths[index]
        return PartialForward(
            self.x.narrow(1, first, length),
            self.conditioning.only(index),
            self.vec[index : index + 1],
            None,
            [mod.narrow(first, length) for mod in self.mods],
            self.context,
        )


# ---- coordinates ----


def waves(x: Tensor, count: int) -> Tensor:
    """(..., n) in [0, 1] -> (..., 2 n count) sines and cosines of pi k x, k = 1..count."""
    k = torch.arange(1, count + 1, device=x.device, dtype=x.dtype) * math.pi
    angles = (x[..., None] * k).flatten(-2)  # (..., n count)
    return torch.cat([angles.sin(), angles.cos()], dim=-1)


def inner_features(inner: Tensor) -> Tensor:
    """(..., 4) of `positions.inner_coordinates` -> (..., 4 INNER_WAVES + 2)."""
    return torch.cat([waves(inner[..., :2], INNER_WAVES), inner[..., 2:].log2() / 4], dim=-1)


def region_means(x: Tensor, owner: Tensor, regions: int) -> Tensor:
    """(B, N, D) tokens -> (B, R, D) means; `owner` (B, N) outside 0..R-1 counts nowhere."""
    belongs = owner[:, None] == torch.arange(regions, device=owner.device)[None, :, None]
    shares = belongs.to(x.dtype)  # (B, R, N)
    return shares @ x / shares.sum(dim=-1, keepdim=True).clamp(min=1)


# ---- the network ----


class ART(nn.Module):
    """Predicts clean tokens of noisy regions from text, from each other and from context layers."""

    def __init__(self, config: ARTConfig) -> None:
        super().__init__()
        self.config = config
        width, heads, ratio = config.width, config.heads, config.mlp_ratio
        self.img_in = nn.Linear(config.token_width, width)
        self.txt_in = nn.Linear(config.text_width, width)
        self.time_in = TimeEmbedder(width)
        self.pooled_in = Mlp(config.text_width, width, width)
        self.inner_in = Mlp(4 * INNER_WAVES + 2, width, width)
        self.place_in = Mlp(8 * PLACE_WAVES, width, width)
        self.double_blocks = nn.ModuleList(
            DoubleBlock(width, heads, ratio) for _ in range(config.double_blocks)
        )
        self.single_blocks = nn.ModuleList(
            SingleBlock(width, heads, ratio) for _ in range(config.single_blocks)
        )
        self.img_modulation = ModulationHead(width, 2)
        self.txt_modulation = ModulationHead(width, 2)
        self.single_modulation = ModulationHead(width, 1)
        self.img_table = nn.Parameter(torch.zeros(config.double_blocks, 6 * width))
        self.txt_table = nn.Parameter(torch.zeros(config.double_blocks, 6 * width))
        self.single_table = nn.Parameter(torch.zeros(config.single_blocks, 3 * width))
        self.final_layer = FinalLayer(width, config.token_width)
        self.word_in = nn.Linear(config.text_width, width)
        self.word_modulation = nn.Linear(config.text_width, width, bias=False)
        self.taken_in = nn.Linear(1, width, bias=False)  # marks words that another region shows
        self.assignment_query = nn.Linear(width, width)
        self.assignment_key = nn.Linear(width, width)
        self.seed_code_in = Mlp(config.seed_signs, width, width)
        self.seed_code_modulation = Mlp(config.seed_signs, width, width)

    @torch.no_grad()
    def init_weights(self) -> None:
        """Xavier for matrices; modulation, output and optional conditioning start at zero."""
        init_matrices(self)
        for linear in (
            self.final_layer.modulation, self.final_layer.linear, self.pooled_in.out_layer,
            self.img_modulation.lin, self.txt_modulation.lin, self.single_modulation.lin,
            self.word_in, self.word_modulation, self.taken_in,
            self.seed_code_in.out_layer, self.seed_code_modulation.out_layer,
        ):  # fmt: skip
            nn.init.zeros_(linear.weight)

    def forward(
        self,
        tokens: Tensor,
        conditioning: Conditioning,
        vec: Tensor,
        *,
        context: Sequence[Context] | None = None,
    ) -> Tensor:
        """(B, N, C) predicted clean tokens of the noisy regions; arguments as for `begin`."""
        return self.finish(self.begin(tokens, conditioning, vec, context=context))

    def begin(
        self,
        tokens: Tensor,  # (B, N, C) noisy tokens, packed region after region
        conditioning: Conditioning,
        vec: Tensor,  # (B, D) from `vec`; one row per pass where passes of other levels are packed
        *,
        # per block the ROTATED keys, and the values, of the context layers
        context: Sequence[Context] | None = None,
    ) -> PartialForward:
        """The double blocks and half of the single blocks: enough for the assignment."""
        packing, pe = conditioning.packing, conditioning.pe
        img = self.img_in(tokens) + conditioning.offset  # (B, N, D)
        txt = conditioning.txt  # (B, T, D)
        segments = packing.segment_ids(len(tokens), vec.device)
        if len(vec) == 1:
            vec = vec.expand(len(tokens) * len(packing.texts), -1)  # (passes, D)
        double_mods, single_mods = self._modulations(vec, segments, conditioning)
        blocks = len(self.double_blocks) + len(self.single_blocks)
        given: Sequence[Context | None] = context or [None] * blocks
        for i, block in enumerate(self.double_blocks):
            img, txt = block(img, txt, double_mods[i], pe, packing, given[i])
        given = given[len(self.double_blocks) :]
        x = packing.interleave(txt, img, 1)  # (B, S, D)
        for i, block in enumerate(self.single_blocks[: self._half]):
            attend = partial(packing.attend, context=given[i])
            x, _ = block(x, single_mods[i], pe, attend)
        return PartialForward(x, conditioning, vec, segments, single_mods, given)

    def finish(self, begun: PartialForward) -> Tensor:
        """The rest of the single blocks and the final layer: (B, N, C) predicted clean tokens."""
        x, conditioning = begun.x, begun.conditioning
        pe, packing = conditioning.pe, conditioning.packing
        for i in range(self._half, len(self.single_blocks)):
            attend = partial(packing.attend, context=begun.context[i])
            x, _ = self.single_blocks[i](x, begun.mods[i], pe, attend)
        rows = None if begun.segments is None else begun.segments.images
        return self.final_layer(packing.split(x, 1)[1], begun.vec, rows)

    @property
    def _half(self) -> int:
        return len(self.single_blocks) // 2

    # ---- conditioning ----

    def vec(self, t: Tensor, pooled: Tensor | None = None) -> Tensor:
        """(B, D) from noise levels (B,) and the tokens of the whole prompts (B, text_width)."""
        vec = self.time_in(t)
        return vec if pooled is None else vec + self.pooled_in(pooled)

    def rotations(self, ids: Tensor) -> Tensor:
        """(B, S, 3) ids -> (B, 1, S, head_dim/2)."""
        return rotations(ids, self.config.axes_dim, self.config.theta).unsqueeze(-3)

    def condition(
        self,
        ids: Tensor,  # (B, N, 3) positions (layer, row, column) in cells
        # inner, place: (B, N, 4) from `positions`
        inner: Tensor,
        place: Tensor,
        txt: Tensor,  # (B, T, text_width); text has position (0, 0, 0)
        *,
        # several pictures in one sequence (B = 1); None = a single one
        packing: Packing | None = None,
        # (B, N, seed_signs) from `engine.sampling`, the same in all tokens of a region; None = 0
        # everywhere
        seed_code: Tensor | None = None,
    ) -> Conditioning:
        """Embed once what all sampling steps share; no region has a word yet."""
        offset = self.inner_in(inner_features(inner)) + self.place_in(waves(place, PLACE_WAVES))
        packing = packing or Packing((txt.shape[1],), (ids.shape[1],))
        origin = ids.new_zeros(*ids.shape[:1], txt.shape[1], 3)
        pe = self.rotations(packing.interleave(origin, ids, 1))
        regions = RegionConditioning.zero(ids[..., 0], packing.images, self.config.width)
        if seed_code is None:
            seed_code = txt.new_zeros(*ids.shape[:2], self.config.seed_signs)
        regions = regions.plus(self.seed_code_modulation(regions.of_regions(seed_code)))
        offset = offset + self.seed_code_in(seed_code)  # (B, N, D)
        return Conditioning(offset, self.txt_in(txt), pe, packing, regions)

    def with_assignment(
        self,
        conditioning: Conditioning,
        txt: Tensor,  # (B, T, text_width), as for `condition`
        # (B, N) the text token that each image token's region shows, or `UNDECIDED`; 0, the token
        # of the whole prompt, for a thing that the prompt does not name. Where several pictures are
        # packed, tokens are counted through all their texts.
        assignment: Tensor,
        seen: Tensor | None = None,  # (B, T) 1 for words that context layers show already, else 0
    ) -> Conditioning:
        """Conditioning without an assignment -> the same with one."""
        decided = (assignment != UNDECIDED).to(txt.dtype)  # (B, N)
        index = assignment.clamp(min=0)
        words = txt.gather(1, index[..., None].expand(-1, -1, txt.shape[-1]))  # (B, N, text_width)
        regions = conditioning.regions
        of_regions = regions.of_regions(words * decided[..., None])  # (R, text_width)
        offset = conditioning.offset + self.word_in(words) * decided[..., None]
        taken = txt.new_zeros(txt.shape[:2]).scatter_reduce(1, index, decided, "amax")  # (B, T)
        if seen is not None:
            taken = torch.maximum(taken, seen.to(taken.dtype))
        return replace(
            conditioning,
            offset=offset,
            txt=conditioning.txt + self.taken_in(taken[..., None]),
            regions=regions.plus(self.word_modulation(of_regions)),
        )

    def _modulations(
        self, vec: Tensor, segments: SegmentIds, conditioning: Conditioning
    ) -> tuple[list[tuple[list[Modulation], list[Modulation]]], list[Modulation]]:
        """Per double block (image, text), and per single block, the modulations.

        Text tokens have a row for each pass; image tokens have a row for each region.
        """
        regions, packing = conditioning.regions, conditioning.packing
        of_regions = vec.index_select(0, regions.of_regions(segments.images)) + regions.values
        img = self.img_modulation(of_regions, self.img_table, regions.regions)
        txt = self.txt_modulation(vec, self.txt_table, segments.texts)
        rows = packing.interleave(segments.texts, regions.regions + len(vec), 1)  # (B, S)
        both = torch.cat([vec, of_regions])  # (passes + R, D)
        single = self.single_modulation(both, self.single_table, rows)
        return list(zip(img, txt, strict=True)), [mods[0] for mods in single]

    # ---- assignment ----

    def assignment_logits(self, begun: PartialForward, owner: Tensor, regions: int) -> Tensor:
        """(B, R, T) logits of the text tokens; `owner` (B, N) outside 0..R-1 is no region."""
        query, key = self.assignment_vectors(begun, owner, regions)
        return query @ key.mT / math.sqrt(self.config.width)

    def assignment_vectors(
        self, begun: PartialForward, owner: Tensor, regions: int
    ) -> tuple[Tensor, Tensor]:
        """Queries (B, R, D) of the regions and keys (B, T, D) of the text."""
        x = F.layer_norm(begun.x, begun.x.shape[-1:], eps=1e-6)
        txt, img = begun.conditioning.packing.split(x, 1)
        return self.assignment_query(region_means(img, owner, regions)), self.assignment_key(txt)

    # ---- context layers ----

    def encode_context(
        self, tokens: Tensor, ids: Tensor, inner: Tensor, lengths: Sequence[int] | None = None
    ) -> list[KeyValue]:
        """Keys BEFORE rotation and values of finished layers, per block: what the cache keeps.

        They depend on no other layer, on no text, on no noise level (it is 0) and not on the
        layer's place: only differences of `ids` count. From (B, M, C) finished tokens, ids (B, M,
        3) and inner (B, M, 4); `lengths` are those of several layers in one sequence.
        """
        lengths = lengths or (tokens.shape[1],)
        x = self.img_in(tokens) + self.inner_in(inner_features(inner))  # (B, M, D)
        pe = self.rotations(ids)
        vec = self.vec(torch.zeros(1, device=tokens.device))  # (1, D)
        stored = []
        double_mods = self.img_modulation(vec, self.img_table)
        for block, mods in zip(self.double_blocks, double_mods, strict=True):
            assert isinstance(block, DoubleBlock)
            x, kv = block.encode_context(x, mods, pe, lengths)
            stored.append(kv)
        single_mods = self.single_modulation(vec, self.single_table)
        for block, mods in zip(self.single_blocks, single_mods, strict=True):
            x, kv = block(x, mods[0], pe, partial(attend_segments, lengths=lengths))
            stored.append(kv)
        return stored

    def rotate_context(self, stored: list[KeyValue], ids: Tensor) -> list[KeyValue]:
        """Rotate stored keys to where their layers are now: `ids` (B, M, 3)."""
        pe = self.rotations(ids)
        return [KeyValue(rotate(kv.k, pe), kv.v) for kv in stored]
