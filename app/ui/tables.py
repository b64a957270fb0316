"""Tables that are read and not edited: no grid, no selection, headings at the left."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHeaderView, QTableWidget

STRETCH = QHeaderView.ResizeMode.Stretch


class ReadingTable(QTableWidget):
    """Rows come from whoever shows it.

    Args:
        name: for screen readers.
        headings: one per column.
        wide: the columns that share the width; None = all.
    """

    def __init__(self, name: str, headings: list[str], wide: tuple[int, ...] | None = None) -> None:
        super().__init__(0, len(headings))
        self.setAccessibleName(name)
        self.setHorizontalHeaderLabels(headings)
        self.verticalHeader().hide()
        self.setShowGrid(False)
        self.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QTableWidget.SelectionMode.NoSelection)
        header = self.horizontalHeader()
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        for column in range(len(headings)) if wide is None else wide:
            header.setSectionResizeMode(column, STRETCH)
