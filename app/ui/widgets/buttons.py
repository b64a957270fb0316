"""Buttons: the row under a dialog, and flat buttons of actions."""

from __future__ import annotations

from PySide6.QtCore import (
    QSize,
    Qt,
)
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QPushButton,
    QToolButton,
)

from app.ui.actions import Actions, plain
from app.ui.text import tr
from app.ui.theme import CONTROL_HEIGHT, ICON_SMALL


def accept_or_cancel(dialog: QDialog, accept: QPushButton) -> QDialogButtonBox:
    """`accept` in the accent colour as the dialog's default, Cancel beside it; both connected."""
    buttons, cancel = QDialogButtonBox(), QPushButton(tr("Cancel"))
    accept.setObjectName("generate")  # the style sheet's accent
    accept.setDefault(True)
    for button in (accept, cancel):
        button.setMinimumHeight(CONTROL_HEIGHT)
        button.setAccessibleName(button.text().rstrip("…"))
    buttons.addButton(accept, QDialogButtonBox.ButtonRole.AcceptRole)
    buttons.addButton(cancel, QDialogButtonBox.ButtonRole.RejectRole)
    buttons.accepted.connect(dialog.accept)
    buttons.rejected.connect(dialog.reject)
    return buttons


def close_only(dialog: QDialog) -> QDialogButtonBox:
    """Close, connected; for dialogs whose changes are in force at once, or that only show."""
    buttons, close = QDialogButtonBox(), QPushButton(tr("Close"))
    close.setMinimumHeight(CONTROL_HEIGHT)
    close.setAccessibleName(close.text())
    buttons.addButton(close, QDialogButtonBox.ButtonRole.RejectRole)
    buttons.rejected.connect(dialog.reject)
    return buttons


def quiet_button(actions: Actions, name: str) -> QToolButton:
    """A flat icon button for an action; its name and tooltip are the action's."""
    button = QToolButton()
    button.setObjectName("quiet")
    button.setDefaultAction(actions[name])
    button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
    button.setIconSize(QSize(ICON_SMALL, ICON_SMALL))
    button.setFixedSize(28, 28)
    button.setAccessibleName(plain(actions[name].text()))
    return button
