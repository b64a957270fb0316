"""The menu of a candidate: use it, compare, take its seed, prompt or pixels, delete."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QApplication, QMenu

from app.document.candidates import Choice, with_choice
from app.document.commands import AddLayers, SetPrompt
from app.document.contents import Contents
from app.document.layer import Candidate, Layer, new_layer_id
from app.document.storage.formats.options import ExportOptions
from app.document.storage.formats.table import format_named
from app.document.storage.names import safe_name
from app.ui.actions import Actions
from app.ui.dialogs import file_dialogs
from app.ui.panels.candidate_strip import CandidateStrip
from app.ui.session import Session
from app.ui.stage import Stage
from app.ui.text import tr
from app.ui.wiring.exporting import ExportWiring


class CandidateMenu(QObject):
    """Opens on a right click, and acts."""

    def __init__(
        self,
        session: Session,
        actions: Actions,
        stage: Stage,
        strip: CandidateStrip,
        exporting: ExportWiring,
    ) -> None:
        super().__init__(strip)
        self._session = session
        self._actions = actions
        self._stage = stage
        self._strip = strip
        self._exporting = exporting
        strip.menu_asked.connect(lambda place, at: self.made_for(place).popup(at))

    def made_for(self, place: int) -> QMenu:
        """The menu of the candidate at a place of the strip; it goes when it closes."""
        choice = self._stage.choices[place - 1]
        menu = QMenu(self._strip)
        menu.setToolTipsVisible(True)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)

        def add(text: str, tip: str, can: bool = True) -> QAction:
            action = menu.addAction(text)
            action.setToolTip(tip)
            action.setEnabled(can)
            return action

        if choice.detached is None:
            add(
                tr("&Use"), tr("Uses this result in the picture, as one undo step.")
            ).triggered.connect(lambda: self._stage.accept(place))
            menu.addAction(self._actions["compare"])
        else:
            add(
                tr("Add as &Layer"), tr("Adds this result as a new layer on top.")
            ).triggered.connect(lambda: self.add_layer(choice))
        menu.addSeparator()
        add(
            tr("Copy &Seed"),
            tr("Copies the seed of this result."),
            choice.seed is not None,
        ).triggered.connect(lambda: QApplication.clipboard().setText(str(choice.seed)))
        add(
            tr("Use &Prompt"), tr("Uses the prompt of this result."), bool(choice.prompt)
        ).triggered.connect(lambda: self._session.push(SetPrompt(choice.prompt)))
        add(
            tr("&Export PNG…"), tr("Exports this result; the picture does not change.")
        ).triggered.connect(lambda: self.ask_where(choice))
        menu.addSeparator()
        # Right click inside a selection means all of it, as in every list of files.
        chosen = self._strip.list.places()
        gone = chosen if place in chosen else [place]
        add(
            tr("&Delete"), tr("Removes this result from the strip; undo brings it back.")
        ).triggered.connect(lambda: self._stage.discard(gone))
        return menu

    def add_layer(self, choice: Choice) -> None:
        """A detached result as a layer of its own; it stays in the strip until it is deleted."""
        if choice.detached is not None:
            command = AddLayers([_layer_of(choice.detached)])
            if self._session.push(command):
                self._session.selection.set(command.new_ids)

    def ask_where(self, choice: Choice) -> None:
        """The name of the file, then write."""
        session = self._session
        stem = self._name(choice) if choice.seed is None else f"{self._name(choice)} {choice.seed}"
        suggested = f"{safe_name(stem)}.png"
        kind = tr("PNG (*.png)")

        def done(path: Path) -> None:
            self.write(choice, path)

        title = tr("Export Result")
        window, settings = self._strip.window(), session.settings
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
