"""What the prompt bar says and asks for: prompt, words, seed, variations, and what it would cost.

Every change is a command; seconds come from the bridge.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from PySide6.QtCore import QObject, QTimer
from PySide6.QtGui import QKeySequence

from app.document.commands import SetPrompt, SetSettings
from app.document.contents import Settings
from app.document.layer import Layer
from app.session.jobs import Plan
from app.ui.actions import Actions
from app.ui.canvas.view import CanvasView
from app.ui.likely import SCOPES, button_texts, likely, what_it_does
from app.ui.panels.prompt_bar import PromptBar
from app.ui.session import Session
from app.ui.text import number, seconds, tr

WORDS_DELAY_MS = 250


class AskingWiring(QObject):
    """Keeps the bar and the hint under a new box up to date."""

    def __init__(
        self,
        session: Session,
        actions: Actions,
        bar: PromptBar,
        view: CanvasView,
    ) -> None:
        super().__init__(bar)
        self._session = session
        self._actions = actions
        self._bar = bar
        self._view = view
        self._variations_gesture = session.undo.new_gesture()
        self._words_timer = QTimer(self)
        self._words_timer.setSingleShot(True)
        self._words_timer.setInterval(WORDS_DELAY_MS)
        self._words_timer.timeout.connect(self._show_words)
        self._connect()
        self._on_prompt(session.document.prompt)
        self._on_settings()
        # The word list is read once, and not while somebody types.
        session.pictures.run(lambda: session.bridge.ignored_words("a"), _ignore, _ignore)
        self.refresh()

    def refresh(self) -> None:
        """Say on the button and in its menu what a job would make and take."""
        bridge, contents = self._session.bridge, self._session.document.contents
        selected = self._session.selection.ids
        choice = likely(contents, selected)
        cost = self._cost(bridge.plan(choice.scope, choice.ids))
        self._bar.show_choice(button_texts(contents, choice, cost))
        does = what_it_does(contents, choice)
        self._actions["generate"].setText(_with_details(tr("&Generate"), does, cost))
        for name, text in (
            ("regenerate", tr("R&epaint Selected")),
            ("generate_empty", tr("&Fill Empty Boxes")),
            ("generate_outdated", tr("Repaint &Outdated")),
            ("generate_all", tr("Paint Ever&ything")),
        ):
            part = bridge.plan(SCOPES[name], selected)
            count = len(part.targets)
            layers = tr("1 layer") if count == 1 else tr("{0} layers").format(number(count))
            details = (layers, self._cost(part)) if count else ()
            self._actions[name].setText(_with_details(text, *details))

    def box_hint(self, layer: Layer) -> str:
        """An empty box in a finished picture can be filled alone."""
        document, bridge = self._session.document, self._session.bridge
        if bridge.current is not None or not any(item.has_pixels for item in document.layers):
            return ""
        keys = self._actions["regenerate"].shortcuts()
        if not keys or bridge.why_not("selected", [layer.id]):
            return ""
        native = keys[0].toString(QKeySequence.SequenceFormat.NativeText)
        cost = self._cost(bridge.plan("selected", [layer.id]))
        text = tr("{0} fills only this box").format(native)
        return f"{text} ({cost})" if cost else text

    def _cost(self, planned: Plan) -> str:
        if not planned.targets:
            return ""
        value = self._session.bridge.seconds_for(planned.targets, planned.context)
        if value is None:
            return ""
        return f"≈ {seconds(max(0.1, value * self._session.document.settings.variations))}"

    # ---- prompt, seed, variations ----

    def _on_typed(self, text: str, gesture: int) -> None:
        if not self._session.push(SetPrompt(text, gesture)):
            self._bar.field.show_text(self._session.document.prompt)

    def _on_prompt(self, prompt: str) -> None:
        self._bar.field.show_text(prompt)
        self._words_timer.start()

    def _on_settings(self) -> None:
        settings = self._session.document.settings
        self._bar.seed.show_settings(settings)
        self._bar.variations.setValue(settings.variations)

    def _on_seed(self, mode: str, seed: int) -> None:
        settings: Settings = self._session.document.settings
        chosen: Literal["fixed", "random"] = "fixed" if mode == "fixed" else "random"
        self._session.push(SetSettings(replace(settings, seed_mode=chosen, seed=seed)))
        self._on_settings()

    def _on_variations(self, count: int) -> None:
        settings = self._session.document.settings
        if count != settings.variations:
            changed = replace(settings, variations=count)
            self._session.push(SetSettings(changed, self._variations_gesture))

    def _end_variations(self) -> None:
        self._variations_gesture = self._session.undo.new_gesture()

    def _show_words(self) -> None:
        prompt = self._session.document.prompt
        self._bar.show_words(self._session.bridge.ignored_words(prompt))

    def _on_changed(self, revision: int) -> None:
        self.refresh()

    def _on_reset(self) -> None:
        self._on_prompt(self._session.document.prompt)
        self._on_settings()

    def _connect(self) -> None:
        bar, bridge = self._bar, self._session.bridge
        self._view.decor.box_hint = self.box_hint
        self._actions["focus_prompt"].triggered.connect(bar.field.setFocus)
        bar.field.edited.connect(self._on_typed)
        bar.field.left.connect(self._view.setFocus)
        bar.field.send_asked.connect(self._actions["generate"].trigger)
        bar.seed.changed.connect(self._on_seed)
        bar.variations.valueChanged.connect(self._on_variations)
        bar.variations.editingFinished.connect(self._end_variations)
        bar.variations.left.connect(self._view.setFocus)
        bridge.pace.costs_changed.connect(self.refresh)
        bridge.state_changed.connect(self._on_state)
        events = self._session.document.events
        events.prompt_changed.connect(self._on_prompt)
        events.settings_changed.connect(self._on_settings)
        events.changed.connect(self._on_changed)
        events.reset.connect(self._on_reset)
        self._session.selection.changed.connect(self.refresh)

    def _on_state(self, state: str) -> None:
        self.refresh()


def _with_details(text: str, *details: str) -> str:
    """A menu text, and in brackets what there is to say about it."""
    said = ", ".join(each for each in details if each).replace("&", "&&")
    return f"{text} ({said})" if said else text


def _ignore(_: object) -> None:
    """For work whose result nobody needs."""
