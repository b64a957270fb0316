"""Text encoder and transformer in training: predictions on padded batches, and their loss.

The networks see the real tokens alone, packed as in generation. The loss is flow matching with
clean-token prediction, the error measured in velocity (weight 1/t^2) and averaged per layer. A
share of the pictures is at pure noise with the words of its regions unknown, and learns to assign
them.

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
from engine.models.checkpoint import Model
from engine.training.data.pictures import Batch

SMALLEST_T = 0.4  # bounds the weight 1/t^2: what a layer shows is decided at high noise
TEXT_DROPOUT = 0.05
UNIFORM_SHARE = 0.15  # of the noise levels
PURE_SHARE = 0.35  # of the noise levels: pure noise, where a layer's shape is settled
ASSIGNMENT_SHARE = 0.15  # pictures at pure noise whose words are unknown, or known in part
ASSIGNMENT_WEIGHT = 0.1
MARKED_SHARE = 0.9  # clean layers whose word is marked; at run time some are not recognised


@dataclass(frozen=True, slots=True)
class Prediction:
    """Clean tokens (B, N, C); logits of the words of regions (B, R, T) and clean layers (B, L, T).

    `recognised` is None where the batch has no clean layers.
    """

    tokens: Tensor
    assignment: Tensor
    recognised: Tensor | None


@dataclass(frozen=True, slots=True)
class Words:
    """The prompts of a batch."""

    txt: Tensor  # (B, T, text width) tokens
    mask: Tensor  # (B, T) True where there is one
    shown: Tensor  # (B, R) the word that each region shows, or `UNDECIDED`
    seen: Tensor  # (B, T) 1 for words that clean layers are known to show, else 0

    def assignment(self, owner: Tensor) -> Tensor:
        """(B, N) regions of image tokens, -1 = none -> (B, N) numbers of packed text tokens."""
        shown = F.pad(self.shown, (0, 1), value=UNDECIDED)  # owner -1 reads the last column
        words = shown.gather(1, owner % shown.shape[1])
        # In the packed text the words of a picture follow those of all pictures before it.
        real = self.mask.sum(dim=1)
        before = real.cumsum(0) - real
        return torch.where(words == UNDECIDED, words, words + before[:, None])


def text_config(state: dict) -> TextConfig:
    """The text encoder's config of a run's state."""
    return TextConfig(vocabulary=tuple(state["vocabulary"]), near_words=state["near_words"])


def art_config(state: dict) -> ARTConfig:
    """The transformer's config of a run's state, JSON's lists made tuples."""
    art = {name: tuple(v) if isinstance(v, list) else v for name, v in state["art"].items()}
    return ARTConfig(**art)


class ContextProbe(nn.Module):
    """Linear map from a context layer's values to its word.

    It trains with the transformer, so that the values keep what the layer shows. It is not
    exported: the context classifier, which is trained afterwards, is right more often.
    """

    def __init__(self, art: ARTConfig) -> None:
        super().__init__()
        self.query = nn.Linear(art.width, art.width)
        self.key = nn.Linear(art.text_width, art.width)

    def init_weights(self) -> None:
        for linear in (self.query, self.key):
            nn.init.xavier_uniform_(linear.weight)
            nn.init.zeros_(linear.bias)

    def forward(self, summary: Tensor, txt: Tensor) -> Tensor:
        """(B, L, D) summaries and (B, T, text width) text -> (B, L, T) logits; 0 = no word."""
        query = self.query(F.layer_norm(summary, summary.shape[-1:], eps=1e-6))
        return query @ self.key(txt).mT / math.sqrt(query.shape[-1])


def summarise(stored: list[KeyValue], owner: Tensor, layers: int) -> Tensor:
    """(B, L, D): the mean of each context layer's values in the last block; owners are (B, M)."""
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
        noisy: Tensor,  # (B, N, C) at levels t (B,)
        t: Tensor,
        *,
        # (B,) True = no prompt and no words (classifier-free guidance)
        drop_text: Tensor | None = None,
        # (B, R) True where a region reads its word; None = everywhere
        assigned: Tensor | None = None,
        # (B, L) True where the word of a clean layer is marked as taken; None = all
        marked: Tensor | None = None,
    ) -> Prediction:
        """Clean tokens of a batch, and what each region and each clean layer shows."""
        words = self.read_words(batch, drop_text=drop_text, assigned=assigned, marked=marked)
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
            summaries = summaries.view(len(texts), layers, -1)
            recognised = self.probe(summaries, words.txt).masked_fill(~texts[:, None], -1e4)
            context = self.art.rotate_context(stored, ids)
        txt = _pack(words.txt, texts)
        conditioning = self.art.condition(
            _pack(batch.ids, images), _pack(batch.inner, images), _pack(batch.place, images),
            txt, packing=packing, seed_code=_pack(batch.choice, images),
        )  # fmt: skip
        shown = _pack(words.assignment(batch.owner), images)
        conditioning = self.art.with_assignment(conditioning, txt, shown, _pack(words.seen, texts))
        vec = self.art.vec(t, words.txt[:, 0])
        begun = self.art.begin(_pack(noisy, images), conditioning, vec, context=context)
        regions = batch.shows.shape[1]
        logits = self.assignment_logits(
            begun, numbered(batch.owner, regions)[images][None], regions, words
        )
        predicted = self.art.finish(begun)
        tokens = predicted.new_zeros(noisy.shape)
        tokens[images] = predicted[0]
        return Prediction(tokens, logits, recognised)

    def read_words(
        self,
        batch: Batch,
        *,
        drop_text: Tensor | None = None,
        assigned: Tensor | None = None,
        marked: Tensor | None = None,
    ) -> Words:
        """The prompts of a batch and what is known of their words; arguments as for `predict`."""
        txt = self.text(batch.vectors, batch.known, batch.text_mask)
        mask = F.pad(batch.text_mask, (1, 0), value=True)
        shown = batch.shows if assigned is None else batch.shows.where(assigned, UNDECIDED)
        taken = batch.clean_shows if marked is None else batch.clean_shows.where(marked, -1)
        seen = torch.zeros(mask.shape, device=txt.device)
        seen = seen.scatter_reduce(1, taken.clamp(min=0), (taken > 0).float(), "amax")
        if drop_text is not None:
            null = F.pad(self.text.null(), (0, 0, 0, txt.shape[1] - 1))
            txt = torch.where(drop_text[:, None, None], null, txt)
            first = torch.zeros_like(mask)
            first[:, 0] = True
            mask = torch.where(drop_text[:, None], first, mask)
            shown = shown.where(~drop_text[:, None], UNDECIDED)
            seen = seen * ~drop_text[:, None]
        return Words(txt, mask, shown, seen)

    def assignment_logits(
        self, begun: PartialForward, owner: Tensor, regions: int, words: Words
    ) -> Tensor:
        """(B, R, T) logits, as `ART.assignment_logits` gives them for one picture.

        `owner` (1, N) is the region of each packed image token, numbered through the batch.
        """
        query, key = self.art.assignment_vectors(begun, owner, len(words.mask) * regions)
        keys = key.new_zeros(*words.mask.shape, key.shape[-1])
        keys[words.mask] = key[0]
        logits = query.view(len(words.mask), regions, -1) @ keys.mT / math.sqrt(keys.shape[-1])
        return logits.masked_fill(~words.mask[:, None], -1e4)


def frozen_networks(model: Model) -> TextToLayers:
    """The text encoder and the transformer of a model file, not trainable."""
    networks = TextToLayers(model.text.config, model.art.config).eval().requires_grad_(False)
    networks.text, networks.art = model.text, model.art
    return networks


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
    visible: Tensor | None = None,  # (C,) weighs the numbers of a token, see `visible_weights`
    *,
    # the error of a token up to which it counts squared; larger ones count by their length (pseudo-
    # Huber, as in arXiv:2310.14189). 0 squares all.
    huber: float = 0.0,
    counts_for: Tensor | None = None,  # (B, R) the regions whose error counts; None = all
) -> Tensor:
    """Velocity error of the predicted tokens at levels t (B,), averaged per layer."""
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


def word_loss(logits: Tensor, shows: Tensor, asked: Tensor) -> Tensor:
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
    """(total, flow, assignment) of one batch; levels, text dropout and known words are random.

    `visible` and `huber` as for `flow_loss`, `pure_share` as for `draw_levels`. The error of a
    region whose word is unknown does not count: its prediction is never used.
    """
    device, count = batch.tokens.device, len(batch.tokens)
    assigning = torch.rand(count, device=device) < ASSIGNMENT_SHARE
    drop = (torch.rand(count, device=device) < TEXT_DROPOUT) & ~assigning
    t = torch.where(assigning, ASSIGNMENT_T, draw_levels(count, device, pure_share))
    known_share = torch.rand(count, 1, device=device)
    assigned = torch.rand(batch.shows.shape, device=device) < known_share
    assigned |= ~assigning[:, None]
    marked = torch.rand(batch.clean_shows.shape, device=device) < MARKED_SHARE
    noisy = add_noise(batch, t, torch.randn_like(batch.tokens))
    prediction = model.predict(batch, noisy, t, drop_text=drop, assigned=assigned, marked=marked)
    counted = assigned | drop[:, None]
    flow = flow_loss(prediction, batch, t, visible, huber=huber, counts_for=counted)
    words = word_loss(prediction.assignment, batch.shows, ~assigned & (batch.shows >= 0))
    if prediction.recognised is not None:
        asked = (batch.clean_shows >= 0) & ~drop[:, None]
        words = words + word_loss(prediction.recognised, batch.clean_shows, asked)
    return flow + ASSIGNMENT_WEIGHT * words, flow, words


def draw_levels(count: int, device: torch.device, pure_share: float = PURE_SHARE) -> Tensor:
    """Noise levels: `pure_share` pure noise, the rest logit-normal and high, some uniform.

    A cell's colour and coverage are five times stronger than the noise at t = 0.5, so what a
    layer shows is decided above t = 0.9; below, a network can read it off its input. Without the
    uniform share it forgot how to: after 1,400 steps the last sampling steps brought seams back.
    """
    levels = torch.sigmoid(torch.randn(count, device=device) * 1.3 + 1.8)
    anywhere = torch.rand(count, device=device)
    kind = torch.rand(count, device=device)
    levels = torch.where(kind < UNIFORM_SHARE, anywhere, levels)
    return torch.where(kind > 1 - pure_share, ASSIGNMENT_T, levels).clamp(0.02, ASSIGNMENT_T)
