"""Thumbnails: the layers' pictures as the list draws them, in the size that was chosen."""

from __future__ import annotations

from collections import OrderedDict

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QImage, QPixmap

from app.document.layer import Layer
from app.ui.background import Background
from app.ui.images import thumbnail
from app.ui.panels.small_pictures import MAX_KEPT, SmallPictures
from app.ui.theme import THUMBNAIL, Colours


class Thumbnails(SmallPictures):
    """Small pictures on a checkerboard.

    Attributes:
        side: logical pixels; 0 = none are shown.
    """

    def __init__(self, pictures: Background, parent: QObject | None = None) -> None:
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
        """What the kept pictures take."""
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
