"""Enabling plain fields and buttons: a disabled one's tooltip says why."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from app.ui.text import tr


def enable(widget: QWidget, tip: str, reason: str = "") -> None:
    """Give a control its tooltip, and disable it where there is a reason to.

    Args:
        tip: one or two sentences, what the control does.
        reason: without capital and full stop, such as "the layer is locked"; "" enables.
    """
    widget.setEnabled(not reason)
    widget.setToolTip(f"{tip} {tr('Disabled: {0}.').format(reason)}" if reason else tip)
