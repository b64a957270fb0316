"""How the canvas shows things: solo, matte, snap, outlines, panels, full screen. No undo steps."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QColorDialog, QDockWidget, QMainWindow

from app.session.selection import Solo
from app.ui.actions import Actions
from app.ui.canvas.view import CanvasView
from app.ui.session import Session
from app.ui.text import tr

MATTES: dict[str, str | None] = {
    "matte_none": None,
    "matte_black": "#000000",
    "matte_white": "#FFFFFF",
    "matte_magenta": "#FF00FF",
}


class ShowingWiring(QObject):
    """Connects the switches of the menu View, and solo."""

    def __init__(
        self,
        session: Session,
        actions: Actions,
        view: CanvasView,
        solo: Solo,
        window: QMainWindow,
    ) -> None:
        super().__init__(view)
        self._session = session
        self._actions = actions
        self._view = view
        self._solo = solo
        self._window = window
        self._hidden: list[QDockWidget] = []
        settings = session.settings
        actions["snap"].setChecked(settings.snap)
        actions["outlines"].setChecked(True)
        actions["show_previews"].setChecked(settings.preview_every > 0)
        actions["matte_none"].setChecked(True)
        view.host.snaps = settings.snap
        for name, slot in (
            ("snap", self._on_snap),
            ("outlines", self._on_outlines),
            ("show_previews", self._on_previews),
            ("hide_panels", self.hide_panels),
            ("full_screen", self._on_full_screen),
        ):
            actions[name].toggled.connect(slot)
        actions["solo"].triggered.connect(self.toggle_solo)
        actions["matte"].triggered.connect(self.next_matte)
        actions["matte_own"].triggered.connect(self._ask_colour)
        for name, colour in MATTES.items():
            actions[name].triggered.connect(lambda _=False, c=colour: self.show_matte(c))
        solo.changed.connect(self.refresh)
        session.selection.changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Solo needs a layer, or layers that are solo now."""
        can = bool(self._session.selection.layers() or self._solo)
        self._actions.set_enabled("solo", "" if can else tr("no layer is selected"))

    def toggle_solo(self) -> None:
        """Show the selected layers alone; with none selected, or once more, everything."""
        ids = self._session.selection.ids
        if ids:
            self._solo.toggle(ids)
        else:
            self._solo.clear()

    def next_matte(self) -> None:
        """Checkerboard, black, white, magenta in turn."""
        names = list(MATTES)
        colours = list(MATTES.values())
        now = self._view.decor.matte
        place = colours.index(now) if now in colours else -1
        name = names[(place + 1) % len(names)]
        self._actions[name].setChecked(True)
        self.show_matte(MATTES[name])

    def show_matte(self, colour: str | None) -> None:
        """What transparent places show; view only."""
        self._view.decor.matte = colour
        self._view.viewport().update()

    def hide_panels(self, hidden: bool) -> None:
        """Leave canvas and prompt; again, exactly the former panels come back."""
        if hidden:
            self._hidden = [
                dock for dock in self._window.findChildren(QDockWidget) if dock.isVisible()
            ]
        for dock in self._hidden:
            dock.setVisible(not hidden)

    def _ask_colour(self) -> None:
        before = self._view.decor.matte or self._session.settings.matte_colour
        dialog = QColorDialog(QColor(before), self._window)
        dialog.setWindowTitle(tr("Transparency Colour"))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.colorSelected.connect(self._on_colour)
        dialog.open()

    def _on_colour(self, colour: QColor) -> None:
        self._session.settings.matte_colour = colour.name()
        self.show_matte(colour.name())

    def _on_snap(self, on: bool) -> None:
        self._view.host.snaps = self._session.settings.snap = on

    def _on_outlines(self, on: bool) -> None:
        self._view.decor.has_outlines = on
        self._view.viewport().update()

    def _on_previews(self, on: bool) -> None:
        self._session.settings.preview_every = 1 if on else 0

    def _on_full_screen(self, on: bool) -> None:
        if on:
            self._window.showFullScreen()
        else:
            self._window.showNormal()
