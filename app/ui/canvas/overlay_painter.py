"""Overlay painter: outlines, hatching, handles, labels and grid over the picture. Drawing only.

All coordinates are viewport pixels, so that lines stay one to two pixels wide at any zoom. Refers
to neither layers nor tools.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QFont, QFontMetricsF, QPainter, QPen, QPixmap

from app.ui.theme import UNIT, Colours

HANDLE = 8
# Fingers and shaky hands: what counts as a hit is larger than what is drawn.
HANDLE_HIT = 24
_DARK = QColor(0, 0, 0, 190)
_LIGHT = QColor(255, 255, 255, 230)


def aligned(rect: QRectF) -> QRectF:
    """The rectangle on whole pixels, so that one-pixel lines are crisp."""
    left, top = round(rect.left()), round(rect.top())
    return QRectF(left, top, round(rect.right()) - left, round(rect.bottom()) - top)


def canvas_edge(painter: QPainter, canvas: QRectF) -> None:
    """A quiet line around the canvas, outside of it."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(QColor(0, 0, 0, 110), 1))
    painter.drawRect(aligned(canvas).adjusted(-1, -1, 0, 0))


def focus_ring(painter: QPainter, rect: QRectF, colours: Colours) -> None:
    """Two pixels of accent along the edge: the keyboard is here."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(QColor(colours.accent), 2))
    painter.drawRect(rect.adjusted(1, 1, -1, -1))


def outline(painter: QPainter, rect: QRectF, dashed: bool = False) -> None:
    """A dark and a light line next to each other: visible on anything."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    box = aligned(rect)
    _hairline(painter, box, _DARK)
    inner = box.adjusted(1, 1, -1, -1)
    if not dashed:
        _hairline(painter, inner, _LIGHT)
        return
    pen = QPen(_LIGHT, 1)
    pen.setDashPattern([4, 4])
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(pen)
    painter.drawRect(inner.adjusted(0, 0, -1, -1))


def _hairline(painter: QPainter, box: QRectF, colour: QColor) -> None:
    """One pixel along the inside of a rectangle; fills are many times faster than lines."""
    left, top, width, height = (round(value) for value in box.getRect())  # type: ignore[attr-defined]
    if width < 2 or height < 2:
        painter.fillRect(left, top, max(1, width), max(1, height), colour)
        return
    painter.fillRect(left, top, width, 1, colour)
    painter.fillRect(left, top + height - 1, width, 1, colour)
    painter.fillRect(left, top + 1, 1, height - 2, colour)
    painter.fillRect(left + width - 1, top + 1, 1, height - 2, colour)


def frame(painter: QPainter, rect: QRectF, colour: str) -> None:
    """Two pixels of a colour outside, a dark and a light line inside: visible on anything."""
    outer_frame(painter, rect, colour)
    outline(painter, rect)


def outer_frame(painter: QPainter, rect: QRectF, colour: str) -> None:
    """Two pixels of a colour outside of a rectangle, and nothing inside."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    box = aligned(rect)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    pen = QPen(QColor(colour), 2)
    pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
    painter.setPen(pen)
    painter.drawRect(box.adjusted(-1, -1, 1, 1))


def hatch(painter: QPainter, rect: QRectF, visible: QRectF) -> None:
    """Quiet diagonal lines of an empty box, 12 px apart and fixed to the box."""
    box = aligned(rect)
    painter.save()
    painter.setClipRect(box, Qt.ClipOperation.IntersectClip)
    painter.fillRect(box, QColor(128, 128, 128, 56))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    shown = box.intersected(visible)
    first = int((shown.left() - box.left() + shown.top() - box.top()) // 12) * 12
    last = int(shown.right() - box.left() + shown.bottom() - box.top())
    for colour, shift in ((QColor(0, 0, 0, 60), 0), (QColor(255, 255, 255, 80), 1)):
        painter.setPen(QPen(colour, 1))
        for offset in range(first, last + 12, 12):
            x = box.left() + offset + shift
            painter.drawLine(
                QPointF(x, box.top()), QPointF(x - box.height(), box.top() + box.height())
            )
    painter.restore()


def handle_points(rect: QRectF) -> dict[str, QPointF]:
    """Centres of the eight handles by compass name, clockwise from the top left."""
    box, middle = aligned(rect), aligned(rect).center()
    return {
        "nw": box.topLeft(),
        "n": QPointF(middle.x(), box.top()),
        "ne": box.topRight(),
        "e": QPointF(box.right(), middle.y()),
        "se": box.bottomRight(),
        "s": QPointF(middle.x(), box.bottom()),
        "sw": box.bottomLeft(),
        "w": QPointF(box.left(), middle.y()),
    }


def handles(painter: QPainter, rect: QRectF, colours: Colours) -> None:
    """Eight white squares with an accent edge."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.setPen(QPen(QColor(colours.accent), 1))
    painter.setBrush(QColor("#FFFFFF"))
    for point in handle_points(rect).values():
        corner = QPointF(round(point.x()) - HANDLE / 2, round(point.y()) - HANDLE / 2)
        painter.drawRect(QRectF(corner.x(), corner.y(), HANDLE - 1, HANDLE - 1))


def label(painter: QPainter, text: str, at: QPointF, font: QFont, strong: bool = False) -> QRectF:
    """Light text on a dark chip whose top left corner is `at`. Returns the chip."""
    metrics = QFontMetricsF(font)
    width, height = metrics.horizontalAdvance(text) + 2 * UNIT + 4, metrics.height() + UNIT
    chip = QRectF(round(at.x()), round(at.y()), round(width), round(height))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(16, 16, 16, 235 if strong else 180))
    painter.drawRoundedRect(chip, 3, 3)
    painter.setPen(QColor("#FFFFFF"))
    painter.setFont(font)
    painter.drawText(chip, Qt.AlignmentFlag.AlignCenter, text)
    return chip


class KeptPicture:
    """The transparent picture that was painted last; painting the same again costs one copy.

    Outlines and names of twenty layers took ten of the sixteen milliseconds that a mouse move may
    take while a box is drawn, and did not change from one move to the next.
    """

    def __init__(self) -> None:
        self._key: Hashable = None
        self._picture = QPixmap()

    def paint(
        self, painter: QPainter, area: QRectF, key: Hashable, draw: Callable[[QPainter], None]
    ) -> None:
        """Paint what `draw` paints from `area`'s corner; called for another `key` or screen."""
        ratio = painter.device().devicePixelRatioF()
        key = (key, area.width(), area.height(), ratio)
        if key != self._key:
            width, height = area.width() * ratio, area.height() * ratio
            self._picture = QPixmap(math.ceil(width), math.ceil(height))
            self._picture.setDevicePixelRatio(ratio)
            self._picture.fill(Qt.GlobalColor.transparent)
            inner = QPainter(self._picture)
            draw(inner)
            inner.end()
            self._key = key
        painter.drawPixmap(area.topLeft(), self._picture)

    def forget(self) -> None:
        """Give the memory back."""
        if self._key is not None:
            self._key, self._picture = None, QPixmap()


class Grid:
    """Grid lines over the canvas, kept as a picture: while a box is drawn they stay as they are."""

    def __init__(self) -> None:
        self._kept = KeptPicture()

    def paint(self, painter: QPainter, canvas: QRectF, step: float, visible: QRectF) -> None:
        """Draw the lines, `step` viewport pixels apart; none when a cell has less than 6."""
        shown = aligned(canvas.intersected(visible))
        if step < 6 or shown.isEmpty():
            return
        offset = shown.topLeft() - canvas.topLeft()

        def draw(inner: QPainter) -> None:
            for colour, shift in ((QColor(0, 0, 0, 44), 0), (QColor(255, 255, 255, 44), 1)):
                for x in _lines(offset.x(), step, shown.width()):
                    inner.fillRect(QRectF(x + shift, 0, 1, shown.height()), colour)
                for y in _lines(offset.y(), step, shown.height()):
                    inner.fillRect(QRectF(0, y + shift, shown.width(), 1), colour)

        self._kept.paint(painter, shown, (offset.x(), offset.y(), step), draw)


def _lines(offset: float, step: float, length: float) -> list[int]:
    """Whole pixels of the grid lines within `length`, `offset` away from where they count from."""
    first, last = int(offset // step), int((offset + length) // step)
    return [round(place * step - offset) for place in range(first, last + 1)]


def marquee(painter: QPainter, rect: QRectF, colours: Colours) -> None:
    fill = QColor(colours.accent)
    fill.setAlpha(40)
    painter.fillRect(aligned(rect), QBrush(fill))
    outline(painter, rect)
