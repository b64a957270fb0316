"""Compare: the picture as it is and up to eight results side by side, as whole composites."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QEvent, QObject, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from app.document.candidates import with_choice
from app.document.composite import composite
from app.document.document import Document
from app.ui.background import Worker
from app.ui.canvas import overlay_painter as overlay
from app.ui.stage import Stage
from app.ui.text import number, tr
from app.ui.theme import GAP, UNIT, Colours
from app.ui.widgets.images import checker_brush, to_qimage

MAX_TILES = 9
ZOOM_MAX = 16.0
LABEL_HEIGHT = 6 * UNIT
CLICK_SLACK = 4


class ComparePage(QWidget):
    """Tiles over the canvas; the signals say that the page came or went."""

    opened = Signal()
    closed = Signal()

    def __init__(
        self,
        stage: Stage,
        document: Document,
        pictures: Worker,
        colours: Colours,
        canvas: QWidget,
    ) -> None:
        super().__init__(canvas)
        self.setObjectName("comparePage")
        self.setAccessibleName(tr("Compare results"))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self._stage = stage
        self._document = document
        self._pictures = pictures
        self._canvas = canvas
        self.colours = colours
        self.images: dict[int, QImage] = {}
        self._serial = 0
        self.zoom = 1.0  # each picture fits its tile
        self._middle = QPointF(0.5, 0.5)  # of the canvas, shown in the middle of each tile
        self._pressed: QPointF | None = None
        self._dragged = False
        self.current = 0
        canvas.installEventFilter(self)
        stage.changed.connect(self._on_changed)
        self.hide()

    @property
    def count(self) -> int:
        return min(MAX_TILES, self._stage.num_comparable + 1)

    def open(self) -> None:
        self.zoom, self._middle = 1.0, QPointF(0.5, 0.5)
        self.current = min(self._stage.place, self.count - 1)
        self._ask()
        self.setGeometry(self._canvas.rect())
        self.show()
        self.raise_()
        self.setFocus()
        self._describe()
        self.opened.emit()

    def close_page(self) -> None:
        """Back to the canvas; nothing was changed by looking."""
        if self.isVisible():
            self.hide()
            self.images.clear()
            self.closed.emit()

    def tiles(self) -> list[QRectF]:
        """Where the pictures are, widget pixels; the current picture first."""
        count, canvas = self.count, self._document.canvas

        def cell(columns: int) -> tuple[float, float]:
            rows = math.ceil(count / columns)
            width = (self.width() - GAP * (columns + 1)) / columns
            return width, (self.height() - GAP * (rows + 1)) / rows

        def scale(columns: int) -> float:
            width, height = cell(columns)
            return min(width / canvas.width, (height - LABEL_HEIGHT) / canvas.height)

        columns = max(range(1, count + 1), key=scale)  # of equal ones the fewest
        columns = columns if scale(columns) > 0 else 1
        width, height = cell(columns)
        return [
            QRectF(
                round(GAP + (place % columns) * (width + GAP)),
                round(GAP + (place // columns) * (height + GAP)),
                round(width),
                round(height - LABEL_HEIGHT),
            )
            for place in range(count)
        ]

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Qt override: as large as the canvas."""
        if event.type() == QEvent.Type.Resize and self.isVisible():
            self.setGeometry(self._canvas.rect())
        return False

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(self.colours.surround))
        ratio = self.devicePixelRatioF()
        for place, tile in enumerate(self.tiles()):
            target = self._target(tile)
            painter.save()
            painter.setClipRect(tile)
            painter.fillRect(target.intersected(tile), checker_brush(self.colours, ratio))
            image = self.images.get(place)
            if image is not None:
                painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
                painter.drawImage(target, image)
            painter.restore()
            shown = target.intersected(tile)
            if place == self.current:
                colour = self.colours.staged if place else self.colours.accent
                overlay.frame(painter, shown, colour)
            else:
                painter.setPen(QPen(QColor(self.colours.edge), 1))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawRect(overlay.aligned(shown).adjusted(0, 0, -1, -1))
            # Right below the picture, however much room the tile has left.
            line = QRectF(tile.left(), shown.bottom(), tile.width(), LABEL_HEIGHT)
            strong = place == self.current
            painter.setPen(QColor(self.colours.text if strong else self.colours.secondary))
            painter.drawText(line, Qt.AlignmentFlag.AlignCenter, self._name(place))
        painter.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._pressed, self._dragged = event.position(), False

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Qt override: a drag moves all tiles alike."""
        if self._pressed is None:
            place = self._place_at(event.position())
            if place >= 0 and place != self.current:
                self._set_current(place)
            return
        delta = event.position() - self._pressed
        if not self._dragged and delta.manhattanLength() < CLICK_SLACK:
            return
        self._dragged = True
        self._pressed = event.position()
        scale, canvas = self._scale(self.tiles()[0]), self._document.canvas
        self._look_at(
            self._middle
            - QPointF(delta.x() / (scale * canvas.width), delta.y() / (scale * canvas.height))
        )

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Qt override: a click takes a result; on the current one nothing changes."""
        clicked = self._pressed is not None and not self._dragged
        self._pressed = None
        place = self._place_at(event.position())
        if clicked and place >= 0 and event.button() == Qt.MouseButton.LeftButton:
            self._take(place)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Qt override: one zoom for all."""
        self.zoom = min(max(self.zoom * 1.25 ** (event.angleDelta().y() / 120), 1.0), ZOOM_MAX)
        self._look_at(self._middle)
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Qt override: arrows choose, Enter takes, Esc or Shift+C goes back."""
        key = event.key()
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._take(self.current)
        elif key == Qt.Key.Key_Escape or (
            key == Qt.Key.Key_C and event.modifiers() & Qt.KeyboardModifier.ShiftModifier
        ):
            self.close_page()
        elif key in (Qt.Key.Key_Right, Qt.Key.Key_Down):
            self._set_current((self.current + 1) % self.count)
        elif key in (Qt.Key.Key_Left, Qt.Key.Key_Up):
            self._set_current((self.current - 1) % self.count)
        else:
            super().keyPressEvent(event)

    def _take(self, place: int) -> None:
        self.close_page()
        if place:
            self._stage.accept(place)
        else:
            self._stage.show_place(0)

    def _set_current(self, place: int) -> None:
        self.current = place
        self._describe()
        self.update()

    def _describe(self) -> None:
        self.setAccessibleDescription(self._name(self.current))

    def _name(self, place: int) -> str:
        if place == 0:
            return tr("Current")
        choice = self._stage.choices[place - 1]
        if choice.seed is None:
            return tr("Result {0}").format(number(place))
        return tr("Result {0} · seed {1}").format(number(place), choice.seed)

    def _place_at(self, point: QPointF) -> int:
        return next((i for i, tile in enumerate(self.tiles()) if tile.contains(point)), -1)

    def _scale(self, tile: QRectF) -> float:
        canvas = self._document.canvas
        return self.zoom * min(tile.width() / canvas.width, tile.height() / canvas.height)

    def _target(self, tile: QRectF) -> QRectF:
        canvas, scale = self._document.canvas, self._scale(tile)
        width, height = canvas.width * scale, canvas.height * scale
        left = tile.center().x() - self._middle.x() * width
        top = tile.center().y() - self._middle.y() * height
        return QRectF(left, top, width, height)

    def _look_at(self, middle: QPointF) -> None:
        half = 0.5 / self.zoom
        x = min(max(middle.x(), half), 1 - half)
        y = min(max(middle.y(), half), 1 - half)
        self._middle = QPointF(x, y)
        self.update()

    def _ask(self) -> None:
        self._serial += 1
        serial, contents = self._serial, self._document.contents
        self.images.clear()
        canvas = contents.canvas.rect
        for place in range(self.count):
            layers = (
                with_choice(contents, self._stage.choices[place - 1])
                if place
                else list(contents.layers)
            )

            def done(rgba: np.ndarray, place: int = place) -> None:
                if serial == self._serial and self.isVisible():
                    self.images[place] = to_qimage(rgba)
                    self.update()

            self._pictures.run(
                lambda layers=layers: composite(layers, canvas),  # type: ignore[misc]
                done,
            )

    def _on_changed(self) -> None:
        if self.isVisible() and not self._stage.num_comparable:
            self.close_page()
        elif self.isVisible():
            self.current = min(self.current, self.count - 1)
            self._ask()
            self.update()
