"""Layers: the menus Edit, Select and Layer, the panel and the context menus, as commands."""

from __future__ import annotations

from functools import partial
from typing import get_args

from PySide6.QtCore import QObject, QPoint, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QApplication, QMenu

from app.document.blends import BLEND_MODES
from app.document.commands import (
    AddBox,
    DeleteLayers,
    DuplicateLayers,
    KeepAsIs,
    Reorder,
    SetBackground,
    SetBlend,
    SetLocked,
    SetOpacity,
    SetRects,
    SetSeed,
    SetVisible,
)
from app.document.geometry import Axis, Rect, Side, aligned, distributed
from app.document.layer import Layer
from app.document.staleness import outdated
from app.ui.actions import Actions
from app.ui.app_state import StateStore, seed_of_pixels
from app.ui.canvas.input import OpacityKeys
from app.ui.canvas.view import CanvasView
from app.ui.controllers import Controller
from app.ui.menus import canvas_menu, context_menu
from app.ui.panels.pages import record_lines
from app.ui.session import Session
from app.ui.text import tr
from app.ui.views import Views

MENU_PERCENTS = tuple(range(100, 0, -10))


class LayersController(Controller):
    """Connects what acts on the selected layers, the menus of a right click included."""

    def __init__(self, session: Session, store: StateStore, actions: Actions, views: Views) -> None:
        super().__init__(session, actions, views)
        self._store = store
        self.here = LayersHere(session, views.view, views.live.here)
        self.new_box_here = QAction(tr("New &Box Here"), views.view)
        self.new_box_here.setToolTip(tr("Adds an empty box around this place."))
        self.menu = context_menu(views.view, actions, self.new_box_here, views.live)
        self.canvas_menu = canvas_menu(views.view, actions, self.new_box_here, self.here.menu)
        self._connect_actions(actions)
        self._connect_looks(actions)
        self._connect_menus()
        actions["background"].triggered.connect(lambda on: session.push(SetBackground(on)))
        views.view.mouse.box_added.connect(self._note_place)

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
            self._note_place(command.layer_id, was_cut=False)

    def _note_place(self, layer_id: int, was_cut: bool) -> None:
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
        if ids := self._ids():
            self._session.push(DeleteLayers(ids))

    def duplicate(self) -> None:
        if ids := self._ids():
            self._session.add(DuplicateLayers(ids))

    def rename(self) -> None:
        layer = self._session.selection.single()
        if layer is not None:
            self._views.layers.list.rename(layer)

    def toggle_visible(self) -> None:
        layers = self._session.selection.layers()
        if layers:
            visible = not any(layer.visible for layer in layers)
            self._session.push(SetVisible([layer.id for layer in layers], visible))

    def toggle_locked(self) -> None:
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

    # ---- seeds and age ----

    def copy_seed(self) -> None:
        """The number that the present pixels were made with, to the clipboard."""
        seed = seed_of_pixels(self._session.selection.single())
        if seed is not None:
            QApplication.clipboard().setText(str(seed))
            self._session.note(tr("Seed {0} copied.").format(seed))

    def copy_record(self) -> None:
        """How the present pixels were made, as text, to the clipboard."""
        layer = self._session.selection.single()
        if layer is not None:
            QApplication.clipboard().setText("\n".join(record_lines(layer)))
            self._session.note(
                tr("The recipe of '{0}' is on the clipboard.").format(
                    self._session.document.name_of(layer)
                )
            )

    def pin_seed(self) -> None:
        """Keep the layer's seed for all later jobs, or release it."""
        layer = self._session.selection.single()
        if layer is not None:
            seed = seed_of_pixels(layer) if layer.seed is None else None
            self._session.push(SetSeed(layer.id, seed))

    def use_seed(self) -> None:
        """Give the layer the seed of its pixels in its next job alone, or take that back."""
        layer, document = self._session.selection.single(), self._session.document
        if layer is not None:
            seed = seed_of_pixels(layer) if document.next_seed(layer.id) is None else None
            document.set_next_seed(layer.id, seed)

    def keep_as_is(self) -> None:
        ids = [layer.id for layer in self._session.selection.layers()]
        if ids:
            self._session.push(KeepAsIs(ids))

    def select_outdated(self) -> None:
        contents = self._session.document.contents
        stale = [layer.id for layer in contents.layers if outdated(layer, contents)]
        self._session.selection.set(stale)

    def select_last(self) -> None:
        """Switch between the last two selections."""
        self._session.selection.set(self._store.selected_before)

    # ---- places ----

    def align(self, side: Side) -> None:
        """One layer to the canvas, several to what they cover."""
        rects = {layer.id: layer.rect for layer in self._session.selection.foregrounds()}
        self._place(aligned(rects, side, self._session.document.canvas), "Align")

    def distribute(self, axis: Axis) -> None:
        """Equal gaps."""
        rects = {layer.id: layer.rect for layer in self._session.selection.foregrounds()}
        self._place(distributed(rects, axis), "Distribute")

    def _place(self, rects: dict[int, Rect], verb: str) -> None:
        """Empty boxes go to the nearest cell: snapped outward they would grow."""
        document = self._session.document
        for key, rect in rects.items():
            if not document.layer(key).has_pixels:
                rects[key] = rect.moved_to_grid(document.grid, document.canvas)
        if rects:
            self._session.push(SetRects(rects, verb))

    def set_blend(self, mode: str) -> None:
        if layers := self._session.selection.layers():
            self._session.push(SetBlend([layer.id for layer in layers], mode))
        self._show_looks()  # also where nothing changed: the bar stands for the layer

    def step_blend(self, step: int) -> None:
        """The next mode in the list, counted from the topmost selected layer's."""
        top = self._session.selection.top()
        if top is not None:
            place = BLEND_MODES.index(top.blend) if top.blend in BLEND_MODES else 0
            self.set_blend(BLEND_MODES[(place + step) % len(BLEND_MODES)])

    def set_opacity(self, percent: int, gesture: int | None = None) -> None:
        """One opacity for all selected layers; None = a step of its own."""
        gesture = self._session.undo.new_gesture() if gesture is None else gesture
        if layers := self._session.selection.layers():
            ids = [layer.id for layer in layers]
            self._session.push(SetOpacity(ids, percent / 100, gesture))
        self._show_looks()

    def _show_looks(self) -> None:
        self._views.layers.looks.show_layers(self._session.selection.layers())

    def _ids(self) -> list[int]:
        return [layer.id for layer in self._session.selection.foregrounds()]

    def _on_menu(self, at: QPoint) -> None:
        self.here.come_to(at)
        menu = self.menu if self._session.selection.layers() else self.canvas_menu
        menu.popup(at)

    def _on_row_menu(self, at: QPoint) -> None:
        self.here.place = None  # a row has no place but its layer's
        self.menu.popup(self._views.layers.list.viewport().mapToGlobal(at))

    def _connect_actions(self, actions: Actions) -> None:
        selection = self._session.selection
        actions.connect(
            duplicate=self.duplicate,
            delete=self.delete,
            select_all=self.select_all,
            select_none=selection.clear,
            select_above=partial(selection.step, True),
            select_below=partial(selection.step, False),
            select_last=self.select_last,
            select_outdated=self.select_outdated,
            new_box=self.new_box,
            rename=self.rename,
            toggle_visible=self.toggle_visible,
            toggle_locked=self.toggle_locked,
            **{"raise": partial(self.shift, True)},
            lower=partial(self.shift, False),
            to_front=partial(self.shift, True, to_end=True),
            to_back=partial(self.shift, False, to_end=True),
            copy_seed=self.copy_seed,
            copy_record=self.copy_record,
            pin_seed=self.pin_seed,
            use_seed=self.use_seed,
            keep_as_is=self.keep_as_is,
        )
        actions.connect(**{f"align_{side}": partial(self.align, side) for side in get_args(Side)})
        actions.connect(
            **{f"distribute_{axis}": partial(self.distribute, axis) for axis in get_args(Axis)}
        )

    def _connect_looks(self, actions: Actions) -> None:
        session, views = self._session, self._views
        actions.connect(blend_next=partial(self.step_blend, 1))
        actions.connect(blend_previous=partial(self.step_blend, -1))
        actions.connect(**{f"blend_{mode}": partial(self.set_blend, mode) for mode in BLEND_MODES})
        actions.connect(
            **{f"opacity_{part}": partial(self.set_opacity, part) for part in MENU_PERCENTS}
        )
        digits = OpacityKeys(session.selection, session.undo, self)
        for widget in (views.view, views.layers.list):
            widget.installEventFilter(digits)
        views.layers.looks.blend_chosen.connect(self.set_blend)
        views.layers.looks.opacity_chosen.connect(self.set_opacity)
        session.selection.changed.connect(self._show_looks)
        session.document.events.layers_changed.connect(self._show_looks)
        self._show_looks()

    def _connect_menus(self) -> None:
        self.new_box_here.triggered.connect(lambda: self.new_box(self.here.place))
        self._views.view.menu_asked.connect(self._on_menu)
        rows = self._views.layers.list
        rows.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        rows.customContextMenuRequested.connect(self._on_row_menu)


class LayersHere(QObject):
    """Fills the menu whenever it opens."""

    def __init__(self, session: Session, view: CanvasView, menu: QMenu) -> None:
        super().__init__(view)
        # Where "here" is, canvas pixels: where the pointer was last on the canvas; None = the
        # middle of what is selected, for who came by key.
        self.place: tuple[float, float] | None = None
        self._session = session
        self._view = view
        self.menu = menu  # the menu
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
