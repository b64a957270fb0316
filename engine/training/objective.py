"""What the transformer is trained to do: predictions on batches, and their loss.

Batches come padded; the networks see the real tokens alone, packed as in generation.

Flow matching with clean-token prediction, the error measured in velocity (weight 1/t^2), averaged
per layer; a share of the pictures sits at pure noise with its plan open, and learns to point.

Shapes: B pictures, N noisy tokens, R regions, T text tokens, C token width.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.models.art.assignment import ASSIGNMENT_T
from engine.models.art.attention import KeyValue, Packing
from engine.models.art.autoencoder import Autoencoder
from engine.models.art.model import ART, UNDECIDED, ARTConfig, PartialForward, region_means
from engine.models.art.positions import PATCH
from engine.models.art.text import TextConfig, TextEncoder
from engine.training.pictures import Batch

SMALLEST_T = 0.4  # bounds the weight 1/t^2: what a layer shows is decided at high noise
TEXT_DROPOUT = 0.05
UNIFORM_SHARE = 0.15  # of the noise levels
PURE_SHARE = 0.35  # of the noise levels: pure noise, where a layer's shape is settled
PLANNING_SHARE = 0.15  # pictures at pure noise whose plan is not, or only in part, known
PLANNING_WEIGHT = 0.1
TOLD_SHARE = 0.9  # clean layers whose word is marked; at run time some are not recognised


@dataclass(frozen=True, slots=True)
class Prediction:
    """Clean tokens (B, N, C), the regions' words (B, R, T), the clean layers' words (B, L, T)."""

    tokens: Tensor
    plan: Tensor
    recognised: Tensor | None


@dataclass(frozen=True, slots=True)
class Words:
    """The prompts of a batch.

    Attributes:
        txt: (B, T, text width) tokens.
        mask: (B, T) True where there is one.
        shown: (B, R) the word that each region shows, or `UNDECIDED`.
        seen: (B, T) 1 for words that clean layers are known to show, else 0.
    """

    txt: Tensor
    mask: Tensor
    shown: Tensor
    seen: Tensor

    def plan(self, owner: Tensor) -> Tensor:
        """(B, N) regions of image tokens, -1 = none -> (B, N) text tokens, as they lie packed."""
        shown = F.pad(self.shown, (0, 1), value=UNDECIDED)  # owner -1 reads the last column
        plan = shown.gather(1, owner % shown.shape[1])
        # In the packed text the words of a picture stand behind those of all before it.
        real = self.mask.sum(dim=1)
        before = real.cumsum(0) - real
        return torch.where(plan == UNDECIDED, plan, plan + before[:, None])


def text_config(state: dict) -> TextConfig:
    """The text encoder's config of a run's state; runs of before have no near words."""
    return TextConfig(vocabulary=tuple(state["vocabulary"]), near_words=state.get("near_words", 0))


def art_config(state: dict) -> ARTConfig:
    """The transformer's config of a run's state, JSON's lists made tuples."""
    art = {name: tuple(v) if isinstance(v, list) else v for name, v in state["art"].items()}
    return ARTConfig(**art)


class ContextProbe(nn.Module):
    """Linear map from a context layer's values to its word.

    It trains along, so that the values keep what the layer shows. It is not exported: the context
    classifier, which is trained afterwards, is right more often.
    """

    def __init__(self, art: ARTConfig) -> None:
        super().__init__()
        self.query = nn.Linear(art.width, art.width)
        self.key = nn.Linear(art.text_width, art.width)

    def init_weights(self) -> None:
        """As the transformer's linear maps."""
        for linear in (self.query, self.key):
            nn.init.xavier_uniform_(linear.weight)
            nn.init.zeros_(linear.bias)

    def forward(self, summary: Tensor, txt: Tensor) -> Tensor:
        """(B, L, D) summaries and (B, T, text width) text -> (B, L, T) logits; 0 = no word."""
        query = self.query(F.layer_norm(summary, summary.shape[-1:], eps=1e-6))
        return query @ self.key(txt).mT / math.sqrt(query.shape[-1])


def summarise(stored: list[KeyValue], owner: Tensor, layers: int) -> Tensor:
    """(B, L, D): the mean of each context layer's values in the last block.

    Args:
        stored: from `ART.encode_context`.
        owner: (B, M) the layer of each context token.
    """
    values = stored[-1].v.transpose(1, 2).flatten(2)  # (B, M, D)
    return region_means(values, owner, layers)


class TextToLayers(nn.Module):
    """The networks that train together."""

    def __init__(self, text: TextConfig, art: ARTConfig) -> None:
        super().__init__()
        self.text = TextEncoder(text)
        self.art = ART(art)
        self.probe = ContextProbe(art)

    def init_weights(self) -> None:
        self.text.init_weights()
        self.art.init_weights()
        self.probe.init_weights()

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
        """Clean tokens of a batch, and what each region and each clean layer shows.

        Args:
            noisy: (B, N, C) at levels t (B,).
            drop_text: (B,) True = no prompt and no plan (classifier-free guidance).
            planned: (B, R) True where a region knows what it shows; None = everywhere.
            told: (B, L) True where it is marked what a clean layer shows; None = everywhere.
        """
        words = self.read_words(batch, drop_text=drop_text, planned=planned, told=told)
        images, texts = batch.noisy_mask, words.mask
        cleans = batch.clean_owner >= 0
        packing = Packing(counts(texts), counts(images), counts(cleans))
        context = recognised = None
        if batch.clean_tokens.shape[1]:
            layers = batch.clean_shows.shape[1]
            ids = _pack(batch.clean_ids, cleans)
            owner = numbered(batch.clean_owner, layers)[cleans][None]
            lengths = torch.unique_consecutive(owner, return_counts=True)[1].tolist()
            stored = self.art.encode_context(
                _pack(batch.clean_tokens, cleans), ids, _pack(batch.clean_inner, cleans), lengths
            )
            summaries = summarise(stored, owner, len(texts) * layers)
            recognised = self.recognise(summaries, words)
            context = self.art.rotate_context(stored, ids)
        txt = _pack(words.txt, texts)
        conditioning = self.art.condition(
            _pack(batch.ids, images), _pack(batch.inner, images), _pack(batch.place, images),
            txt, packing=packing, seed_code=_pack(batch.choice, images),
        )  # fmt: skip
        conditioning = self.art.with_assignment(
            conditioning, txt, _pack(words.plan(batch.owner), images), _pack(words.seen, texts)
        )
        vec = self.art.vec(t, words.txt[:, 0])
        begun = self.art.begin(_pack(noisy, images), conditioning, vec, context=context)
        regions = batch.shows.shape[1]
        logits = self.point(begun, numbered(batch.owner, regions)[images][None], regions, words)
        predicted = self.art.finish(begun)
        tokens = predicted.new_zeros(noisy.shape)
        tokens[images] = predicted[0]
        return Prediction(tokens, logits, recognised)

    def read_words(
        self,
        batch: Batch,
        *,
        drop_text: Tensor | None = None,
        planned: Tensor | None = None,
        told: Tensor | None = None,
    ) -> Words:
        """The prompts of a batch and what is known of their words; arguments as for `predict`."""
        txt = self.text(batch.vectors, batch.known, batch.text_mask)
        mask = F.pad(batch.text_mask, (1, 0), value=True)
        shown = batch.shows if planned is None else batch.shows.where(planned, UNDECIDED)
        marked = batch.clean_shows if told is None else batch.clean_shows.where(told, -1)
        seen = torch.zeros(mask.shape, device=txt.device)
        seen = seen.scatter_reduce(1, marked.clamp(min=0), (marked > 0).float(), "amax")
        if drop_text is not None:
            null = F.pad(self.text.null(), (0, 0, 0, txt.shape[1] - 1))
            txt = torch.where(drop_text[:, None, None], null, txt)
            first = torch.zeros_like(mask)
            first[:, 0] = True
            mask = torch.where(drop_text[:, None], first, mask)
            shown = shown.where(~drop_text[:, None], UNDECIDED)
            seen = seen * ~drop_text[:, None]
        return Words(txt, mask, shown, seen)

    def point(self, begun: PartialForward, owner: Tensor, regions: int, words: Words) -> Tensor:
        """(B, R, T) logits, as `ART.assignment_logits` gives them for one picture.

        Args:
            owner: (1, N) the region of each packed image token, numbered through the batch.
        """
        query, key = self.art.assignment_vectors(begun, owner, len(words.mask) * regions)
        keys = key.new_zeros(*words.mask.shape, key.shape[-1])
        keys[words.mask] = key[0]
        logits = query.view(len(words.mask), regions, -1) @ keys.mT / math.sqrt(keys.shape[-1])
        return logits.masked_fill(~words.mask[:, None], -1e4)

    def recognise(self, summary: Tensor, words: Words) -> Tensor:
        """(1, B L, D) summaries of the clean layers -> (B, L, T) logits of their words."""
        logits = self.probe(summary.view(len(words.mask), -1, summary.shape[-1]), words.txt)
        return logits.masked_fill(~words.mask[:, None], -1e4)


def _pack(x: Tensor, mask: Tensor) -> Tensor:
    """(B, S, ...) -> (1, real ones, ...)."""
    return x[mask][None]


def counts(mask: Tensor) -> tuple[int, ...]:
    """(B, S) -> how many of each picture are real."""
    return tuple(mask.sum(dim=1).tolist())


def numbered(owner: Tensor, count: int) -> Tensor:
    """Regions (B, S) of each picture -> numbered through the batch; -1 stays."""
    first = torch.arange(len(owner), device=owner.device)[:, None] * count
    return torch.where(owner < 0, owner, owner + first)


def flow_loss(
    prediction: Prediction,
    batch: Batch,
    t: Tensor,
    visible: Tensor | None = None,
    *,
    huber: float = 0.0,
    counts_for: Tensor | None = None,
) -> Tensor:
    """Velocity error of the predicted tokens at levels t (B,), averaged per layer.

    Args:
        visible: (C,) weighs the numbers of a token, see `visible_weights`.
        huber: the error of a token up to which it counts squared; larger ones count by their length
            (pseudo-Huber, as in arXiv:2310.14189). 0 squares all.
        counts_for: (B, R) the regions whose error counts; None = all.
    """
    squared = (prediction.tokens.float() - batch.tokens).square()
    error = (squared if visible is None else squared * visible).mean(dim=-1)  # (B, N)
    if huber:
        error = 2 * huber * ((error + huber**2).sqrt() - huber)
    weight = batch.weight / t.clamp(min=SMALLEST_T).square()[:, None]
    if counts_for is not None:
        padded = F.pad(counts_for, (0, 1), value=True)  # owner -1 reads the last column
        weight = weight * padded.gather(1, batch.owner % padded.shape[1])
    return (error * weight).sum()


def add_noise(batch: Batch, t: Tensor, noise: Tensor) -> Tensor:
    """x_t of the batch's tokens at levels t (B,)."""
    level = t[:, None, None]
    return (1 - level) * batch.tokens + level * noise


def plan_loss(logits: Tensor, shows: Tensor, asked: Tensor) -> Tensor:
    """Cross-entropy of the layers' words where `asked` (B, R); 0 where nothing is asked."""
    if not asked.any():
        return logits.sum() * 0
    return F.cross_entropy(logits.float()[asked], shows[asked])


def visible_weights(autoencoder: Autoencoder) -> Tensor:
    """(C,) weights by how much a token's numbers show: the root of what each adds to the pixels.

    The latents are half whitened, so that fine detail would otherwise count as much as a cell's
    colour and coverage, and seams between cells are what a viewer sees first.
    """
    energy = autoencoder.decoder.linear.weight.detach().flatten(1).square().sum(dim=1)
    weights = energy.sqrt()
    return (weights / weights.mean()).repeat_interleave(PATCH * PATCH)


def training_loss(
    model: TextToLayers,
    batch: Batch,
    visible: Tensor | None = None,
    pure_share: float = PURE_SHARE,
    huber: float = 0.0,
) -> tuple[Tensor, Tensor, Tensor]:
    """(total, flow, plan) of one batch, with levels, text dropout and plans drawn at random.

    `visible` and `huber` as for `flow_loss`, `pure_share` as for `draw_levels`. What a region looks
    like that does not know yet what it shows is never used, so its error does not count.
    """
    device, count = batch.tokens.device, len(batch.tokens)
    planning = torch.rand(count, device=device) < PLANNING_SHARE
    drop = (torch.rand(count, device=device) < TEXT_DROPOUT) & ~planning
    t = torch.where(planning, ASSIGNMENT_T, draw_levels(count, device, pure_share))
    known_share = torch.rand(count, 1, device=device)
    planned = torch.rand(batch.shows.shape, device=device) < known_share
    planned |= ~planning[:, None]
    told = torch.rand(batch.clean_shows.shape, device=device) < TOLD_SHARE
    noisy = add_noise(batch, t, torch.randn_like(batch.tokens))
    prediction = model.predict(batch, noisy, t, drop_text=drop, planned=planned, told=told)
    known = planned | drop[:, None]
    flow = flow_loss(prediction, batch, t, visible, huber=huber, counts_for=known)
    plan = plan_loss(prediction.plan, batch.shows, ~planned & (batch.shows >= 0))
    if prediction.recognised is not None:
        asked = (batch.clean_shows >= 0) & ~drop[:, None]
        plan = plan + plan_loss(prediction.recognised, batch.clean_shows, asked)
    return flow + PLANNING_WEIGHT * plan, flow, plan


def draw_levels(count: int, device: torch.device, pure_share: float = PURE_SHARE) -> Tensor:
    """Noise levels: `pure_share` pure noise, the rest logit-normal and high, some uniform.

    A cell's colour and coverage are five times stronger than the noise at t = 0.5, so that what a
    layer shows is settled above t = 0.9; below, a network can read it off its input. Without the
    uniform share it forgot how to: after 1,400 steps the last sampling steps brought seams back.
    """
    levels = torch.sigmoid(torch.randn(count, device=device) * 1.3 + 1.8)
    anywhere = torch.rand(count, device=device)
    kind = torch.rand(count, device=device)
    levels = torch.where(kind < UNIFORM_SHARE, anywhere, levels)
    return torch.where(kind > 1 - pure_share, ASSIGNMENT_T, levels).clamp(0.02, ASSIGNMENT_T)
