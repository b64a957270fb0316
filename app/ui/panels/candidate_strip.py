"""The strip of results: the current picture and the results of the selection in a column."""

from __future__ import annotations

from PySide6.QtCore import (
    QAbstractListModel,
    QEvent,
    QItemSelectionModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QSize,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import (
    QColor,
    QFontMetrics,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPen,
    QWheelEvent,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListView,
    QSizePolicy,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from app.document.candidates import with_choice
from app.document.composite import composite
from app.document.document import Document
from app.document.words import shown_name
from app.session.selection import Selection
from app.ui.actions import Actions
from app.ui.stage import Stage
from app.ui.text import number, tr
from app.ui.theme import GAP, ICON_SMALL, UNIT, Colours
from app.ui.theme.icons import pixmap
from app.ui.widgets.accessibility import ElidedStatusLabel
from app.ui.widgets.buttons import action_button
from app.ui.widgets.forms import Panel, fill
from app.ui.widgets.images import SmallPictures, checker_brush

SIDE = 72
PlaceRole = Qt.ItemDataRole.UserRole
Index = QModelIndex | QPersistentModelIndex
HOVER_MS = 80
HEADER_HEIGHT = 32
_NO_INDEX = QModelIndex()
# The pictures stand below each other; keys for next and previous work in both directions.
_STEPS = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}


def cell_size(metrics: QFontMetrics) -> QSize:
    """Of one result: its picture, and below it a line with the longest of its texts."""
    texts = max(metrics.horizontalAdvance(text) for text in (tr("Current"), tr("Detached")))
    line = max(18, metrics.height() + 2)
    return QSize(max(SIDE, texts) + 2 * UNIT, SIDE + 2 * UNIT + line)


class ChoiceDelegate(QStyledItemDelegate):
    """Paints cells; asks for the pictures as they come into view."""

    def __init__(
        self,
        stage: Stage,
        document: Document,
        pictures: SmallPictures,
        colours: Colours,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._stage = stage
        self._document = document
        self._pictures = pictures
        self.colours = colours

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return cell_size(option.fontMetrics)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        place: int = index.data(PlaceRole)
        colours = self.colours
        ratio = painter.device().devicePixelRatio()
        cell = option.rect.adjusted(UNIT, UNIT, -UNIT, 0)
        square = QRect(cell.left() + (cell.width() - SIDE) // 2, cell.top(), SIDE, SIDE)
        painter.save()
        painter.fillRect(square, checker_brush(colours, ratio))
        image = self._picture(place, round(SIDE * ratio))
        if image is not None:
            width, height = image.width() / ratio, image.height() / ratio
            left = square.left() + round((SIDE - width) / 2)
            top = square.top() + round((SIDE - height) / 2)
            painter.drawImage(QRect(left, top, round(width), round(height)), image)
        is_shown = place == self._stage.place
        edge = colours.edge
        if is_shown:
            edge = colours.staged if place else colours.accent
        elif option.state & QStyle.StateFlag.State_Selected:
            edge = colours.accent
        painter.setPen(QPen(QColor(edge), 2 if edge != colours.edge else 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(square.adjusted(0, 0, -1, -1))
        self._label(painter, option, place, cell, square)
        if place == 0:
            sign = pixmap("circle-check", colours.done, ICON_SMALL, ratio)
            painter.drawPixmap(square.right() - ICON_SMALL - 3, square.top() + 4, sign)
        painter.restore()

    def _label(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        place: int,
        cell: QRect,
        square: QRect,
    ) -> None:
        colours = self.colours
        painter.setFont(option.font)
        text, is_new = tr("Current"), False
        if place:
            choice = self._stage.choices[place - 1]
            text = number(place) if choice.detached is None else tr("Detached")
            is_new = self._stage.is_new(choice)
        height = max(16, painter.fontMetrics().height())
        line = QRect(cell.left(), square.bottom() + 3, cell.width(), height)
        painter.setPen(QColor(colours.text if place == self._stage.place else colours.secondary))
        painter.drawText(line, Qt.AlignmentFlag.AlignCenter, text)
        if is_new:
            dot = QRect(0, 0, GAP, GAP)
            half = painter.fontMetrics().horizontalAdvance(text) // 2
            dot.moveCenter(line.center())
            dot.moveLeft(line.center().x() + half + UNIT)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(colours.staged))
            painter.drawEllipse(dot)

    def _picture(self, place: int, side: int) -> QImage | None:
        contents = self._document.contents
        if place:
            choice = self._stage.choices[place - 1]
            alone = choice.first if len(choice.candidates) <= 1 else None
            layers = [] if alone else with_choice(contents, choice)
        else:
            ids = {key for choice in self._stage.choices for key in choice.candidates}
            layers = [layer for layer in contents.layers if layer.id in ids]
            alone = layers[0].as_candidate() if len(layers) == 1 else None
            if len(layers) == 1 and alone is None:
                return None
            layers = list(contents.layers)
        if alone is not None:
            pixels = alone.pixels
            return self._pictures.get(alone.pixel_hash, side, lambda: pixels)
        key = tuple((layer.pixel_hash, layer.rect, layer.visible) for layer in layers)
        return self._pictures.get(key, side, lambda: composite(layers, contents.canvas.rect))


class ChoiceModel(QAbstractListModel):
    """Row 0 is the current picture, then one row per choice."""

    def __init__(self, stage: Stage, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._stage = stage
        self._count = 0
        stage.changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        count = len(self._stage.choices) + 1 if self._stage.choices else 0
        if count != self._count:
            self.beginResetModel()
            self._count = count
            self.endResetModel()
        elif count:
            self.dataChanged.emit(self.index(0), self.index(count - 1))

    def rowCount(self, parent: Index = _NO_INDEX) -> int:
        return 0 if parent.isValid() else self._count

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        place = index.row()
        if role == PlaceRole:
            return place
        if role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole):
            return self._describe(place)
        return None

    def _describe(self, place: int) -> str:
        if place == 0:
            return tr("Current picture.")
        choice = self._stage.choices[place - 1]
        text = tr("Result {0} of {1}.").format(number(place), number(len(self._stage.choices)))
        if choice.detached is not None:
            text = tr("Detached: the layer that it was made for was deleted. Right-click for more.")
        if choice.seed is not None:
            text += " " + tr("Seed {0}.").format(choice.seed)
        if uses := self._stage.use_count(choice):
            text += " " + (
                tr("Shown by one layer.")
                if uses == 1
                else tr("Shown by {0} layers.").format(number(uses))
            )
        if choice.prompt:
            text += "\n" + choice.prompt
        return text


class ChoiceList(QListView):
    """The column of pictures; `left` means back to the canvas, by Esc."""

    left = Signal()

    def __init__(self, stage: Stage, delegate: ChoiceDelegate, parent: QWidget) -> None:
        super().__init__(parent)
        self._stage = stage
        self._hovered = -1
        self._resting = 0
        self.setObjectName("choiceList")
        self.setAccessibleName(tr("Results"))
        self.setModel(ChoiceModel(stage, self))
        self.setItemDelegate(delegate)
        self.setFlow(QListView.Flow.TopToBottom)
        self.setWrapping(False)
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self._timer = QTimer(self, singleShot=True, interval=HOVER_MS)
        self._timer.timeout.connect(self._show_hovered)
        stage.shown.connect(self._on_shown)
        self.model().modelReset.connect(self._on_shown)

    def places(self) -> list[int]:
        """The selected rows but the current picture."""
        return [index.row() for index in self.selectedIndexes() if index.row()]

    def currentChanged(self, current: Index, previous: Index) -> None:
        """Qt override: arrow keys show in place."""
        super().currentChanged(current, previous)
        if current.isValid() and self.hasFocus():
            self._resting = current.row()
            self._stage.show_place(current.row())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Qt override: resting on one shows it."""
        super().mouseMoveEvent(event)
        row = self.indexAt(event.position().toPoint()).row()
        if row != self._hovered:
            self._hovered = row
            self._timer.start()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Qt override: a click keeps it shown."""
        super().mousePressEvent(event)
        index = self.indexAt(event.position().toPoint())
        if index.isValid():
            self._resting = index.row()
            self._stage.show_place(index.row())

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Qt override: a double click takes it."""
        index = self.indexAt(event.position().toPoint())
        if index.isValid() and index.row():
            self._stage.accept(index.row())

    def leaveEvent(self, event: QEvent) -> None:
        """Qt override: leaving restores what was shown before the mouse came."""
        super().leaveEvent(event)
        self._hovered = -1
        self._timer.stop()
        self._stage.show_place(self._resting)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Qt override: Enter takes, Del discards, Esc goes back to Current and then out."""
        key = event.key()
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._stage.accept()
        elif key in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace) and not event.modifiers():
            self._stage.discard(self.places() or [self._stage.place])
        elif key == Qt.Key.Key_Escape:
            if self._stage.place:
                self._stage.show_place(0)
            else:
                self.left.emit()
        elif key in _STEPS and not event.modifiers():
            row = self.currentIndex().row() + _STEPS[Qt.Key(key)]
            if 0 <= row < self.model().rowCount():
                self.setCurrentIndex(self.model().index(row, 0))
        else:
            super().keyPressEvent(event)

    def sizeHint(self) -> QSize:
        """Qt override: all results, where there is room for them."""
        cell = cell_size(self.fontMetrics())
        return QSize(cell.width(), max(1, self.model().rowCount()) * cell.height() + 4)

    def minimumSizeHint(self) -> QSize:
        """Qt override: one of them."""
        cell = cell_size(self.fontMetrics())
        return QSize(cell.width(), cell.height() + 4)

    def _show_hovered(self) -> None:
        self._stage.show_place(self._hovered if self._hovered >= 0 else self._resting)

    def _on_shown(self) -> None:
        place = self._stage.place
        if self._hovered < 0:
            self._resting = place
        index = self.model().index(place, 0)
        if index.isValid() and self._hovered < 0:
            flags = QItemSelectionModel.SelectionFlag
            self.selectionModel().setCurrentIndex(index, flags.ClearAndSelect)
            self.scrollTo(index)
        self.viewport().update()


class CandidateStrip(Panel):
    """What the strip is about, the results, and what can be done with them; no higher than that."""

    menu_asked = Signal(int, QPoint)  # place, at: a right click on a result

    def __init__(
        self,
        stage: Stage,
        selection: Selection,
        pictures: SmallPictures,
        actions: Actions,
        colours: Colours,
        delegate: ChoiceDelegate,
    ) -> None:
        super().__init__("candidateStrip")
        self.setAccessibleName(tr("Results"))
        self._stage = stage
        self._selection = selection
        self._delegate = delegate
        self._is_covered = False
        self.title = ElidedStatusLabel(tr("Results for"))
        self.title.setObjectName("stripTitle")
        self.state = ElidedStatusLabel(tr("Results"))
        self.state.setObjectName("secondary")
        self.list = ChoiceList(stage, delegate, self)
        verbs = {"accept": tr("Accept"), "discard": tr("Discard"), "compare": tr("Compare")}
        self.accept, self.discard, self.compare = self._buttons = [
            action_button(actions, name, verb, HEADER_HEIGHT - UNIT) for name, verb in verbs.items()
        ]
        for button in self._buttons:
            button.setObjectName("stripButton")
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        top = fill(QVBoxLayout(), self.title, self.state, (self.list, 1), spacing=UNIT)
        margins = (GAP, GAP, GAP, GAP)
        fill(QVBoxLayout(self), (top, 1), *self._buttons, spacing=UNIT, margins=margins)
        pictures.ready.connect(self.list.viewport().update)
        stage.changed.connect(self.refresh)
        stage.shown.connect(self.refresh)
        self.list.customContextMenuRequested.connect(self._on_menu)
        self._fit_width()
        self.refresh()

    def refresh(self) -> None:
        count = len(self._stage.choices)
        layers = self._selection.layers()
        if len(layers) == 1:
            text = f"'{shown_name(layers[0])}'"
        elif layers:
            text = tr("{0} layers").format(number(len(layers)))
        else:
            text = tr("Picture")
        self.title.setText(text)
        found = tr("1 result") if count == 1 else tr("{0} results").format(number(count))
        self.state.setText(self._stage.text or found)
        self.list.updateGeometry()
        self.setVisible(bool(count) and not self._is_covered)

    def set_covered(self, covered: bool) -> None:
        self._is_covered = covered
        self.refresh()

    def changeEvent(self, event: QEvent) -> None:
        """Qt override: another font, other widths."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange and hasattr(self, "_buttons"):
            self._fit_width()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Qt override: nothing below the strip scrolls or zooms."""
        event.accept()

    def recolour(self, colours: Colours) -> None:
        self._delegate.colours = colours
        self.list.viewport().update()

    def _fit_width(self) -> None:
        """As wide as a cell with its scroll bar, and as the longest button."""
        bar = self.style().pixelMetric(QStyle.PixelMetric.PM_ScrollBarExtent)
        cell = cell_size(self.fontMetrics()).width() + bar
        widest = max(button.sizeHint().width() for button in self._buttons)
        self.setFixedWidth(max(cell, widest) + 2 * GAP)

    def _on_menu(self, at: QPoint) -> None:
        index = self.list.indexAt(at)
        if index.isValid() and index.row():
            self.menu_asked.emit(index.row(), self.list.viewport().mapToGlobal(at))
