"""The item of the canvas scene: one picture of all layers.

Outlines and handles are not here: the view draws them in screen pixels.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QImage, QPainter, QPixmap
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from app.document.geometry import Rect

# From this many screen pixels per picture pixel on, pixels are shown as squares.
SQUARE_PIXELS_FROM = 2.0


def to_rectf(rect: Rect) -> QRectF:
    return QRectF(rect.x, rect.y, rect.width, rect.height)


class CanvasItem(QGraphicsItem):
    """One picture of the whole canvas: the live one, the exact composite, or a sharper one."""

    def __init__(self, paint_sharp: Callable[[QPainter, QWidget, QImage], bool]) -> None:
        super().__init__()
        self.image = QImage()
        self._rect = QRectF()
        self._scaled = QPixmap()
        self._scaled_for: object = None
        self._stale = QRect()
        self.is_rough = False  # something moves: scaled fast now, smoothly once it rests
        self._paint_sharp = paint_sharp

    def show_image(self, image: QImage, dirty: QRect | None = None) -> None:
        """Show `image`, one canvas pixel per pixel; only `dirty` is different, None = all of it."""
        rect = QRectF(image.rect())
        if rect != self._rect:
            self.prepareGeometryChange()
            self._rect = rect
            dirty = None
        self.image = image
        if dirty is None:
            self._stale = image.rect()
            self.update()
        elif not dirty.isEmpty():
            # A pixel more each way: smooth scaling looks at the neighbours.
            part = dirty.adjusted(-1, -1, 1, 1)
            self._stale = self._stale.united(part)
            self.update(QRectF(part))

    def boundingRect(self) -> QRectF:
        return self._rect

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        if self.image.isNull():
            return
        at_rest = None if self.is_rough else widget
        if at_rest is not None and self._paint_sharp(painter, at_rest, self.image):
            return
        ratio = painter.device().devicePixelRatio()
        zoom = painter.worldTransform().m11() * ratio
        if zoom < SQUARE_PIXELS_FROM and not self.is_rough and zoom != 1.0 and widget is not None:
            self._paint_scaled(painter, widget, ratio)
            return
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
        part = option.exposedRect.toAlignedRect().intersected(self.image.rect())
        painter.drawImage(QRectF(part), self.image, QRectF(part))

    def _paint_scaled(self, painter: QPainter, widget: QWidget, ratio: float) -> None:
        """Smooth scaling takes long, so what the widget shows is kept and mended where stale."""
        to_widget = painter.worldTransform()
        key = (to_widget, widget.size(), ratio)
        if key != self._scaled_for:
            self._scaled = QPixmap(widget.size() * ratio)
            self._scaled.setDevicePixelRatio(ratio)
            self._scaled.fill(Qt.GlobalColor.transparent)
            self._scaled_for, self._stale = key, self.image.rect()
        if not self._stale.isEmpty():
            stale = to_widget.mapRect(QRectF(self._stale)).toAlignedRect().adjusted(-1, -1, 1, 1)
            mender = QPainter(self._scaled)
            mender.setClipRect(stale.intersected(widget.rect()))
            mender.setCompositionMode(QPainter.CompositionMode.CompositionMode_Source)
            mender.fillRect(stale, Qt.GlobalColor.transparent)
            mender.setTransform(to_widget)
            mender.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceOver)
            mender.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            mender.drawImage(QRectF(self.image.rect()), self.image)
            mender.end()
            self._stale = QRect()
        painter.save()
        painter.resetTransform()
        painter.drawPixmap(0, 0, self._scaled)
        painter.restore()
