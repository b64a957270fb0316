"""The table of what a format keeps and loses of a picture. Shows only; computes nothing."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtWidgets import QTableWidgetItem

from app.document.storage.formats.table import FEATURES, Feature
from app.ui.text import tr
from app.ui.widgets.forms import ReadingTable


class LossTable(ReadingTable):
    """One row per feature that the picture has."""

    def __init__(self) -> None:
        headings = [tr("Content"), tr("In this format")]
        super().__init__(tr("What the format stores"), headings, wide=(0,))

    def show_losses(self, listed: Mapping[Feature, bool]) -> None:
        """Features by key, and whether the file loses each."""
        self.setRowCount(len(listed))
        for row, (feature, is_lost) in enumerate(listed.items()):
            texts = (tr(FEATURES[feature]), tr("not stored") if is_lost else tr("kept"))
            for column, text in enumerate(texts):
                item = QTableWidgetItem(text)
                self.setItem(row, column, item)
