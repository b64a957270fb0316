"""What was painted last, kept: painting the same again costs one copy."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPixmap


class KeptPicture:
    """A transparent picture as large as the viewport, and what it was painted for.

    Outlines and names of twenty layers took ten of the sixteen milliseconds that a mouse move may
    take while a box is drawn, and did not change from one move to the next.
    """

    def __init__(self) -> None:
        self._key: Hashable = None
        self._picture = QPixmap()

    def paint(
        self,
        painter: QPainter,
        viewport: QRectF,
        key: Hashable,
        draw: Callable[[QPainter], None],
    ) -> None:
        """Paint what `draw` paints; `draw` is called where `key` or the screen is another.

        Args:
            viewport: logical pixels, from (0, 0).
            key: everything that `draw` depends on.
        """
        ratio = painter.device().devicePixelRatioF()
        key = (key, viewport.width(), viewport.height(), ratio)
        if key != self._key:
            width, height = viewport.width() * ratio, viewport.height() * ratio
            self._picture = QPixmap(math.ceil(width), math.ceil(height))
            self._picture.setDevicePixelRatio(ratio)
            self._picture.fill(Qt.GlobalColor.transparent)
            inner = QPainter(self._picture)
            draw(inner)
            inner.end()
            self._key = key
        painter.drawPixmap(QPointF(0, 0), self._picture)

    def forget(self) -> None:
        """Give the memory back."""
        if self._key is not None:
            self._key, self._picture = None, QPixmap()
