"""One row of the layer list: eye, thumbnail, name, state, lock.

Draws and says where its parts are; clicks become commands in the list widget.
"""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFont, QHelpEvent, QPainter, QPen
from PySide6.QtWidgets import (
    QAbstractItemView,
    QLineEdit,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QToolTip,
    QWidget,
)

from app.document.contents import default_name
from app.document.layer import MAX_NAME, Layer
from app.session.selection import Solo
from app.ui.icons import pixmap
from app.ui.panels.layer_list_model import LayerRole, StateRole
from app.ui.panels.layer_state import LayerState
from app.ui.panels.thumbnails import Thumbnails
from app.ui.text import tr
from app.ui.theme import GAP, ICON_SMALL, MIN_POINTS, ROW_MIN, THUMBNAIL, UNIT, Colours

Index = QModelIndex | QPersistentModelIndex
_BUTTON = 24


@dataclass(frozen=True, slots=True)
class RowParts:
    """Where the parts of one row are, viewport pixels."""

    eye: QRect
    thumbnail: QRect
    name: QRect
    state: QRect
    lock: QRect

    @classmethod
    def of(
        cls,
        row: QRect,
        side: int = THUMBNAIL,
        line: int = 0,
        direction: Qt.LayoutDirection = Qt.LayoutDirection.LeftToRight,
    ) -> RowParts:
        """The parts of a row in reading direction: eye and lock, thumbnail, two lines of text.

        The lock is below the eye, so that it takes no room from name and state.

        Args:
            side: of the thumbnail; 0 = there is none.
            line: height of a line of text.
            direction: of reading; from the right the whole row is mirrored.
        """
        middle = row.center().y()
        eye = QRect(row.left() + GAP, middle + 1 - _BUTTON, _BUTTON, _BUTTON)
        lock = QRect(eye.left(), middle + 1, _BUTTON, _BUTTON)
        thumb = QRect(eye.right() + 1 + UNIT, middle - side // 2 + 1, side, side)
        half = max(THUMBNAIL // 2, line)
        left = thumb.right() + 1 + GAP + (UNIT if side else 0)
        width = row.right() - GAP + 1 - left
        name = QRect(left, middle + 1 - half, width, half)
        state = QRect(left, middle + 1, width, half)
        parts = (eye, thumb, name, state, lock)
        return cls(*(QStyle.visualRect(direction, row, part) for part in parts))


class LayerDelegate(QStyledItemDelegate):
    """Paints rows; an open lock shows only on the row under the mouse or a selected one."""

    def __init__(
        self,
        thumbnails: Thumbnails,
        colours: Colours,
        solo: Solo,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._solo = solo
        self.thumbnails = thumbnails
        self.colours = colours

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Qt override."""
        texts = 2 * option.fontMetrics.height() + GAP
        return QSize(200, max(ROW_MIN, self.thumbnails.side + 2 * GAP, texts))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Qt override."""
        layer: Layer | None = index.data(LayerRole)
        if layer is None:
            return
        colours, parts = self.colours, self._parts(option)
        ratio = painter.device().devicePixelRatio()
        is_selected = bool(option.state & QStyle.StateFlag.State_Selected)
        is_hovered = bool(option.state & QStyle.StateFlag.State_MouseOver)
        painter.save()
        if is_selected:
            painter.fillRect(option.rect, QColor(colours.raised))
            bar = QRect(option.rect.left(), option.rect.top(), 3, option.rect.height())
            bar = QStyle.visualRect(option.direction, option.rect, bar)
            painter.fillRect(bar, QColor(colours.accent))
        elif is_hovered:
            shade = QColor(colours.raised)
            shade.setAlpha(110)
            painter.fillRect(option.rect, shade)
        painter.setPen(QColor(colours.hairline))
        painter.drawLine(option.rect.bottomLeft(), option.rect.bottomRight())
        shows = self._solo.shows(layer)
        seen = colours.accent if self._solo else colours.text
        self._icon(
            painter,
            "eye" if shows else "eye-off",
            seen if shows else colours.disabled,
            parts.eye,
            ratio,
        )
        painter.setOpacity(1.0 if shows else 0.45)
        if self.thumbnails.side:
            picture = self.thumbnails.of_layer(layer, ratio, colours)
            painter.drawPixmap(parts.thumbnail.topLeft(), picture)
            painter.setPen(QPen(QColor(colours.edge), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(parts.thumbnail.adjusted(0, 0, -1, -1))
        painter.setOpacity(1.0)
        self._texts(painter, option, index, parts, ratio)
        if layer.locked or is_hovered or is_selected:
            name = "lock" if layer.locked else "lock-open"
            colour = colours.text if layer.locked else colours.disabled
            self._icon(painter, name, colour, parts.lock, ratio)
        if option.state & QStyle.StateFlag.State_HasFocus and self._view_has_focus(option):
            painter.setPen(QPen(QColor(colours.accent), 2))
            painter.drawRect(option.rect.adjusted(1, 1, -2, -2))
        painter.restore()

    def helpEvent(
        self,
        event: QHelpEvent,
        view: QAbstractItemView,
        option: QStyleOptionViewItem,
        index: Index,
    ) -> bool:
        """Qt override: every part of a row explains itself."""
        layer: Layer | None = index.data(LayerRole)
        if layer is None or event.type() != QEvent.Type.ToolTip:
            return False
        parts, at = self._parts(option), event.pos()
        state: LayerState = index.data(StateRole)
        if parts.eye.contains(at):
            text = tr("Hides the layer.") if layer.visible else tr("Shows the layer.")
            text += " " + tr("Alt+click shows it alone.")
        elif parts.lock.contains(at):
            text = (
                tr("Unlocks the layer.")
                if layer.locked
                else tr("Locks the layer: its pixels and position cannot change.")
            )
        elif parts.state.contains(at):
            text = state.text
        else:
            text = tr("{0}: {1} × {2} at {3}, {4}. Double click renames.").format(
                index.data(), layer.rect.width, layer.rect.height, layer.rect.x, layer.rect.y
            )
        QToolTip.showText(event.globalPos(), text, view)
        return True

    # ---- renaming in place ----

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: Index) -> QWidget:
        """Qt override."""
        editor = QLineEdit(parent)
        editor.setMaxLength(MAX_NAME)
        editor.setAccessibleName(tr("Layer name"))
        layer: Layer | None = index.data(LayerRole)
        if layer is not None:
            editor.setPlaceholderText(default_name(layer.number))
        return editor

    def updateEditorGeometry(
        self, editor: QWidget, option: QStyleOptionViewItem, index: Index
    ) -> None:
        """Qt override: over the name, a little larger than its line."""
        name = self._parts(option).name
        height = max(28, editor.sizeHint().height())
        place = QRect(name.left(), name.center().y() - height // 2, name.width(), height)
        is_mirrored = option.direction == Qt.LayoutDirection.RightToLeft
        editor.setGeometry(place.adjusted(0 if is_mirrored else -GAP, 0, is_mirrored * GAP, 0))

    # ---- inside ----

    def _parts(self, option: QStyleOptionViewItem) -> RowParts:
        line = option.fontMetrics.height()
        return RowParts.of(option.rect, self.thumbnails.side, line, option.direction)

    def _texts(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: Index,
        parts: RowParts,
        ratio: float,
    ) -> None:
        colours = self.colours
        layer: Layer = index.data(LayerRole)
        metrics = option.fontMetrics
        painter.setFont(option.font)
        painter.setPen(QColor(colours.text if layer.visible else colours.secondary))
        start = QStyle.visualAlignment(option.direction, Qt.AlignmentFlag.AlignLeft)
        # Absolute: a name in another direction than the program's stands where all names begin.
        where = start | Qt.AlignmentFlag.AlignAbsolute | Qt.AlignmentFlag.AlignVCenter
        name = metrics.elidedText(index.data(), Qt.TextElideMode.ElideRight, parts.name.width())
        painter.drawText(parts.name, where, name)
        state: LayerState = index.data(StateRole)
        colour = getattr(colours, state.colour)
        line = parts.state
        at = QRect(line.left(), 0, ICON_SMALL - 2, ICON_SMALL - 2)
        at.moveTop(line.center().y() - at.height() // 2 + 1)
        at = QStyle.visualRect(option.direction, line, at)
        self._icon(painter, state.icon, colour, at, ratio, side=ICON_SMALL - 2)
        small = QFont(option.font)
        small.setPointSizeF(max(MIN_POINTS, small.pointSizeF() - 1))
        painter.setFont(small)
        painter.setPen(QColor(colours.secondary))
        rest = line.adjusted(ICON_SMALL + 2, 0, 0, 0)
        rest = QStyle.visualRect(option.direction, line, rest)
        painter.drawText(
            rest,
            where,
            painter.fontMetrics().elidedText(state.text, Qt.TextElideMode.ElideRight, rest.width()),
        )

    def _icon(
        self,
        painter: QPainter,
        name: str,
        colour: str,
        place: QRect,
        ratio: float,
        side: int = ICON_SMALL,
    ) -> None:
        picture = pixmap(name, colour, side, ratio)
        painter.drawPixmap(
            place.left() + (place.width() - side) // 2,
            place.top() + (place.height() - side) // 2,
            picture,
        )

    @staticmethod
    def _view_has_focus(option: QStyleOptionViewItem) -> bool:
        widget = option.widget
        return isinstance(widget, QWidget) and widget.hasFocus() and widget.isActiveWindow()
