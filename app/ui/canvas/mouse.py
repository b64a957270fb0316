"""Mouse of the canvas: turns its events into `Pointer`s for the tools, pans, and sets the cursor.

Knows the tools by name and no document.
"""

from __future__ import annotations

from PySide6.QtCore import QObject, QPointF, Qt, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QGraphicsView

from app.ui.canvas.box_tool import BoxTool
from app.ui.canvas.decor import Decor
from app.ui.canvas.host import ToolHost
from app.ui.canvas.navigation import Navigation
from app.ui.canvas.tools import Pointer, SelectTool, Tool

DRAG_SLACK = 4
_CURSORS = {
    "nw": Qt.CursorShape.SizeFDiagCursor,
    "se": Qt.CursorShape.SizeFDiagCursor,
    "ne": Qt.CursorShape.SizeBDiagCursor,
    "sw": Qt.CursorShape.SizeBDiagCursor,
    "n": Qt.CursorShape.SizeVerCursor,
    "s": Qt.CursorShape.SizeVerCursor,
    "e": Qt.CursorShape.SizeHorCursor,
    "w": Qt.CursorShape.SizeHorCursor,
}


class Mouse(QObject):
    """One hand on one view.

    Signals:
        acted(): a tool did something; the overlay may look different.
        menu_asked(pointer, event): a right click that ended no drag.
    """

    acted = Signal()
    menu_asked = Signal(object, object)

    def __init__(
        self, view: QGraphicsView, host: ToolHost, decor: Decor, navigation: Navigation
    ) -> None:
        super().__init__(view)
        self._view = view
        self._decor = decor
        self._navigation = navigation
        self._tools: dict[str, Tool] = {"select": SelectTool(host), "box": BoxTool(host)}
        self._tool_name = "select"
        self._is_panning = False
        self._space_is_down = False
        self._pan_from = QPointF()

    @property
    def tool_name(self) -> str:
        """ "select", "box", "hand" or "zoom"."""
        return self._tool_name

    def set_tool(self, name: str) -> None:
        """Change the tool; a drag in progress is undone."""
        self.cancel_drag()
        self._tool_name = name
        self._decor.handles_reach_out = name != "box"
        self.update_cursor()

    def set_space(self, is_down: bool) -> None:
        """The space bar pans in every tool."""
        self._space_is_down = is_down
        self.update_cursor()

    def cancel_drag(self) -> bool:
        """Undo the drag in progress.

        Returns:
            whether there was one.
        """
        tool = self._tools.get(self._tool_name)
        if tool is None or not tool.is_dragging:
            return False
        tool.cancel()
        self._decor.is_dragging = False
        self.acted.emit()
        return True

    def press(self, event: QMouseEvent) -> None:
        """A button went down."""
        button = event.button()
        is_left = button == Qt.MouseButton.LeftButton
        wants_pan = self._space_is_down or self._tool_name == "hand"
        if button == Qt.MouseButton.MiddleButton or (is_left and wants_pan):
            self._is_panning, self._pan_from = True, event.position()
            self.update_cursor()
        elif is_left and self._tool_name == "zoom":
            out = bool(event.modifiers() & Qt.KeyboardModifier.AltModifier)
            self._navigation.zoom_by(0.5 if out else 2.0, event.position())
        elif is_left:
            self._tools[self._tool_name].press(self._pointer(event))
            self.acted.emit()
        elif button == Qt.MouseButton.RightButton and not self.cancel_drag():
            self.menu_asked.emit(self._pointer(event), event)

    def move(self, event: QMouseEvent) -> None:
        """The mouse moved, with or without a button."""
        if self._is_panning:
            delta = event.position() - self._pan_from
            self._pan_from = event.position()
            self._navigation.pan_by(delta)
            return
        tool = self._tools.get(self._tool_name)
        if tool is not None and event.buttons() & Qt.MouseButton.LeftButton:
            tool.move(self._pointer(event))
            self._decor.is_dragging = tool.is_dragging
            self.acted.emit()
        self.update_cursor(event.position())

    def release(self, event: QMouseEvent) -> None:
        """A button came up."""
        if self._is_panning:
            self._is_panning = False
        elif event.button() == Qt.MouseButton.LeftButton and self._tool_name in self._tools:
            self._tools[self._tool_name].release(self._pointer(event))
            self._decor.is_dragging = False
            self.acted.emit()
        self.update_cursor(event.position())

    def picks(self, event: QMouseEvent) -> bool:
        """Whether a press of this kind selects what is under it, and nothing else."""
        is_plain = event.button() == Qt.MouseButton.LeftButton and not event.modifiers()
        return is_plain and self._tool_name in self._tools and not self._is_panning

    def update_cursor(self, at: QPointF | None = None) -> None:
        """Say with the cursor what a press would do at a viewport point."""
        if self._is_panning:
            shape = Qt.CursorShape.ClosedHandCursor
        elif self._space_is_down or self._tool_name == "hand":
            shape = Qt.CursorShape.OpenHandCursor
        elif at is not None and (
            handle := self._decor.handle_at(at, self._view.viewportTransform())
        ):
            shape = _CURSORS[handle]
        elif self._tool_name in ("box", "zoom"):
            shape = Qt.CursorShape.CrossCursor
        else:
            shape = Qt.CursorShape.ArrowCursor
        if self._view.viewport().cursor().shape() != shape:
            self._view.viewport().setCursor(shape)

    def _pointer(self, event: QMouseEvent) -> Pointer:
        to_view = self._view.viewportTransform()
        inverted, _ = to_view.inverted()
        at = inverted.map(event.position())
        modifiers = event.modifiers()
        return Pointer(
            at.x(),
            at.y(),
            DRAG_SLACK / to_view.m11(),
            shift=bool(modifiers & Qt.KeyboardModifier.ShiftModifier),
            ctrl=bool(modifiers & Qt.KeyboardModifier.ControlModifier),
            alt=bool(modifiers & Qt.KeyboardModifier.AltModifier),
            space=self._space_is_down,
        )
