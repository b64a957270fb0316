"""The dialog with earlier prompts."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import (
    QDialog,
    QListWidget,
    QWidget,
)

from app.ui.text import tr
from app.ui.widgets.forms import dialog_column, named, quiet_label

Group = tuple[str, Sequence[str]]
_IS_WORD = Qt.ItemDataRole.UserRole
_ENTERS = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
_CELL = 28
_SIZE = QSize(600, 520)


class HistoryDialog(QDialog):
    """A list, newest first."""

    def __init__(
        self, parent: QWidget, prompts: Sequence[str], take: Callable[[str], None]
    ) -> None:
        super().__init__(parent)
        self._take = take
        self.list = named(QListWidget(), tr("Prompts, newest first"))
        self.list.setWordWrap(True)
        self.list.addItems(list(prompts))
        self.list.setCurrentRow(0)
        layout = dialog_column(self, tr("Prompt History"))
        layout.addWidget(self.list)
        self.list.setVisible(bool(prompts))
        if not prompts:
            empty = quiet_label(tr("Prompts you generate with appear here."))
            empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
            layout.addWidget(empty)
        self.resize(480, 360)
        self.list.itemActivated.connect(lambda item: self._choose(item.text()))
        self.list.itemDoubleClicked.connect(lambda item: self._choose(item.text()))

    def _choose(self, prompt: str) -> None:
        self.close()
        take, self._take = self._take, lambda text: None  # a double click activates as well
        take(prompt)
