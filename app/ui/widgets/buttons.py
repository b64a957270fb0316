"""Buttons: plain ones, buttons of actions, and the row under a dialog."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QPushButton, QToolButton

from app.ui.actions import Actions, plain
from app.ui.text import tr
from app.ui.theme import CONTROL_HEIGHT, ICON_SMALL
from app.ui.widgets.forms import named


def text_button(text: str, pressed: Callable[..., object], tip: str = "") -> QPushButton:
    """A button of a dialog that Enter never presses by itself; screen readers read its text."""
    button = named(QPushButton(text), text.rstrip("…"), tip, height=CONTROL_HEIGHT)
    button.setAutoDefault(False)
    button.clicked.connect(pressed)
    return button


def action_button(actions: Actions, name: str, text: str, height: int) -> QPushButton:
    """A button that does what an action does, with its tooltip, and is enabled when it is."""
    action = actions[name]
    button = named(QPushButton(text), plain(action.text()), line=height)
    button.clicked.connect(action.trigger)

    def follow() -> None:
        button.setEnabled(action.isEnabled())
        button.setToolTip(action.toolTip())

    action.changed.connect(follow)
    follow()
    return button


def quiet_button(actions: Actions, name: str) -> QToolButton:
    """A flat icon button for an action; its name and tooltip are the action's."""
    button = named(QToolButton(), plain(actions[name].text()), style="quiet")
    button.setDefaultAction(actions[name])
    button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
    button.setIconSize(QSize(ICON_SMALL, ICON_SMALL))
    button.setFixedSize(28, 28)
    return button


def accept_or_cancel(dialog: QDialog, accept: QPushButton) -> QDialogButtonBox:
    """`accept` in the accent colour as the dialog's default, Cancel next to it; both connected."""
    buttons, cancel = QDialogButtonBox(), QPushButton(tr("Cancel"))
    accept.setObjectName("generate")  # the style sheet's accent
    accept.setDefault(True)
    for button in (accept, cancel):
        named(button, button.text().rstrip("…"), height=CONTROL_HEIGHT)
    buttons.addButton(accept, QDialogButtonBox.ButtonRole.AcceptRole)
    buttons.addButton(cancel, QDialogButtonBox.ButtonRole.RejectRole)
    buttons.accepted.connect(dialog.accept)
    buttons.rejected.connect(dialog.reject)
    return buttons


def close_only(dialog: QDialog) -> QDialogButtonBox:
    """Close, connected; for dialogs whose changes are in force at once, or that only show."""
    buttons, close = QDialogButtonBox(), QPushButton(tr("Close"))
    buttons.addButton(
        named(close, close.text(), height=CONTROL_HEIGHT), QDialogButtonBox.ButtonRole.RejectRole
    )
    buttons.rejected.connect(dialog.reject)
    return buttons
