"""Icons: lucide outlines, coloured by the theme and drawn for each device pixel ratio.

Refers to file names in resources/icons, not to actions or widgets.
"""

from __future__ import annotations

from functools import lru_cache

from PySide6.QtCore import QByteArray, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QIcon, QIconEngine, QPainter, QPixmap, QPixmapCache
from PySide6.QtSvg import QSvgRenderer

from app.session.settings import resources_folder
from app.ui.theme import Colours


class SvgIconEngine(QIconEngine):
    """Draws an outline of resources/icons at exactly the size and ratio asked for: crisp edges."""

    def __init__(self, name: str, normal: str, disabled: str, checked: str) -> None:
        super().__init__()
        self._name = name
        self._normal = normal
        self._disabled = disabled
        self._checked = checked

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        """Qt override: draw centred and square inside `rect`."""
        side = min(rect.width(), rect.height())
        square = QRectF(0, 0, side, side)
        square.moveCenter(QRectF(rect).center())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        _renderer(self._name, self._colour(mode, state)).render(painter, square)

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        """Qt override: `size` is in device pixels here."""
        pixmap = QPixmap(size)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        self.paint(painter, QRect(0, 0, size.width(), size.height()), mode, state)
        painter.end()
        return pixmap

    def clone(self) -> QIconEngine:
        return SvgIconEngine(self._name, self._normal, self._disabled, self._checked)

    def _colour(self, mode: QIcon.Mode, state: QIcon.State) -> str:
        if mode == QIcon.Mode.Disabled:
            return self._disabled
        return self._checked if state == QIcon.State.On else self._normal


def icon(name: str, colours: Colours, *, colour: str | None = None) -> QIcon:
    """The icon in the theme's text colour, or in `colour` (a hex value)."""
    normal = colour or colours.text
    checked = colour or colours.accent
    return QIcon(SvgIconEngine(name, normal, colours.disabled, checked))


def pixmap(name: str, colour: str, side: int, ratio: float) -> QPixmap:
    """The outline as a pixmap of `side` logical pixels for painting by hand."""
    device = max(1, round(side * ratio))
    key = f"layerloom:{name}:{colour}:{device}:{ratio}"
    known = QPixmap()
    if QPixmapCache.find(key, known):
        return known
    result = SvgIconEngine(name, colour, colour, colour).pixmap(
        QSize(device, device), QIcon.Mode.Normal, QIcon.State.Off
    )
    result.setDevicePixelRatio(ratio)
    QPixmapCache.insert(key, result)
    return result


@lru_cache(maxsize=256)
def _renderer(name: str, colour: str) -> QSvgRenderer:
    path = resources_folder() / "icons" / f"{name}.svg"
    # 1.75 instead of lucide's 2: at 20 px the lines are then as heavy as the text next to them.
    text = path.read_text(encoding="utf-8").replace("currentColor", colour)
    text = text.replace('stroke-width="2"', 'stroke-width="1.75"')
    renderer = QSvgRenderer(QByteArray(text.encode()))
    if not renderer.isValid():
        raise ValueError(f"{path.name} is not a drawable SVG")
    return renderer
