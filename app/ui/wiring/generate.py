"""Generating: buttons to jobs, progress and previews to the screen, results to one step."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence
from functools import partial

import numpy as np
from PySide6.QtCore import QObject

from app.document.commands import AddCandidates, Placement, PlacePixels
from app.document.contents import Contents
from app.document.errors import UserError
from app.document.geometry import Box
from app.document.layer import Candidate
from app.session.jobs import Job, Message, Scope, painted_steps
from app.session.queue import Placed
from app.session.settings import remember_prompt
from app.ui.actions import Actions
from app.ui.canvas.scene import CanvasScene
from app.ui.canvas.view import CanvasView
from app.ui.likely import SCOPES, Likely, likely, what_it_does
from app.ui.panels.inspector import Inspector
from app.ui.panels.layer_list import LayerPanel
from app.ui.panels.messages import StatusBar, why_no_restart
from app.ui.panels.prompt_bar import PromptBar
from app.ui.presses import Presses, user_state
from app.ui.session import Session
from app.ui.stage import Stage
from app.ui.text import job_text, number, seconds, tr
from app.ui.wiring.hiding import asks_what_to_hide

logger = logging.getLogger(__name__)


def accept(session: Session, job: Job, results: list[Placed]) -> dict[int, Candidate]:
    """Results of a finished variation: taken at once, or kept as candidates that wait.

    They are taken when the job asked for one and none of its targets was edited, moved or deleted
    since it began; the setting "Ask before replacing" makes all of them wait.

    Returns:
        what waits, by layer id; empty when the results were taken.
    """
    contents = session.document.contents
    placements = [
        Placement(
            result.layer_id,
            result.pixels,
            result.asked,
            result.record,
            is_empty=bool(result.left_empty),
        )
        for result in results
    ]
    touched = any(_is_touched(job, contents, item.layer_id) for item in placements)
    gone = [job.names.get(x.layer_id, "") for x in placements if contents.get(x.layer_id) is None]
    if gone:
        names = ", ".join(f"'{name}'" for name in gone)
        session.note(
            tr("{0} was deleted during the job. Its result is in the strip as 'Detached'.").format(
                names
            )
        )
    if any(result.left_empty for result in results):
        session.note(empty_text(results))
    waits = touched or job.variations > 1 or session.settings.ask_before_replacing
    if not waits:
        session.push(PlacePixels(placements, step_text(job)))
        return {}
    try:
        found = {item.layer_id: item.as_candidate() for item in placements if not item.is_empty}
    except UserError as error:
        logger.warning("results that cannot be kept: %s", error)
        return {}
    # Candidates of one job are one step, however slowly they come.
    if not found:
        return {}
    text = job_text(
        job, tr("Results for the Picture"), tr("Results for {0}"), "Results for %n Layers"
    )
    session.push(AddCandidates(found, text, -job.id))
    return found


def empty_text(results: Sequence[Placed]) -> str:
    """How many boxes a job left empty, and why."""
    why = next(result.left_empty for result in results if result.left_empty)
    count = sum(bool(result.left_empty) for result in results)
    boxes = (
        tr("1 box stays empty") if count == 1 else tr("{0} boxes stay empty").format(number(count))
    )
    return f"{boxes}: {tr(why)}."


def _is_touched(job: Job, contents: Contents, layer_id: int) -> bool:
    layer = contents.get(layer_id)
    if layer is None or layer.locked:
        return True
    return (layer.rect, layer.pixel_hash) != (job.rects[layer_id], job.hashes[layer_id])


def step_text(job: Job) -> str:
    """The undo label of a finished job."""
    picture = tr("Generate Picture")
    if job.scope == "empty":
        return job_text(job, picture, tr("Fill {0}"), "Fill %n Layers")
    return job_text(job, picture, tr("Repaint {0}"), "Repaint %n Layers")


class GenerateWiring(QObject):
    """Connects actions and bridge: asking, stopping, results."""

    def __init__(
        self,
        session: Session,
        actions: Actions,
        stage: Stage,
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
        self._stage = stage
        self._bar = bar
        self._scene = scene
        self._view = view
        self._layers = layers
        self._inspector = inspector
        self._status = status
        self._is_first_result = True
        self._known_job: tuple[int | None, str] = (None, "")
        self._silence = ""
        self._is_hung = False
        self.presses = Presses()
        # Asked before layers are repainted; who says no goes on by itself later.
        self.may_replace: Callable[[Collection[int], Callable[[], None]], bool] = (
            lambda ids, go_on: True
        )
        session.bridge.preview_every = session.settings.preview_every
        self._connect()
        self.refresh()

    # ---- the user asks ----

    def generate(
        self, scope: Scope, ids: Collection[int] | None = None, *, is_next: bool = False
    ) -> None:
        """Begin a job; it replaces the one that runs, or comes after it.

        Args:
            ids: with scope "selected": these layers; None = the selection.
        """
        ids = self._session.selection.ids if ids is None else frozenset(ids)
        go_on = partial(self.generate, scope, ids, is_next=is_next)
        if scope == "selected" and not self.may_replace(ids, go_on):
            return
        self._bar.field.end_run()
        if asks_what_to_hide(self._session, self._bar, scope, ids, go_on):
            return
        self._status.say_nothing()
        bridge = self._session.bridge
        bridge.preview_every = self._session.settings.preview_every
        prompt = self._session.document.prompt
        if bridge.generate(scope, ids, is_next=is_next) is not None:
            remember_prompt(self._session.settings, prompt)

    def press(self, choice: Likely | None = None) -> None:
        """Begin a job unless this press belongs to the one before; None = the likely one."""
        session = self._session
        contents, ids = session.document.contents, session.selection.ids
        is_explicit = choice is not None
        choice = choice or likely(contents, ids)
        held = self.presses.why_held(
            what_it_does(contents, choice),
            user_state(contents, ids),
            is_running=session.bridge.current is not None,
            is_explicit=is_explicit,
        )
        if held:
            session.note(held)
        else:
            self.generate(choice.scope, choice.ids)

    def queue_next(self) -> None:
        """Begin the likely job right after the running one."""
        choice = likely(self._session.document.contents, self._session.selection.ids)
        self.generate(choice.scope, choice.ids, is_next=True)

    def stop(self) -> None:
        """End the running job."""
        job = self._session.bridge.current
        if job is not None:
            self._session.bridge.stop()
            if job.done:
                self._status.say(tr("Stopped. The finished results are kept."))
            else:
                self._status.say(tr("Stopped. Your picture did not change."))

    def stop_all(self) -> None:
        """End every job."""
        self._session.bridge.stop_all()

    def refresh(self) -> None:
        """Enable what is possible now, and say why the rest is not."""
        bridge, ids = self._session.bridge, self._session.selection.ids
        for name, scope in SCOPES.items():
            self._actions.set_enabled(name, tr(bridge.why_not(scope, ids)))
        choice = likely(self._session.document.contents, ids)
        for name in ("generate", "generate_next"):
            self._actions.set_enabled(name, tr(bridge.why_not(choice.scope, choice.ids)))
        idle = "" if bridge.current is not None else tr("nothing is running")
        self._actions.set_enabled("stop", idle)
        self._actions.set_enabled("restart_engine", why_no_restart(bridge.state, self._silence))
        waiting = idle if not bridge.waiting else ""
        self._actions.set_enabled("stop_all", waiting)

    # ---- the engine answers ----

    def accept(self, job: Job, results: list[Placed]) -> None:
        """Take the results of a finished variation, or show that they wait."""
        waiting = accept(self._session, job, results)
        if job.seconds is not None and job.done == job.variations:
            self._bar.show_idle(tr("Done in {0}").format(seconds(job.seconds)))
        if waiting:
            self._stage.arrived(waiting)
        if self._is_first_result:
            self._is_first_result = False
            self._actions["tool_select"].trigger()

    def _on_job(self, job: Job) -> None:
        bridge = self._session.bridge
        current = bridge.current
        if job is current:
            self._show_progress(job)
        elif current is None and job.state != "finished":
            words = {"stopping": tr("Stopped"), "cancelled": tr("Stopped"), "failed": tr("Failed")}
            self._bar.show_idle(words.get(job.state, ""))
            self._on_state(bridge.state)
        known = (None, "") if current is None else (current.id, current.state)
        if known != self._known_job:  # a step further changes nothing but the progress
            self._known_job = known
            running = frozenset() if current is None else frozenset(current.rects)
            self._layers.model.set_running(running)
            self._inspector.set_running(running)
            self._view.set_running(running)
            self.refresh()
        elif job is not current:
            self.refresh()

    def _show_progress(self, job: Job) -> None:
        bridge = self._session.bridge
        waiting = len(bridge.waiting)
        more = ""
        if waiting:
            more = " · " + tr("{0} waiting").format(number(waiting))
        if self._silence:
            self._bar.show_progress(self._silence + more, job.part)
            return
        if job.state == "waiting" and not job.done:
            text = tr("Waiting for the model…") if bridge.is_loading else tr("Starting…")
            self._bar.show_progress(text + more, bridge.loading if bridge.is_loading else 0.0)
            return
        text = _stage_text(job)
        if job.variations > 1:
            which = tr("{0} of {1}").format(number(job.done + 1), number(job.variations))
            text = f"{which} · {text}"
        if job.seconds_left:  # nothing is left once the last step is painted
            text += " · " + tr("{0} left").format(seconds(job.seconds_left))
        self._bar.show_progress(text + more, job.part)

    def _on_preview(self, layer_id: int, box: Box, rgba: np.ndarray) -> None:
        if self._session.document.has_layer(layer_id) and self._session.settings.preview_every:
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

    def _on_silence(self, level: str, silent: float) -> None:
        """Said beside Stop; after a minute a restart is offered."""
        was_hung = self._silence and self._is_hung
        self._is_hung = level == "hung"
        self._silence = tr("No progress for {0} s").format(number(int(silent))) if level else ""
        self.refresh()
        current = self._session.bridge.current
        if current is not None:
            self._show_progress(current)
        if was_hung and not level:
            self._session.withdrawn.emit("restart_engine")
        if self._is_hung and not was_hung:
            self._session.notified.emit(
                Message(
                    kind="warning",
                    what=tr("The engine has not answered for {0} s.").format(number(int(silent))),
                    kept=tr("Your work is kept."),
                    advice=tr("Restart the engine; the running job is lost."),
                    action="restart_engine",
                )
            )

    def _restart(self) -> None:
        self._session.bridge.restart()
        self._silence, self._is_hung = "", False
        self._bar.show_idle(tr("Restarting…"))

    def _press_scope(self, scope: Scope) -> None:
        selected = self._session.selection.ids if scope == "selected" else frozenset()
        self.press(Likely(scope, selected))

    def _on_changed(self, revision: int) -> None:
        self.refresh()

    def _on_reset(self) -> None:
        self._session.bridge.stop_all()
        self._bar.show_idle()
        # Each new picture begins with boxes; its first result is there to be changed.
        layers = self._session.document.layers
        self._is_first_result = not any(layer.has_pixels for layer in layers)

    def _connect(self) -> None:
        actions, bridge = self._actions, self._session.bridge
        for name, scope in SCOPES.items():
            actions[name].triggered.connect(lambda _=False, s=scope: self._press_scope(s))
        actions["generate"].triggered.connect(lambda: self.press())
        actions["generate_next"].triggered.connect(self.queue_next)
        actions["stop"].triggered.connect(self.stop)
        actions["stop_all"].triggered.connect(self.stop_all)
        actions["restart_engine"].triggered.connect(self._restart)
        bridge.job_changed.connect(self._on_job)
        bridge.preview_changed.connect(self._on_preview)
        bridge.previews_cleared.connect(self._scene.clear_previews)
        bridge.state_changed.connect(self._on_state)
        bridge.pace.silence_changed.connect(self._on_silence)
        events = self._session.document.events
        events.changed.connect(self._on_changed)
        events.reset.connect(self._on_reset)
        self._session.selection.changed.connect(self.refresh)


def _stage_text(job: Job) -> str:
    """What the engine does now."""
    done, total = painted_steps(job.step, job.total)
    if not done:
        return tr("Planning")
    return tr("Painting {0} of {1}").format(number(done), number(total))
