"""A page of text to read and to scroll: the handbook, the licences. Follows no link by itself."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QTextBrowser, QVBoxLayout
from PySide6.QtWidgets import QWidget as Widget

from app.ui.theme import MARGIN
from app.ui.widgets.buttons import close_only


class PageDialog(QDialog):
    """Markdown in a window of its own; stays open beside the work.

    Args:
        markdown: the text. Addresses in it can be read and copied; nothing is opened.
    """

    def __init__(self, parent: Widget, title: str, markdown: str) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.text = QTextBrowser()
        self.text.setAccessibleName(title)
        self.text.setOpenLinks(False)
        self.text.document().setDocumentMargin(MARGIN)
        self.text.setMarkdown(markdown)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(MARGIN, MARGIN, MARGIN, MARGIN)
        layout.setSpacing(MARGIN)
        layout.addWidget(self.text, 1)
        layout.addWidget(close_only(self))
        self.resize(720, 560)
