"""The view: zoom, tools, theme, panels, transparency, solo, and how a document is looked at.

Nothing here is an undo step.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import cast

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication, QColorDialog, QDockWidget, QWidget

from app.document.geometry import Rect, union
from app.document.storage.ora.project import View
from app.ui import theme
from app.ui.actions import Actions
from app.ui.canvas.item import to_rectf
from app.ui.controllers import Controller
from app.ui.session import Session
from app.ui.text import tr
from app.ui.theme import ThemeChoice, high_contrast
from app.ui.views import Views
from app.ui.widgets.accessibility import FocusTips

TOOLS = ("select", "box", "hand", "zoom")
THEMES: tuple[ThemeChoice, ...] = ("system", "dark", "light")
MATTES: dict[str, str | None] = {
    "matte_none": None,
    "matte_black": "#000000",
    "matte_white": "#FFFFFF",
    "matte_magenta": "#FF00FF",
}
_ZOOM_DIGITS = 4


class ViewController(Controller):
    """Connects the menu View and the tools."""

    def __init__(self, session: Session, actions: Actions, views: Views, tools: QWidget) -> None:
        super().__init__(session, actions, views)
        self._hidden: list[QDockWidget] = []
        self._panes: list[QWidget] = [
            views.prompt.field,
            tools,
            views.view,
            views.strip.list,
            views.inspector_tabs,
            views.layers.list,
        ]
        self.focus_tips = FocusTips(self)
        self._connect_actions()
        self._connect_switches()
        self._connect_events()
        actions["tool_box"].trigger()
        actions[f"theme_{session.settings.theme}"].setChecked(True)
        self.refresh()

    def refresh(self) -> None:
        self._views.status.show_selection(self._selected_rect())
        is_empty = self._is_empty()
        if not is_empty:
            self._views.card.come_back()
        # The card leaves with the first box that is being drawn, not after it.
        self._views.card.setVisible(is_empty and not self._views.view.decor.draft)

    def set_theme(self, choice: ThemeChoice) -> None:
        """Choose a theme; it is remembered."""
        self._session.settings.theme = choice
        self._actions[f"theme_{choice}"].setChecked(True)
        self.apply_theme()

    def apply_theme(self) -> None:
        app = cast(QApplication, QApplication.instance())
        choice = cast(ThemeChoice, self._session.settings.theme)
        if choice == "system" and high_contrast.is_wanted():
            colours = high_contrast.colours_from(high_contrast.system_palette(app))
        else:
            colours = theme.colours_for(choice)
        theme.apply(app, colours, self._session.settings.font_percent)
        self._actions.recolour(colours)
        self._views.recolour(colours)

    def zoom_selection(self) -> None:
        if rect := self._selected_rect():
            self._views.view.navigation.show_rect(to_rectf(rect))

    def _selected_rect(self) -> Rect | None:
        return union(layer.rect for layer in self._session.selection.layers())

    def next_pane(self, step: int) -> None:
        focus = QApplication.focusWidget()
        place = next(
            (
                index
                for index, pane in enumerate(self._panes)
                if focus is not None and (pane is focus or pane.isAncestorOf(focus))
            ),
            -1 if step > 0 else 0,
        )
        for _ in self._panes:  # a panel that is folded is passed over
            place = (place + step) % len(self._panes)
            if self._panes[place].isVisible():
                focus_on(self._panes[place])
                return

    def toggle_solo(self) -> None:
        """Show the selected layers alone; with none selected, or once more, everything."""
        ids = self._session.selection.ids
        if ids:
            self._views.solo.toggle(ids)
        else:
            self._views.solo.clear()

    def next_matte(self) -> None:
        """Checkerboard, black, white, magenta in turn."""
        names = list(MATTES)
        colours = list(MATTES.values())
        now = self._views.view.decor.matte
        place = colours.index(now) if now in colours else -1
        name = names[(place + 1) % len(names)]
        self._actions[name].setChecked(True)
        self.show_matte(MATTES[name])

    def show_matte(self, colour: str | None) -> None:
        """What transparent places show; view only."""
        self._views.view.decor.matte = colour
        self._views.view.viewport().update()

    def hide_panels(self, hidden: bool) -> None:
        """Leave canvas and prompt; again, exactly the former panels come back."""
        if hidden:
            self._hidden = [
                dock for dock in self._views.findChildren(QDockWidget) if dock.isVisible()
            ]
        for dock in self._hidden:
            dock.setVisible(not hidden)

    def _ask_colour(self) -> None:
        before = self._views.view.decor.matte or self._session.settings.matte_colour
        dialog = QColorDialog(QColor(before), self._window)
        dialog.setWindowTitle(tr("Transparency Colour"))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.colorSelected.connect(self._on_colour)
        dialog.open()

    def _on_colour(self, colour: QColor) -> None:
        self._session.settings.matte_colour = colour.name()
        self.show_matte(colour.name())

    def _switch(self, name: str, on: bool) -> None:
        """What a tick of the menu View turns on and off."""
        view, settings = self._views.view, self._session.settings
        if name == "snap":
            view.mouse.snaps = settings.snap = on
        elif name == "show_previews":
            settings.preview_every = 1 if on else 0
        elif name == "full_screen":
            (self._window.showFullScreen if on else self._window.showNormal)()
        elif name == "hide_panels":
            self.hide_panels(on)
        else:
            setattr(view.decor, {"grid": "show_grid", "outlines": "has_outlines"}[name], on)
            view.viewport().update()

    def start_new(self) -> None:
        """A new picture begins as the first one does: the prompt waits for words, a drag draws."""
        self._actions["tool_box"].trigger()
        self._actions["focus_prompt"].trigger()

    def choose_tool(self) -> None:
        """A finished picture is there to be changed, a layout to be drawn."""
        is_finished = any(layer.has_pixels for layer in self._session.document.layers)
        self._actions["tool_select" if is_finished else "tool_box"].trigger()

    def through(self, step: Callable[[], object]) -> None:
        """Undo or redo; where that brings another document, or the empty one, its tool as well."""
        before = self._session.sitting, self._is_empty()
        step()
        if (self._session.sitting, self._is_empty()) != before:
            self.choose_tool()

    def _is_empty(self) -> bool:
        contents = self._session.document.contents
        return not contents.foregrounds and not contents.background.has_pixels

    def view_now(self) -> View:
        navigation = self._views.view.navigation
        centre = navigation.centre.toPoint()
        return View(
            zoom=None if navigation.follows_fit else round(navigation.zoom, _ZOOM_DIGITS),
            centre=(centre.x(), centre.y()),
            selected=tuple(layer.number for layer in self._session.selection.layers()),
        )

    def show_view(self, view: View | None) -> None:
        """Look at the document so; None = at all of it."""
        if view is None:
            return
        selected = [
            layer.id for layer in self._session.document.layers if layer.number in view.selected
        ]
        self._session.selection.set(selected)
        if view.zoom is not None:
            self._views.view.navigation.look_at(QPointF(*view.centre), view.zoom)

    def _on_reset(self) -> None:
        self._views.card.come_back()
        self._views.view.navigation.on_canvas_changed()
        self.refresh()

    def _on_system_theme(self) -> None:
        if self._session.settings.theme == "system":
            self.apply_theme()

    def _connect_actions(self) -> None:
        view, navigation = self._views.view, self._views.view.navigation
        stack = self._session.undo
        self._actions.connect(
            undo=partial(self.through, stack.undo),
            redo=partial(self.through, stack.redo),
            zoom_in=partial(navigation.step, True),
            zoom_out=partial(navigation.step, False),
            zoom_fit=navigation.fit,
            zoom_100=partial(navigation.set_zoom, 1.0),
            zoom_selection=self.zoom_selection,
            solo=self.toggle_solo,
            matte=self.next_matte,
            matte_own=self._ask_colour,
            pane_layers=lambda: focus_on(self._views.layers.list),
            next_pane=partial(self.next_pane, 1),
            previous_pane=partial(self.next_pane, -1),
        )
        connect = self._actions.connect
        connect(**{name: partial(self.show_matte, colour) for name, colour in MATTES.items()})
        connect(**{f"tool_{tool}": partial(view.mouse.set_tool, tool) for tool in TOOLS})
        connect(**{f"theme_{choice}": partial(self.set_theme, choice) for choice in THEMES})

    def _connect_switches(self) -> None:
        actions, settings = self._actions, self._session.settings
        actions["snap"].setChecked(settings.snap)
        actions["outlines"].setChecked(True)
        actions["show_previews"].setChecked(settings.preview_every > 0)
        actions["matte_none"].setChecked(True)
        self._views.view.mouse.snaps = settings.snap
        for name in ("grid", "snap", "outlines", "show_previews", "hide_panels", "full_screen"):
            actions[name].toggled.connect(partial(self._switch, name))

    def _connect_events(self) -> None:
        session, view = self._session, self._views.view
        status, document = self._views.status, session.document
        view.pointer_moved.connect(lambda x, y: status.show_pointer(x, y, document.grid))
        view.zoom_changed.connect(status.show_zoom)
        view.mouse.drawing_changed.connect(self.refresh)
        view.canvas_scene.changed_on_screen.connect(self.refresh)
        session.selection.changed.connect(self.refresh)
        events = session.document.events
        events.canvas_changed.connect(view.navigation.on_canvas_changed)
        events.reset.connect(self._on_reset)
        events.layers_changed.connect(self.refresh)
        QApplication.styleHints().colorSchemeChanged.connect(self._on_system_theme)
        high_contrast.on_change(self._on_system_theme)


def focus_on(pane: QWidget) -> None:
    """Give the keyboard to a panel: itself, else the first part of it that can take it."""
    candidates = [pane, *pane.findChildren(QWidget)]
    for widget in candidates:
        takes = widget.focusPolicy() & Qt.FocusPolicy.TabFocus
        if takes and widget.isVisible() and widget.isEnabled():
            widget.setFocus(Qt.FocusReason.TabFocusReason)
            return
