"""Message bar: one message at a time, above the canvas, never in the way.

Says what happened, what was kept, what to do; the exception's words wait behind Details.
"""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QApplication,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.session.jobs import Message
from app.ui.actions import Actions, plain
from app.ui.text import tr
from app.ui.theme import GAP, ICON, ICON_SMALL, MARGIN, UNIT, Colours
from app.ui.theme.icons import icon, pixmap

_SIGNS = {
    "error": ("circle-alert", "error"),
    "warning": ("triangle-alert", "outdated"),
    "news": ("info", "accent"),
    "note": ("info", "accent"),
}


class MessageBar(QWidget):
    """Shows the latest message until it is closed or replaced."""

    def __init__(
        self, colours: Colours, actions: Actions | None = None, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._actions = actions
        self.setObjectName("messageBar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName(tr("Message"))
        self._colours = colours
        self.message: Message | None = None
        self._followed: set[str] = set()
        self.sign = QLabel()
        self.sign.setFixedSize(ICON, ICON)
        self.sign.setAccessibleName(tr("Kind of message"))
        self.text = QLabel()
        self.text.setWordWrap(True)
        self.text.setTextFormat(Qt.TextFormat.PlainText)
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.text.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        self.action_button = QPushButton()
        self.action_button.setAccessibleName(tr("Suggested action"))
        self.other_button = QPushButton()
        self.other_button.setAccessibleName(tr("Other action"))
        self.details_button = QPushButton(tr("Details"))
        self.details_button.setCheckable(True)
        self.details_button.setAccessibleName(tr("Details"))
        self.details_button.setToolTip(tr("Shows what to copy into a report."))
        self.copy_button = QPushButton(tr("Copy Details"))
        self.copy_button.setAccessibleName(tr("Copy details"))
        self.copy_button.setToolTip(tr("Copies message and details as text."))
        self.close_button = QToolButton()
        self.close_button.setObjectName("quiet")
        self.close_button.setFixedSize(28, 28)
        self.close_button.setAccessibleName(tr("Close message"))
        self.close_button.setToolTip(tr("Closes this message."))
        self.details = QPlainTextEdit()
        self.details.setObjectName("messageDetails")
        self.details.setReadOnly(True)
        self.details.setFixedHeight(120)
        self.details.setAccessibleName(tr("Details of the message"))
        self._lay_out()
        self.details_button.toggled.connect(self._on_details)
        self.action_button.clicked.connect(lambda: self._act(first=True))
        self.other_button.clicked.connect(lambda: self._act(first=False))
        self.copy_button.clicked.connect(self._copy)
        self.close_button.clicked.connect(self.dismiss)
        self.recolour(colours)
        self.hide()

    def show_message(self, message: Message) -> None:
        """Show it, in place of the one before."""
        self.message = message
        self.setProperty("kind", message.kind)
        self.style().unpolish(self)
        self.style().polish(self)
        self.text.setText(message.text)
        self.text.setAccessibleName(message.text)
        self.details.setPlainText(message.details)
        self._name_buttons()
        self.details_button.setChecked(False)
        self.details_button.setVisible(bool(message.details))
        self._on_details(False)
        self.recolour(self._colours)
        self.show()

    def dismiss(self) -> None:
        """Take the message away."""
        self.message = None
        self.hide()

    def dismiss_news(self) -> None:
        """Take news away; trouble stays until it is read."""
        if self.message is not None and self.message.kind == "news":
            self.dismiss()

    def withdraw(self, action: str) -> None:
        """Take away the message that offers this action: it is not true any more."""
        if self.message is not None and self.message.action == action:
            self.dismiss()

    def recolour(self, colours: Colours) -> None:
        """Follow the theme."""
        self._colours = colours
        self.close_button.setIcon(icon("x", colours))
        kind = self.message.kind if self.message is not None else "note"
        name, colour = _SIGNS[kind]
        ratio = self.devicePixelRatioF()
        self.sign.setPixmap(pixmap(name, getattr(colours, colour), ICON_SMALL + 2, ratio))

    def _on_details(self, shown: bool) -> None:
        self.details.setVisible(shown)
        self.copy_button.setVisible(shown)

    def _name_buttons(self) -> None:
        """Called like their actions, whose names may hold numbers that change."""
        message = self.message
        if message is None or self._actions is None:
            return
        for button, name in (
            (self.action_button, message.action),
            (self.other_button, message.other_action),
        ):
            button.setVisible(bool(name))
            if name:
                action = self._actions[name]
                button.setText(plain(action.text()))
                button.setAccessibleName(button.text())
                if name not in self._followed:
                    self._followed.add(name)
                    action.changed.connect(self._name_buttons)

    def _act(self, *, first: bool) -> None:
        message = self.message
        self.dismiss()
        if message is not None and self._actions is not None:
            self._actions[message.action if first else message.other_action].trigger()

    def _copy(self) -> None:
        if self.message is not None:
            text = f"{self.message.text}\n\n{self.message.details}"
            QApplication.clipboard().setText(text)

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(GAP)
        row.addWidget(self.sign, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self.text, 1)
        row.addWidget(self.action_button, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self.other_button, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self.copy_button, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self.details_button, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self.close_button, 0, Qt.AlignmentFlag.AlignTop)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(MARGIN, GAP, GAP, GAP)
        whole.setSpacing(UNIT)
        whole.addLayout(row)
        whole.addWidget(self.details)
