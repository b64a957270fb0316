"""Copy Diagnostics: shows what would be copied, and asks for prompt and picture."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QDialog, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from app.ui.text import tr
from app.ui.theme import MARGIN
from app.ui.widgets.buttons import accept_or_cancel
from app.ui.widgets.forms import note


class DiagnosticsDialog(QDialog):
    """The text, two boxes that are not ticked, Copy.

    Args:
        text: gives the text, with or without the prompt.
        copy: called with the text, and whether the picture goes with it.
    """

    def __init__(
        self, parent: QWidget, text: Callable[[bool], str], copy: Callable[[str, bool], None]
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Copy Diagnostics"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._text = text
        self._copy = copy
        self.shown = QPlainTextEdit()
        self.shown.setObjectName("messageDetails")
        self.shown.setReadOnly(True)
        self.shown.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.shown.setAccessibleName(tr("What is copied"))
        self.prompt = QCheckBox(tr("Include the prompt"))
        self.picture = QCheckBox(tr("Include the current picture"))
        for box in (self.prompt, self.picture):
            box.setAccessibleName(box.text())
            box.setMinimumHeight(24)
        self.copy_button = QPushButton(tr("Copy"))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2 * MARGIN, 2 * MARGIN, 2 * MARGIN, MARGIN)
        layout.setSpacing(MARGIN)
        layout.addWidget(note(tr("This goes to the clipboard, for a report. Nothing is sent.")))
        layout.addWidget(self.shown, 1)
        layout.addWidget(self.prompt)
        layout.addWidget(self.picture)
        layout.addWidget(accept_or_cancel(self, self.copy_button))
        self.resize(640, 480)
        self.prompt.toggled.connect(self._show)
        self._show(False)

    def accept(self) -> None:
        """Qt override."""
        self._copy(self.shown.toPlainText(), self.picture.isChecked())
        super().accept()

    def _show(self, with_prompt: bool) -> None:
        self.shown.setPlainText(self._text(with_prompt))
