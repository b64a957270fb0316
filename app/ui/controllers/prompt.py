"""The prompt bar: prompt, words, seed, variations, history of prompts, and the button's text."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from PySide6.QtCore import QTimer

from app.document.commands import SetPrompt, SetSettings
from app.document.contents import MAX_PROMPT
from app.document.words import together
from app.ui.actions import Actions
from app.ui.app_state import AppState, StateStore
from app.ui.controllers import Controller
from app.ui.panels.prompt_line import line_of, marks_of
from app.ui.session import Session
from app.ui.text import number, tr
from app.ui.views import Views

WORDS_DELAY_MS = 60


class PromptController(Controller):
    """Keeps the bar up to date, and the document with it."""

    def __init__(self, session: Session, store: StateStore, actions: Actions, views: Views) -> None:
        super().__init__(session, actions, views)
        self._bar = views.prompt
        self._walked = -1
        self._variations_gesture = session.undo.new_gesture()
        self._words_timer = QTimer(self, singleShot=True, interval=WORDS_DELAY_MS)
        self._words_timer.timeout.connect(self.check_now)
        self._connect(store, actions, views)
        self._on_reset()
        # The word list is read once, and not during typing.
        session.pictures.run(session.bridge.read_words)
        self._bar.show_choice(store.state.offers.texts)

    def prompts(self) -> list[str]:
        """The document's own history, then what this user wrote elsewhere."""
        return together(self._session.document.contents.prompts, self._session.settings.prompts)

    def walk_history(self, step: int) -> None:
        """Alt+Up goes back in the history, Alt+Down forth again."""
        prompts = self.prompts()
        place = min(max(self._walked + step, 0), len(prompts) - 1)
        if prompts and place != self._walked:
            self.take(prompts[place])
            self._walked = place

    def take(self, prompt: str) -> None:
        """Make this the prompt, as a step of its own."""
        self._bar.field.end_run()
        self._session.push(SetPrompt(prompt))
        self._walked = -1

    def _on_typed(self, text: str, gesture: int) -> None:
        self._walked = -1
        if not self._session.push(SetPrompt(text, gesture)):
            self._bar.field.show_text(self._session.document.prompt)

    def _say_cut(self, count: int) -> None:
        text = tr("A prompt has at most {0} characters; {1} were not inserted.")
        self._session.note(text.format(number(MAX_PROMPT), number(count)))

    def _on_prompt(self, prompt: str) -> None:
        self._bar.field.show_text(prompt)
        self._words_timer.start()

    def _check_soon(self) -> None:
        self._words_timer.start()

    def check_now(self) -> None:
        """Say what comes of the prompt; else this happens shortly after the last key."""
        summary = self._session.bridge.summary()
        repeats = self._session.document.settings.repeat_things
        self._bar.show_line(line_of(summary, repeats=repeats), marks_of(summary))

    def _on_settings(self) -> None:
        settings = self._session.document.settings
        self._bar.seed.show_settings(settings)
        self._bar.variations.setValue(settings.variations)

    def _on_seed(self, mode: str, seed: int) -> None:
        chosen: Literal["fixed", "random"] = "fixed" if mode == "fixed" else "random"
        settings = self._session.document.settings
        self._session.push(SetSettings(replace(settings, seed_mode=chosen, seed=seed)))
        self._on_settings()

    def _on_variations(self, count: int) -> None:
        settings = self._session.document.settings
        if count != settings.variations:
            changed = replace(settings, variations=count)
            self._session.push(SetSettings(changed, self._variations_gesture))

    def _end_variations(self) -> None:
        self._variations_gesture = self._session.undo.new_gesture()

    def _on_reset(self) -> None:
        self._on_prompt(self._session.document.prompt)
        self._on_settings()

    def _on_state(self, state: AppState, changed: frozenset[str]) -> None:
        if "offers" in changed:
            self._bar.show_choice(state.offers.texts)

    def _connect(self, store: StateStore, actions: Actions, views: Views) -> None:
        bar, focus_canvas = self._bar, views.view.setFocus
        actions.connect(focus_prompt=bar.field.setFocus)
        bar.field.edited.connect(self._on_typed)
        bar.field.was_cut.connect(self._say_cut)
        bar.field.left.connect(focus_canvas)
        bar.field.send_asked.connect(lambda: actions["generate"].trigger())
        bar.field.history_asked.connect(self.walk_history)
        bar.seed.changed.connect(self._on_seed)
        bar.variations.valueChanged.connect(self._on_variations)
        bar.variations.editingFinished.connect(self._end_variations)
        bar.variations.left.connect(focus_canvas)
        store.changed.connect(self._on_state)
        events = self._session.document.events
        events.prompt_changed.connect(self._on_prompt)
        events.settings_changed.connect(self._on_settings)
        events.changed.connect(self._check_soon)
        events.reset.connect(self._on_reset)
