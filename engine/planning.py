"""Planning: which word of the prompt each anonymous region is going to show.

The regions carry no labels. Before the first step the transformer reads them as pure noise with
the prompt, the boxes and the clean layers, and points for each at a word. The surest decide first
and are read by the others, so that a word is rarely taken twice and "two dogs" still can be.

Shapes: N image tokens, R regions, T text tokens; token 0 stands for the whole prompt.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from engine.model.frame import UNDECIDED

PLANNING_T = 0.999  # the noise level that plans are made at, here and in training
MAX_PASSES = 4
SURE = 0.5  # probability from which on a clean layer is taken to show a word
TEMPERATURE = 0.5  # of the choice among words; 1 would be the model's own distribution
TAKEN = 4.0  # nats against a word that another region took; where all are taken, none loses


def make_plan(
    point: Callable[[Tensor], Tensor], seeds: Sequence[int], *, seen: Tensor | None = None
) -> list[int]:
    """Decide for every region which text token it shows.

    Args:
        point: one pass of the network: (R,) plan so far -> (R, T) logits of `ART.point`.
        seeds: one per region; another seed may choose another word where several are likely.
        seen: (1, T) from `words_shown`.

    Returns:
        Per region a text token; 0 for something that the prompt does not name.
    """
    shows = torch.full((len(seeds),), UNDECIDED)
    taken = None if seen is None else seen[0].cpu() * TAKEN
    left = set(range(len(seeds)))
    for passes_left in range(min(MAX_PASSES, len(seeds)), 0, -1):
        logits = point(shows).float().log_softmax(-1).cpu()  # (R, T)
        scores = logits + TEMPERATURE * torch.stack([gumbel(s, logits.shape[1]) for s in seeds])
        quota = -(-len(left) // passes_left)
        taken = torch.zeros(logits.shape[1]) if taken is None else taken
        for _ in range(quota):
            region = max(sorted(left), key=lambda r: (scores[r] - taken).max().item())
            word = int((scores[region] - taken).argmax())
            shows[region] = word
            taken[word] = TAKEN
            left.remove(region)
    return shows.tolist()


def words_shown(logits: Tensor) -> Tensor:
    """(1, L, T) logits of the clean layers' words -> (1, T) 1 where one of them shows it, else 0.

    A layer that is more likely to show none of the words, or that nobody is sure of, shows none.
    """
    likely = logits.softmax(dim=-1) > SURE
    likely[..., 0] = False
    return likely.any(dim=1).to(logits.dtype)


def spread(shows: Tensor, owner: Tensor) -> Tensor:
    """(R,) text token per region -> (1, N) text token per image token, or `UNDECIDED`."""
    padded = torch.cat([shows, shows.new_full((1,), UNDECIDED)])
    return padded[owner]  # owner -1 reads the last


def gumbel(seed: int, count: int) -> Tensor:
    """(count,) Gumbel noise of a seed: added to logits, the largest is a draw from them."""
    generator = torch.Generator("cpu").manual_seed(seed)
    uniform = torch.rand(count, generator=generator).clamp(1e-6, 1 - 1e-6)
    return -(-uniform.log()).log()
