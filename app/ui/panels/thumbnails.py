"""Small pictures of layers for the list: scaled off the UI thread, kept by pixel hash."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from PySide6.QtCore import QObject, QSize, Qt, Signal
from PySide6.QtGui import QImage, QPixmap

from app.document.layer import Layer
from app.ui.background import Background
from app.ui.images import thumbnail, to_qimage
from app.ui.theme import THUMBNAIL, Colours

# 120 pictures of 80 x 80 (device ratio 2) are 3 MB.
MAX_KEPT = 120


class Thumbnails(QObject):
    """Answers at once with what it has.

    Signals:
        ready(): a picture that was asked for is there now.
    """

    ready = Signal()

    def __init__(self, pictures: Background, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pictures = pictures
        self._small: OrderedDict[tuple[str, float], QImage] = OrderedDict()
        self._asked: set[tuple[str, float]] = set()
        self._drawn: OrderedDict[tuple[str, float, str], QPixmap] = OrderedDict()

    def get(self, layer: Layer, ratio: float, colours: Colours) -> QPixmap:
        """The layer's picture on a checkerboard; hatched while it has no pixels."""
        if layer.pixels is None or layer.pixel_hash is None:
            return self._draw(("box", ratio, colours.name), None, colours)
        key = (layer.pixel_hash, ratio)
        small = self._small.get(key)
        if small is None:
            self._ask(key, layer)
            empty = QImage(1, 1, QImage.Format.Format_ARGB32_Premultiplied)
            empty.fill(Qt.GlobalColor.transparent)
            return thumbnail(empty, THUMBNAIL, ratio, colours)
        return self._draw((*key, colours.name), small, colours)

    def size_bytes(self) -> int:
        """What the kept pictures take."""
        images = sum(image.sizeInBytes() for image in self._small.values())
        return images + sum(
            picture.width() * picture.height() * 4 for picture in self._drawn.values()
        )

    def _draw(self, key: tuple[str, float, str], image: QImage | None, colours: Colours) -> QPixmap:
        known = self._drawn.get(key)
        if known is None:
            known = self._drawn[key] = thumbnail(image, THUMBNAIL, key[1], colours)
            _trim(self._drawn)
        return known

    def _ask(self, key: tuple[str, float], layer: Layer) -> None:
        if key in self._asked or layer.pixels is None:
            return
        self._asked.add(key)
        pixels, side = layer.pixels, round(THUMBNAIL * key[1])

        def scale() -> QImage:
            return to_qimage(pixels).scaled(
                QSize(side, side),
                Qt.AspectRatioMode.KeepAspectRatio,
                Qt.TransformationMode.SmoothTransformation,
            )

        def done(image: QImage) -> None:
            self._asked.discard(key)
            self._small[key] = image
            _trim(self._small)
            self.ready.emit()

        self._pictures.run(scale, done, lambda error: self._asked.discard(key))


def _trim(store: OrderedDict[Any, Any]) -> None:
    while len(store) > MAX_KEPT:
        store.popitem(last=False)
