"""The layer list widget: rows, clicks on eye and lock, drag to reorder, the foot with buttons.

Selection is shared with the canvas; every change is a command.
"""

from __future__ import annotations

from PySide6.QtCore import (
    QEvent,
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QDragMoveEvent, QDropEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QListView,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.document.commands import SetLocked, SetVisible
from app.document.contents import MAX_FOREGROUNDS
from app.document.layer import Layer
from app.ui.actions import Actions, plain
from app.ui.exchange.drag_out import LayerDrag
from app.ui.fact import Fact
from app.ui.panels.layer_delegate import LayerDelegate, RowParts
from app.ui.panels.layer_list_model import MIME_ROWS, LayerListModel, dragged_ids, foot_text
from app.ui.panels.looks_bar import LooksBar
from app.ui.panels.thumbnails import Thumbnails
from app.ui.selection import Selection
from app.ui.session import Session
from app.ui.solo import Solo
from app.ui.stage import Stage
from app.ui.text import tr
from app.ui.theme import GAP, ICON_SMALL, MARGIN, UNIT, Colours
from app.ui.undo import UndoStack


class LayerList(QListView):
    """The rows.

    Signals:
        escape_pressed(): for the Esc ladder.
    """

    escape_pressed = Signal()

    def __init__(
        self,
        model: LayerListModel,
        delegate: LayerDelegate,
        selection: Selection,
        undo: UndoStack,
        solo: Solo,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._solo = solo
        self.setObjectName("layerList")
        self.setAccessibleName(tr("Layers, front to back"))
        self._rows = model
        self._selection = selection
        self._undo = undo
        self._is_syncing = False
        self.setModel(model)
        self.setItemDelegate(delegate)
        self._thumbnails = delegate.thumbnails
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(
            QAbstractItemView.EditTrigger.DoubleClicked
            | QAbstractItemView.EditTrigger.EditKeyPressed
        )
        self.setDragEnabled(True)
        self.setAcceptDrops(True)
        self.setDropIndicatorShown(True)
        self.setDefaultDropAction(Qt.DropAction.MoveAction)
        self.setDragDropMode(QAbstractItemView.DragDropMode.InternalMove)
        self.setMouseTracking(True)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setUniformItemSizes(True)
        self.selectionModel().selectionChanged.connect(self._on_rows_selected)
        selection.changed.connect(self.show_selection)
        model.rowsInserted.connect(lambda *_: self.show_selection())
        model.layoutChanged.connect(lambda *_: self.show_selection())

    def rename(self, layer: Layer) -> None:
        """Open the in-place editor."""
        index = self._rows.index_of(layer.id)
        if index.isValid():
            self.setCurrentIndex(index)
            self.edit(index)

    def show_selection(self) -> None:
        """Make the selected rows those of the shared selection."""
        wanted = QItemSelection()
        last = QModelIndex()
        for layer in self._selection.layers():
            last = self._rows.index_of(layer.id)
            wanted.select(last, last)
        self._is_syncing = True
        try:
            flags = QItemSelectionModel.SelectionFlag
            self.selectionModel().select(wanted, flags.ClearAndSelect)
            if last.isValid() and not self.hasFocus():
                self.selectionModel().setCurrentIndex(last, flags.NoUpdate)
                self.scrollTo(last)
        finally:
            self._is_syncing = False

    # ---- Qt overrides ----

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Qt override: eye and lock act at once and select nothing."""
        if self._click_part(event):
            event.accept()
            return
        super().mousePressEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Qt override: a second quick click on the eye is a click, not a rename."""
        if self._click_part(event):
            event.accept()
            return
        super().mouseDoubleClickEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Qt override: Esc is a ladder, and the list has no type-ahead."""
        if event.key() == Qt.Key.Key_Escape:
            self.escape_pressed.emit()
        elif event.text().isprintable() and event.text() and event.key() != Qt.Key.Key_Space:
            event.ignore()
        else:
            super().keyPressEvent(event)

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        """Qt override: rows go between rows, never onto one."""
        super().dragMoveEvent(event)
        if event.mimeData().hasFormat(MIME_ROWS):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Qt override: the gap nearest to the pointer counts; Ctrl puts copies there (3.4)."""
        at = event.position().toPoint()
        index = self.indexAt(at)
        row = self._rows.rowCount()
        if index.isValid():
            below_middle = at.y() > self.visualRect(index).center().y()
            row = index.row() + (1 if below_middle else 0)
        ids = dragged_ids(event.mimeData())
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            if copies := self._rows.copy_rows(ids, row):
                self._selection.set(copies)
        else:
            self._rows.move_rows(ids, row)
        # After a move Qt asks the model to remove the dragged rows; ours never does: the document
        # has reordered them already.
        event.accept()
        self.viewport().update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Qt override: a line of help while there is nothing."""
        super().paintEvent(event)
        if self._rows.rowCount() > 1:
            return
        painter = QPainter(self.viewport())
        painter.setPen(self.palette().placeholderText().color())
        top = self.visualRect(self._rows.index(0)).bottom() + 1 if self._rows.rowCount() else 0
        area = self.viewport().rect().adjusted(MARGIN, top + MARGIN, -MARGIN, -MARGIN)
        flags = Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignHCenter
        painter.drawText(
            area,
            flags | Qt.TextFlag.TextWordWrap,
            tr("No layers yet. Each box you draw becomes one."),
        )
        painter.end()

    # ---- inside ----

    def _click_part(self, event: QMouseEvent) -> bool:
        if event.button() != Qt.MouseButton.LeftButton:
            return False
        at = event.position().toPoint()
        index = self.indexAt(at)
        layer = self._rows.layer_at(index)
        if layer is None:
            return False
        row, side = self.visualRect(index), self._thumbnails.side
        parts = RowParts.of(row, side, direction=self.layoutDirection())
        ids = list(self._selection.ids) if layer.id in self._selection else [layer.id]
        if parts.eye.contains(at) and event.modifiers() & Qt.KeyboardModifier.AltModifier:
            self._solo.toggle([layer.id])  # only that one
        elif parts.eye.contains(at) and self._solo:
            # The eyes show solo now. A change of the document would not be seen, and would break
            # the promise that exactly the former layers come back.
            self._solo.turn(ids, not self._solo.shows(layer))
        elif parts.eye.contains(at):
            self._undo.push(SetVisible(ids, not layer.visible))
        elif parts.lock.contains(at):
            self._undo.push(SetLocked(ids, not layer.locked))
        else:
            return False
        return True

    def _on_rows_selected(self, *_: object) -> None:
        if self._is_syncing:
            return
        rows = self.selectionModel().selectedIndexes()
        layers = [layer for layer in map(self._rows.layer_at, rows) if layer is not None]
        self._selection.set(layer.id for layer in layers)


class LayerPanel(QWidget):
    """List and foot.

    Args:
        thumbnails: where rows get their pictures.
    """

    def __init__(
        self,
        session: Session,
        stage: Stage,
        solo: Solo,
        thumbnails: Thumbnails,
        actions: Actions,
        colours: Colours,
    ) -> None:
        super().__init__()
        self.setObjectName("panelBody")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        document, undo, selection = session.document, session.undo, session.selection
        self._document = document
        self.model = LayerListModel(
            document,
            undo,
            stage.new_count,
            lambda layers: LayerDrag(layers, session.drag_folder),
            self,
        )
        self.delegate = LayerDelegate(thumbnails, colours, solo, self)
        self.list = LayerList(self.model, self.delegate, selection, undo, solo)
        solo.changed.connect(self.list.viewport().update)
        self.looks = LooksBar(undo.new_gesture)
        self.count = Fact(tr("Number of layers"))
        self.count.setObjectName("secondary")
        self.count.setToolTip(tr("The model handles up to {0} layers.").format(MAX_FOREGROUNDS))
        self._lay_out(actions)
        thumbnails.ready.connect(self.model.refresh)
        document.events.changed.connect(self._on_changed)
        self._on_changed(0)

    def recolour(self, colours: Colours) -> None:
        """Follow the theme."""
        self.delegate.colours = colours
        self.list.viewport().update()

    def set_thumbnail_side(self, side: int) -> None:
        """Another size of the rows' pictures, logical pixels; 0 = none."""
        if side != self.delegate.thumbnails.side:
            self.delegate.thumbnails.side = side
            self.list.doItemsLayout()

    def changeEvent(self, event: QEvent) -> None:
        """Qt override: another font, other rows."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self.model.refresh()
            self.list.scheduleDelayedItemsLayout()

    def _lay_out(self, actions: Actions) -> None:
        foot = QWidget()
        foot.setObjectName("layerFoot")
        foot.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        row = QHBoxLayout(foot)
        row.setContentsMargins(MARGIN, UNIT, GAP, UNIT)
        row.setSpacing(UNIT)
        row.addWidget(self.count, 1)
        for name in ("new_box", "raise", "lower", "duplicate", "delete"):
            row.addWidget(quiet_button(actions, name))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.looks)
        layout.addWidget(self.list, 1)
        layout.addWidget(foot)

    def _on_changed(self, revision: int) -> None:
        self.count.setText(foot_text(self._document, MAX_FOREGROUNDS))


def quiet_button(actions: Actions, name: str) -> QToolButton:
    """A flat icon button for an action; its name and tooltip are the action's."""
    button = QToolButton()
    button.setObjectName("quiet")
    button.setDefaultAction(actions[name])
    button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
    button.setIconSize(QSize(ICON_SMALL, ICON_SMALL))
    button.setFixedSize(28, 28)
    button.setAccessibleName(plain(actions[name].text()))
    return button
