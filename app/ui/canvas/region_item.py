"""Items of the canvas scene: one layer's pixels, and the settled composite above them all.

Outlines and handles are not here: the view draws them in screen pixels. Knows no tools.
"""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from app.document.geometry import Rect

# From this many screen pixels per picture pixel on, pixels are shown as squares.
SQUARE_PIXELS_FROM = 2.0


def to_rectf(rect: Rect) -> QRectF:
    """The same rectangle for Qt."""
    return QRectF(rect.x, rect.y, rect.width, rect.height)


class PictureItem(QGraphicsItem):
    """An image stretched over a rectangle of the canvas, cut to the canvas.

    Attributes:
        is_muted: painted by somebody else at the moment.
    """

    def __init__(self) -> None:
        super().__init__()
        self._rect = QRectF()
        self._image = QImage()
        self._clip = QRectF()
        self.is_muted = False

    @property
    def image(self) -> QImage:
        return self._image

    def show_image(self, image: QImage, rect: Rect, clip: Rect) -> None:
        """Show `image` at `rect`, canvas pixels, cut to `clip`."""
        self.prepareGeometryChange()
        self._image = image
        self._rect = to_rectf(rect)
        self._clip = to_rectf(clip)
        self.update()

    def move_to(self, rect: Rect) -> None:
        """The same image elsewhere."""
        self.prepareGeometryChange()
        self._rect = to_rectf(rect)
        self.update()

    def boundingRect(self) -> QRectF:
        """Qt override."""
        return self._rect

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        """Qt override."""
        if self.is_muted or self._image.isNull():
            return
        ratio = painter.device().devicePixelRatio()
        zoom = painter.worldTransform().m11() * ratio
        painter.save()
        painter.setClipRect(self._clip, Qt.ClipOperation.IntersectClip)
        is_stretched = self._image.width() != self._rect.width()
        smooth = is_stretched or zoom < SQUARE_PIXELS_FROM
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
        painter.drawImage(self._rect, self._image)
        painter.restore()


class LayerItem(PictureItem):
    """The pixels of one layer, or the preview of what it will be."""

    def __init__(self, layer_id: int) -> None:
        super().__init__()
        self.layer_id = layer_id
