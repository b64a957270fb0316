"""What every bench is given."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.pipeline import LayerPipeline


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """One call of the command.

    Attributes:
        runs: rounds of everything that alternates.
        quick: fewer and smaller cases.
        most_layers: no case has more.
        weights: model file for processes that are started; None = the shipped one.
        budget_s: seconds that the bench at FLUX width may take.
    """

    generator: LayerPipeline
    runs: int = 5
    quick: bool = False
    most_layers: int = 50
    weights: Path | None = None
    budget_s: float = 600.0

    def layers(self, full: Sequence[int], quick: Sequence[int]) -> list[int]:
        """The layer counts of this call."""
        return [n for n in (quick if self.quick else full) if n <= self.most_layers]

    def say(self, text: str) -> None:
        """Progress, for whoever waits."""
        print(f"  {text}", file=sys.stderr, flush=True)
