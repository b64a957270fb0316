"""State row of the inspector: sign and text of the layer's state, and what to do about it."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QWidget

from app.ui.panels.layer_state import LayerState
from app.ui.text import tr
from app.ui.theme import ICON_SMALL, UNIT, Colours
from app.ui.theme.icons import pixmap
from app.ui.widgets.accessibility import Fact
from app.ui.widgets.forms import no_lower_than

BUTTON_HEIGHT = 28


class StateRow(QWidget):
    """One line; the button shows for layers that came out empty.

    Attributes:
        retry: asks for the layer with another seed.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._sign = QLabel()
        self._sign.setAccessibleName(tr("State icon"))
        self.text = Fact(tr("State"))
        self.retry = QPushButton(tr("Try Another Seed"))
        self.retry.setObjectName("stripButton")
        no_lower_than(self.retry, BUTTON_HEIGHT)
        self.retry.setAccessibleName(self.retry.text())
        self.retry.setToolTip(tr("Repaints this layer with a random seed."))
        self.retry.hide()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(UNIT)
        row.addWidget(self._sign)
        row.addWidget(self.text, 1)
        row.addWidget(self.retry)

    def show_state(self, state: LayerState | None, colours: Colours, *, is_empty: bool) -> None:
        """The state of one layer; None = of several, of which nothing is said."""
        self.retry.setVisible(is_empty)
        if state is None:
            self.text.clear()
            self._sign.clear()
            return
        # The button says what to do about it: the text need not.
        self.text.setText(tr("Empty") if is_empty else state.text)
        colour = getattr(colours, state.colour)
        self._sign.setPixmap(pixmap(state.icon, colour, ICON_SMALL, self.devicePixelRatioF()))
