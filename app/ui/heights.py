"""Heights that follow the font: a control has its usual one, and more where its text needs it."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QWidget

_CHANGES = (QEvent.Type.FontChange, QEvent.Type.StyleChange, QEvent.Type.Polish)


class _Heights(QObject):
    """Keeps the least height of one widget at what its text needs."""

    def __init__(self, widget: QWidget, usual: int) -> None:
        super().__init__(widget)
        self._widget = widget
        self._usual = usual
        widget.installEventFilter(self)
        self._fit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Qt override: after another font or style sheet."""
        if event.type() in _CHANGES:
            self._fit()
        return False

    def _fit(self) -> None:
        self._widget.setMinimumHeight(max(self._usual, self._widget.minimumSizeHint().height()))


def no_lower_than(widget: QWidget, usual: int) -> None:
    """Give a widget a least height, in logical pixels, that its text never outgrows.

    A plain minimum would allow a layout without room to squeeze larger texts down to it.
    """
    _Heights(widget, usual)
