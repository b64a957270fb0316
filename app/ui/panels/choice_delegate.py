"""One cell of the strip of results: picture, frame, place, a dot for what is new. Draws only."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QImage, QPainter, QPen
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from app.document.candidates import with_choice
from app.document.composite import composite
from app.document.document import Document
from app.document.layer import Candidate, Layer
from app.ui.icons import pixmap
from app.ui.images import checker_brush
from app.ui.panels.small_pictures import SmallPictures
from app.ui.stage import Stage
from app.ui.text import number, tr
from app.ui.theme import GAP, ICON_SMALL, UNIT, Colours

SIDE = 72
PlaceRole = Qt.ItemDataRole.UserRole
Index = QModelIndex | QPersistentModelIndex


def cell_size(metrics: QFontMetrics) -> QSize:
    """Of one result: its picture, and below it a line with the longest of its texts."""
    texts = max(metrics.horizontalAdvance(text) for text in (tr("Current"), tr("Detached")))
    line = max(18, metrics.height() + 2)
    return QSize(max(SIDE, texts) + 2 * UNIT, SIDE + 2 * UNIT + line)


class ChoiceDelegate(QStyledItemDelegate):
    """Paints cells; asks for the pictures as they come into view."""

    def __init__(
        self,
        stage: Stage,
        document: Document,
        pictures: SmallPictures,
        colours: Colours,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._stage = stage
        self._document = document
        self._pictures = pictures
        self.colours = colours

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Qt override."""
        return cell_size(option.fontMetrics)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Qt override."""
        place: int = index.data(PlaceRole)
        colours = self.colours
        ratio = painter.device().devicePixelRatio()
        cell = option.rect.adjusted(UNIT, UNIT, -UNIT, 0)
        square = QRect(cell.left() + (cell.width() - SIDE) // 2, cell.top(), SIDE, SIDE)
        painter.save()
        painter.fillRect(square, checker_brush(colours, ratio))
        image = self._picture(place, round(SIDE * ratio))
        if image is not None:
            width, height = image.width() / ratio, image.height() / ratio
            left = square.left() + round((SIDE - width) / 2)
            top = square.top() + round((SIDE - height) / 2)
            painter.drawImage(QRect(left, top, round(width), round(height)), image)
        is_shown = place == self._stage.place
        edge = colours.edge
        if is_shown:
            edge = colours.staged if place else colours.accent
        elif option.state & QStyle.StateFlag.State_Selected:
            edge = colours.accent
        painter.setPen(QPen(QColor(edge), 2 if edge != colours.edge else 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(square.adjusted(0, 0, -1, -1))
        self._label(painter, option, place, cell, square)
        if place == 0:
            sign = pixmap("circle-check", colours.done, ICON_SMALL, ratio)
            painter.drawPixmap(square.right() - ICON_SMALL - 3, square.top() + 4, sign)
        painter.restore()

    def _label(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        place: int,
        cell: QRect,
        square: QRect,
    ) -> None:
        colours = self.colours
        painter.setFont(option.font)
        text = tr("Current")
        is_new = False
        if place:
            choice = self._stage.choices[place - 1]
            text = number(place) if choice.detached is None else tr("Detached")
            is_new = self._stage.is_new(choice)
        height = max(16, painter.fontMetrics().height())
        line = QRect(cell.left(), square.bottom() + 3, cell.width(), height)
        painter.setPen(QColor(colours.text if place == self._stage.place else colours.secondary))
        painter.drawText(line, Qt.AlignmentFlag.AlignCenter, text)
        if is_new:
            dot = QRect(0, 0, GAP, GAP)
            half = painter.fontMetrics().horizontalAdvance(text) // 2
            dot.moveCenter(line.center())
            dot.moveLeft(line.center().x() + half + UNIT)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(colours.staged))
            painter.drawEllipse(dot)

    def _picture(self, place: int, side: int) -> QImage | None:
        contents = self._document.contents
        if place == 0:
            return self._current(side)
        choice = self._stage.choices[place - 1]
        if len(choice.candidates) <= 1:
            pixels = choice.first.pixels
            return self._pictures.get(choice.first.pixel_hash, side, lambda: pixels)
        layers = with_choice(contents, choice)
        return self._whole(layers, side)

    def _current(self, side: int) -> QImage | None:
        contents = self._document.contents
        ids = {key for choice in self._stage.choices for key in choice.candidates}
        layers = [layer for layer in contents.layers if layer.id in ids]
        if len(layers) == 1:
            image: Candidate | None = layers[0].as_candidate()
            if image is None:
                return None
            pixels = image.pixels
            return self._pictures.get(image.pixel_hash, side, lambda: pixels)
        return self._whole(list(contents.layers), side)

    def _whole(self, layers: list[Layer], side: int) -> QImage | None:
        canvas = self._document.canvas.rect
        key = tuple((layer.pixel_hash, layer.rect, layer.visible) for layer in layers)
        return self._pictures.get(key, side, lambda: composite(layers, canvas))
