"""The sharp picture: what the canvas shows beyond 100 %, with layers of flat fills as shapes.

Made on the worker once the view rests, for exactly what the view shows; until then, and where no
layer has shapes, the enlarged pixels are shown as before. Layers that are new are traced first,
one at a time, so that other work of the worker goes between.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np
from PySide6.QtCore import QObject, QPointF, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath, QTransform
from PySide6.QtWidgets import QWidget

from app.document.blends import BLENDS
from app.document.layer import Layer
from app.ui.background import Worker
from app.ui.canvas.item import SQUARE_PIXELS_FROM
from app.ui.canvas.live import MODES
from app.ui.widgets.images import wrapped

if TYPE_CHECKING:
    # The tracer is loaded on the worker, when a picture rests beyond 100 % for the first time.
    from app.document.vectors.tracing import Shape, Vectors

REST_MS = 150
_FORMAT = QImage.Format.Format_ARGB32_Premultiplied

Paths = list[tuple[QColor, QPainterPath]]


class SharpPicture(QObject):
    """Paints shapes for one view of the canvas; `layers` gives None while it does not rest."""

    made = Signal()  # there is a picture to paint now

    def __init__(
        self, pictures: Worker, layers: Callable[[], Sequence[Layer] | None], parent: QObject
    ) -> None:
        super().__init__(parent)
        self._pictures = pictures
        self._layers = layers
        self._picture = QImage()
        self._key: object = None  # what the picture, or that there is none, is for
        self._wanted: object = None
        self._place = (QTransform(), QSize(), 1.0)
        self._timer = QTimer(self, singleShot=True, interval=REST_MS)
        self._timer.timeout.connect(lambda: self._go_on(self._wanted))

    def paint(self, painter: QPainter, widget: QWidget, image: QImage) -> bool:
        """Paint in place of `image`, the composite; False while this view has nothing yet."""
        to_widget, ratio = painter.worldTransform(), painter.device().devicePixelRatio()
        if to_widget.m11() * ratio <= 1.0:
            return False
        key = (to_widget, widget.size(), ratio, image.cacheKey())
        if key == self._key:
            if self._picture.isNull():
                return False
            painter.save()
            painter.resetTransform()
            painter.drawImage(QPointF(), self._picture)
            painter.restore()
            return True
        self._wanted, self._place = key, (to_widget, widget.size(), ratio)
        self._timer.start()
        return False

    def _go_on(self, key: object) -> None:
        """Trace the next layer that is new, else paint; not for a view that is gone."""
        layers = self._layers()
        if layers is None or key != self._wanted:
            return
        shown = [layer for layer in layers if layer.visible and layer.has_pixels]
        place = self._place

        def done(picture: QImage | None) -> None:
            if picture is None:
                self._go_on(key)
            elif key == self._wanted:
                self._key, self._picture = key, picture
                self.made.emit()

        def work() -> QImage | None:
            return None if trace_next(shown, self._pictures.check) else painted(shown, *place)

        self._pictures.run(work, done)


def trace_next(layers: Sequence[Layer], check: Callable[[], None] = lambda: None) -> bool:
    """Find the shapes of the first new layer; False if none is. `check` may end it."""
    from app.document.vectors.tracing import known_shapes, layer_shapes

    new = next((layer for layer in layers if known_shapes(layer) is None), None)
    if new is not None:
        layer_shapes(new, check=check)
    return new is not None


def painted(layers: Sequence[Layer], to_widget: QTransform, size: QSize, ratio: float) -> QImage:
    """Layers whose shapes are known, as a widget of this size shows them.

    Returns:
        a picture in device pixels, premultiplied; null where no layer has shapes, or one has a
        blend mode that Qt does not have.
    """
    from app.document.vectors.tracing import known_shapes

    found = [known_shapes(layer) for layer in layers]
    vectors = [None if each is None else each.vectors for each in found]
    if not any(vectors) or any(_is_foreign(layer.blend) for layer in layers):
        return QImage()
    picture = _empty(size * ratio)
    to_device = to_widget * QTransform.fromScale(ratio, ratio)
    painter = QPainter(picture)
    for layer, shapes in zip(layers, vectors, strict=True):
        if layer.opacity == 1 and layer.blend not in MODES:
            _paint(painter, layer, shapes, to_device)
            continue
        # Opacity and mode are those of the layer, not of each shape.
        alone = _empty(picture.size())
        single = QPainter(alone)
        _paint(single, layer, shapes, to_device)
        single.end()
        painter.resetTransform()
        painter.setOpacity(layer.opacity)
        painter.setCompositionMode(MODES.get(layer.blend, _OVER))
        painter.drawImage(0, 0, alone)
        painter.setOpacity(1.0)
        painter.setCompositionMode(_OVER)
    painter.end()
    picture.setDevicePixelRatio(ratio)
    return picture


_OVER = QPainter.CompositionMode.CompositionMode_SourceOver


def _is_foreign(blend: str) -> bool:
    return blend in BLENDS and blend != "normal" and blend not in MODES


def _empty(size: QSize) -> QImage:
    picture = QImage(size, _FORMAT)
    picture.fill(Qt.GlobalColor.transparent)
    return picture


def _paint(painter: QPainter, layer: Layer, vectors: Vectors | None, to_device: QTransform) -> None:
    rect = layer.rect
    painter.setTransform(to_device)
    if vectors is None:
        assert layer.pixels is not None  # only such layers are painted
        is_smooth = to_device.m11() < SQUARE_PIXELS_FROM
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, is_smooth)
        target = QRectF(rect.x, rect.y, rect.width, rect.height)
        painter.drawImage(target, wrapped(layer.pixels))
        return
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    painter.translate(rect.x, rect.y)
    # Shapes of a layer that was resized have the size of the pixels that they were made from.
    painter.scale(rect.width / vectors.width, rect.height / vectors.height)
    for colour, path in _paths_of(vectors):
        painter.fillPath(path, colour)


def _paths_of(vectors: Vectors) -> Paths:
    """The shapes for Qt; made once. Asked on the worker alone."""
    known = _paths.get(vectors)
    if known is None:
        known = [(QColor(*shape.colour), _path(shape)) for shape in vectors.shapes]
        _paths[vectors] = known
    return known


_paths: WeakKeyDictionary[Vectors, Paths] = WeakKeyDictionary()


def _path(shape: Shape) -> QPainterPath:
    path = QPainterPath()
    path.setFillRule(Qt.FillRule.WindingFill)
    for curve in shape.curves:
        ends = np.roll(curve.nodes[:, :1], -1, axis=0)
        points = np.concatenate([curve.nodes[:, 1:], ends], axis=1).reshape(-1, 6).tolist()
        path.moveTo(*curve.nodes[0, 0].tolist())
        for straight, piece in zip(curve.straight.tolist(), points, strict=True):
            if straight:
                path.lineTo(*piece[4:])
            else:
                path.cubicTo(*piece)
        path.closeSubpath()
    return path
