"""A page that scrolls up and down where the panel is low, and is never narrower than its texts."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QSize, Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QFrame, QScrollArea, QWidget

from app.ui.theme import CONTROL_HEIGHT


class Scrolled(QScrollArea):
    """Round one page; the panel's ground shows through.

    Args:
        name: what a reader hears.
    """

    def __init__(self, page: QWidget, name: str) -> None:
        super().__init__()
        self._page = page
        self.setAccessibleName(name)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWidgetResizable(True)
        self.setWidget(page)
        for ground in (self.viewport(), page):
            ground.setAutoFillBackground(False)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Qt override: what the page needs has changed, with another font for example."""
        if event.type() == QEvent.Type.LayoutRequest:
            self.updateGeometry()
        return super().eventFilter(watched, event)

    def showEvent(self, event: QShowEvent) -> None:
        """Qt override: of changes behind another tab nobody was told."""
        super().showEvent(event)
        self.updateGeometry()

    def minimumSizeHint(self) -> QSize:
        """Qt override: as wide as the page must be, beside its scroll bar; one row high."""
        bar = self.verticalScrollBar().sizeHint().width()
        return QSize(self._page.minimumSizeHint().width() + bar, CONTROL_HEIGHT)
