"""More layers than the model handles: which to hide is asked, then generating goes on (4.1)."""

from __future__ import annotations

from collections.abc import Callable, Collection

from PySide6.QtWidgets import QWidget

from app.document.commands import SetVisible
from app.session.jobs import MAX_FOREGROUNDS, Scope
from app.ui.dialogs.hiding_dialog import HidingDialog
from app.ui.session import Session


def asks_what_to_hide(
    session: Session,
    parent: QWidget,
    scope: Scope,
    ids: Collection[int],
    go_on: Callable[[], object],
) -> bool:
    """Whether too many layers would take part; then a dialog asks, and `go_on` may follow.

    Hiding is one undo step. Nothing else happens to the layers.
    """
    bridge = session.bridge
    limit = bridge.info.max_foregrounds if bridge.info else MAX_FOREGROUNDS
    planned = bridge.plan(scope, ids)
    # What would be painted is suggested last.
    layers = [each for each in (*planned.context, *planned.targets) if not each.is_background]
    if len(layers) <= limit or bridge.why_not(scope, ids):
        return False

    def hide(chosen: list[int]) -> None:
        if session.push(SetVisible(chosen, False)):
            go_on()

    order = [layer.id for layer in reversed(session.document.layers)]
    HidingDialog(parent.window(), layers, order, limit, hide).open()
    return True
