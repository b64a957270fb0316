"""Adapter: the document's layers as rows of a Qt list, topmost first. Nothing else.

Edits become commands; the rows follow the document's events.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import (
    QAbstractListModel,
    QMimeData,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
)

from app.document.commands import AddLayers, Rename, Reorder
from app.document.commands.boxes import copied
from app.document.document import Document
from app.document.layer import Layer
from app.ui.panels.layer_state import LayerState, spoken, state_of
from app.ui.text import tr
from app.ui.undo import UndoStack

MIME_ROWS = "application/x-layerloom-rows"
LayerRole = Qt.ItemDataRole.UserRole
StateRole = Qt.ItemDataRole.UserRole + 1

Index = QModelIndex | QPersistentModelIndex
_NO_INDEX = QModelIndex()


class LayerListModel(QAbstractListModel):
    """Rows of the layer list.

    Args:
        new_count: results of a layer that wait for an answer, by its id.
        new_drag: makes what a drag of layers, topmost first, carries besides the rows.

    Attributes:
        running: ids of the layers that a job is making; set with `set_running`.
    """

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
        self.running: frozenset[int] = frozenset()
        self._new_count = new_count
        self._new_drag = new_drag
        document.events.changed.connect(self._on_changed)
        self._on_changed(0)

    # ---- rows and layers ----

    def layer_at(self, index: Index) -> Layer | None:
        """The layer of a row, or None for no row."""
        if not index.isValid() or index.row() >= len(self._ids):
            return None
        layer_id = self._ids[index.row()]
        return self._document.layer(layer_id) if self._document.has_layer(layer_id) else None

    def index_of(self, layer_id: int) -> QModelIndex:
        """The row of a layer; invalid when it has none."""
        return self.index(self._ids.index(layer_id)) if layer_id in self._ids else QModelIndex()

    def state_at(self, index: Index) -> LayerState | None:
        """The state that the row's badge shows."""
        layer = self.layer_at(index)
        return None if layer is None else self._state(layer)

    def set_running(self, layer_ids: frozenset[int]) -> None:
        """Mark the layers that a job is making."""
        if layer_ids != self.running:
            self.running = layer_ids
            self.refresh()

    def refresh(self) -> None:
        """Draw all rows again."""
        if self._ids:
            self.dataChanged.emit(self.index(0), self.index(len(self._ids) - 1))

    # ---- Qt overrides ----

    def rowCount(self, parent: Index = _NO_INDEX) -> int:
        """Qt override."""
        return 0 if parent.isValid() else len(self._ids)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Qt override."""
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
        """Qt override."""
        return Qt.DropAction.MoveAction

    def supportedDragActions(self) -> Qt.DropAction:
        """Qt override: other programs copy."""
        return Qt.DropAction.MoveAction | Qt.DropAction.CopyAction

    def mimeTypes(self) -> list[str]:
        """Qt override."""
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

    # ---- inside ----

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
        """Put copies of layers, at the same places of the canvas, into the gap at `row`.

        Returns:
            ids of the copies; none when there was nothing to copy or no room.
        """
        chosen = [layer for layer in self._document.foregrounds if layer.id in ids]
        if not chosen:
            return []
        below = self._ids[row] if row < len(self._ids) else self._document.background_id
        text = tr("Duplicate '{0}'").format(self._document.name_of(chosen[0]))
        if len(chosen) > 1:
            text = tr("Duplicate {0} layers").format(len(chosen))
        command = AddLayers([copied(layer) for layer in chosen], below, text)
        return command.new_ids if self._undo.push(command) else []

    def _on_changed(self, revision: int) -> None:
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


def foot_text(document: Document, limit: int) -> str:
    """How many layers there are, of how many: "4 of 50"."""
    return tr("{0} of {1}").format(len(document.foregrounds), limit)


def dragged_ids(data: QMimeData) -> list[int]:
    """Ids of the layers whose rows are being dragged; none for anything else."""
    if not data.hasFormat(MIME_ROWS):
        return []
    return [int(layer_id) for layer_id in json.loads(bytes(data.data(MIME_ROWS).data()))]
