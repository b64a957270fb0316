"""Presses of Generate: which of several quick ones are one request. Uses no widget.

A double click, a held key or fifteen quick clicks must not throw the running job away, and not
repaint what the first click has just filled.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

from app.document.contents import Contents
from app.ui.text import tr

QUICK_S = 1.0


@dataclass(frozen=True, slots=True)
class Press:
    """One press."""

    at: float  # monotonic seconds
    does: str  # what it asks for, in words
    state: object  # what the user had set up then, see `user_state`
    # Whether the user chose it by name; the Generate button chooses itself.
    is_explicit: bool = False


def user_state(contents: Contents, selected: Collection[int]) -> object:
    """What the user sets up for a job. Results that come in do not change it."""
    layers = tuple(
        (layer.id, layer.rect, layer.visible, layer.locked, layer.seed) for layer in contents.layers
    )
    return contents.canvas, contents.prompt, contents.settings, frozenset(selected), layers


def why_held(last: Press | None, now: Press, *, is_running: bool) -> str:
    """Why a press after the last one starts nothing, as a sentence; "" where it counts."""
    if last is None or now.at - last.at >= QUICK_S or now.state != last.state:
        return ""
    if is_running:
        if now.does != last.does:
            return ""
        return tr("Already generating. Stop ends the job; Queue Next runs it again afterwards.")
    if now.does != last.does and not now.is_explicit:
        return tr("The job has just ended. Press again to continue: {0}.").format(now.does)
    return ""


class Presses:
    """The last press, and the clock in monotonic seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._last: Press | None = None

    def why_held(
        self, does: str, state: object, *, is_running: bool, is_explicit: bool = False
    ) -> str:
        """Take a press; see the function `why_held`. Quick presses hold the next ones as well."""
        now = Press(self.clock(), does, state, is_explicit)
        reason = why_held(self._last, now, is_running=is_running)
        # A held press is still the one before: it keeps what that one asked for.
        self._last = now if not reason or self._last is None else replace(self._last, at=now.at)
        return reason
