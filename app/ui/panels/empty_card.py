"""The card in the empty canvas: what to do first, with three buttons."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QSize, Qt
from PySide6.QtGui import QAction, QRegion
from PySide6.QtWidgets import (
    QAbstractScrollArea,
    QBoxLayout,
    QLabel,
    QPushButton,
    QSpacerItem,
    QVBoxLayout,
    QWidget,
)

from app.ui.actions import Actions
from app.ui.text import tr
from app.ui.theme import CONTROL_HEIGHT, GAP, MARGIN, UNIT
from app.ui.widgets.forms import fill, named, note


class EmptyCard(QWidget):
    """Lies over the middle of the canvas until the first layer is drawn."""

    def __init__(self, canvas: QAbstractScrollArea, actions: Actions) -> None:
        super().__init__(canvas)
        self._canvas = canvas
        self.setObjectName("emptyCard")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAccessibleName(tr("First steps"))
        self._is_dismissed = False
        self.title = QLabel(
            tr("1  Type what you want to see.\n2  Drag a box for each thing.\n3  Press Generate.")
        )
        self.title.setObjectName("emptyTitle")
        self.title.setWordWrap(True)
        help_text = note(tr("Each box becomes a layer of its own. Or open an example."))
        self.texts = (self.title, help_text)
        tip = tr("Selects the box tool. Then drag on the canvas.")
        self.draw = self._button(tr("Draw a Box"), tip, actions["tool_box"])
        self.draw.clicked.connect(canvas.setFocus)
        self.draw.clicked.connect(self.dismiss)
        tip = actions["examples"].toolTip()
        self.examples = self._button(tr("Examples"), tip, actions["examples"])
        self.open = self._button(tr("Open…"), actions["open"].toolTip(), actions["open"])
        # A sibling of the card: a child would let the mouse through as well.
        self.buttons = QWidget(canvas)
        self._row = QBoxLayout(QBoxLayout.Direction.LeftToRight, self.buttons)
        fill(self._row, self.draw, self.examples, self.open)
        margins = (2 * MARGIN, 5 * UNIT, 2 * MARGIN, 2 * MARGIN)
        self._column = fill(QVBoxLayout(self), self.title, help_text, margins=margins)
        self._column.addSpacing(GAP)
        self._room = QSpacerItem(0, CONTROL_HEIGHT)
        self._room_height = CONTROL_HEIGHT
        self._column.addItem(self._room)
        canvas.installEventFilter(self)
        canvas.viewport().installEventFilter(self)
        self.buttons.installEventFilter(self)
        self.centre()

    def dismiss(self) -> None:
        """Go, and stay away until `come_back`."""
        self._is_dismissed = True
        self.setVisible(False)

    def come_back(self) -> None:
        """Another document, or a canvas that had layers: the card may show again."""
        self._is_dismissed = False

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Qt override: stay in the middle, and go at the first press on the canvas."""
        if watched is self.buttons:
            if event.type() in (QEvent.Type.Resize, QEvent.Type.Show):
                self._open_gaps()
        elif event.type() == QEvent.Type.MouseButtonPress and self.isVisible():
            self.dismiss()
        elif watched is self._canvas and event.type() in (QEvent.Type.Resize, QEvent.Type.Show):
            self.centre()
        return False

    def setVisible(self, visible: bool) -> None:
        """Qt override: the buttons come and go with the card."""
        visible = visible and not self._is_dismissed
        super().setVisible(visible)
        self.buttons.setVisible(visible)
        if visible:
            self.centre()

    def centre(self) -> None:
        """Move to the middle of the canvas, on whole pixels."""
        room = self._canvas.size()
        self._fit(room.width() - 2 * MARGIN)
        x, y = (room.width() - self.width()) // 2, (room.height() - self.height()) // 2
        self.move(max(0, x), max(0, y))
        inner = self.geometry().adjusted(2 * MARGIN, 0, 0, -2 * MARGIN)
        self.buttons.move(inner.left(), inner.bottom() + 1 - self.buttons.height())
        self.buttons.raise_()

    def event(self, event: QEvent) -> bool:
        """Qt override: another font, other texts: another size."""
        if event.type() == QEvent.Type.LayoutRequest:
            self.centre()
        return super().event(event)

    def _fit(self, most: int) -> None:
        """As wide as the longest line, at most `most` pixels; then lines and buttons wrap.

        What does not fit the canvas all the same is left out, so that the buttons never are.
        Nothing is touched that has its value already: a layout that is changed asks to be laid
        out, which leads back here.
        """
        inner = most - 4 * MARGIN
        lines = [
            label.fontMetrics().horizontalAdvance(line)
            for label in self.texts
            for line in label.text().split("\n")
        ]
        wide = [button.sizeHint().width() for button in (self.draw, self.examples, self.open)]
        is_row = sum(wide) + 2 * GAP <= inner
        directions = QBoxLayout.Direction
        self._row.setDirection(directions.LeftToRight if is_row else directions.TopToBottom)
        self.buttons.resize(self._row.sizeHint())
        row_height = self._row.sizeHint().height()
        if row_height != self._room_height:
            self._room_height = row_height
            self._room.changeSize(0, row_height)
            self._column.invalidate()
        width = min(inner, max(*lines, self._row.sizeHint().width()) + 2)
        left = self._canvas.height() - 2 * MARGIN - 5 * UNIT - row_height
        for label in self.texts:
            height = label.heightForWidth(width)
            label.setFixedSize(width, height)
            left -= height + GAP
            label.setVisible(left >= GAP)
        # Where no text fits, the buttons still do.
        self.resize(self._column.sizeHint().expandedTo(QSize(width + 4 * MARGIN, 0)))

    def _open_gaps(self) -> None:
        """Between the buttons the mouse reaches the canvas as well."""
        self._row.activate()
        places = QRegion()
        for button in (self.draw, self.examples, self.open):
            places += QRegion(button.geometry())
        self.buttons.setMask(places)

    def _button(self, text: str, tip: str, action: QAction) -> QPushButton:
        button = named(QPushButton(text), text, tip, line=CONTROL_HEIGHT)
        button.setCursor(Qt.CursorShape.ArrowCursor)
        button.clicked.connect(action.trigger)
        return button
