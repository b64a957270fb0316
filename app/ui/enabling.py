"""Enabling plain fields and buttons: a disabled one's tooltip says why."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from app.ui.text import tr


def enable(widget: QWidget, tip: str, reason: str = "") -> None:
    """Give a control its tooltip; half a sentence as reason disables it and is added to the tip."""
    widget.setEnabled(not reason)
    widget.setToolTip(f"{tip} {tr('Disabled: {0}.').format(reason)}" if reason else tip)
