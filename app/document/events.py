"""The document's events, emitted on the thread that runs the command.

Every event comes after the whole change, so a listener that looks at the document sees its final
state.
"""

from __future__ import annotations

import logging
import sys
from typing import Any

from psygnal import EmitLoopError, Signal, SignalGroup, SignalInstance

logger = logging.getLogger(__name__)


class DocumentEvents(SignalGroup):
    """Events of one document.

    Events:
        layer_removed(layer_id): a layer is gone; the background too, when switched off.
        prompt_changed(prompt): the new text.
        settings_changed(): steps, guidance, clean colours or picture seed.
        canvas_changed(): canvas size, or the grid that boxes stay on.
        layers_changed(): a layer, their order, the background or a detached result; also after a
            reset. Typing a prompt does not lead to it.
        next_seeds_changed(): other seeds for the next job alone; nothing of the picture changed.
        reset(): everything may be different (New, Open, their undo); comes instead of the others.
        changed(revision): once after each command that changed something, after all others.
    """

    layer_removed = Signal(int)
    prompt_changed = Signal(str)
    settings_changed = Signal()
    canvas_changed = Signal()
    layers_changed = Signal()
    next_seeds_changed = Signal()
    reset = Signal()
    changed = Signal(int)


def emit(signal: SignalInstance, *arguments: Any) -> None:
    """Emit an event; report a listener that fails like any unhandled error of the program.

    The change is done already: if the error went on to the command's caller, the command would
    never reach the undo stack.
    """
    try:
        signal.emit(*arguments)
    except EmitLoopError as error:
        cause = error.__cause__ or error
        logger.error("a listener to %s failed", signal.name, exc_info=cause)
        sys.excepthook(type(cause), cause, cause.__traceback__)
