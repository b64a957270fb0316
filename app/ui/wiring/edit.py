"""Editing: menu, keys and buttons on layers become commands on the selection."""

from __future__ import annotations

from PySide6.QtCore import QObject, QPoint, Qt
from PySide6.QtGui import QAction

from app.document.commands import (
    AddBox,
    DeleteLayers,
    DuplicateLayers,
    Reorder,
    SetBackground,
    SetLocked,
    SetVisible,
)
from app.document.geometry import Rect
from app.ui.actions import Actions
from app.ui.canvas.view import CanvasView
from app.ui.menus import canvas_menu, context_menu
from app.ui.panels.layer_list import LayerPanel
from app.ui.session import Session
from app.ui.text import tr
from app.ui.wiring.here import HereWiring
from app.ui.wiring.resuming import Resuming


class EditWiring(QObject):
    """Connects the actions of the menus Edit, Select and Layer."""

    def __init__(
        self,
        session: Session,
        actions: Actions,
        view: CanvasView,
        layers: LayerPanel,
        here: HereWiring,
        resuming: Resuming,
    ) -> None:
        super().__init__(view)
        self._session = session
        self._actions = actions
        self._view = view
        self._layers = layers
        self._here = here
        self._resuming = resuming
        self.new_box_here = QAction(tr("New &Box Here"), view)
        self.new_box_here.setToolTip(tr("Adds an empty box around this place."))
        self._menu = context_menu(view, actions, self.new_box_here, here.menu)
        self._canvas_menu = canvas_menu(view, actions, self.new_box_here, here.menu)
        self._connect()
        self.refresh()

    def refresh(self) -> None:
        """Enable what is possible; say in the tooltips why the rest is not."""
        actions, selection = self._actions, self._session.selection
        stack = self._session.undo
        for name, can, text in (
            ("undo", stack.can_undo, stack.undo_text),
            ("redo", stack.can_redo, stack.redo_text),
        ):
            none = tr("nothing to undo") if name == "undo" else tr("nothing to redo")
            actions.set_enabled(name, "" if can else none)
            word = tr("&Undo") if name == "undo" else tr("&Redo")
            # The name of a layer may hold an ampersand, which is no mnemonic.
            actions[name].setText(f"{word} {text.replace('&', '&&')}".rstrip())
        layers, chosen = selection.layers(), selection.foregrounds()
        nothing = "" if layers else tr("no layer is selected")
        only_back = tr("only the background is selected") if layers else nothing
        no_front = "" if chosen else only_back
        locked = self._session.document.locked_name(chosen)
        why_locked = tr("'{0}' is locked").format(locked) if locked else ""
        for name in ("raise", "lower", "to_front", "to_back", "duplicate"):
            actions.set_enabled(name, no_front)
        actions.set_enabled("delete", no_front or why_locked)
        for name in ("toggle_visible", "toggle_locked", "zoom_selection"):
            actions.set_enabled(name, nothing)
        hides = not layers or any(layer.visible for layer in layers)
        actions["toggle_visible"].setText(tr("&Hide") if hides else tr("S&how"))
        locks = not layers or not all(layer.locked for layer in layers)
        actions["toggle_locked"].setText(tr("&Lock") if locks else tr("Un&lock"))
        actions.set_enabled("select_none", nothing)
        single = nothing or ("" if len(layers) == 1 else tr("several layers are selected"))
        actions.set_enabled("rename", single)
        background = actions["background"]
        background.setChecked(self._session.document.background is not None)

    # ---- layers ----

    def new_box(self, centre: tuple[float, float] | None = None) -> None:
        """A box a third of the canvas wide, in its middle or around another place."""
        document = self._session.document
        canvas, grid = document.canvas, document.grid
        width, height = max(grid, canvas.width // 3), max(grid, canvas.height // 3)
        x, y = centre or (canvas.width / 2, canvas.height / 2)
        rect = Rect(int(x - width / 2), int(y - height / 2), width, height)
        top = self._session.selection.top()
        command = AddBox(rect.snapped_nearest(grid, canvas), above=None if top is None else top.id)
        if self._session.push(command):
            self._session.selection.set([command.layer_id])
            self._tell_added(command.layer_id, was_cut=False)

    def _tell_added(self, layer_id: int, was_cut: bool) -> None:
        """Say where a new box is in the stack, where that is not the front, and if it was cut."""
        document = self._session.document
        order = [layer.id for layer in document.foregrounds]
        said = []
        if was_cut:
            said.append(
                tr("The box was cut to the canvas. A painted layer can be moved over the edge.")
            )
        place = order.index(layer_id)
        if place < len(order) - 1:
            below = document.foregrounds[place - 1] if place else document.background
            if below is None:
                said.append(tr("New box behind all other layers."))
            else:
                said.append(tr("New box above '{0}'.").format(document.name_of(below)))
        if said:
            self._session.note(" ".join(said))

    def delete(self) -> None:
        """The selected foreground layers."""
        if ids := self._ids():
            self._session.push(DeleteLayers(ids))

    def duplicate(self) -> None:
        """Copies of the selected layers, which are then selected."""
        if ids := self._ids():
            command = DuplicateLayers(ids)
            if self._session.push(command):
                self._session.selection.set(command.new_ids)

    def rename(self) -> None:
        """Open the editor in the list."""
        layer = self._session.selection.single()
        if layer is not None:
            self._layers.list.rename(layer)

    def toggle_visible(self) -> None:
        """Hide the selected layers if any is visible, else show them."""
        layers = self._session.selection.layers()
        if layers:
            visible = not any(layer.visible for layer in layers)
            self._session.push(SetVisible([layer.id for layer in layers], visible))

    def toggle_locked(self) -> None:
        """Lock the selected layers if any is open, else unlock them."""
        layers = self._session.selection.layers()
        if layers:
            locked = not all(layer.locked for layer in layers)
            self._session.push(SetLocked([layer.id for layer in layers], locked))

    def shift(self, up: bool, to_end: bool = False) -> None:
        """Move the selected layers one step, or to the end, in the order."""
        ids = set(self._ids())
        order = [layer.id for layer in self._session.document.foregrounds]
        if not ids:
            return
        places = [order.index(layer_id) for layer_id in ids]
        rest = [layer_id for layer_id in order if layer_id not in ids]
        if to_end:
            below = len(rest) if up else 0
        elif up:
            top = max(places)
            below = sum(1 for each in rest if order.index(each) < top) + 1
        else:
            bottom = min(places)
            below = sum(1 for each in rest if order.index(each) < bottom) - 1
        below = min(max(below, 0), len(rest))
        above = rest[below - 1] if below else None
        self._session.push(Reorder([each for each in order if each in ids], above))

    def select_all(self) -> None:
        """Everything except the background."""
        self._session.selection.set(layer.id for layer in self._session.document.foregrounds)

    def _ids(self) -> list[int]:
        return [layer.id for layer in self._session.selection.foregrounds()]

    def _set_background(self, on: bool) -> None:
        self._session.push(SetBackground(on))

    def _on_menu(self, at: QPoint) -> None:
        self._here.come_to(at)
        menu = self._menu if self._session.selection.layers() else self._canvas_menu
        menu.popup(at)

    def _on_row_menu(self, at: QPoint) -> None:
        self._here.place = None  # a row has no place but its layer's
        self._menu.popup(self._layers.list.viewport().mapToGlobal(at))

    def _on_changed(self, revision: int) -> None:
        self.refresh()

    def _connect(self) -> None:
        actions, session = self._actions, self._session
        self._view.host.box_added.connect(self._tell_added)
        stack, through = session.undo, self._resuming.through
        actions["undo"].triggered.connect(lambda: through(stack.undo))
        actions["redo"].triggered.connect(lambda: through(stack.redo))
        actions["duplicate"].triggered.connect(self.duplicate)
        actions["delete"].triggered.connect(self.delete)
        actions["select_all"].triggered.connect(self.select_all)
        actions["select_none"].triggered.connect(session.selection.clear)
        actions["select_above"].triggered.connect(lambda: session.selection.step(True))
        actions["select_below"].triggered.connect(lambda: session.selection.step(False))
        actions["new_box"].triggered.connect(lambda: self.new_box())
        self.new_box_here.triggered.connect(lambda: self.new_box(self._here.place))
        actions["rename"].triggered.connect(self.rename)
        actions["toggle_visible"].triggered.connect(self.toggle_visible)
        actions["toggle_locked"].triggered.connect(self.toggle_locked)
        actions["raise"].triggered.connect(lambda: self.shift(True))
        actions["lower"].triggered.connect(lambda: self.shift(False))
        actions["to_front"].triggered.connect(lambda: self.shift(True, to_end=True))
        actions["to_back"].triggered.connect(lambda: self.shift(False, to_end=True))
        actions["background"].triggered.connect(self._set_background)
        self._view.menu_asked.connect(self._on_menu)
        rows = self._layers.list
        rows.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        rows.customContextMenuRequested.connect(self._on_row_menu)
        session.undo.changed.connect(self.refresh)
        session.selection.changed.connect(self.refresh)
        session.document.events.changed.connect(self._on_changed)
