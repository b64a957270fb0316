"""Things and boxes: the panel of things, words for boxes, and suggested layouts."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QEvent, QObject, QPointF, Qt
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QKeyEvent

from app.document import Layer
from app.document.commands import AddBox, PlaceBoxes, SetSettings, SetShows
from app.document.words import word_of
from app.session.connections import SavedConnection
from app.session.prompt_summary import prompt_with
from app.session.things import (
    PlacedBox,
    box_around,
    check_pin,
    layouts_for,
    list_things,
    missing_boxes,
    thing_pictures,
)
from app.ui.actions import Actions
from app.ui.controllers import Controller
from app.ui.controllers.generation import GenerationController
from app.ui.engine_texts import engine_name
from app.ui.frames import bring_forward
from app.ui.panels.things import THING_MIME, entries_of
from app.ui.session import Session
from app.ui.text import number, tr
from app.ui.views import Views

_NEXT = (Qt.Key.Key_Right, Qt.Key.Key_Down, Qt.Key.Key_Tab)
_BEFORE = (Qt.Key.Key_Left, Qt.Key.Key_Up, Qt.Key.Key_Backtab)
_ENTERS = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
_KEYS = (*_NEXT, *_BEFORE, *_ENTERS, Qt.Key.Key_Escape)


class ThingsController(Controller):
    """Connects the panel of things, the field "Shows" and the actions that place boxes."""

    def __init__(
        self, session: Session, actions: Actions, views: Views, generation: GenerationController
    ) -> None:
        super().__init__(session, actions, views)
        self._generation = generation
        self._layouts: list[list[PlacedBox]] = []
        self._place = 0
        actions.connect(
            suggest_layout=self.suggest,
            add_missing=self.add_missing,
            repeat_things=self._toggle_repeating,
            pane_things=self.show_panel,
        )
        views.things.chosen.connect(self._choose)
        views.inspector.word_given.connect(self.give_word)
        session.bridge.state_changed.connect(self._on_state)
        session.document.events.changed.connect(self._drop_suggestion)
        views.view.installEventFilter(self)
        views.view.viewport().installEventFilter(self)
        self._shown_for: object = None
        self._on_state()

    # ---- the panel ----

    def show_panel(self) -> None:
        """Bring the panel of things to the front, its search field ready."""
        views = self._views
        bring_forward(views.things)
        views.things.field.setFocus()
        views.things.field.selectAll()

    def _on_state(self) -> None:
        """The words and pictures of the loaded model; a server draws what one writes."""
        info = self._session.bridge.info
        used = self._session.servers.connections.in_use
        if used is not None:
            self._show_free_text(used)
            return
        if info is None or info == self._shown_for:
            if info is None and isinstance(self._shown_for, SavedConnection):
                self._shown_for = None
                self._views.things.show_things((), None)
            return
        self._shown_for = info
        things = list_things(info)
        words = [word for thing in things for word in (thing.name, *thing.synonyms)]
        self._views.inspector.show_words(words)
        known = info.vocabulary
        entries = (
            []
            if known is None
            else entries_of(things, known.looks, known.colours, known.backgrounds)
        )
        self._views.things.show_things(entries, thing_pictures(info))

    def _show_free_text(self, used: SavedConnection) -> None:
        if self._shown_for == used:
            return
        self._shown_for = used
        text = tr(
            "The list of things belongs to the built-in engine. {0} draws whatever you write: in "
            "the prompt, or for one box in 'Shows'."
        )
        self._views.inspector.show_words(())
        self._views.things.show_things((), None, text.format(engine_name(used)))

    def _choose(self, word: str) -> None:
        """A colour is for the selected thing, if there is one; any other word for the prompt."""
        info = self._session.bridge.info
        known = None if info is None else info.vocabulary
        layers = self._session.selection.foregrounds()
        nouns = {check_pin(layer.shows or word_of(layer), info).noun for layer in layers}
        noun = nouns.pop() if len(nouns) == 1 else None
        if known is not None and word in known.colours and noun:
            self.give_word(f"{word} {noun}", repaints=True)
        else:
            self._views.prompt.field.insert_word(word)

    def _drop(self, word: str, at: QPointF) -> None:
        """A box for a thing around a place of the viewport."""
        inverse, _ = self._views.view.to_view().inverted()
        place = inverse.map(at)
        rect = box_around(self._session.document, word, place.x(), place.y())
        command = AddBox(rect, shows=word)
        if self._session.push(command):
            self._session.selection.set([command.layer_id])
            self._views.view.setFocus()

    # ---- words for boxes ----

    def give_word(self, word: str, repaints: bool) -> None:
        """Pin a word to the selected layers, or ("") let the model decide; the prompt follows."""
        session, info = self._session, self._session.bridge.info
        layers = session.selection.foregrounds()
        check = check_pin(word, info) if word else None
        if check is not None and check.noun is None:
            advice = tr("Choose a word from the list of things.")
            if check.nearest is not None:
                advice = tr("Did you mean '{0}'?").format(check.nearest)
            session.tell(
                "warning",
                tr("This model cannot draw '{0}'.").format(word),
                tr("The box was not changed."),
                advice,
                action="pane_things",
            )
            return
        prompt = self._prompt_after(layers, word)
        ids = [layer.id for layer in layers]
        repaints = repaints and bool(word)
        if session.push(SetShows(ids, word, prompt, is_act=repaints)) and repaints:
            self._generation.generate("selected", ids)

    def _prompt_after(self, layers: list[Layer], word: str) -> str | None:
        """The prompt with the thing of a single layer replaced; None = it stays."""
        old = layers[0].shows or word_of(layers[0]) if len(layers) == 1 else ""
        if not old or not word:
            return None
        check = self._session.bridge.summary().check
        return prompt_with(self._session.document.prompt, check, old, word)

    # ---- boxes for the prompt ----

    def suggest(self) -> None:
        """Show layouts for all things of the prompt as ghosts; keys choose one."""
        session = self._session
        bridge = session.bridge
        self._layouts = layouts_for(session.document, bridge.summary(), bridge.info)
        self._place = 0
        self._show_suggestion()
        if self._layouts:
            self._views.card.dismiss()
            self._views.view.setFocus()

    def add_missing(self) -> None:
        """A box for each thing that has none, where it covers the others least; one step."""
        boxes = missing_boxes(self._session.document, self._session.bridge.summary())
        if boxes:
            self._push_boxes(PlaceBoxes(boxes, keeps_empty=True))

    def _toggle_repeating(self) -> None:
        settings = self._session.document.settings
        changed = replace(settings, repeat_things=not settings.repeat_things)
        self._session.push(SetSettings(changed))

    def _push_boxes(self, command: PlaceBoxes) -> None:
        if self._session.push(command):
            new = self._session.document.foregrounds[-len(command.boxes) :]
            self._session.selection.set([layer.id for layer in new])

    def _show_suggestion(self) -> None:
        view = self._views.view
        if not self._layouts:
            view.decor.ghosts = ()
            view.viewport().update()
            return
        view.decor.ghosts = self._layouts[self._place]
        view.viewport().update()
        which = tr("Layout {0} of {1}").format(number(self._place + 1), number(len(self._layouts)))
        keys = tr("Arrow keys: other layouts. Enter: place the boxes. Esc: cancel.")
        self._views.status.say(f"{which} · {keys}")

    def _drop_suggestion(self) -> None:
        """Suggested boxes belong to the document as it was."""
        if self._layouts:
            self._layouts = []
            self._show_suggestion()
            self._views.status.say_nothing()

    def _accept(self) -> None:
        boxes = self._layouts[self._place]
        self._layouts = []
        self._show_suggestion()
        self._views.status.say_nothing()
        self._push_boxes(PlaceBoxes(boxes))

    # ---- keys and drops on the canvas ----

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Qt override: keys while a layout is suggested; things dropped on the canvas."""
        kind = event.type()
        if isinstance(event, QDragEnterEvent) and event.mimeData().hasFormat(THING_MIME):
            event.acceptProposedAction()
            return True
        if kind == QEvent.Type.Drop and isinstance(event, QDropEvent):
            data = event.mimeData()
            if not data.hasFormat(THING_MIME):
                return False
            self._drop(bytes(data.data(THING_MIME).data()).decode(), event.position())
            event.acceptProposedAction()
            return True
        if not self._layouts:
            return False
        if isinstance(event, QKeyEvent) and Qt.Key(event.key()) in _KEYS and not _is_command(event):
            if kind == QEvent.Type.ShortcutOverride:
                event.accept()  # no action takes these keys now
                return True
            if kind == QEvent.Type.KeyPress:
                self._on_key(Qt.Key(event.key()))
                return True
        if kind == QEvent.Type.MouseButtonPress:
            self._drop_suggestion()
        return False

    def _on_key(self, key: Qt.Key) -> None:
        if key in _ENTERS:
            self._accept()
        elif key == Qt.Key.Key_Escape:
            self._drop_suggestion()
        else:
            step = 1 if key in _NEXT else -1
            self._place = (self._place + step) % len(self._layouts)
            self._show_suggestion()


def _is_command(event: QKeyEvent) -> bool:
    """Ctrl, Alt or Meta is held: Ctrl+Enter still generates while a layout is suggested."""
    held = Qt.KeyboardModifier
    return bool(event.modifiers() & (held.ControlModifier | held.AltModifier | held.MetaModifier))
