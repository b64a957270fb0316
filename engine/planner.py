"""Planner: the passes of the network that a plan is read off, and the first step beside them.

A single region is planned in one pass, and its first step differs from that pass by the word that
it is told and by a thousandth of noise. Where the word can be guessed (the layer showed it before),
both go through the network together: a pass of few tokens takes as long as streaming its weights.
They never read each other, so that the guess changes no number of the result; after a wrong one the
two go together once more.

Shapes: N image tokens, C token width, R regions, T text tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.assignment import EMPTY, Slots, make_assignment
from engine.model.frame import Frame
from engine.model.packing import Clean
from engine.model.transformer import ART
from engine.planning import PLANNING_T, make_plan, spread
from engine.sampling import FIRST_LEVEL


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the regions are to show, where the prompt was taken apart.

    Attributes:
        scenery: the regions that are backgrounds.
        shown: per finished layer the thing that it shows, or 0.
    """

    slots: Slots
    scenery: tuple[int, ...] = ()
    shown: tuple[int, ...] = ()


class Planner:
    """Plans the regions of one request; for one plan.

    Args:
        frame: without a plan.
        text: (1, T, text width) of the prompt.
        noise: (1, N, C) the noise that sampling will start from.
        owner: (1, N) the region of each token; the background is a region like the others.
        seeds: one per region.
        seen: (1, T) from `words_shown`; None without finished layers.
        clean: rotated keys and values of the finished layers.
        check: called before each pass; may raise to cancel.
        wanted: the things to choose from; None = any word.

    Attributes:
        shows: per region the text token that it shows; 0 = something that the prompt lacks,
            `EMPTY` = nothing.
    """

    def __init__(
        self,
        art: ART,
        frame: Frame,
        text: Tensor,
        noise: Tensor,
        *,
        owner: Tensor,
        seeds: Sequence[int],
        seen: Tensor | None,
        clean: Sequence[Clean] | None,
        check: Callable[[], None],
        wanted: Wanted | None = None,
    ) -> None:
        self._art, self._frame, self._text, self._noise = art, frame, text, noise
        self._owner, self._seeds, self._seen = owner, seeds, seen
        self._clean, self._check = clean, check
        self.shows: list[int] = []
        self.wanted = wanted

    def plan(self) -> Frame:
        """Decide region after region; the frame that tells each its word."""
        vec = self._vec(PLANNING_T)

        def point(shows: Tensor) -> Tensor:
            self._check()
            frame = self._told(shows)
            reading = self._art.read(self._noise, frame, vec, clean=self._clean)
            return self._art.point(reading, self._owner, len(self._seeds))[0]

        self.shows = self._decide(point)
        return self._told(torch.tensor(self.shows))

    def _decide(self, point: Callable[[Tensor], Tensor]) -> list[int]:
        wanted = self.wanted
        if wanted is None:
            return make_plan(point, self._seeds, seen=self._seen)
        return make_assignment(
            point, self._seeds, wanted.slots, scenery=wanted.scenery, shown=wanted.shown
        )

    def plan_and_step(self, guess: int) -> tuple[Frame, Tensor | None]:
        """As `plan` for a single region, and (1, N, C) clean tokens predicted at `FIRST_LEVEL`.

        The tokens are None where the region stays empty.

        Args:
            guess: the text token that it is likely to show.
        """
        vec = torch.cat([self._vec(PLANNING_T), self._vec(FIRST_LEVEL)])
        noise = self._noise.repeat(1, 2, 1)
        guess = min(guess, self._text.shape[1] - 1)
        while True:
            told = self._told(torch.tensor([guess]))
            predicted = None

            def point(shows: Tensor, told: Frame = told) -> Tensor:
                nonlocal predicted
                self._check()
                both = self._told(shows).beside(told)
                reading = self._art.read(noise, both, vec, clean=self._clean)
                predicted = reading.alone(1)
                return self._art.point(reading.alone(0), self._owner, 1)[0]

            self.shows = self._decide(point)
            if self.shows[0] == EMPTY:
                return told, None
            if predicted is None:  # decided without a pass: what a background shows
                return self._told(torch.tensor(self.shows)), None
            if self.shows[0] == guess:
                return told, self._art.finish(predicted).float()
            guess = self.shows[0]

    def told(self, shows: Sequence[int]) -> Frame:
        """The frame of regions that show these text tokens."""
        return self._told(torch.tensor(list(shows)))

    def _vec(self, level: float) -> Tensor:
        levels = torch.full((1,), level, device=self._noise.device)
        return self._art.vec(levels, self._text[:, 0])

    def _told(self, shows: Tensor) -> Frame:
        plan = spread(shows.to(self._owner.device), self._owner)
        return self._art.decide(self._frame, self._text, plan, self._seen)
