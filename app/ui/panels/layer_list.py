"""The layer panel: blend mode and opacity, the rows, the foot with buttons."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import (
    QEvent,
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QSignalBlocker,
    Qt,
    Signal,
)
from PySide6.QtGui import QDragMoveEvent, QDropEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QListView,
    QSizePolicy,
    QSlider,
    QVBoxLayout,
)

from app.document.commands import SetLocked, SetVisible
from app.document.layer import Layer
from app.document.words import shown_name
from app.session.selection import Selection, Solo
from app.session.undo import UndoStack
from app.ui.action_table import SPECS
from app.ui.actions import Actions, plain
from app.ui.mime_data import LayerDrag
from app.ui.panels.layer_rows import MIME_ROWS, LayerDelegate, LayerListModel, RowParts, dragged_ids
from app.ui.session import Session
from app.ui.stage import Stage
from app.ui.text import count_text, tr
from app.ui.theme import FIELD_HEIGHT, GAP, MARGIN, UNIT, Colours
from app.ui.widgets.accessibility import StatusLabel
from app.ui.widgets.buttons import quiet_button
from app.ui.widgets.fields import DropDown, NumberField
from app.ui.widgets.forms import Panel, enable, fill, named
from app.ui.widgets.images import Thumbnails


def blend_names() -> dict[str, str]:
    """What the twelve modes on offer are called, in the order of menus and keys."""
    modes = (spec for spec in SPECS if spec.group == "blend")
    return {spec.name.removeprefix("blend_"): plain(tr(spec.text)) for spec in modes}


def unlisted_names() -> dict[str, str]:
    """Modes that layers of other programs have: painted exactly, not on offer."""
    return {
        "exclusion": tr("Exclusion"),
        "hue": tr("Hue"),
        "saturation": tr("Saturation"),
        "color": tr("Color"),
        "luminosity": tr("Luminosity"),
    }


class LooksBar(Panel):
    """A choice, a slider and a field; a drag of the slider carries one gesture throughout."""

    blend_chosen = Signal(str)
    opacity_chosen = Signal(int, int)

    def __init__(self, new_gesture: Callable[[], int]) -> None:
        super().__init__("looksBar")
        self._new_gesture = new_gesture
        self._gesture: int | None = None
        modes = [(name, mode) for mode, name in blend_names().items()]
        self.blend = named(DropDown("", modes), tr("Blend mode"), line=FIELD_HEIGHT)
        self.blend.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.blend.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.blend.view().setAccessibleName(tr("Blend modes"))
        self.slider = named(QSlider(Qt.Orientation.Horizontal), tr("Opacity"), height=24)
        self.slider.setRange(0, 100)
        self.slider.setPageStep(10)
        self.field = named(NumberField(), tr("Opacity in percent"), line=FIELD_HEIGHT)
        self.field.setRange(0, 100)
        self.field.setSuffix(" %")
        self.field.setMinimumWidth(64)
        self.field.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.field.setKeyboardTracking(False)
        parts = ((self.blend, 5), (self.slider, 4), self.field)
        fill(QHBoxLayout(self), *parts, margins=(MARGIN, UNIT, MARGIN, GAP))
        self.blend.activated.connect(
            lambda place: self.blend_chosen.emit(self.blend.itemData(place))
        )
        self.slider.sliderPressed.connect(self._set_gesture)
        self.slider.sliderReleased.connect(self._set_gesture)
        self.slider.valueChanged.connect(self._on_percent)
        self.field.valueChanged.connect(self._on_percent)
        self.show_layers([])

    def show_layers(self, layers: Sequence[Layer]) -> None:
        """Show what the selected layers have; the topmost speaks for several."""
        locked = next((shown_name(layer) for layer in layers if layer.locked), "")
        reason = "" if layers else tr("no layer is selected")
        if locked:
            reason = tr("'{0}' is locked").format(locked)
        layer = layers[-1] if layers else None
        mode = "normal" if layer is None else layer.blend
        place = self.blend.findData(mode)
        unlisted = unlisted_names().get(mode, "")
        # A mode that this program cannot paint is shown as Normal, marked, and kept.
        foreign = place < 0 and not unlisted
        self.blend.setPlaceholderText(unlisted)
        self.blend.setCurrentIndex(place if unlisted else max(0, place))
        percent = 100 if layer is None else round(layer.opacity * 100)
        with QSignalBlocker(self.slider), QSignalBlocker(self.field):
            self.slider.setValue(percent)
            self.field.setValue(percent)
        tip = tr("How the layer mixes with what is below it. B goes to the next mode.")
        if foreign:
            tip = tr("'{0}' comes from another program; here it looks like Normal.").format(mode)
        elif unlisted:
            tip = tr("'{0}' comes from another program and is painted as there.").format(unlisted)
        enable(self.blend, tip, reason)
        opacity = tr("How much of the layer shows. Digits set it: 5 is 50 %.")
        enable(self.slider, opacity, reason)
        enable(self.field, opacity, reason)

    def _set_gesture(self) -> None:
        """From the press of the slider to its release."""
        self._gesture = self._new_gesture() if self.slider.isSliderDown() else None

    def _on_percent(self, percent: int) -> None:
        gesture = self._gesture if self._gesture is not None else self._new_gesture()
        self.opacity_chosen.emit(percent, gesture)


class LayerList(QListView):
    """The rows."""

    escape_pressed = Signal()

    def __init__(
        self,
        model: LayerListModel,
        delegate: LayerDelegate,
        selection: Selection,
        undo: UndoStack,
        solo: Solo,
    ) -> None:
        super().__init__()
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
        index = self._rows.index_of(layer.id)
        if index.isValid():
            self.setCurrentIndex(index)
            self.edit(index)

    def show_selection(self) -> None:
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
        """Qt override: the gap nearest to the pointer counts; Ctrl puts copies there."""
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


class LayerPanel(Panel):
    """List and foot."""

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
        document, undo, selection = session.document, session.undo, session.selection
        self._document, self._bridge = document, session.bridge
        self.model = LayerListModel(
            document,
            undo,
            stage.new_count,
            lambda layers: LayerDrag(layers, session.drag_folder),
            self,
        )
        self.delegate = LayerDelegate(thumbnails, colours, solo, self)
        self.list = LayerList(self.model, self.delegate, selection, undo, solo)
        solo.changed.connect(self._on_solo)
        self.looks = LooksBar(undo.new_gesture)
        self.count = StatusLabel(tr("Number of layers"))
        self.count.setObjectName("secondary")
        foot = Panel("layerFoot")
        names = ("new_box", "raise", "lower", "duplicate", "delete")
        buttons = [quiet_button(actions, name) for name in names]
        foot_margins = (MARGIN, UNIT, GAP, UNIT)
        fill(QHBoxLayout(foot), (self.count, 1), *buttons, spacing=UNIT, margins=foot_margins)
        fill(QVBoxLayout(self), self.looks, (self.list, 1), foot, spacing=0)
        thumbnails.ready.connect(self.model.refresh)
        document.events.layers_changed.connect(self._show_count)
        session.bridge.state_changed.connect(self._on_model)
        self._on_model()

    def recolour(self, colours: Colours) -> None:
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

    def _on_solo(self) -> None:
        self.list.viewport().update()

    def _show_count(self) -> None:
        info = self._bridge.info
        limit = None if info is None else info.max_foregrounds
        self.count.setText(count_text(len(self._document.foregrounds), limit))

    def _on_model(self) -> None:
        info = self._bridge.info
        if info is not None:
            text = tr("The model handles up to {0} layers.").format(info.max_foregrounds)
            self.count.setToolTip(text)
        self._show_count()
