"""Generating: buttons to jobs, progress and previews to the screen, results to one step."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
from PySide6.QtCore import QObject, QTimer

from app.bridge import Placed
from app.document.commands import Placement, PlacePixels, SetPrompt, SetSettings
from app.document.contents import Settings
from app.document.geometry import Box
from app.jobs import Job, Message, Scope
from app.ui.actions import Actions
from app.ui.canvas.scene import CanvasScene
from app.ui.canvas.view import CanvasView
from app.ui.panels.inspector import Inspector
from app.ui.panels.layers import LayerPanel
from app.ui.panels.prompt import PromptBar
from app.ui.panels.status import StatusBar
from app.ui.session import Session
from app.ui.text import number, seconds, tr

WORDS_DELAY_MS = 250


def accept(session: Session, job: Job, results: list[Placed]) -> bool:
    """Results of a finished job become one undo step; a target that moved keeps its new place.

    Returns:
        whether the document changed.
    """
    contents = session.document.contents
    placements, gone = [], []
    for result in results:
        layer = contents.get(result.layer_id)
        rect = result.asked
        if layer is None:  # never applied; the command keeps it as a detached candidate
            gone.append(job.names.get(result.layer_id, ""))
        else:
            rect = rect.following(job.rects[result.layer_id], layer.rect)
        placements.append(Placement(result.layer_id, result.pixels, rect, result.record))
    if gone:
        names = ", ".join(f"'{name}'" for name in gone)
        session.notified.emit(
            Message(
                kind="note",
                what=tr(
                    "{0} was deleted meanwhile. Its result is kept in the file, not shown."
                ).format(names),
            )
        )
    return bool(placements) and session.push(PlacePixels(placements, step_text(job)))


def step_text(job: Job) -> str:
    """The undo label of a finished job."""
    if job.scope == "picture":
        return tr("Generate Picture")
    names = list(job.names.values())
    target = f"'{names[0]}'" if len(names) == 1 else tr("{0} layers").format(number(len(names)))
    if job.scope == "empty":
        return tr("Fill {0}").format(target)
    return tr("Regenerate {0}").format(target)


class GenerateWiring(QObject):
    """Connects prompt bar, actions and bridge."""

    def __init__(
        self,
        session: Session,
        actions: Actions,
        bar: PromptBar,
        scene: CanvasScene,
        view: CanvasView,
        layers: LayerPanel,
        inspector: Inspector,
        status: StatusBar,
    ) -> None:
        super().__init__(bar)
        self._session = session
        self._actions = actions
        self._bar = bar
        self._scene = scene
        self._view = view
        self._layers = layers
        self._inspector = inspector
        self._status = status
        self._is_first_result = True
        self._known_job: tuple[int | None, str] = (None, "")
        self._words_timer = QTimer(self)
        self._words_timer.setSingleShot(True)
        self._words_timer.setInterval(WORDS_DELAY_MS)
        self._words_timer.timeout.connect(self._show_words)
        self._connect()
        self._on_prompt(session.document.prompt)
        bar.seed.show_settings(session.document.settings)
        # The word list is read once, and not while somebody types.
        session.pictures.run(lambda: session.bridge.unknown_words("a"), _ignore, _ignore)
        self.refresh()

    # ---- the user asks ----

    def generate(self, scope: Scope) -> None:
        """Begin a job; it replaces the one that runs."""
        self._bar.field.end_run()
        self._status.clearMessage()
        self._session.bridge.generate(scope, self._session.selection.ids)

    def stop(self) -> None:
        """End the running job."""
        if self._session.bridge.current is not None:
            self._session.bridge.stop()
            self._status.say(tr("Stopped. The picture is as it was."))

    def stop_all(self) -> None:
        """End every job."""
        self._session.bridge.stop_all()

    def refresh(self) -> None:
        """Enable what is possible now, and say on the button what it would make."""
        bridge, ids = self._session.bridge, self._session.selection.ids
        self._actions.set_enabled("generate", tr(bridge.why_not("picture")))
        self._actions.set_enabled("regenerate", tr(bridge.why_not("selected", ids)))
        self._actions.set_enabled("generate_empty", tr(bridge.why_not("empty")))
        idle = "" if bridge.current is not None else tr("nothing is running")
        self._actions.set_enabled("stop", idle)
        self._actions.set_enabled("stop_all", idle)
        document = self._session.document
        targets = bridge.plan("picture").targets
        self._bar.show_targets(len(targets), bool(document.prompt.strip()))
        self._status.show_tokens(self._tokens())

    def _tokens(self) -> int:
        """Tokens of the visible picture; the background's may cover several grid cells each."""
        document, info = self._session.document, self._session.bridge.info
        coarse = info.canvas_multiple // info.token_px if info else 1
        steps = {False: document.grid, True: document.grid * coarse}
        return sum(
            layer.region(document.grid, document.canvas).area // steps[layer.is_background] ** 2
            for layer in document.layers
            if layer.visible
        )

    # ---- the engine answers ----

    def accept(self, job: Job, results: list[Placed]) -> None:
        """Take the results of a finished job."""
        taken = accept(self._session, job, results)
        if job.seconds is not None and taken:
            self._bar.show_idle(tr("Done in {0}").format(seconds(job.seconds)))
        if self._is_first_result and taken:
            self._is_first_result = False
            self._actions["tool_select"].trigger()

    def _on_job(self, job: Job) -> None:
        current = self._session.bridge.current
        if job is current:
            self._show_progress(job)
        elif current is None and job.state != "finished":
            words = {"stopping": tr("Stopped"), "cancelled": tr("Stopped"), "failed": tr("Failed")}
            self._bar.show_idle(words.get(job.state, ""))
            self._on_state(self._session.bridge.state)
        known = (None, "") if current is None else (current.id, current.state)
        if known != self._known_job:  # a step further changes nothing but the progress
            self._known_job = known
            running = frozenset() if current is None else frozenset(current.rects)
            self._layers.model.set_running(running)
            self._inspector.set_running(running)
            self._view.set_running(running)
            self.refresh()

    def _show_progress(self, job: Job) -> None:
        if job.state == "waiting":
            loading = self._session.bridge.state == "loading"
            self._bar.show_progress(tr("Waiting for the model…") if loading else tr("Starting…"), 0)
            return
        text = tr("Step {0} of {1}").format(number(job.step), number(job.total))
        if job.seconds_left is not None:
            text += " · " + tr("{0} left").format(seconds(job.seconds_left))
        self._bar.show_progress(text, job.step / job.total if job.total else 0)

    def _on_preview(self, layer_id: int, box: Box, rgba: np.ndarray) -> None:
        if self._session.document.has_layer(layer_id):
            self._scene.show_preview(layer_id, box, rgba)

    def _on_state(self, state: str) -> None:
        bridge = self._session.bridge
        tip = bridge.trouble
        if bridge.info is not None:
            tip = f"{bridge.info.name} · {bridge.info.device} · {bridge.info.precision}"
        is_ending = state == "generating" and bridge.current is None
        self._status.show_engine("stopping" if is_ending else state, tip)
        if bridge.current is not None:
            self._show_progress(bridge.current)
        self.refresh()

    # ---- prompt and seed ----

    def _on_typed(self, text: str, gesture: int) -> None:
        if not self._session.push(SetPrompt(text, gesture)):
            self._bar.field.show_text(self._session.document.prompt)

    def _on_prompt(self, prompt: str) -> None:
        self._bar.field.show_text(prompt)
        self._words_timer.start()

    def _on_settings(self) -> None:
        self._bar.seed.show_settings(self._session.document.settings)

    def _on_seed(self, mode: str, seed: int) -> None:
        settings: Settings = self._session.document.settings
        chosen: Literal["fixed", "random"] = "fixed" if mode == "fixed" else "random"
        self._session.push(SetSettings(replace(settings, seed_mode=chosen, seed=seed)))
        self._on_settings()

    def _show_words(self) -> None:
        prompt = self._session.document.prompt
        self._bar.show_words(self._session.bridge.unknown_words(prompt) if prompt.strip() else ())

    def _on_changed(self, revision: int) -> None:
        self.refresh()

    def _on_reset(self) -> None:
        document = self._session.document
        self._on_prompt(document.prompt)
        self._on_settings()
        self._session.bridge.stop()

    def _connect(self) -> None:
        actions, bar, bridge = self._actions, self._bar, self._session.bridge
        actions["generate"].triggered.connect(lambda: self.generate("picture"))
        actions["regenerate"].triggered.connect(lambda: self.generate("selected"))
        actions["generate_empty"].triggered.connect(lambda: self.generate("empty"))
        actions["stop"].triggered.connect(self.stop)
        actions["stop_all"].triggered.connect(self.stop_all)
        actions["focus_prompt"].triggered.connect(bar.field.setFocus)
        bar.field.edited.connect(self._on_typed)
        bar.field.left.connect(self._view.setFocus)
        bar.seed.changed.connect(self._on_seed)
        bridge.job_changed.connect(self._on_job)
        bridge.preview_changed.connect(self._on_preview)
        bridge.previews_cleared.connect(self._scene.clear_previews)
        bridge.state_changed.connect(self._on_state)
        events = self._session.document.events
        events.prompt_changed.connect(self._on_prompt)
        events.settings_changed.connect(self._on_settings)
        events.changed.connect(self._on_changed)
        events.reset.connect(self._on_reset)
        self._session.selection.changed.connect(self.refresh)


def _ignore(_: object) -> None:
    """For work whose result nobody needs."""
