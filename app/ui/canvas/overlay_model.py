"""Overlay model: which outlines, handles and labels the canvas shows at the moment.

Decides what is drawn over the picture; `overlay_painter` says how it looks. Refers to the scene and
the selection, not to the mouse.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QFont, QPainter, QRegion, QTransform

from app.document import Layer, Rect
from app.session.selection import Selection
from app.ui.canvas import overlay_painter as overlay
from app.ui.canvas.item import to_rectf
from app.ui.canvas.overlay_painter import KeptPicture
from app.ui.canvas.scene import CanvasScene
from app.ui.theme import Colours
from app.ui.widgets.images import checker_brush

# What the rectangle becomes: a box, another size of a layer, a selection.
DraftKind = Literal["drawn", "resized", "marquee"]


@dataclass(frozen=True, slots=True)
class Draft:
    """A rectangle that is being dragged."""

    rect: Rect  # canvas pixels
    text: str  # the live label; shown below the rectangle. A marquee has none
    kind: DraftKind  # what the drag does


@dataclass(slots=True)
class OverlayModel:
    """Everything over the picture."""

    scene: CanvasScene
    selection: Selection
    colours: Colours
    box_hint: Callable[[Layer], str]  # text next to a selected empty box; "" = nothing
    show_grid: bool = False  # always; without it the grid shows while a box is drawn
    is_dragging: bool = False  # handles hide while something moves
    # Handles can be grabbed from outside of the layer as well; with the box tool a press there
    # begins the next box.
    handles_reach_out: bool = True
    draft: Draft | None = None
    ghosts: Sequence[tuple[Rect, str]] = ()  # suggested boxes with their words
    # layers that a job is making, with what they will show, or ""
    running: Mapping[int, str] = field(default_factory=dict)
    matte: str | None = None  # what transparent places show, as a hex colour; None = checkerboard
    has_outlines: bool = True  # boxes and their names; handles and the selection always show
    grid_in_drags: bool = True
    grid: overlay.Grid = field(default_factory=overlay.Grid)
    _kept: KeptPicture = field(default_factory=KeptPicture)

    def paint_ground(
        self, painter: QPainter, to_view: QTransform, viewport: QRectF, ratio: float
    ) -> None:
        """Surround, and under the canvas a checkerboard that is fixed to the screen."""
        painter.fillRect(viewport, QColor(self.colours.surround))
        canvas = overlay.aligned(to_view.mapRect(to_rectf(self.scene.document.canvas.rect)))
        painter.setBrushOrigin(0, 0)
        ground: QBrush | QColor = checker_brush(self.colours, ratio)
        if self.matte is not None:
            ground = QColor(self.matte)
        painter.fillRect(canvas.intersected(viewport), ground)

    def paint(self, painter: QPainter, to_view: QTransform, viewport: QRectF, font: QFont) -> None:
        """Draw in viewport pixels; `to_view` maps canvas pixels there."""
        ground = _Ground(to_view, viewport, font)
        document = self.scene.document
        canvas = ground.place(document.canvas.rect)
        painter.save()
        self._leave_staged_free(painter, ground)
        overlay.canvas_edge(painter, canvas)
        if self.show_grid or (self._draws_box and self.grid_in_drags):
            step = document.grid * to_view.m11()
            self.grid.paint(painter, overlay.aligned(canvas), step, viewport)
        if self._draws_box:
            key = self._layers_key(ground)
            self._kept.paint(painter, viewport, key, lambda to: self._paint_layers(to, ground))
        else:
            self._kept.forget()
            self._paint_layers(painter, ground)
        for layer in self.selection.layers():
            self._paint_selected(painter, layer, ground)
        # Around results that are only looked at, outside of all of them.
        for rect in self._staged_rects(ground):
            overlay.outer_frame(painter, rect, self.colours.staged)
        painter.restore()
        for ghost, text in self.ghosts:
            place = ground.place(ghost)
            painter.fillRect(overlay.aligned(place), QColor(0, 0, 0, 40))
            overlay.outer_frame(painter, place.adjusted(1, 1, -1, -1), self.colours.staged)
            overlay.label(painter, text, place.topLeft() + QPointF(6, 6), ground.font)
        if self.draft is not None:
            self._paint_draft(painter, self.draft, ground)

    @property
    def _draws_box(self) -> bool:
        return self.draft is not None and self.draft.kind == "drawn"

    @property
    def _resizes(self) -> bool:
        """Then the size is all that is read: no grid, and no frames and names of other layers."""
        return self.draft is not None and self.draft.kind == "resized"

    def resizable(self) -> Layer | None:
        """The layer whose handles show: one visible, unlocked foreground layer alone."""
        layer = self.selection.single()
        if layer is None or layer.is_background:
            return None
        if layer.id in self.scene.staged_ids:  # handles would cover what is looked at
            return None
        return layer if self.scene.shows(layer) and not layer.locked else None

    def handle_at(self, point: QPointF, to_view: QTransform) -> str:
        layer = self.resizable()
        if layer is None:
            return ""
        rect = to_view.mapRect(to_rectf(self.scene.rect_of(layer)))
        best, nearest = "", float("inf")
        for name, at in overlay.handle_points(rect).items():
            dx, dy = point.x() - at.x(), point.y() - at.y()
            in_x, in_y = ("w" in name) - ("e" in name), ("n" in name) - ("s" in name)
            reaches = _reaches if self.handles_reach_out else _covers
            hits = reaches(dx, in_x, rect.width()) and reaches(dy, in_y, rect.height())
            if hits and abs(dx) + abs(dy) < nearest:
                best, nearest = name, abs(dx) + abs(dy)
        return best

    def _layers_shown(self) -> list[Layer]:
        """Bottom to top: what lies above covers the names below it."""
        return [
            layer
            for layer in self.scene.document.foregrounds
            if (self.has_outlines or layer.id in self.selection) and self.scene.shows(layer)
        ]

    def _layers_key(self, ground: _Ground) -> Hashable:
        """All that `_paint_layers` depends on while a box is drawn."""
        layers = tuple(
            (
                layer.rect,
                self.scene.rect_of(layer),
                self.scene.document.name_of(layer),
                layer.has_pixels,
                self.scene.has_preview(layer.id),
                layer.id in self.selection,
            )
            for layer in self._layers_shown()
        )
        to_view = ground.to_view
        place = (to_view.m11(), to_view.m22(), to_view.dx(), to_view.dy())
        return layers, place, ground.font.key(), self.scene.moves_copies

    def _paint_layers(self, painter: QPainter, ground: _Ground) -> None:
        for layer in self._layers_shown():
            self._paint_layer(painter, layer, ground)

    def _paint_layer(self, painter: QPainter, layer: Layer, ground: _Ground) -> None:
        rect = ground.place(self.scene.rect_of(layer))
        has_preview = self.scene.has_preview(layer.id)
        is_selected = layer.id in self.selection  # its own frame comes later, over everything
        if not layer.has_pixels:
            if self.scene.moves_copies and self.scene.rect_of(layer) != layer.rect:
                stays = ground.place(layer.rect)
                overlay.hatch(painter, stays, ground.viewport)
                overlay.outline(painter, stays)
            if not has_preview:
                overlay.hatch(painter, rect, ground.viewport)
            if not is_selected:
                overlay.outline(painter, rect)
            if not has_preview:
                self._paint_name(painter, layer, rect, ground.font)
            return
        is_made = layer.id in self.running and not self.is_dragging
        is_aimed_at = self.draft is not None and not self._resizes
        if not is_selected and (is_aimed_at or is_made):
            overlay.outline(painter, rect, dashed=True)
        if self._draws_box:  # the names say what is where, of pictures too
            self._paint_name(painter, layer, rect, ground.font)

    def _paint_selected(self, painter: QPainter, layer: Layer, ground: _Ground) -> None:
        rect = ground.place(self.scene.rect_of(layer))
        is_box = not (layer.has_pixels or layer.is_background)
        overlay.frame(painter, rect, self.colours.accent)
        is_still = not self.is_dragging and layer.id not in {*self.running, *self.scene.staged_ids}
        if not is_still or layer is not self.resizable():
            return
        # Below the box, where there is room for it.
        y, text = rect.bottom() + 10, self.box_hint(layer) if is_box else ""
        if text and y + 24 < ground.viewport.bottom():
            overlay.label(painter, text, QPointF(max(rect.left(), 6), y), ground.font)
        overlay.handles(painter, rect, self.colours)

    def _staged_rects(self, ground: _Ground) -> list[QRectF]:
        """Where results are looked at, viewport pixels."""
        return [
            overlay.aligned(ground.place(self.scene.rect_of(layer)))
            for layer in self.scene.document.layers
            if layer.id in self.scene.staged_ids
        ]

    def _leave_staged_free(self, painter: QPainter, ground: _Ground) -> None:
        """A result is judged by its pixels: no hatching, label, outline or handle lies over it."""
        if rects := self._staged_rects(ground):
            free = QRegion(ground.viewport.toAlignedRect())
            for rect in rects:
                free -= QRegion(rect.toRect())
            painter.setClipRegion(free)

    def _paint_name(self, painter: QPainter, layer: Layer, rect: QRectF, font: QFont) -> None:
        if self._resizes or rect.width() < 56 or rect.height() < 32:
            return
        painter.save()
        painter.setClipRect(rect, Qt.ClipOperation.IntersectClip)
        name = self.running.get(layer.id) or self.scene.document.name_of(layer)
        overlay.label(painter, name, rect.topLeft() + QPointF(6, 6), font)
        painter.restore()

    def _paint_draft(self, painter: QPainter, draft: Draft, ground: _Ground) -> None:
        rect = ground.place(draft.rect)
        if draft.kind == "marquee":
            overlay.marquee(painter, rect, self.colours)
            return
        overlay.frame(painter, rect, self.colours.accent)
        # Below the box, or inside its lower edge where the window ends.
        place = QPointF(max(rect.left(), 6), min(rect.bottom() + 6, ground.viewport.bottom() - 28))
        overlay.label(painter, draft.text, place, ground.font, strong=True)


@dataclass(frozen=True, slots=True)
class _Ground:
    """What is painted on: the viewport, the map from canvas pixels to it, and the font."""

    to_view: QTransform
    viewport: QRectF
    font: QFont

    def place(self, rect: Rect) -> QRectF:
        """Where a rectangle of the canvas lies in the viewport."""
        return self.to_view.mapRect(to_rectf(rect))


def _reaches(distance: float, inward: int, length: float) -> bool:
    """Whether a handle can be grabbed from so far along one axis; 24 px in all.

    On small boxes the handles leave room to grab the box itself, and reach further outward instead.

    Args:
        distance: from the handle, viewport pixels.
        inward: the sign of the direction into the box; 0 = along an edge.
        length: of the box along this axis.
    """
    inside = min(overlay.HANDLE_HIT / 2, max(4.0, length / 4))
    if not inward:
        return abs(distance) <= overlay.HANDLE_HIT / 2
    return -(overlay.HANDLE_HIT - inside) <= distance * inward <= inside


def _covers(distance: float, inward: int, length: float) -> bool:
    """Whether a handle can be grabbed there with the box tool: inside the layer, near its edge.

    On the edge itself the next box begins: boxes that touch are drawn from corner to corner.

    Args:
        distance, inward, length: as in `_reaches`.
    """
    if not inward:
        return abs(distance) <= overlay.HANDLE / 2
    return 1.0 <= distance * inward <= min(float(overlay.HANDLE), max(2.0, length / 4))
