"""Looking: zoom, tools, theme, panels, and the facts in the status bar."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QApplication, QWidget

from app.ui import theme
from app.ui.actions import Actions
from app.ui.canvas.item import to_rectf
from app.ui.canvas.view import CanvasView
from app.ui.panels.empty_card import EmptyCard
from app.ui.panels.messages import StatusBar
from app.ui.session import Session
from app.ui.theme import Colours, ThemeChoice, high_contrast
from app.ui.widgets.accessibility import FocusTips

TOOLS = ("select", "box", "hand", "zoom")
THEMES = ("system", "dark", "light")


class ViewWiring(QObject):
    """Connects the actions of the menu View and the tools.

    Args:
        recolour: called with the new colours after the theme changed.
        panes: widgets that F6 goes round.
    """

    def __init__(
        self,
        session: Session,
        actions: Actions,
        view: CanvasView,
        status: StatusBar,
        card: EmptyCard,
        recolour: Callable[[Colours], None],
        panes: Sequence[QWidget],
    ) -> None:
        super().__init__(view)
        self._session = session
        self._actions = actions
        self._view = view
        self._status = status
        self._card = card
        self._recolour = recolour
        self._panes = list(panes)
        self.focus_tips = FocusTips(self)
        self._connect()
        actions["tool_box"].trigger()
        actions[f"theme_{session.settings.theme}"].setChecked(True)
        self.refresh()

    def refresh(self) -> None:
        """Bring status bar and empty card up to date."""
        layers = self._session.selection.layers()
        rect = None
        for layer in layers:
            rect = layer.rect if rect is None else rect.united(layer.rect)
        self._status.show_selection(rect)
        contents = self._session.document.contents
        is_empty = not contents.foregrounds and not contents.background.has_pixels
        if not is_empty:
            self._card.come_back()
        # The card leaves with the first box that is being drawn, not after it.
        self._card.setVisible(is_empty and not self._view.decor.draft)

    def set_theme(self, choice: ThemeChoice) -> None:
        """Choose a theme; it is remembered."""
        self._session.settings.theme = choice
        self._actions[f"theme_{choice}"].setChecked(True)
        self.apply_theme()

    def apply_theme(self) -> None:
        """Put the chosen colours on everything."""
        app = cast(QApplication, QApplication.instance())
        choice = cast(ThemeChoice, self._session.settings.theme)
        if choice == "system" and high_contrast.is_wanted():
            colours = high_contrast.colours_from(high_contrast.system_palette(app))
        else:
            colours = theme.colours_for(choice)
        theme.apply(app, colours, self._session.settings.font_percent)
        self._recolour(colours)

    def zoom_selection(self) -> None:
        """Show the selected layers as large as they fit."""
        layers = self._session.selection.layers()
        if layers:
            rect = layers[0].rect
            for layer in layers[1:]:
                rect = rect.united(layer.rect)
            self._view.navigation.show_rect(to_rectf(rect))

    def next_pane(self, step: int) -> None:
        """Move the focus to the next or previous panel."""
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

    def _on_pointer(self, x: int, y: int) -> None:
        self._status.show_pointer(x, y, self._session.document.grid)

    def _on_grid(self, shown: bool) -> None:
        self._view.decor.show_grid = shown
        self._view.viewport().update()

    def _on_reset(self) -> None:
        self._card.come_back()
        self._on_canvas()
        self.refresh()

    def _on_canvas(self) -> None:
        self._view.navigation.on_canvas_changed()

    def _on_changed(self, revision: int) -> None:
        self.refresh()

    def _on_system_theme(self) -> None:
        if self._session.settings.theme == "system":
            self.apply_theme()

    def _connect(self) -> None:
        actions, view, navigation = self._actions, self._view, self._view.navigation
        actions["zoom_in"].triggered.connect(lambda: navigation.step(True))
        actions["zoom_out"].triggered.connect(lambda: navigation.step(False))
        actions["zoom_fit"].triggered.connect(navigation.fit)
        actions["zoom_100"].triggered.connect(lambda: navigation.set_zoom(1.0))
        actions["zoom_selection"].triggered.connect(self.zoom_selection)
        actions["grid"].toggled.connect(self._on_grid)
        for tool in TOOLS:
            actions[f"tool_{tool}"].triggered.connect(lambda _=False, t=tool: view.set_tool(t))
        for choice in THEMES:
            actions[f"theme_{choice}"].triggered.connect(
                lambda _=False, c=choice: self.set_theme(cast(ThemeChoice, c))
            )
        actions["pane_layers"].triggered.connect(lambda: focus_on(self._panes[-1]))
        actions["next_pane"].triggered.connect(lambda: self.next_pane(1))
        actions["previous_pane"].triggered.connect(lambda: self.next_pane(-1))
        view.pointer_moved.connect(self._on_pointer)
        view.zoom_changed.connect(self._status.show_zoom)
        view.drawing_changed.connect(self.refresh)
        view.canvas_scene.changed_on_screen.connect(self.refresh)
        self._session.selection.changed.connect(self.refresh)
        events = self._session.document.events
        events.canvas_changed.connect(self._on_canvas)
        events.reset.connect(self._on_reset)
        events.changed.connect(self._on_changed)
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
