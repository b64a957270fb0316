"""What a server answered: its models with licence, memory and state, and what each one lacks."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QSize, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence, QResizeEvent
from PySide6.QtWidgets import (
    QApplication,
    QHeaderView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeWidget,
    QTreeWidgetItem,
)

from app.ui.text import tr
from app.ui.theme import GAP, UNIT

_INDENT = 4 * UNIT


class _Lines(QStyledItemDelegate):
    """Rows below a model are as high as their text needs across all columns."""

    def __init__(self, tree: QTreeWidget) -> None:
        super().__init__(tree)
        self._tree = tree

    def sizeHint(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        hint = super().sizeHint(option, index)
        if not index.parent().isValid():
            return hint
        width = self._tree.viewport().width() - 2 * _INDENT - 2 * GAP
        flags = Qt.TextFlag.TextWordWrap
        text = str(index.data())
        lines = option.fontMetrics.boundingRect(0, 0, max(1, width), 0, flags, text)
        return QSize(0, lines.height() + UNIT)


class ReportTree(QTreeWidget):
    """A row for each model; what it lacks and what is known about it stand below it, in full."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName(tr("Models of the server"))
        self.setHeaderLabels([tr("Model"), tr("Licence"), tr("Memory"), tr("State")])
        self.setItemsExpandable(False)
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(False)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)  # names of files end in what differs
        self.setWordWrap(True)
        self.setIndentation(_INDENT)
        self.setItemDelegate(_Lines(self))
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        header = self.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)

    def show_models(self, rows: Sequence[tuple[Sequence[str], Sequence[str]]]) -> None:
        """Each row: the texts of its columns, and the lines below it."""
        self.clear()
        for texts, details in rows:
            item = QTreeWidgetItem(list(texts))
            item.setToolTip(0, texts[0])
            self.addTopLevelItem(item)
            for line in details:
                below = QTreeWidgetItem([line])
                below.setToolTip(0, line)
                item.addChild(below)
                below.setFirstColumnSpanned(True)
        self.expandAll()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Qt override: another width, other lines."""
        super().resizeEvent(event)
        self.scheduleDelayedItemsLayout()

    def text(self) -> str:
        """Everything as lines, for the clipboard and for tests."""
        lines = []
        for place in range(self.topLevelItemCount()):
            item = self.topLevelItem(place)
            assert item is not None
            lines.append(" · ".join(item.text(column) for column in range(self.columnCount())))
            below = (item.child(row) for row in range(item.childCount()))
            lines += [f"  {each.text(0)}" for each in below if each is not None]
        return "\n".join(lines)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Qt override: Copy takes all of it, for a report or to look up what is missing."""
        if event.matches(QKeySequence.StandardKey.Copy):
            QApplication.clipboard().setText(self.text())
        else:
            super().keyPressEvent(event)
