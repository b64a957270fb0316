"""Layers Here: the layers under the pointer as a menu, topmost first. A click selects one."""

from __future__ import annotations

from PySide6.QtCore import QObject, QPoint
from PySide6.QtWidgets import QMenu

from app.document.layer import Layer
from app.ui.canvas.view import CanvasView
from app.ui.session import Session
from app.ui.text import tr


class HereWiring(QObject):
    """Fills the menu whenever it opens.

    Attributes:
        menu: the menu.
        place: where "here" is, canvas pixels: where the pointer was last on the canvas; None =
            the middle of what is selected, for who came by key.
    """

    def __init__(self, session: Session, view: CanvasView, menu: QMenu) -> None:
        super().__init__(view)
        self.place: tuple[float, float] | None = None
        self._session = session
        self._view = view
        self.menu = menu
        menu.setToolTipsVisible(True)
        menu.aboutToShow.connect(self.fill)
        view.pointer_moved.connect(self._on_pointer)
        view.stack_menu_asked.connect(self._on_asked)
        self.fill()

    def fill(self) -> None:
        """One entry per layer, with a tick on those that are selected."""
        self.menu.clear()
        layers = self._layers()
        for layer in layers:
            # The name of a layer may hold an ampersand, which is no mnemonic.
            action = self.menu.addAction(self._session.document.name_of(layer).replace("&", "&&"))
            action.setToolTip(tr("Selects this layer alone."))
            action.setCheckable(True)
            action.setChecked(layer.id in self._session.selection)
            action.triggered.connect(
                lambda _=False, layer_id=layer.id: self._session.selection.set([layer_id])
            )
        if not layers:
            self.menu.addAction(tr("No layer is here")).setEnabled(False)

    def come_to(self, at: QPoint) -> None:
        """Here is now this place on the screen."""
        place = self._view.mapToScene(self._view.viewport().mapFromGlobal(at))
        self.place = (place.x(), place.y())

    def _layers(self) -> list[Layer]:
        place = self.place
        if place is None:
            top = self._session.selection.top()
            middle = self._session.document.canvas.rect if top is None else top.rect
            place = middle.centre
        return self._view.canvas_scene.layers_at(*place, any_alpha=True)

    def _on_pointer(self, x: int, y: int) -> None:
        if (x, y) != (-1, -1):  # else it left, perhaps for the menu bar
            self.place = (x, y)

    def _on_asked(self, at: QPoint) -> None:
        self.come_to(at)
        self.fill()
        if self._layers():
            self.menu.popup(at)
