"""Prompt history: the prompts that were generated with; a click takes one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QLabel, QListWidget, QVBoxLayout, QWidget

from app.ui.text import tr
from app.ui.theme import MARGIN


class HistoryDialog(QDialog):
    """A list, newest first.

    Args:
        take: called with the chosen prompt.
    """

    def __init__(
        self, parent: QWidget, prompts: Sequence[str], take: Callable[[str], None]
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Prompt History"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._take = take
        self.list = QListWidget()
        self.list.setAccessibleName(tr("Prompts, newest first"))
        self.list.setWordWrap(True)
        self.list.addItems(list(prompts))
        self.list.setCurrentRow(0)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(MARGIN, MARGIN, MARGIN, MARGIN)
        layout.addWidget(self.list)
        self.list.setVisible(bool(prompts))
        if not prompts:
            empty = QLabel(tr("Prompts you generate with appear here."))
            empty.setObjectName("secondary")
            empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
            layout.addWidget(empty)
        self.resize(480, 360)
        self.list.itemActivated.connect(lambda item: self._choose(item.text()))
        self.list.itemDoubleClicked.connect(lambda item: self._choose(item.text()))

    def _choose(self, prompt: str) -> None:
        self.close()
        take, self._take = self._take, lambda text: None  # a double click activates as well
        take(prompt)
