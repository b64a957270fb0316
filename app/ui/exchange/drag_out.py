"""Dragging layers out of the window: a picture, shapes and files, made when they are asked for.

Inside the window the same drag reorders; then nothing is written.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PySide6.QtCore import QByteArray, QMetaType, QMimeData, QUrl

from app.document.composite import composite
from app.document.errors import UserError
from app.document.layer import Layer
from app.document.storage.atomic import write_bytes
from app.document.storage.names import unique_names
from app.document.storage.png import encode_png
from app.document.words import shown_name
from app.ui.exchange.shapes_data import SVG, layers_as_svg

logger = logging.getLogger(__name__)

PNG, FILES = "image/png", "text/uri-list"
_MADE = (PNG, SVG, FILES)


class LayerDrag(QMimeData):
    """What a drag of layers carries to other programs (4.5).

    Args:
        layers: topmost first; those without pixels are left out.
        folder: asked when files are wanted; where they go.
    """

    def __init__(self, layers: Sequence[Layer], folder: Callable[[], Path]) -> None:
        super().__init__()
        self._layers = [layer for layer in reversed(layers) if layer.pixels is not None]
        self._folder = folder
        self._png, self._svg = b"", b""
        self._urls: list[QUrl] = []

    def formats(self) -> list[str]:
        """Qt override: a picture, shapes and files besides what was set."""
        return [*super().formats(), *(_MADE if self._layers else ())]

    def hasFormat(self, mimetype: str) -> bool:
        """Qt override."""
        return mimetype in self.formats()

    def retrieveData(self, mimetype: str, preferred: QMetaType | QMetaType.Type) -> object:
        """Qt override: made on the first question, and kept for the next ones of this drag."""
        if mimetype not in _MADE or not self._layers:
            return super().retrieveData(mimetype, preferred)
        try:
            if mimetype == PNG:
                self._png = self._png or self._picture()
                return QByteArray(self._png)
            if mimetype == SVG:
                self._svg = self._svg or layers_as_svg(self._layers)
                return QByteArray(self._svg)
            self._urls = self._urls or self._files()
        except (OSError, UserError) as error:  # the other program is given nothing then
            logger.warning("a layer could not be dragged out: %s", error)
            return QByteArray()
        # Qt's own `urls()` asks for a list; what goes to another program is text.
        if QMetaType(preferred).id() == QMetaType.Type.QVariantList.value:
            return list(self._urls)
        lines = (bytes(url.toEncoded().data()) + b"\r\n" for url in self._urls)
        return QByteArray(b"".join(lines))

    def _picture(self) -> bytes:
        """One layer as it is, several as they look together, cut to what they cover."""
        if len(self._layers) == 1:
            return encode_png(_pixels(self._layers[0]))
        union = self._layers[0].rect
        for layer in self._layers[1:]:
            union = union.united(layer.rect)
        return encode_png(composite(self._layers, union))

    def _files(self) -> list[QUrl]:
        """One PNG each, pixels as they are."""
        folder = self._folder()
        folder.mkdir(parents=True, exist_ok=True)
        names = unique_names(shown_name(layer) for layer in self._layers)
        paths = [folder / f"{name}.png" for name in names]
        for path, layer in zip(paths, self._layers, strict=True):
            write_bytes(path, encode_png(_pixels(layer)))
        return [QUrl.fromLocalFile(str(path)) for path in paths]


def _pixels(layer: Layer) -> np.ndarray:
    assert layer.pixels is not None  # the constructor left the others out
    return layer.pixels
