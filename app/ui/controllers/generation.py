"""Generating: buttons to jobs, progress and previews to the screen, results to one step."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence
from functools import partial

import numpy as np

from app.document import Box, Candidate, Contents, Size, UserError, new_contents
from app.document.commands import AddCandidates, Placement, PlacePixels, SetVisible
from app.document.words import shown_name
from app.session.client import BUILT_IN
from app.session.jobs import Job, Rest, Scope, painted_steps
from app.session.settings import remember_prompt
from app.ui.actions import Actions
from app.ui.app_state import StateStore
from app.ui.controllers import Controller
from app.ui.controllers.engines import EnginesController
from app.ui.dialogs import questions
from app.ui.dialogs.hiding_dialog import HidingDialog
from app.ui.engine_texts import engine_name
from app.ui.likely import SCOPES, Likely, Presses, user_state, what_it_does
from app.ui.session import Session, first_canvas
from app.ui.text import job_text, number, seconds, tr
from app.ui.views import Views

logger = logging.getLogger(__name__)


def accept(session: Session, job: Job, placements: list[Placement]) -> dict[int, Candidate]:
    """Results of a finished variation: taken at once, or kept as candidates that wait.

    They are taken when the job asked for one and none of its targets was edited, moved or deleted
    since it began; the setting "Ask before replacing" makes all of them wait.

    Returns:
        what waits, by layer id; empty when the results were taken.
    """
    contents = session.document.contents
    touched = any(_is_touched(job, contents, item.layer_id) for item in placements)
    gone = [job.names.get(x.layer_id, "") for x in placements if contents.get(x.layer_id) is None]
    if gone:
        names = ", ".join(f"'{name}'" for name in gone)
        session.note(
            tr("{0} was deleted during the job. Its result is in the strip as 'Detached'.").format(
                names
            )
        )
    if any(item.is_empty for item in placements):
        session.note(empty_text(placements))
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


def empty_text(placements: Sequence[Placement]) -> str:
    """How many boxes a job left empty, and why."""
    reasons = [(item.record or {})["left_empty"] for item in placements if item.is_empty]
    boxes = tr("1 box stays empty")
    if len(reasons) > 1:
        boxes = tr("{0} boxes stay empty").format(number(len(reasons)))
    return f"{boxes}: {tr(reasons[0])}."


def _is_touched(job: Job, contents: Contents, layer_id: int) -> bool:
    layer = contents.get(layer_id)
    if layer is None or layer.locked:
        return True
    return (layer.rect, layer.pixel_hash) != (job.rects[layer_id], job.hashes[layer_id])


def step_text(job: Job) -> str:
    picture = tr("Generate Picture")
    if job.scope == "empty":
        return job_text(job, picture, tr("Fill {0}"), "Fill %n Layers")
    return job_text(job, picture, tr("Repaint {0}"), "Repaint %n Layers")


class GenerationController(Controller):
    """Connects actions and queue: asking, stopping, progress, results."""

    def __init__(
        self,
        session: Session,
        store: StateStore,
        actions: Actions,
        views: Views,
        engines: EnginesController,
    ) -> None:
        super().__init__(session, actions, views)
        self._store = store
        self._engines = engines
        self._bar = views.prompt
        self._is_first_result = True
        self._known_job: object = None  # id, state and words of the current job
        self._silence = ""
        self._is_hung = False
        self._may_be_replaced: set[int] = set()
        self.presses = Presses()
        session.bridge.preview_every = session.settings.preview_every
        self._connect()
        self._show_loading()

    # ---- the user asks ----

    def generate(
        self,
        scope: Scope,
        ids: Collection[int] | None = None,
        *,
        is_next: bool = False,
        again: Rest | None = None,
    ) -> None:
        """Begin a job in place of the one that runs, or after it.

        Args:
            ids: layers in place of the selection.
            again: of a job that did not end well, which this one repeats.
        """
        session, bridge = self._session, self._session.bridge
        ids = session.selection.ids if ids is None else frozenset(ids)
        go_on = partial(self.generate, scope, ids, is_next=is_next, again=again)
        if scope == "selected" and self._asks_to_replace(ids, go_on):
            return
        self._bar.field.end_run()
        if self._asks_what_to_hide(scope, ids, go_on):
            return
        if not bridge.why_not(scope, ids) and self._engines.asks_to_send(go_on):
            return
        self._views.status.say_nothing()
        bridge.preview_every = session.settings.preview_every
        prompt = session.document.prompt
        if bridge.generate(scope, ids, is_next=is_next, again=again) is not None:
            remember_prompt(session.settings, prompt)

    def press(self, scope: Scope | None = None) -> None:
        """Begin a job unless this press belongs to the one before; None = the likely one."""
        session = self._session
        contents, ids = session.document.contents, session.selection.ids
        if scope is None:
            choice = self._store.state.offers.choice
        else:
            choice = Likely(scope, ids if scope == "selected" else frozenset())
        held = self.presses.why_held(
            what_it_does(contents, choice, session.bridge.plans(ids)),
            user_state(contents, ids),
            is_running=session.bridge.current is not None,
            is_explicit=scope is not None,
        )
        if held:
            session.note(held)
        else:
            self.generate(choice.scope, choice.ids)

    def queue_next(self) -> None:
        choice = self._store.state.offers.choice
        self.generate(choice.scope, choice.ids, is_next=True)

    def _retry(self) -> None:
        """Ask for the job that failed; pictures of it that arrived are not made again."""
        failed = self._session.bridge.failed
        if failed is not None:
            self.generate(failed.scope, failed.target_ids, again=failed.rest)

    def stop(self) -> None:
        job = self._session.bridge.current
        if job is not None:
            self._session.bridge.stop()
            if job.done:
                self._views.status.say(tr("Stopped. The finished results are kept."))
            else:
                self._views.status.say(tr("Stopped. Your picture did not change."))

    # ---- questions before a job ----

    def _asks_to_replace(self, ids: Collection[int], go_on: Callable[[], None]) -> bool:
        """Whether a question about imported pictures is open, once for each; `go_on` may follow."""
        asked = [
            layer
            for layer in self._session.bridge.plan("selected", ids).targets
            if layer.kind == "imported" and layer.id not in self._may_be_replaced
        ]
        if not asked:
            return False

        def allowed() -> None:
            self._may_be_replaced.update(layer.id for layer in asked)
            go_on()

        names = ", ".join(f"'{shown_name(layer)}'" for layer in asked)
        questions.ask(
            self._window,
            tr("Repaint"),
            tr("Replace the imported picture {0} by a generated one?").format(names),
            tr("The imported pixels stay among the layer's results, and undo brings them back."),
            [(tr("Repaint"), allowed)],
        )
        return True

    def _asks_what_to_hide(
        self, scope: Scope, ids: Collection[int], go_on: Callable[[], object]
    ) -> bool:
        """Whether a question is open: what to hide for the model's limit; `go_on` may follow."""
        session, bridge = self._session, self._session.bridge
        if bridge.info is None:
            return False  # the model says so when it is loaded
        limit = bridge.info.max_foregrounds
        planned = bridge.plan(scope, ids)
        # What would be painted is suggested last.
        layers = [each for each in (*planned.context, *planned.targets) if not each.is_background]
        if len(layers) <= limit or bridge.why_not(scope, ids):
            return False

        def hide(chosen: list[int]) -> None:
            if session.push(SetVisible(chosen, False)):
                go_on()

        order = [layer.id for layer in reversed(session.document.layers)]
        HidingDialog(self._window, layers, order, limit, hide).open()
        return True

    # ---- the engine answers ----

    def _on_results(self, job: Job, placements: list[Placement]) -> None:
        """Take the results of a finished variation, or show that they wait."""
        waiting = accept(self._session, job, placements)
        if job.seconds is not None and job.done == job.variations:
            self._bar.show_idle(tr("Done in {0}").format(seconds(job.seconds)))
        if waiting:
            self._views.stage.arrived(waiting)
        if self._is_first_result:
            self._is_first_result = False
            self._actions["tool_select"].trigger()

    def _on_job(self, job: Job) -> None:
        bridge, views = self._session.bridge, self._views
        current = bridge.current
        if job is current:
            self._show_progress(job)
        elif current is None and job.state != "finished":
            words = {"stopping": tr("Stopped"), "cancelled": tr("Stopped"), "failed": tr("Failed")}
            self._bar.show_idle(words.get(job.state, ""))
            self._on_state(bridge.state)
        known = None if current is None else (current.id, current.state, current.words)
        if known != self._known_job:  # a step further changes nothing but the progress
            self._known_job = known
            running = {}
            if current is not None:
                running = {layer: current.words.get(layer, "") for layer in current.rects}
            views.layers.model.set_running(running)
            views.inspector.set_running(running)
            views.view.set_running(running)

    def _show_progress(self, job: Job) -> None:
        bridge = self._session.bridge
        waiting = len(bridge.waiting)
        more = " · " + tr("{0} waiting").format(number(waiting)) if waiting else ""
        if self._silence:
            self._bar.show_progress(self._silence + more, job.part)
            return
        if job.state == "waiting" and not job.done:
            loading = tr("Connecting…") if bridge.is_remote else tr("Waiting for the model…")
            text = loading if bridge.is_loading else tr("Starting…")
            self._bar.show_progress(text + more, bridge.loading if bridge.is_loading else 0.0)
            return
        text = _stage_text(job) if job.engine == BUILT_IN else self._server_text(job)
        if job.variations > 1:
            which = tr("{0} of {1}").format(number(job.done + 1), number(job.variations))
            text = f"{which} · {text}"
        knows_pace = job.engine == BUILT_IN or bridge.pace.costs.is_known
        if job.seconds_left and knows_pace:  # nothing is left once the last step is painted
            text += " · " + tr("{0} left").format(seconds(job.seconds_left))
        self._bar.show_progress(text + more, job.part)

    def _server_text(self, job: Job) -> str:
        """Which of its pictures a server makes now; each has the same number of steps."""
        each = self._session.bridge.steps_of(job)
        if not each or not job.step:
            return tr("Waiting for the server")
        count = max(1, (job.total - 1) // each)
        return tr("Layer {0} of {1}").format(
            number(min(count, job.step // each + 1)), number(count)
        )

    def _on_preview(self, layer_id: int, box: Box, rgba: np.ndarray) -> None:
        if self._session.document.has_layer(layer_id) and self._session.settings.preview_every:
            self._views.scene.show_preview(layer_id, box, rgba)

    def _on_state(self, state: str) -> None:
        bridge = self._session.bridge
        tip = bridge.trouble
        if bridge.info is not None:
            tip = f"{bridge.info.name} · {bridge.info.device} · {bridge.info.precision}"
        is_ending = state == "generating" and bridge.current is None
        used = self._session.servers.connections.in_use
        server = "" if used is None else engine_name(used)
        self._views.status.show_engine("stopping" if is_ending else state, tip, server)
        if bridge.current is not None:
            self._show_progress(bridge.current)
        self._show_loading()
        if state == "ready":
            self._session.withdrawn.emit("restart_engine")  # it answers, or another one draws
            self._adopt_grid()

    def _show_loading(self, part: float = 0.0) -> None:
        """Say on the button that the model loads, and how far it is."""
        bridge = self._session.bridge
        loading = bridge.loading if bridge.is_loading else None
        self._bar.show_loading(loading, connects=bridge.is_remote)

    def _adopt_grid(self) -> None:
        """Snap to the loaded model's grid; an untouched document takes over its canvas, too."""
        session, info = self._session, self._session.bridge.info
        if info is None or session.document.grid == info.token_px:
            return
        session.document.set_grid(info.token_px)
        if not session.is_pristine:
            return
        size = first_canvas(session.settings, Size(*info.trained_canvases[0]))
        contents = new_contents(size.rounded_up(info.token_px), info.token_px)
        session.replace(contents, tr("New Picture"), None)
        session.undo.clear()

    def _on_silence(self, level: str, silent: float) -> None:
        """Said in the progress line; after a minute a restart is offered."""
        was_hung = self._silence and self._is_hung
        self._is_hung = level == "hung"
        self._silence = tr("No progress for {0} s").format(number(int(silent))) if level else ""
        current = self._session.bridge.current
        if current is not None:
            self._show_progress(current)
        if was_hung and not level:
            self._session.withdrawn.emit("restart_engine")
        if self._is_hung and not was_hung:
            self._session.tell(
                "warning",
                tr("The engine has not answered for {0} s.").format(number(int(silent))),
                tr("Your work is kept."),
                tr("Restart the engine; the running job is lost."),
                action="restart_engine",
            )

    def _restart(self) -> None:
        self._session.bridge.restart()
        self._silence, self._is_hung = "", False
        again = tr("Connecting…") if self._session.bridge.is_remote else tr("Restarting…")
        self._bar.show_idle(again)

    def _on_reset(self) -> None:
        self._session.bridge.stop_all()
        self._bar.show_idle()
        # Each new picture begins with boxes; its first result is there to be changed.
        layers = self._session.document.layers
        self._is_first_result = not any(layer.has_pixels for layer in layers)

    def _connect(self) -> None:
        session, bridge = self._session, self._session.bridge
        self._actions.connect(
            generate=self.press,
            generate_next=self.queue_next,
            stop=self.stop,
            stop_all=bridge.stop_all,
            restart_engine=self._restart,
            retry_job=self._retry,
            **{name: partial(self.press, scope) for name, scope in SCOPES.items()},
        )
        session.results_arrived.connect(self._on_results)
        bridge.job_changed.connect(self._on_job)
        bridge.preview_changed.connect(self._on_preview)
        bridge.previews_cleared.connect(self._views.scene.clear_previews)
        bridge.state_changed.connect(self._on_state)
        bridge.loading_changed.connect(self._show_loading)
        bridge.pace.silence_changed.connect(self._on_silence)
        session.document.events.reset.connect(self._on_reset)


def _stage_text(job: Job) -> str:
    done, total = painted_steps(job.step, job.total)
    if not done:
        return tr("Planning")
    return tr("Painting {0} of {1}").format(number(done), number(total))
