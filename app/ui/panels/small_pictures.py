"""Small pictures: scaled off the UI thread, the last ones kept.

One store for list and strip; knows neither. Equal keys are equal pictures.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable

import numpy as np
from PySide6.QtCore import QObject, QSize, Qt, Signal
from PySide6.QtGui import QImage

from app.ui.background import Background
from app.ui.images import to_qimage

MAX_KEPT = 160


class SmallPictures(QObject):
    """Answers at once with what it has.

    Signals:
        ready(): a picture that was asked for is there now.
    """

    ready = Signal()

    def __init__(self, pictures: Background, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pictures = pictures
        self._known: OrderedDict[Hashable, QImage] = OrderedDict()
        self._asked: set[Hashable] = set()

    def get(self, key: Hashable, side: int, make: Callable[[], np.ndarray]) -> QImage | None:
        """The picture within a square of `side` device pixels; None until it is made.

        Args:
            make: gives the full picture, (h, w, 4) uint8; called on another thread.
        """
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
        """What the kept pictures take."""
        return sum(image.sizeInBytes() for image in self._known.values())
