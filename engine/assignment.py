"""Assignment: which region shows which of the named things, each at most as often as it is named.

The network points at a word for each region (`engine.planning`); here only the words that name
things may be chosen. The surest pairs of region and thing come first, and the others read them.
Regions for which no thing is left stay empty. The background has a word of its own and never
takes a thing.

Shapes: R regions, T text tokens, L finished layers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.model.frame import UNDECIDED
from engine.planning import MAX_PASSES, SURE, TAKEN, TEMPERATURE, gumbel

EMPTY = -2  # a region that shows nothing
NEVER = float("inf")


@dataclass(frozen=True, slots=True)
class Slots:
    """The things that a prompt names, as text tokens.

    Attributes:
        tokens: of each thing.
        counts: how many regions may show it.
        background: the token of the named background; 0 = none is named.
    """

    tokens: tuple[int, ...]
    counts: tuple[int, ...]
    background: int = 0


def layers_show(logits: Tensor, slots: Slots) -> list[int]:
    """(1, L, T) logits of the finished layers' words -> the named thing that each shows, or 0."""
    shares, best = logits[0].float().softmax(dim=-1).max(dim=-1)
    named = set(slots.tokens)
    found = zip(shares.tolist(), best.tolist())
    return [token if share > SURE and token in named else 0 for share, token in found]


def make_assignment(
    point: Callable[[Tensor], Tensor],
    seeds: Sequence[int],
    slots: Slots,
    *,
    scenery: Sequence[int] = (),
    shown: Sequence[int] = (),
) -> list[int]:
    """Decide for every region what it shows.

    Args:
        point: one pass of the network: (R,) plan so far -> (R, T) logits of `ART.point`.
        seeds: one per region; another seed may choose another thing where several are likely.
        scenery: the regions that are backgrounds.
        shown: from `layers_show`: what finished layers show is taken, but not forbidden.

    Returns:
        Per region a text token, 0 for a background that the prompt does not name, or `EMPTY`.
    """
    shows = torch.full((len(seeds),), UNDECIDED)
    for region in scenery:
        shows[region] = slots.background
    left = [region for region in range(len(seeds)) if region not in scenery]
    wanted = dict.fromkeys(slots.tokens, 0)
    for token, count in zip(slots.tokens, slots.counts):
        wanted[token] += count
    elsewhere = {token: min(count, list(shown).count(token)) for token, count in wanted.items()}
    to_place = max(0, min(len(left), sum(wanted.values()) - sum(elsewhere.values())))
    for passes_left in range(min(MAX_PASSES, to_place), 0, -1):
        scores = point(shows).float().log_softmax(-1).cpu()  # (R, T)
        scores = scores + TEMPERATURE * torch.stack([gumbel(s, scores.shape[1]) for s in seeds])
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
    """The region and the thing that go together most surely."""
    cost = torch.full((scores.shape[1],), NEVER)
    for token, count in wanted.items():
        if count > 0:
            cost[token] = 0.0 if count > elsewhere[token] else TAKEN
    return max(
        ((region, int((scores[region] - cost).argmax())) for region in left),
        key=lambda pair: float(scores[pair] - cost[pair[1]]),
    )
