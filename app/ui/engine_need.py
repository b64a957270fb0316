"""When the engine needs the user: a predicate for the action that restarts it."""

from __future__ import annotations

from app.ui.text import tr

_ENDED = ("failed", "stopped")


def why_no_restart(state: str, silence: str) -> str:
    """Why "Restart Engine" is not offered; "" while it is needed.

    Args:
        state: of the engine, as the bridge has it.
        silence: what is said of an engine that does not answer; "" = it answers.
    """
    return "" if silence or state in _ENDED else tr("the engine answers")
