"""Memory: what a job will need at its peak, against what is free.

An estimate from tokens and pixels, measured on the shipped model; on the safe side, so that a
refusal comes before the system begins to swap. Knows no widget and no engine thread.
"""

from __future__ import annotations

from collections.abc import Sequence

from app.costs import Load
from app.session.jobs import Message

# Measured beside the loaded model (fp32, both branches of the guidance, nothing cached), resident
# peak against this estimate: 136 tokens 57 of 63 MB, 704 tokens 74 of 107, 1,984 tokens 170 of 204.
BYTES_ANYWAY = 48_000_000
BYTES_PER_TOKEN = 20_000
BYTES_PER_SEEN = 12_000
BYTES_PER_PIXEL = 24
RESERVE_BYTES = 512 << 20


def peak_bytes(load: Load) -> int:
    """Bytes beside the loaded model at the worst moment of a job."""
    return (
        BYTES_ANYWAY
        + load.tokens * BYTES_PER_TOKEN
        + load.seen * BYTES_PER_SEEN
        + load.pixels * BYTES_PER_PIXEL
    )


def trouble(whole: Load, singles: Sequence[Load], free: int | None) -> Message | None:
    """The message where the job would need more than is free less a reserve; None when it fits.

    Args:
        whole: the job as it was asked.
        singles: the same layers, each in a job of its own.
        free: bytes; None = unknown, so nothing is refused.
    """
    needed = peak_bytes(whole)
    if free is None or needed <= free - RESERVE_BYTES:
        return None
    fitting = fitting_tokens(whole, free)
    room = f"About {100 * fitting // whole.seen} % of the job would fit. " if fitting else ""
    advice = f"{room}Choose a smaller canvas, or close other programs."
    if len(singles) > 1:
        most = max(peak_bytes(load) for load in singles)
        if most <= free - RESERVE_BYTES:
            advice = f"Generate the layers one by one ({size(most)}), or close other programs."
    return Message(
        kind="error",
        what=f"This needs about {size(needed)}, {size(free)} are free.",
        kept="Nothing was started.",
        advice=advice,
    )


def fitting_tokens(failed: Load, free: int | None) -> int:
    """About how many tokens a like job could have, after this one ran out of memory.

    Args:
        free: bytes, now that the job is gone; None = unknown.

    Returns:
        rounded down; 0 where that cannot be said: nothing would fit, or the estimate says that
        the job itself should have.
    """
    if free is None or not failed.seen:
        return 0
    each = (peak_bytes(failed) - BYTES_ANYWAY) / failed.seen
    count = int((free - RESERVE_BYTES - BYTES_ANYWAY) / each)
    unit = 100 if count >= 1000 else 10
    count = max(0, count // unit * unit)
    return count if count < failed.seen else 0


def size(count: int) -> str:
    """Bytes as people read them."""
    return f"{count / 2**30:.1f} GB" if count >= 2**30 else f"{max(1, round(count / 2**20))} MB"
