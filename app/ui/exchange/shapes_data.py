"""Layers as SVG for other programs: made when one of them asks for it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QByteArray, QMetaType, QMimeData

from app.document.layer import Layer

SVG = "image/svg+xml"


def layers_as_svg(layers: Sequence[Layer]) -> bytes:
    """One layer as it is, several as they look together, cut to what they cover.

    Args:
        layers: with pixels, bottom first, at least one.
    """
    # The tracer is loaded by those alone who want shapes.
    from app.document.storage.formats.svg import layers_svg

    return layers_svg(layers).encode()


class ShapesData(QMimeData):
    """What a copy of layers holds; SVG besides what is set.

    Args:
        layers: with pixels, bottom first; none = no SVG.
    """

    def __init__(self, layers: Sequence[Layer]) -> None:
        super().__init__()
        self._shown = list(layers)
        self._svg = b""

    def formats(self) -> list[str]:
        """Qt override."""
        return [*super().formats(), *((SVG,) if self._shown else ())]

    def hasFormat(self, mimetype: str) -> bool:
        """Qt override."""
        return mimetype in self.formats()

    def retrieveData(self, mimetype: str, preferred: QMetaType | QMetaType.Type) -> object:
        """Qt override: made on the first question, and kept for the next ones."""
        if mimetype != SVG or not self._shown:
            return super().retrieveData(mimetype, preferred)
        self._svg = self._svg or layers_as_svg(self._shown)
        return QByteArray(self._svg)
