"""The budget of the previews: how often they may be made, and how much of a run they may take."""

from __future__ import annotations

import pytest

from engine.errors import Cancelled
from engine.previews import INTERVAL_S, PART, PreviewBudget


class Run:
    """A run on a clock of its own: steps and previews take what the test says."""

    def __init__(self, step_s: float, preview_s: float, *, every: int = 1) -> None:
        self.now = 50.0
        self.budget = PreviewBudget(every, lambda: self.now)
        self.step_s, self.preview_s = step_s, preview_s
        self.shown: list[int] = []
        self.shown_at: list[float] = []

    def go(self, steps: int) -> None:
        for done in range(1, steps + 1):
            self.now += self.step_s
            if self.budget.allows(done):
                with self.budget.paying():
                    self.shown.append(done)
                    self.shown_at.append(self.now)
                    self.now += self.preview_s

    @property
    def part(self) -> float:
        """Of the run's seconds, those that went into previews."""
        return len(self.shown) * self.preview_s / (self.now - 50.0)


@pytest.mark.parametrize(("every", "shown"), [(1, [1, 2, 3, 4, 5]), (2, [2, 4]), (0, [])])
def test_previews_come_each_kth_step(every: int, shown: list[int]) -> None:
    """Each k-th step where there is time for it; 0 = off."""
    run = Run(step_s=1.0, preview_s=0.01, every=every)
    run.go(5)
    assert run.shown == shown


@pytest.mark.parametrize("preview_s", [0.001, 0.02, 0.3, 1.0])
def test_previews_take_a_twentieth_of_the_run_at_most(preview_s: float) -> None:
    """At most 5 % of run time, whatever a preview takes; and what is allowed is used."""
    run = Run(step_s=0.2, preview_s=preview_s)
    run.go(500)
    assert PART == 0.05
    assert run.part <= 0.05
    assert len(run.shown) == 500 or run.part > 0.045


def test_a_slow_preview_is_paid_back_before_the_next() -> None:
    """The first is always made, so that a user sees something; then the run comes first."""
    run = Run(step_s=0.1, preview_s=0.1)
    run.go(30)
    assert run.shown == [1]
    run.go(10)
    assert len(run.shown) == 2
    assert run.part <= 0.05


def test_previews_come_at_most_thirty_times_a_second() -> None:
    """Also where a step takes a millisecond and a preview costs nothing."""
    run = Run(step_s=0.001, preview_s=0.0)
    run.go(2000)
    gaps = [later - earlier for earlier, later in zip(run.shown_at, run.shown_at[1:], strict=False)]
    assert INTERVAL_S == 1 / 30
    assert min(gaps) >= 1 / 30 - 1e-9
    assert 50 <= len(run.shown) <= 2 * 30


def test_a_preview_that_was_stopped_counts_too() -> None:
    """A cancel inside leaves the budget as it should be."""
    run = Run(step_s=1.0, preview_s=0.0)
    run.now += 1.0

    def stopped() -> None:
        with run.budget.paying():
            run.now += 2.0
            raise Cancelled

    with pytest.raises(Cancelled):
        stopped()
    run.now += 30.0
    assert not run.budget.allows(1)
    run.now += 60.0
    assert run.budget.allows(1)
