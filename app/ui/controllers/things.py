"""Things and boxes: the panel of things, words for boxes, and suggested layouts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from PySide6.QtCore import QEvent, QLocale, QObject, QPointF, Qt
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QKeyEvent

from app.document.commands import AddBox, PlaceBoxes, SetSettings, SetShows
from app.document.words import word_of
from app.session.connections import SavedConnection
from app.session.prompt_summary import prompt_with
from app.session.things import (
    PlacedBox,
    Vocabulary,
    box_around,
    check_pin,
    fitting_things,
    layouts_for,
    list_things,
    missing_boxes,
    restyled,
    thing_pictures,
    without_look,
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
            suggest_things=self.fill_spare_boxes,
            pane_things=self.show_panel,
            help_model=self.show_panel,
        )
        views.things.chosen.connect(self._choose)
        views.inspector.word_given.connect(self._give_all)
        for menu in (views.live.colours, views.live.looks):
            menu.aboutToShow.connect(self._enable_restyling)
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
        known, pictures = info.vocabulary, thing_pictures(info)
        entries = (
            []
            if known is None
            else entries_of(things, known.looks, known.colours, known.backgrounds, pictures)
        )
        size = QLocale().toString(info.parameters / 1e6, "f", 1)
        text = tr("{0} · {1} million parameters").format(info.name, size)
        self._views.things.show_things(entries, pictures, text)
        self._fill_menus(known)

    def _fill_menus(self, known: Vocabulary | None) -> None:
        """Colours and looks that the model has; without a list of them the menus are disabled."""
        live = self._views.live
        for menu, choices in (
            (live.colours, () if known is None else known.colours),
            (live.looks, () if known is None else known.looks),
        ):
            menu.clear()
            menu.menuAction().setEnabled(bool(choices))
            for choice in choices:
                menu.addAction(choice).triggered.connect(lambda _, word=choice: self.restyle(word))

    def _show_free_text(self, used: SavedConnection) -> None:
        if self._shown_for == used:
            return
        self._shown_for = used
        text = tr(
            "The list of things belongs to the built-in engine. {0} draws whatever you write: in "
            "the prompt, or for one box in 'Shows'."
        )
        self._views.inspector.show_words(())
        self._views.things.show_things((), None, instead=text.format(engine_name(used)))
        self._fill_menus(None)

    def _choose(self, word: str) -> None:
        """Colours and looks are for the selected things, if there are any; else for the prompt."""
        if not self.restyle(word):
            self._views.prompt.field.insert_word(word)

    def restyle(self, word: str) -> bool:
        """Repaint the selected things in a colour or a look; whether that is what the word is."""
        words = self._restyled(word)
        if words:
            self.give_words(words, repaints=True)
        return bool(words)

    def _restyled(self, word: str) -> dict[int, str]:
        """What the selected layers would show, by layer id."""
        info = self._session.bridge.info
        known = None if info is None else info.vocabulary
        if known is None or word not in (*known.colours, *known.looks):
            return {}
        is_look = word in known.looks
        words = {
            layer.id: restyled(
                check_pin(layer.shows or word_of(layer), info),
                colour="" if is_look else word,
                look=word if is_look else "",
            )
            for layer in self._session.selection.foregrounds()
        }
        return {layer: text for layer, text in words.items() if text}

    def _enable_restyling(self) -> None:
        live = self._views.live
        for menu in (live.colours, live.looks):
            for action in menu.actions():
                action.setEnabled(bool(self._restyled(action.text())))

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

    def _give_all(self, word: str, repaints: bool) -> None:
        ids = [layer.id for layer in self._session.selection.foregrounds()]
        self.give_words(dict.fromkeys(ids, word), repaints=repaints and bool(word))

    def give_words(self, words: Mapping[int, str], *, repaints: bool) -> None:
        """Pin words to layers, or ("") let the model decide; the prompt follows a single one."""
        session, info = self._session, self._session.bridge.info
        for word in filter(None, words.values()):
            check = check_pin(word, info)
            if check.noun is not None:
                continue
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
        if session.push(SetShows(words, self._prompt_after(words), is_act=repaints)) and repaints:
            self._generation.generate("selected", list(words))
            session.settings.replace_hint_done = True  # it is known

    def _prompt_after(self, words: Mapping[int, str]) -> str | None:
        """The prompt with the thing of a single layer replaced; None = it stays."""
        session = self._session
        if len(words) != 1:
            return None
        ((layer_id, word),) = words.items()
        layer = session.document.layer(layer_id)
        old = layer.shows or word_of(layer)
        if not old or not word:
            return None
        info, check = session.bridge.info, session.bridge.summary().check
        known, new = check_pin(old, info), check_pin(word, info)
        names = (without_look(known), old, known.noun or "")
        text = word if new.look is None else without_look(new)
        return prompt_with(session.document.prompt, check, names, text, new.colour)

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

    def fill_spare_boxes(self) -> None:
        """Pin to each spare box a thing that suits it and the prompt; one step, nothing painted."""
        session = self._session
        words = fitting_things(session.document, session.bridge.summary(), session.bridge.info)
        if words and session.push(SetShows(words)):
            session.selection.set(list(words))

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
