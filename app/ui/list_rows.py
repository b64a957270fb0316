"""Rows of drop-down lists: entries without a focus frame, and lines between groups of them."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QSize, Qt
from PySide6.QtGui import QPainter, QPalette
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from app.ui.theme import GAP

_SEPARATOR = "separator"  # what `QComboBox.insertSeparator` writes into its row


class ListRows(QStyledItemDelegate):
    """Draws what `QComboBox.insertSeparator` adds as a line; Qt's general delegate does not."""

    def sizeHint(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        """Qt override."""
        hint = super().sizeHint(option, index)
        return QSize(hint.width(), GAP + 1) if _is_separator(index) else hint

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        """Qt override."""
        if _is_separator(index):
            rect = option.rect
            line = option.palette.color(QPalette.ColorRole.Mid)
            painter.fillRect(rect.left(), rect.center().y(), rect.width(), 1, line)
            return
        # The colour of the row shows which one is meant; a frame in it is one line too many.
        option.state &= ~QStyle.StateFlag.State_HasFocus
        super().paint(painter, option, index)


def _is_separator(index: QModelIndex | QPersistentModelIndex) -> bool:
    return index.data(Qt.ItemDataRole.AccessibleDescriptionRole) == _SEPARATOR
