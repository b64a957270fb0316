"""The card in the empty canvas: what to do first, with three buttons.

The card lets the mouse through to the canvas below it, so that the first box can be drawn right
there; only its buttons take clicks.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QPushButton, QVBoxLayout, QWidget

from app.ui.actions import Actions
from app.ui.text import tr
from app.ui.theme import CONTROL_HEIGHT, GAP, MARGIN, UNIT


class EmptyCard(QWidget):
    """Lies over the middle of the canvas until the first layer is drawn.

    Args:
        canvas: the widget to lie on.
        examples: menu with the examples.
    """

    def __init__(self, canvas: QWidget, actions: Actions, examples: QMenu) -> None:
        super().__init__(canvas)
        self._canvas = canvas
        self.setObjectName("emptyCard")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAccessibleName(tr("First steps"))
        title = QLabel(tr("Draw boxes where things should be."))
        title.setObjectName("emptyTitle")
        help_text = QLabel(
            tr(
                "Describe the whole picture above. Press Generate.\n"
                "Each box becomes a layer of its own. Or open an example."
            )
        )
        help_text.setObjectName("secondary")
        self.draw = self._button(tr("Draw a Box"))
        self.draw.setToolTip(tr("Takes the box tool; then drag on the canvas."))
        self.draw.clicked.connect(actions["tool_box"].trigger)
        self.draw.clicked.connect(canvas.setFocus)
        self.examples = self._button(tr("Examples"))
        self.examples.setToolTip(tr("Opens a layout with a prompt."))
        self.examples.clicked.connect(
            lambda: examples.popup(self.examples.mapToGlobal(self.examples.rect().bottomLeft()))
        )
        self.open = self._button(tr("Open…"))
        self.open.setToolTip(actions["open"].toolTip())
        self.open.clicked.connect(actions["open"].trigger)
        # A sibling of the card: a child would let the mouse through as well.
        self.buttons = QWidget(canvas)
        row = QHBoxLayout(self.buttons)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GAP)
        for button in (self.draw, self.examples, self.open):
            row.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2 * MARGIN, 5 * UNIT, 2 * MARGIN, 2 * MARGIN)
        layout.setSpacing(GAP)
        layout.addWidget(title)
        layout.addWidget(help_text)
        layout.addSpacing(GAP)
        layout.addSpacing(CONTROL_HEIGHT)
        canvas.installEventFilter(self)
        self.adjustSize()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Qt override: stay in the middle."""
        if event.type() in (QEvent.Type.Resize, QEvent.Type.Show):
            self.centre()
        return False

    def setVisible(self, visible: bool) -> None:
        """Qt override: the buttons come and go with the card."""
        super().setVisible(visible)
        self.buttons.setVisible(visible)
        if visible:
            self.centre()

    def centre(self) -> None:
        """Move to the middle of the canvas, on whole pixels."""
        self.adjustSize()
        self.buttons.adjustSize()
        room = self._canvas.size()
        x, y = (room.width() - self.width()) // 2, (room.height() - self.height()) // 2
        self.move(max(0, x), max(0, y))
        inner = self.geometry().adjusted(2 * MARGIN, 0, 0, -2 * MARGIN)
        self.buttons.move(inner.left(), inner.bottom() + 1 - self.buttons.height())
        self.buttons.raise_()

    def _button(self, text: str) -> QPushButton:
        button = QPushButton(text)
        button.setMinimumHeight(CONTROL_HEIGHT)
        button.setAccessibleName(text)
        button.setCursor(Qt.CursorShape.ArrowCursor)
        return button
