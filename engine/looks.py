"""Looks: in which of them layers gain by flat fills."""

from __future__ import annotations

from collections.abc import Sequence

from engine.api import ColourChoice

# Looks whose layers come closer to their art by it; the others have gradients
# (docs/experiments/models.md).
GAIN_BY_FLAT_FILLS = frozenset({"flat", "bold"})


def cleans_colours(choice: ColourChoice, look: str | None, looks: Sequence[str]) -> bool:
    """Whether the colours of a job's foregrounds are decided.

    Args:
        choice: of the request.
        look: that the prompt names; None = none.
        looks: of the model; the first is the one that a prompt without a look gives.
    """
    if choice != "automatic":
        return choice == "on"
    shown = look or (looks[0] if looks else "")
    return shown in GAIN_BY_FLAT_FILLS
