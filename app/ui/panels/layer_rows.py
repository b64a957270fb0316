"""Rows of the layer list: the document's layers as a Qt model, topmost first, and their looks."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import (
    QAbstractListModel,
    QEvent,
    QMimeData,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QRect,
    QSize,
    Qt,
)
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

from app.document.commands import AddLayers, Rename, Reorder
from app.document.commands.layers import copied
from app.document.contents import default_name
from app.document.document import Document
from app.document.layer import MAX_NAME, Layer
from app.session.selection import Solo
from app.session.undo import UndoStack
from app.ui.panels.layer_state import LayerState, spoken, state_of
from app.ui.text import tr
from app.ui.theme import GAP, ICON_SMALL, MIN_POINTS, ROW_MIN, THUMBNAIL, UNIT, Colours
from app.ui.theme.icons import pixmap
from app.ui.widgets.images import Thumbnails

MIME_ROWS = "application/x-layerloom-rows"
LayerRole = Qt.ItemDataRole.UserRole
StateRole = Qt.ItemDataRole.UserRole + 1

Index = QModelIndex | QPersistentModelIndex
_NO_INDEX = QModelIndex()
_BUTTON = 24


class LayerListModel(QAbstractListModel):
    """Rows of the layer list; `new_drag` makes what a drag carries in addition to the rows."""

    def __init__(
        self,
        document: Document,
        undo: UndoStack,
        new_count: Callable[[int], int],
        new_drag: Callable[[Sequence[Layer]], QMimeData],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._document = document
        self._undo = undo
        self._ids: list[int] = []
        # Layers that a job is making, with what they will show, or ""; set with `set_running`.
        self.running: Mapping[int, str] = {}
        self._new_count = new_count
        self._new_drag = new_drag
        document.events.layers_changed.connect(self._follow)
        for event in (document.events.prompt_changed, document.events.canvas_changed):
            event.connect(self.refresh)  # a layer may be outdated now
        self._follow()

    # ---- rows and layers ----

    def layer_at(self, index: Index) -> Layer | None:
        if not index.isValid() or index.row() >= len(self._ids):
            return None
        layer_id = self._ids[index.row()]
        return self._document.layer(layer_id) if self._document.has_layer(layer_id) else None

    def index_of(self, layer_id: int) -> QModelIndex:
        return self.index(self._ids.index(layer_id)) if layer_id in self._ids else QModelIndex()

    def set_running(self, words: Mapping[int, str]) -> None:
        if words != self.running:
            self.running = words
            self.refresh()

    def refresh(self) -> None:
        if self._ids:
            self.dataChanged.emit(self.index(0), self.index(len(self._ids) - 1))

    def rowCount(self, parent: Index = _NO_INDEX) -> int:
        return 0 if parent.isValid() else len(self._ids)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        layer = self.layer_at(index)
        if layer is None:
            return None
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole):
            return self._document.name_of(layer)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return spoken(layer, self._document, self._state(layer))
        if role == LayerRole:
            return layer
        if role == StateRole:
            return self._state(layer)
        return None

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """Qt override: the in-place editor hands over a name."""
        layer = self.layer_at(index)
        if layer is None or role != Qt.ItemDataRole.EditRole:
            return False
        if str(value) == self._document.name_of(layer):  # a word that was left as it is
            return False
        return self._undo.push(Rename(layer.id, str(value)))

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Qt override: rows can be renamed and dragged, the background stays lowest."""
        layer = self.layer_at(index)
        if layer is None:
            return Qt.ItemFlag.ItemIsDropEnabled
        flags = (
            Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsEditable
        )
        return flags if layer.is_background else flags | Qt.ItemFlag.ItemIsDragEnabled

    def supportedDropActions(self) -> Qt.DropAction:
        return Qt.DropAction.MoveAction

    def supportedDragActions(self) -> Qt.DropAction:
        """Qt override: other programs copy."""
        return Qt.DropAction.MoveAction | Qt.DropAction.CopyAction

    def mimeTypes(self) -> list[str]:
        return [MIME_ROWS]

    def mimeData(self, indexes: Sequence[QModelIndex]) -> QMimeData:
        """Qt override: layer ids as JSON, and what other programs may take."""
        layers = [layer for layer in map(self.layer_at, indexes) if layer is not None]
        mime = self._new_drag(sorted(layers, key=lambda layer: self._ids.index(layer.id)))
        mime.setData(MIME_ROWS, json.dumps([layer.id for layer in layers]).encode())
        return mime

    def dropMimeData(
        self, data: QMimeData, action: Qt.DropAction, row: int, column: int, parent: Index
    ) -> bool:
        """Qt override: reorder. Returns False so that the view removes no rows itself."""
        self.move_rows(dragged_ids(data), row if row >= 0 else self.rowCount())
        return False

    def _state(self, layer: Layer) -> LayerState:
        return state_of(layer, self._document, self.running, self._new_count(layer.id))

    def move_rows(self, ids: Sequence[int], row: int) -> bool:
        """Put layers in front of what is at `row` (a gap, counted from the top)."""
        present = [layer_id for layer_id in ids if layer_id in self._ids]
        if not present:
            return False
        below = [layer_id for layer_id in self._ids[row:] if layer_id not in present]
        above = below[0] if below else None
        if above == self._document.background_id:
            above = None
        return self._undo.push(Reorder(present, above))

    def copy_rows(self, ids: Sequence[int], row: int) -> list[int]:
        """Put copies of layers, at their places, into the gap at `row`; ids of the copies."""
        chosen = [layer for layer in self._document.foregrounds if layer.id in ids]
        if not chosen:
            return []
        below = self._ids[row] if row < len(self._ids) else self._document.background_id
        text = tr("Duplicate '{0}'").format(self._document.name_of(chosen[0]))
        if len(chosen) > 1:
            text = tr("Duplicate {0} layers").format(len(chosen))
        command = AddLayers([copied(layer) for layer in chosen], below, text)
        return command.new_ids if self._undo.push(command) else []

    def _follow(self) -> None:
        wanted = [layer.id for layer in reversed(self._document.layers)]
        for row in range(len(self._ids) - 1, -1, -1):
            if self._ids[row] not in wanted:
                self.beginRemoveRows(QModelIndex(), row, row)
                del self._ids[row]
                self.endRemoveRows()
        for row, layer_id in enumerate(wanted):
            if layer_id not in self._ids:
                place = min(row, len(self._ids))
                self.beginInsertRows(QModelIndex(), place, place)
                self._ids.insert(place, layer_id)
                self.endInsertRows()
        if self._ids != wanted:
            self._reorder(wanted)
        self.refresh()

    def _reorder(self, wanted: list[int]) -> None:
        self.layoutAboutToBeChanged.emit()
        before = self.persistentIndexList()
        ids = [self._ids[index.row()] for index in before]
        self._ids = wanted
        after = [self.index(wanted.index(layer_id)) for layer_id in ids]
        self.changePersistentIndexList(before, after)
        self.layoutChanged.emit()


def dragged_ids(data: QMimeData) -> list[int]:
    """Ids of the layers whose rows are being dragged; none for anything else."""
    if not data.hasFormat(MIME_ROWS):
        return []
    return [int(layer_id) for layer_id in json.loads(bytes(data.data(MIME_ROWS).data()))]


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

        The lock is below the eye, so that it takes no room from name and state. A side of 0 = no
        thumbnail.
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
        self, thumbnails: Thumbnails, colours: Colours, solo: Solo, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._solo = solo
        self.thumbnails = thumbnails
        self.colours = colours

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        texts = 2 * option.fontMetrics.height() + GAP
        return QSize(200, max(ROW_MIN, self.thumbnails.side + 2 * GAP, texts))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
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
        name, colour = ("eye", seen) if shows else ("eye-off", colours.disabled)
        _draw_icon(painter, name, colour, parts.eye, ratio)
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
            _draw_icon(painter, name, colour, parts.lock, ratio)
        view = option.widget
        has_focus = isinstance(view, QWidget) and view.hasFocus() and view.isActiveWindow()
        if option.state & QStyle.StateFlag.State_HasFocus and has_focus:
            painter.setPen(QPen(QColor(colours.accent), 2))
            painter.drawRect(option.rect.adjusted(1, 1, -2, -2))
        painter.restore()

    def helpEvent(
        self, event: QHelpEvent, view: QAbstractItemView, option: QStyleOptionViewItem, index: Index
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
        _draw_icon(painter, state.icon, colour, at, ratio, side=ICON_SMALL - 2)
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


def _draw_icon(
    painter: QPainter, name: str, colour: str, place: QRect, ratio: float, side: int = ICON_SMALL
) -> None:
    left = place.left() + (place.width() - side) // 2
    top = place.top() + (place.height() - side) // 2
    painter.drawPixmap(left, top, pixmap(name, colour, side, ratio))
