"""Zoom and pan of the canvas view: 5 to 3200 %, at the pointer, a quarter always in view."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt
from PySide6.QtGui import QNativeGestureEvent, QTransform, QWheelEvent
from PySide6.QtWidgets import QGraphicsView

from app.document.document import Document
from app.ui.canvas.item import to_rectf
from app.ui.theme import GAP

ZOOM_MIN, ZOOM_MAX = 0.05, 32.0
FIT_MARGIN = 32
STEP = 1.25
_STOPS = (0.05, 0.1, 0.25, 0.33, 0.5, 0.67, 1, 1.5, 2, 3, 4, 6, 8, 12, 16, 24, 32)


class Navigation:
    """Where a view looks.

    Args:
        changed: called with the zoom after each change of it.
        end_room: viewport pixels at the end of a line that Fit leaves free: a panel may lie there.
    """

    def __init__(
        self,
        view: QGraphicsView,
        document: Document,
        changed: Callable[[float], None],
        end_room: Callable[[], int],
    ) -> None:
        self._view = view
        self._document = document
        self._changed = changed
        self.follows_fit = True  # the whole canvas is shown, however large the window is
        self.wheel_zooms = True  # the wheel zooms, and scrolls with Ctrl
        self._end_room = end_room

    @property
    def zoom(self) -> float:
        """Device pixels per picture pixel."""
        return self._view.transform().m11() * self._view.devicePixelRatioF()

    def set_zoom(self, zoom: float, at: QPointF | None = None) -> None:
        """Zoom and keep what is at viewport point `at` (None = the middle) where it is."""
        self.follows_fit = False
        self._set_zoom(zoom, at)

    def zoom_by(self, factor: float, at: QPointF | None = None) -> None:
        self.set_zoom(self.zoom * factor, at)

    def step(self, larger: bool) -> None:
        """To the next round zoom factor."""
        now = self.zoom
        if larger:
            self.set_zoom(next((stop for stop in _STOPS if stop > now * 1.01), ZOOM_MAX))
        else:
            self.set_zoom(next((stop for stop in reversed(_STOPS) if stop < now * 0.99), ZOOM_MIN))

    @property
    def centre(self) -> QPointF:
        return self._view.mapToScene(self._view.viewport().rect().center())

    def look_at(self, centre: QPointF, zoom: float) -> None:
        """This much enlarged, with this place in the middle, canvas pixels."""
        self.set_zoom(zoom)
        self._view.centerOn(centre)

    def fit(self) -> None:
        """The whole canvas, centred; stays so while the window changes its size."""
        self.follows_fit = True
        self._show(to_rectf(self._document.canvas.rect))

    def show_rect(self, rect: QRectF) -> None:
        """As large as the rectangle fits, canvas pixels."""
        self.follows_fit = False
        self._show(rect)

    def pan_by(self, delta: QPointF) -> None:
        """Move the picture by viewport pixels."""
        self.follows_fit = False
        horizontal, vertical = self._view.horizontalScrollBar(), self._view.verticalScrollBar()
        horizontal.setValue(horizontal.value() - round(delta.x()))
        vertical.setValue(vertical.value() - round(delta.y()))

    def wheel(self, event: QWheelEvent) -> None:
        """Wheel zooms at the pointer, Ctrl+wheel scrolls, or both swapped; Shift+wheel sideways."""
        modifiers = event.modifiers()
        pixels, angle = event.pixelDelta(), event.angleDelta()
        is_sideways = modifiers & Qt.KeyboardModifier.ShiftModifier
        has_ctrl = bool(modifiers & Qt.KeyboardModifier.ControlModifier)
        if has_ctrl != self.wheel_zooms and (has_ctrl or not is_sideways):
            turns = (angle.y() or angle.x()) / 120
            self.zoom_by(STEP**turns, event.position())
            return
        delta = QPointF(pixels) if not pixels.isNull() else QPointF(angle) * 0.5
        if is_sideways and not delta.x():
            delta = QPointF(delta.y(), 0)
        self.pan_by(delta)

    def pinch(self, event: QEvent) -> bool:
        """Two fingers on a touchpad zoom at the pointer; whether the event was such a gesture."""
        if not isinstance(event, QNativeGestureEvent):
            return False
        if event.gestureType() != Qt.NativeGestureType.ZoomNativeGesture:
            return False
        self.zoom_by(1 + event.value(), event.position())
        return True

    def on_resized(self) -> None:
        if self.follows_fit:
            self.fit()
        else:
            self._leave_room()

    def on_canvas_changed(self) -> None:
        self.fit()

    def _show(self, rect: QRectF) -> None:
        port = self._view.viewport().size()
        ratio = self._view.devicePixelRatioF()
        end = max(FIT_MARGIN, self._end_room() + GAP)
        room_x = max(1, port.width() - FIT_MARGIN - end)
        room_y = max(1, port.height() - 2 * FIT_MARGIN)
        zoom = min(room_x / rect.width(), room_y / rect.height()) * ratio
        self._set_zoom(min(zoom, 4.0))
        # In the middle, unless the panel would cover it there.
        scale = self._view.transform().m11()
        away = max(0.0, (rect.width() * scale - port.width()) / 2 + end) / scale
        if self._view.layoutDirection() == Qt.LayoutDirection.RightToLeft:
            away = -away
        self._view.centerOn(rect.center() + QPointF(away, 0))

    def _set_zoom(self, zoom: float, at: QPointF | None = None) -> None:
        view = self._view
        zoom = min(max(zoom, ZOOM_MIN), ZOOM_MAX)
        at = at if at is not None else QPointF(view.viewport().rect().center())
        inverted, _ = view.viewportTransform().inverted()
        held = inverted.map(at)
        scale = zoom / view.devicePixelRatioF()
        view.setTransform(QTransform.fromScale(scale, scale))
        self._leave_room()
        away = view.viewportTransform().map(held) - at
        horizontal, vertical = view.horizontalScrollBar(), view.verticalScrollBar()
        horizontal.setValue(horizontal.value() + round(away.x()))
        vertical.setValue(vertical.value() + round(away.y()))
        self._changed(self.zoom)

    def _leave_room(self) -> None:
        """Let the canvas scroll until only a quarter of it is in view."""
        view = self._view
        canvas = to_rectf(self._document.canvas.rect)
        scale = view.transform().m11()
        port = view.viewport().size()
        spare_x = max(0.0, port.width() / scale - canvas.width() / 4)
        spare_y = max(0.0, port.height() / scale - canvas.height() / 4)
        view.setSceneRect(canvas.adjusted(-spare_x, -spare_y, spare_x, spare_y))
