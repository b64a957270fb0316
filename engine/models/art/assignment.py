"""Assignment: which word of the prompt each anonymous region is going to show.

Before the first sampling step the transformer reads the regions as pure noise, with the prompt, the
boxes and the context layers, and scores every text token for every region. The surest are assigned
first; later passes read what is assigned already, so that a word is rarely used twice.
`assign_named` chooses among the things that the prompt names, `assign_any` among all words, for old
records. The context classifier, trained on a finished transformer, finds which word a finished
layer shows, from its cached values (docs/experiments/recogniser.md).

Shapes: N image tokens, R regions, T text tokens, L context layers, C token width; text token 0
stands for the whole prompt.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.models.art.attention import Context
from engine.models.art.model import ART, UNDECIDED, Conditioning
from engine.sampling import FIRST_LEVEL

ASSIGNMENT_T = 0.999  # the noise level at which regions are assigned, here and in training
MAX_PASSES = 4
SURE = 0.5  # probability from which on a context layer counts as showing a word
TEMPERATURE = 0.5  # of the choice among words; 1 would be the model's own distribution
TAKEN = 4.0  # nats against a word that another region shows; where all are taken, none loses
EMPTY = -2  # a region that shows nothing
NEVER = float("inf")

Score = Callable[[Tensor], Tensor]  # (R,) assignment so far -> (R, T) logits of one pass


@dataclass(frozen=True, slots=True)
class Slots:
    """The things that a prompt names, as text tokens."""

    tokens: tuple[int, ...]  # of each thing
    counts: tuple[int, ...]  # how many regions may show it
    background: int = 0  # the token of the named background; 0 = none is named


@dataclass(frozen=True, slots=True)
class NamedThings:
    """What regions may show, where the prompt was parsed."""

    slots: Slots
    scenery: tuple[int, ...] = ()  # the regions that are backgrounds
    shown: tuple[int, ...] = ()  # per context layer the thing that it shows, or 0
    pinned: tuple[tuple[int, int], ...] = ()  # (region, text token) that the user decided


# ---- choices, given the scores of the network ----


def assign_any(score: Score, seeds: Sequence[int], *, seen: Tensor | None = None) -> list[int]:
    """Per region a text token, any word; 0 for something that the prompt does not name.

    Another seed may choose another word where several are likely. `seen` is (1, T) of
    `words_shown`.
    """
    shows = torch.full((len(seeds),), UNDECIDED)
    taken = None if seen is None else seen[0].cpu() * TAKEN
    left = set(range(len(seeds)))
    for passes_left in range(min(MAX_PASSES, len(seeds)), 0, -1):
        scores = _perturbed(score(shows), seeds)
        quota = -(-len(left) // passes_left)
        taken = torch.zeros(scores.shape[1]) if taken is None else taken
        for _ in range(quota):
            region = max(sorted(left), key=lambda r: (scores[r] - taken).max().item())
            word = int((scores[region] - taken).argmax())
            shows[region] = word
            taken[word] = TAKEN
            left.remove(region)
    return shows.tolist()


def assign_named(score: Score, seeds: Sequence[int], things: NamedThings) -> list[int]:
    """Per region one of the named things, each at most as often as it is named, or `EMPTY`.

    A background that the prompt does not name is 0. What context layers show is taken, but not
    forbidden. Another seed may choose another thing where several are likely.
    """
    slots, scenery = things.slots, things.scenery
    shows = torch.full((len(seeds),), UNDECIDED)
    for region in scenery:
        shows[region] = slots.background
    wanted = dict.fromkeys(slots.tokens, 0)
    for token, count in zip(slots.tokens, slots.counts):
        wanted[token] += count
    for region, token in things.pinned:
        shows[region] = token
        wanted[token] = max(0, wanted[token] - 1)
    decided = {*scenery, *(region for region, _ in things.pinned)}
    left = [region for region in range(len(seeds)) if region not in decided]
    shown = list(things.shown)
    elsewhere = {token: min(count, shown.count(token)) for token, count in wanted.items()}
    to_place = max(0, min(len(left), sum(wanted.values()) - sum(elsewhere.values())))
    for passes_left in range(min(MAX_PASSES, to_place), 0, -1):
        scores = _perturbed(score(shows), seeds)
        quota = -(-to_place // passes_left)
        for _ in range(quota):
            region, token = _surest(scores, left, wanted, elsewhere)
            shows[region] = token
            wanted[token] -= 1
            left.remove(region)
        to_place -= quota
    for region in left:
        shows[region] = EMPTY
    return shows.tolist()


def _surest(
    scores: Tensor, left: Sequence[int], wanted: dict[int, int], elsewhere: dict[int, int]
) -> tuple[int, int]:
    cost = torch.full((scores.shape[1],), NEVER)
    for token, count in wanted.items():
        if count > 0:
            cost[token] = 0.0 if count > elsewhere[token] else TAKEN
    return max(
        ((region, int((scores[region] - cost).argmax())) for region in left),
        key=lambda pair: float(scores[pair] - cost[pair[1]]),
    )


def _perturbed(logits: Tensor, seeds: Sequence[int]) -> Tensor:
    """(R, T) log-probabilities with each seed's Gumbel noise: the largest is a draw from them."""
    scores = logits.float().log_softmax(-1).cpu()
    generators = [torch.Generator("cpu").manual_seed(seed) for seed in seeds]
    uniform = torch.stack([torch.rand(scores.shape[1], generator=g) for g in generators])
    return scores - TEMPERATURE * (-uniform.clamp(1e-6, 1 - 1e-6).log()).log()


# ---- what context layers show ----


def layers_show(logits: Tensor, slots: Slots) -> list[int]:
    """(1, L, T) logits of the context layers' words -> the named thing that each shows, or 0."""
    shares, best = logits[0].float().softmax(dim=-1).max(dim=-1)
    named = set(slots.tokens)
    found = zip(shares.tolist(), best.tolist())
    return [token if share > SURE and token in named else 0 for share, token in found]


def words_shown(logits: Tensor) -> Tensor:
    """(1, L, T) logits of the context layers' words -> (1, T) 1 where one of them shows it, else 0.

    A layer that is more likely to show none of the words, or no word surely, shows none.
    """
    likely = logits.softmax(dim=-1) > SURE
    likely[..., 0] = False
    return likely.any(dim=1).to(logits.dtype)


def to_tokens(shows: Tensor, owner: Tensor) -> Tensor:
    """(R,) text token per region -> (1, N) text token per image token, or `UNDECIDED`."""
    padded = torch.cat([shows, shows.new_full((1,), UNDECIDED)])
    return padded[owner]  # owner -1 reads the last


# ---- the passes of the network ----


@dataclass(slots=True, kw_only=True)
class Assigner:
    """Assigns the regions of one request."""

    art: ART
    conditioning: Conditioning  # without an assignment
    text: Tensor  # (1, T, text width) of the prompt
    noise: Tensor  # (1, N, C) the noise that sampling will start from
    owner: Tensor  # (1, N) the region of each token; the background is a region like the others
    seeds: Sequence[int]  # one per region
    seen: Tensor | None  # (1, T) from `words_shown`; None without context layers
    context: Sequence[Context] | None  # rotated keys and values of the context layers
    check: Callable[[], None]  # called before each pass; may raise to cancel
    things: NamedThings | None = None  # the things to choose from; None = any word
    # per region the text token that it shows; 0 = something that the prompt lacks, `EMPTY` =
    # nothing. Set by `assign` and `assign_and_step`.
    shows: list[int] = field(default_factory=list)

    def assign(self) -> Conditioning:
        """Assign all regions, in several passes; returns the conditioning that holds the words."""
        vec = self._vec(ASSIGNMENT_T)

        def score(shows: Tensor) -> Tensor:
            self.check()
            begun = self.art.begin(self.noise, self.with_words(shows), vec, context=self.context)
            return self.art.assignment_logits(begun, self.owner, len(self.seeds))[0]

        self.shows = self._choose(score)
        return self.with_words(torch.tensor(self.shows))

    def assign_and_step(self, guess: int) -> tuple[Conditioning, Tensor | None]:
        """As `assign` for a single region, and (1, N, C) clean tokens predicted at `FIRST_LEVEL`.

        A single region is assigned in one pass, and its first step differs from that pass by its
        word and by a thousandth of noise. Where the word can be guessed (the layer showed it
        before), both are packed into one pass: a pass of few tokens takes as long as streaming the
        weights. They do not attend to each other, so that the guess changes no number of the
        result; after a wrong guess the two are run once more. The tokens are None where the region
        stays empty.
        """
        vec = torch.cat([self._vec(ASSIGNMENT_T), self._vec(FIRST_LEVEL)])
        noise = self.noise.repeat(1, 2, 1)
        guess = min(guess, self.text.shape[1] - 1)
        while True:
            guessed = self.with_words(torch.tensor([guess]))
            step = None

            def score(shows: Tensor, guessed: Conditioning = guessed) -> Tensor:
                nonlocal step
                self.check()
                both = self.with_words(shows).packed_with(guessed)
                begun = self.art.begin(noise, both, vec, context=self.context)
                step = begun.only(1)
                return self.art.assignment_logits(begun.only(0), self.owner, 1)[0]

            self.shows = self._choose(score)
            if self.shows[0] == EMPTY:
                return guessed, None
            if step is None:  # assigned without a pass: the word of a background
                return self.with_words(torch.tensor(self.shows)), None
            if self.shows[0] == guess:
                return guessed, self.art.finish(step).float()
            guess = self.shows[0]

    def _choose(self, score: Score) -> list[int]:
        if self.things is None:
            return assign_any(score, self.seeds, seen=self.seen)
        return assign_named(score, self.seeds, self.things)

    def _vec(self, level: float) -> Tensor:
        levels = torch.full((1,), level, device=self.noise.device)
        return self.art.vec(levels, self.text[:, 0])

    def with_words(self, shows: Tensor) -> Conditioning:
        """The conditioning of regions that show these text tokens (R,)."""
        tokens = to_tokens(shows.to(self.owner.device), self.owner)
        return self.art.with_assignment(self.conditioning, self.text, tokens, self.seen)


DROPOUT = 0.1  # of features in training: pixels that people paint are like none of the art


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextClassifierConfig:
    """Sizes of the classifier."""

    features: int  # numbers per layer, see `layer_features`
    text_width: int  # of a text token
    width: int = 384  # of the hidden layer
    key_width: int = 256  # of what is compared


class ContextClassifier(nn.Module):
    """Compares context layers with the words of a prompt."""

    def __init__(self, config: ContextClassifierConfig) -> None:
        super().__init__()
        self.config = config
        self.dropout = nn.Dropout(DROPOUT)
        self.hidden = nn.Linear(config.features, config.width)
        self.query = nn.Linear(config.width, config.key_width)
        self.key = nn.Linear(config.text_width, config.key_width)

    def forward(self, features: Tensor, txt: Tensor) -> Tensor:
        """(B, L, F) features and (B, T, text_width) text -> (B, L, T) logits; 0 = no word."""
        query = self.query(F.gelu(self.hidden(self.dropout(features))))
        return query @ self.key(txt).mT / math.sqrt(self.config.key_width)


def layer_features(values: Tensor) -> Tensor:
    """Mean and maximum of a layer's values, block by block: (2 x blocks x heads x head_dim,).

    From (blocks, heads, n, head_dim) of n tokens, as the region token cache keeps them.
    """
    parts = [values.mean(dim=2).flatten(1), values.amax(dim=2).flatten(1)]  # (blocks, width) each
    normed = [F.layer_norm(part.float(), part.shape[-1:], eps=1e-6) for part in parts]
    return torch.cat(normed).flatten()


def feature_count(blocks: int, width: int) -> int:
    """F of a transformer with so many blocks of this width."""
    return 2 * blocks * width
