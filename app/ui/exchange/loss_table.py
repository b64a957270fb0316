"""The table of what a format keeps and loses of a picture (MS20). Shows only; computes nothing."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHeaderView, QTableWidget, QTableWidgetItem

from app.document.storage.formats.table import FEATURES, Feature
from app.ui.text import tr


class LossTable(QTableWidget):
    """One row per feature that the picture has; what is lost is said in bold words."""

    def __init__(self) -> None:
        super().__init__(0, 2)
        self.setAccessibleName(tr("What the format keeps and loses"))
        self.setHorizontalHeaderLabels([tr("This picture has"), tr("The file")])
        self.verticalHeader().hide()
        self.setShowGrid(False)
        self.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QTableWidget.SelectionMode.NoSelection)
        header = self.horizontalHeader()
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)

    def show_losses(self, listed: Mapping[Feature, bool]) -> None:
        """Features by key, and whether the file loses each."""
        self.setRowCount(len(listed))
        for row, (feature, is_lost) in enumerate(listed.items()):
            texts = (tr(FEATURES[feature]), tr("lost") if is_lost else tr("kept"))
            for column, text in enumerate(texts):
                item = QTableWidgetItem(text)
                font = item.font()
                font.setBold(is_lost)
                item.setFont(font)
                self.setItem(row, column, item)
