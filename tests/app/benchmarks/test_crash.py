"""How REL1 judges a loss: waiting for a processor is none, waiting for the journal is."""

from __future__ import annotations

import pytest

from app.benchmarks.reliability.crash import _judge, _Moment
from app.benchmarks.reliability.figure import Figure

MS = 1_000_000


@pytest.mark.parametrize(
    ("waited", "lost", "is_kept"),
    [
        ({"1": 10 * MS, "2": 20 * MS}, 1980, False),
        ({"1": 10 * MS, "2": 1020 * MS}, 980, True),
        ({"1": 700 * MS, "2": 800 * MS}, 1200, False),  # side by side: the longer one counts
        ({}, 2000, False),  # a system without such an account
    ],
)
def test_a_loss(waited: dict[str, int], lost: int, is_kept: bool) -> None:
    figure = Figure("REL1", "kills", runs=1)
    _judge(figure, 7, _Moment(5.0, {}), _Moment(7.0, waited))
    assert figure.is_kept is is_kept
    assert round(figure.peaks["most lost {:.0f} ms"]) == lost
    assert round(figure.peaks["by the clock {:.0f} ms"]) == 2000
