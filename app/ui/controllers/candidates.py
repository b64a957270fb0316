"""Results of the selection: strip, canvas, keys and menus; accepting is one command."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QMenu

from app.document.candidates import Choice, candidate_load, oldest_unused, with_choice
from app.document.commands import AddLayers, DiscardCandidates, SetPrompt
from app.document.contents import Contents
from app.document.layer import Candidate, Layer, new_layer_id
from app.document.storage.formats.options import ExportOptions
from app.document.storage.formats.table import format_named
from app.document.storage.names import safe_name
from app.session.jobs import Message
from app.session.settings import RANGES
from app.ui.actions import Actions
from app.ui.app_state import AppState, StateStore
from app.ui.controllers import Controller
from app.ui.controllers.exporting import ExportController
from app.ui.dialogs import file_dialogs
from app.ui.frames import bring_forward
from app.ui.session import Session
from app.ui.text import number, tr
from app.ui.views import Views


class CandidatesController(Controller):
    """Connects stage, strip, canvas and compare page."""

    def __init__(
        self,
        session: Session,
        store: StateStore,
        actions: Actions,
        views: Views,
        exporting: ExportController,
    ) -> None:
        super().__init__(session, actions, views)
        self._store = store
        self._exporting = exporting
        self._was_over = False
        stage, strip, compare, view = views.stage, views.strip, views.compare, views.view
        actions.connect(
            candidate_next=lambda: stage.step(1),
            candidate_previous=lambda: stage.step(-1),
            accept=self.accept,
            discard=self.discard,
            discard_all=stage.discard_all,
            compare=compare.open,
            trim_candidates=self.trim,
            raise_bound=self.raise_bound,
            pane_candidates=self._focus_strip,
        )
        strip.list.left.connect(view.setFocus)
        strip.menu_asked.connect(lambda place, at: self.menu_for(place).popup(at))
        compare.opened.connect(lambda: strip.set_covered(True))
        compare.closed.connect(lambda: strip.set_covered(False))
        compare.closed.connect(view.setFocus)
        view.enter_pressed.connect(self.accept)
        view.layer_opened.connect(self._open)
        view.before_held.connect(stage.hold_before)
        stage.changed.connect(self._on_stage)
        stage.shown.connect(self._on_shown)
        store.changed.connect(self._on_state)
        self._on_stage()

    def _open(self) -> None:
        """A double click renames the layer; the background, which lies everywhere, opens."""
        layer = self._session.selection.single()
        if layer is None or layer.is_background:
            bring_forward(self._views.inspector)
        else:
            bring_forward(self._views.layers)
            self._actions["rename"].trigger()

    def accept(self) -> None:
        if self._views.stage.accept():
            self._session.note(tr("Accepted. The previous result stays in the strip."))

    def discard(self) -> None:
        """Take the shown one, or the selected ones, out of the strip."""
        self._views.stage.discard(self._views.strip.list.places() or [self._views.stage.place])

    def trim(self) -> None:
        """The oldest unused ones go, as one step; undo brings them back."""
        gone = oldest_unused(self._session.document.contents, *self._session.candidate_bound)
        if gone.count:
            self._session.push(DiscardCandidates(gone.hashes, gone.detached))

    def raise_bound(self) -> None:
        """Twice as many, until what is there fits; nothing of the document changes."""
        settings = self._session.settings
        count, size = candidate_load(self._session.document.contents)
        while settings.candidates < min(count, RANGES["candidates"][1]):
            settings.candidates = min(2 * settings.candidates, RANGES["candidates"][1])
        most = RANGES["candidates_mb"][1]
        while settings.candidates_mb << 20 < size and settings.candidates_mb < most:
            settings.candidates_mb = min(2 * settings.candidates_mb, most)
        self._store.mark("room")
        self._session.note(
            tr("A picture now keeps up to {0} results or {1} MB before it asks.").format(
                number(settings.candidates), number(settings.candidates_mb)
            )
        )

    def show_before(self) -> bool:
        """A rung of the Esc ladder; whether something else was shown."""
        if self._views.compare.isVisible():
            self._views.compare.close_page()
            return True
        if self._views.stage.place:
            self._views.stage.show_place(0)
            return True
        return False

    def _focus_strip(self) -> None:
        """A strip without results is folded away; then a note says what it is for."""
        if not self._views.stage.choices:
            self._session.note(
                tr(
                    "Results for the selected layer collect here. "
                    "Nothing is deleted unless you say so."
                )
            )
            return
        self._views.strip.list.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _on_stage(self) -> None:
        self._views.layers.model.refresh()
        self._views.inspector.refresh()
        self._on_shown()

    def _on_shown(self) -> None:
        self._views.scene.show_staged(self._views.stage.visible)

    def _on_state(self, state: AppState, changed: frozenset[str]) -> None:
        """Ask once the bound is passed; nothing is deleted without a click."""
        if "room" not in changed:
            return
        if state.room.is_over and not self._was_over:
            found, size = candidate_load(self._session.document.contents)
            advice = tr("Delete the {0} oldest unused ones, or keep more.")
            self._session.notified.emit(
                Message(
                    kind="warning",
                    what=tr("This picture keeps {0} results ({1} MB).").format(
                        number(found), number(size // 2**20)
                    ),
                    kept=tr("All of them are kept."),
                    advice=advice.format(number(state.room.unused)),
                    action="trim_candidates",
                    other_action="raise_bound",
                )
            )
        self._was_over = state.room.is_over

    def menu_for(self, place: int) -> QMenu:
        """The menu of the candidate at a place of the strip; it goes when it closes."""
        choice = self._views.stage.choices[place - 1]
        menu = QMenu(self._views.strip)
        menu.setToolTipsVisible(True)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)

        def add(text: str, tip: str, act: Callable[[], object], can: bool = True) -> None:
            action = menu.addAction(text)
            action.setToolTip(tip)
            action.setEnabled(can)
            action.triggered.connect(lambda: act())

        if choice.detached is None:
            tip = tr("Uses this result in the picture, as one undo step.")
            add(tr("&Use"), tip, lambda: self._views.stage.accept(place))
            menu.addAction(self._actions["compare"])
        else:
            tip = tr("Adds this result as a new layer on top.")
            add(tr("Add as &Layer"), tip, lambda: self.add_layer(choice))
        menu.addSeparator()
        tip, clipboard = tr("Copies the seed of this result."), QApplication.clipboard()
        has_seed = choice.seed is not None
        add(tr("Copy &Seed"), tip, lambda: clipboard.setText(str(choice.seed)), has_seed)
        tip = tr("Uses the prompt of this result.")
        push = self._session.push
        add(tr("Use &Prompt"), tip, lambda: push(SetPrompt(choice.prompt)), bool(choice.prompt))
        tip = tr("Exports this result; the picture does not change.")
        add(tr("&Export PNG…"), tip, lambda: self.ask_where(choice))
        menu.addSeparator()
        # Right click inside a selection means all of it, as in every list of files.
        chosen = self._views.strip.list.places()
        gone = chosen if place in chosen else [place]
        tip = tr("Removes this result from the strip; undo brings it back.")
        add(tr("&Delete"), tip, lambda: self._views.stage.discard(gone))
        return menu

    def add_layer(self, choice: Choice) -> None:
        """A detached result as a layer of its own; it stays in the strip until it is deleted."""
        if choice.detached is not None:
            self._session.add(AddLayers([_layer_of(choice.detached)]))

    def ask_where(self, choice: Choice) -> None:
        session = self._session
        stem = self._name(choice) if choice.seed is None else f"{self._name(choice)} {choice.seed}"
        suggested = f"{safe_name(stem)}.png"
        kind = tr("PNG (*.png)")

        def done(path: Path) -> None:
            self.write(choice, path)

        title = tr("Export Result")
        window, settings = self._views.strip.window(), session.settings
        file_dialogs.ask_save(window, settings, title, suggested, kind, "png", done)

    def write(self, choice: Choice, path: Path) -> None:
        """One layer's candidate as its own pixels, a picture's as the whole canvas."""
        contents = shown_with(self._session.document.contents, choice)
        only = next(iter(choice.candidates)) if len(choice.candidates) == 1 else None
        if choice.detached is not None:
            alone = _layer_of(choice.detached)
            contents, only = replace(contents, foregrounds=(alone,)), alone.id
        wanted = self._session.settings.recipe_in_exports
        options = ExportOptions(layer_id=only, with_recipe=wanted)
        self._exporting.write(format_named("png"), options, path, contents)

    def _name(self, choice: Choice) -> str:
        if choice.detached is not None:
            return tr("Detached")
        if len(choice.candidates) == 1:
            return self._session.document.layer(next(iter(choice.candidates))).name
        return Path(self._session.name).stem


def _layer_of(item: Candidate) -> Layer:
    return Layer(
        id=new_layer_id(),
        number=0,
        name="",
        rect=item.rect,
        kind=item.kind,
        image=item.image,
        record=item.record,
    )


def shown_with(contents: Contents, choice: Choice) -> Contents:
    """The document as it would be with this choice, its records included."""
    shown = []
    for layer in with_choice(contents, choice):
        item = choice.candidates.get(layer.id)
        shown.append(layer if item is None else replace(layer, record=item.record))
    return contents.with_layers(shown)
