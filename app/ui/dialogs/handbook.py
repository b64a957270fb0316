"""The handbook, and dialogs with text to read: pages of Markdown, short texts with one button."""

from __future__ import annotations

import re
from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QMessageBox, QTextBrowser, QWidget

from app.session.settings import resources_folder
from app.ui.dialogs.questions import widen
from app.ui.text import tr
from app.ui.theme import MARGIN
from app.ui.widgets.buttons import close_only
from app.ui.widgets.forms import dialog_column

_KEY = re.compile(r"\{(\w+)\}")


class PageDialog(QDialog):
    """Markdown in a window of its own, next to the work. Addresses are read, not opened."""

    def __init__(self, parent: QWidget, title: str, markdown: str) -> None:
        super().__init__(parent)
        self.text = QTextBrowser()
        self.text.setAccessibleName(title)
        self.text.setOpenLinks(False)
        self.text.document().setDocumentMargin(MARGIN)
        self.text.setMarkdown(markdown)
        layout = dialog_column(self, title)
        layout.addWidget(self.text, 1)
        layout.addWidget(close_only(self))
        self.resize(720, 560)


def handbook(key_of: Callable[[str], str]) -> str:
    """`resources/help.md`, translated by paragraph; actions in braces become their first keys."""
    text = (resources_folder().parent / "resources/help.md").read_text(encoding="utf-8")
    parts = [tr(" ".join(part.split())) for part in text.split("\n\n")]
    return _KEY.sub(lambda found: f"**{key_of(found[1]) or '–'}**", "\n\n".join(parts))


def show_text(parent: QWidget, title: str, text: str) -> QMessageBox:
    """A text with one button; `text` may hold simple HTML."""
    box = QMessageBox(parent)
    box.setWindowTitle(title)
    box.setTextFormat(Qt.TextFormat.RichText)
    box.setText(text)
    close = box.addButton(tr("Close"), QMessageBox.ButtonRole.AcceptRole)
    close.setAccessibleName(close.text())
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    widen(box)
    box.open()
    return box
