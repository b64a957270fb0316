"""The document's events: what a view listens to. Emitted on the thread that runs the command.

Knows nothing of views. Every event comes after the whole change, so a listener that looks at
the document sees its final state.
"""

from __future__ import annotations

from psygnal import Signal, SignalGroup


class DocumentEvents(SignalGroup):
    """Events of one document.

    Events:
        layer_added(layer_id): a layer is there now; the background too, when switched on.
        layer_removed(layer_id): a layer is gone; the background too, when switched off.
        layer_changed(layer_id, what): `what` is a frozenset of names among "name", "rect",
            "pixels", "kind", "visible", "locked", "opacity", "blend", "seed", "record",
            "candidates".
        order_changed(): the layers that stayed stand in another order.
        prompt_changed(prompt): the new text.
        settings_changed(): steps, guidance, clean colours or picture seed.
        canvas_changed(): canvas size or grid.
        detached_changed(): candidates without a layer came or went.
        next_seeds_changed(): other seeds for the next job alone; nothing of the picture changed.
        reset(): everything may be different (New, Open, their undo); comes instead of the others.
        changed(revision): once after each command that changed something, after all others.
    """

    layer_added = Signal(int)
    layer_removed = Signal(int)
    layer_changed = Signal(int, frozenset)
    order_changed = Signal()
    prompt_changed = Signal(str)
    settings_changed = Signal()
    canvas_changed = Signal()
    detached_changed = Signal()
    next_seeds_changed = Signal()
    reset = Signal()
    changed = Signal(int)
