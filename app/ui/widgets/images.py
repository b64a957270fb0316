"""Images: RGBA arrays as Qt pictures, the checkerboard, thumbnails made off the UI thread.

Arrays are (h, w, 4) uint8, straight alpha, sRGB.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable

import numpy as np
from PySide6.QtCore import QObject, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QBrush, QColor, QColorSpace, QImage, QPainter, QPixmap

from app.document.layer import Layer
from app.ui.background import Worker
from app.ui.theme import CHECK_SIZE, THUMBNAIL, Colours

MAX_KEPT = 160


def to_qimage(rgba: np.ndarray) -> QImage:
    """A premultiplied copy: the array may be freed, and drawing needs no conversion."""
    height, width = rgba.shape[:2]
    data = np.ascontiguousarray(rgba)
    image = QImage(data.data, width, height, 4 * width, QImage.Format.Format_RGBA8888)
    return image.convertToFormat(QImage.Format.Format_ARGB32_Premultiplied)


def wrapped(rgba: np.ndarray) -> QImage:
    """The living array as a picture without a copy; drawing takes three times as long then."""
    height, width = rgba.shape[:2]
    data = rgba if rgba.flags.c_contiguous else np.ascontiguousarray(rgba)
    return QImage(data.data, width, height, 4 * width, QImage.Format.Format_RGBA8888)


def to_array(image: QImage) -> np.ndarray:
    """The picture as (h, w, 4) uint8 with straight alpha; its colour space becomes sRGB. A copy."""
    space, srgb = image.colorSpace(), QColorSpace(QColorSpace.NamedColorSpace.SRgb)
    if space.isValid() and space != srgb:
        changed = image.convertedToColorSpace(srgb, QImage.Format.Format_RGBA8888)
        image = image if changed.isNull() else changed
    straight = image.convertToFormat(QImage.Format.Format_RGBA8888)
    height, width = straight.height(), straight.width()
    rows = np.frombuffer(straight.constBits(), np.uint8).reshape(height, straight.bytesPerLine())
    return rows[:, : 4 * width].reshape(height, width, 4).copy()


def checker_brush(colours: Colours, ratio: float = 1.0) -> QBrush:
    """A transparency checkerboard of 8 logical pixels a square."""
    side = max(1, round(CHECK_SIZE * ratio))
    tile = QPixmap(2 * side, 2 * side)
    tile.fill(QColor(colours.check_a))
    painter = QPainter(tile)
    second = QColor(colours.check_b)
    painter.fillRect(side, 0, side, side, second)
    painter.fillRect(0, side, side, side, second)
    painter.end()
    tile.setDevicePixelRatio(ratio)
    return QBrush(tile)


def thumbnail(image: QImage | None, side: int, ratio: float, colours: Colours) -> QPixmap:
    """The picture fitted into a square on a checkerboard; None = the hatching of no pixels."""
    device = round(side * ratio)
    result = QPixmap(device, device)
    result.setDevicePixelRatio(ratio)
    painter = QPainter(result)
    whole = QRect(0, 0, side, side)
    if image is None or image.isNull():
        painter.fillRect(whole, QColor(colours.raised))
        painter.fillRect(whole, QBrush(QColor(colours.edge), Qt.BrushStyle.BDiagPattern))
    else:
        painter.fillRect(whole, checker_brush(colours, ratio))
        fitted = image.size().scaled(QSize(device, device), Qt.AspectRatioMode.KeepAspectRatio)
        small = image.scaled(
            fitted.expandedTo(QSize(1, 1)),
            Qt.AspectRatioMode.IgnoreAspectRatio,
            Qt.TransformationMode.SmoothTransformation,
        )
        place = QRectF(0, 0, fitted.width() / ratio, fitted.height() / ratio)
        place.moveCenter(QRectF(whole).center())
        painter.drawImage(place, small)
    painter.end()
    return result


class SmallPictures(QObject):
    """Answers at once with what it has; `ready` comes when more is there."""

    ready = Signal()

    def __init__(self, pictures: Worker, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pictures = pictures
        self._known: OrderedDict[Hashable, QImage] = OrderedDict()
        self._asked: set[Hashable] = set()

    def get(self, key: Hashable, side: int, make: Callable[[], np.ndarray]) -> QImage | None:
        """The picture within `side` device pixels; None until a thread has called `make`."""
        whole_key = (key, side)
        known = self._known.get(whole_key)
        if known is not None:
            self._known.move_to_end(whole_key)
            return known
        if whole_key not in self._asked:
            self._asked.add(whole_key)

            def scale() -> QImage:
                return to_qimage(make()).scaled(
                    QSize(side, side),
                    Qt.AspectRatioMode.KeepAspectRatio,
                    Qt.TransformationMode.SmoothTransformation,
                )

            def done(image: QImage) -> None:
                self._asked.discard(whole_key)
                self._known[whole_key] = image
                while len(self._known) > MAX_KEPT:
                    self._known.popitem(last=False)
                self.ready.emit()

            self._pictures.run(scale, done, lambda error: self._asked.discard(whole_key))
        return None

    def size_bytes(self) -> int:
        return sum(image.sizeInBytes() for image in self._known.values())


class Thumbnails(SmallPictures):
    """Small pictures on a checkerboard, `side` logical pixels; 0 = none are shown."""

    def __init__(self, pictures: Worker, parent: QObject | None = None) -> None:
        super().__init__(pictures, parent)
        self.side = THUMBNAIL
        self._drawn: OrderedDict[tuple[str, int, float, str], QPixmap] = OrderedDict()

    def of_layer(self, layer: Layer, ratio: float, colours: Colours) -> QPixmap:
        """The layer's picture; hatched while it has no pixels, empty until it is made."""
        pixels = layer.pixels
        if pixels is None or layer.pixel_hash is None:
            return self._draw("", None, ratio, colours)
        small = self.get(layer.pixel_hash, round(self.side * ratio), lambda: pixels)
        if small is not None:
            return self._draw(layer.pixel_hash, small, ratio, colours)
        empty = QImage(1, 1, QImage.Format.Format_ARGB32_Premultiplied)
        empty.fill(Qt.GlobalColor.transparent)
        return thumbnail(empty, self.side, ratio, colours)

    def size_bytes(self) -> int:
        drawn = (picture.width() * picture.height() * 4 for picture in self._drawn.values())
        return super().size_bytes() + sum(drawn)

    def _draw(
        self, pixel_hash: str, image: QImage | None, ratio: float, colours: Colours
    ) -> QPixmap:
        key = (pixel_hash, self.side, ratio, colours.name)
        known = self._drawn.get(key)
        if known is None:
            known = self._drawn[key] = thumbnail(image, self.side, ratio, colours)
            while len(self._drawn) > MAX_KEPT:
                self._drawn.popitem(last=False)
        return known
