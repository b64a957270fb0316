"""The item of the canvas scene: one picture of all layers.

Outlines and handles are not here: the view draws them in screen pixels. Knows no tools.
"""

from __future__ import annotations

from PySide6.QtCore import QRect, QRectF
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from app.document.geometry import Rect

# From this many screen pixels per picture pixel on, pixels are shown as squares.
SQUARE_PIXELS_FROM = 2.0


def to_rectf(rect: Rect) -> QRectF:
    """The same rectangle for Qt."""
    return QRectF(rect.x, rect.y, rect.width, rect.height)


class CanvasItem(QGraphicsItem):
    """One picture of the whole canvas: the live one, or the exact composite.

    Attributes:
        is_rough: something moves: scaled fast now, smoothly once it rests.
    """

    def __init__(self) -> None:
        super().__init__()
        self._image = QImage()
        self._rect = QRectF()
        self.is_rough = False

    @property
    def image(self) -> QImage:
        return self._image

    def show_image(self, image: QImage, dirty: QRect | None = None) -> None:
        """Show `image`, one canvas pixel per pixel.

        Args:
            dirty: the only part that is different; None = all of it.
        """
        rect = QRectF(image.rect())
        if rect != self._rect:
            self.prepareGeometryChange()
            self._rect = rect
            dirty = None
        self._image = image
        if dirty is None:
            self.update()
        elif not dirty.isEmpty():
            # A pixel more each way: smooth scaling looks at the neighbours.
            self.update(QRectF(dirty.adjusted(-1, -1, 1, 1)))

    def boundingRect(self) -> QRectF:
        """Qt override."""
        return self._rect

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        """Qt override."""
        if self._image.isNull():
            return
        ratio = painter.device().devicePixelRatio()
        zoom = painter.worldTransform().m11() * ratio
        smooth = zoom < SQUARE_PIXELS_FROM and not self.is_rough and zoom != 1.0
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
        part = option.exposedRect.toAlignedRect().intersected(self._image.rect())
        painter.drawImage(QRectF(part), self._image, QRectF(part))
