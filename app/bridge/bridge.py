"""Bridge: what the window asks of the engine, and what it is told.

Builds jobs from the document and turns the engine's events into signals on the UI thread. Knows no
widget: `loop` is whatever has asyncio's `call_soon_threadsafe` and `call_later`, and what is to
happen with a result is a function.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable, Collection, Iterable

from psygnal import Signal

from app import memory
from app.bridge.line import Accept, JobLine
from app.bridge.link import EngineLink, LoopLike, MakeEngine
from app.costs import Load, load_of, tokens_of
from app.document.document import Document
from app.document.layer import Layer
from app.document.words import shown_name
from app.free_memory import free_bytes
from app.ignored import Ignored, ignored_in
from app.jobs import Job, JobList, Message, Plan, Scope, plan, plan_for, reason_against
from app.pace import Pace
from engine import EngineError, Event, ModelInfo, Preview, StateChanged, check_prompt

logger = logging.getLogger(__name__)


class Bridge:
    """Starts jobs and reports on them; all events are emitted on the UI thread.

    Args:
        document: the design that jobs are made from.
        loop: the UI thread's event loop.
        make_engine: called with the function that takes events; `engine.Engine` or a fake.
        accept: called once per finished variation with its results.
        clock: monotonic seconds.
        work: seconds that the UI thread has computed.

    Attributes:
        pace: how fast the engine is, and whether it still answers.
        loading: the part of loading the model that is done, 0 to 1.
        free_memory: bytes that programs could still get, or None where nobody knows.

    Events:
        state_changed(state): "loading", "measuring", "ready", "generating", "stopping",
            "restarting", "failed", "stopped".
        loading_changed(part): so much of loading the model is done, 0 to 1.
        job_changed(job): it was asked for, started, went on or ended.
        preview_changed(layer_id, box, rgba): a rough picture of a target, at most 30 a second.
        previews_cleared(): none of them is valid any more.
        message(message): something the user should read.
    """

    state_changed = Signal(str)
    loading_changed = Signal(float)
    job_changed = Signal(object)
    preview_changed = Signal(int, object, object)
    previews_cleared = Signal()
    message = Signal(object)

    def __init__(
        self,
        document: Document,
        loop: LoopLike,
        make_engine: MakeEngine,
        accept: Accept,
        *,
        clock: Callable[[], float] = time.monotonic,
        work: Callable[[], float] = time.thread_time,
    ) -> None:
        self.document = document
        self.state = "loading"
        self.loading = 0.0
        self.trouble = ""
        self.free_memory: Callable[[], int | None] = free_bytes
        self._link = EngineLink(loop, make_engine, self._on_event, self._on_preview, clock)
        self._line = line = JobLine(document, self._link, accept)
        self.pace = line.pace = Pace(
            loop, line.submit_probe, self._link.cancel, line.jobs.next_id, clock, work
        )
        line.fitting = self._fitting_tokens
        line.job_changed.connect(self.job_changed.emit)
        line.job_failed.connect(self.message.emit)
        line.previews_cleared.connect(self.previews_cleared.emit)

    @property
    def jobs(self) -> JobList:
        """All jobs that are remembered."""
        return self._line.jobs

    @property
    def current(self) -> Job | None:
        """The job that is starting or running; None when nothing runs."""
        return self._line.current

    @property
    def waiting(self) -> tuple[Job, ...]:
        """Jobs that come after it, first in line first."""
        return self._line.waiting

    @property
    def info(self) -> ModelInfo | None:
        """What the loaded model announced; None before."""
        return self._line.info

    @property
    def is_loading(self) -> bool:
        """Whether jobs wait for the model."""
        return self.state in ("loading", "restarting")

    @property
    def preview_every(self) -> int:
        """Rough pictures each k-th step; 0 = none."""
        return self._line.preview_every

    @preview_every.setter
    def preview_every(self, steps: int) -> None:
        self._line.preview_every = steps

    def start(self) -> None:
        """Start the engine's thread; the model loads on it."""
        self._link.start()

    # ---- what could be asked ----

    def plan(self, scope: Scope, selected: Collection[int] = ()) -> Plan:
        """Who would take part if the job began now."""
        return plan(self.document.contents, scope, selected)

    def why_not(self, scope: Scope, selected: Collection[int] = ()) -> str:
        """Why the job cannot begin now, as one clause; empty when it can."""
        if self.state in ("failed", "stopped"):
            return self.trouble or "the engine is not running"
        return reason_against(self.plan(scope, selected), scope)

    def seconds_for(self, targets: Iterable[Layer], context: Iterable[Layer]) -> float | None:
        """Predicted seconds of one variation; None while nothing was measured."""
        if self.info is None:
            return None
        return self.pace.costs.seconds(load_of(self.document.contents, targets, context, self.info))

    def seconds_of(self, job: Job) -> float | None:
        """Predicted seconds of a job that waits; None while nothing was measured."""
        planned = plan_for(self.document.contents, job.target_ids)
        one = self.seconds_for(planned.targets, planned.context)
        return None if one is None else one * job.variations

    def tokens(self) -> int:
        """Tokens of the visible picture."""
        contents = self.document.contents
        shown = [layer for layer in contents.layers if layer.visible]
        return sum(tokens_of(layer, contents, self.info) for layer in shown)

    def ignored_words(self, prompt: str) -> Ignored:
        """What of a prompt the model will not draw; nothing when the tables are missing."""
        try:
            return ignored_in(check_prompt(prompt, self.info))
        except EngineError as error:
            logger.warning("the prompt was not checked: %s", error)
            return Ignored()

    # ---- asking ----

    def generate(
        self, scope: Scope, selected: Collection[int] = (), *, is_next: bool = False
    ) -> Job | None:
        """Ask for a job.

        Args:
            is_next: leave the running job alone and go first in line. Otherwise the running job
                ends, and waiting ones that make some of the same layers are dropped.

        Returns:
            the job, or None when there is nothing to generate: a message says why.
        """
        if reason := self.why_not(scope, selected):
            self.message.emit(Message(kind="note", what=f"Nothing was started: {reason}."))
            return None
        if trouble := self._grid_trouble():
            self.message.emit(trouble)
            return None
        planned = self.plan(scope, selected)
        if trouble := self._memory_trouble(planned):
            self.message.emit(trouble)
            return None
        job = self._new_job(scope, planned)
        self._line.add(job, is_next=is_next)
        if planned.skipped:
            names = ", ".join(f"'{shown_name(layer)}'" for layer in planned.skipped)
            what = f"Not generated, because locked or hidden: {names}."
            self.message.emit(Message(kind="note", what=what))
        return job

    def stop(self, job: Job | None = None) -> None:
        """End the running job, or this one. Its previews vanish at once; finished ones stay."""
        self._line.stop(job)

    def stop_all(self) -> None:
        """End every job."""
        self._line.stop_all()

    def restart(self) -> None:
        """Give up on the engine's thread and load the model on a new one."""
        self.pace.reset()
        self._line.lose_engine()
        self.state = "restarting"
        self.loading = 0.0
        self.state_changed.emit(self.state)
        self._link.replace()
        self._line.go_on()

    def shutdown(self, timeout_s: float = 10.0) -> bool:
        """End the engine; its late events are dropped. Blocks: call it off the UI thread.

        Returns:
            False when an engine's thread hangs: then the process must end with `os._exit`.
        """
        return self._link.shutdown(timeout_s)

    def _new_job(self, scope: Scope, planned: Plan) -> Job:
        settings = self.document.settings
        return Job(
            id=self.jobs.next_id(),
            scope=scope,
            target_ids=tuple(layer.id for layer in planned.targets),
            names={layer.id: shown_name(layer) for layer in planned.targets},
            picture_seed=(
                settings.seed if settings.seed_mode == "fixed" else secrets.randbelow(2**32)
            ),
            seeds=self.document.take_next_seeds(layer.id for layer in planned.targets),
            prompt=self.document.prompt,
            variations=settings.variations,
        )

    def _memory_trouble(self, planned: Plan) -> Message | None:
        """A message where the job would not fit; None where the model does not run on the CPU."""
        info, contents = self.info, self.document.contents
        if info is None or info.device != "cpu":
            return None
        whole = load_of(contents, planned.targets, planned.context, info)
        # One by one, each layer sees all the others, those that are made before it included.
        everyone = (*planned.targets, *planned.context)
        singles = [
            load_of(contents, [layer], (other for other in everyone if other is not layer), info)
            for layer in planned.targets
        ]
        return memory.trouble(whole, singles, self.free_memory())

    def _fitting_tokens(self, failed: Load) -> int:
        """Tokens that would fit; 0 for other devices, whose memory is not known here."""
        on_cpu = self.info is not None and self.info.device == "cpu"
        return memory.fitting_tokens(failed, self.free_memory()) if on_cpu else 0

    def _grid_trouble(self) -> Message | None:
        grid = self.document.grid
        if self.info is None or grid % self.info.token_px == 0:
            return None
        return Message(
            kind="error",
            what=f"This picture has a grid of {grid} pixels, and the model works "
            f"in cells of {self.info.token_px}.",
            kept="Nothing was started and nothing was changed.",
            advice="Make a new picture and draw the boxes there.",
        )

    # ---- events ----

    def _on_preview(self, preview: Preview) -> None:
        if self._line.is_shown(preview):
            self.preview_changed.emit(preview.layer_id, preview.box, preview.rgba)

    def _on_event(self, event: Event, at: float) -> None:
        self.pace.heard(at)
        if isinstance(event, StateChanged):
            self._on_state(event)
        elif not self.pace.take_probe(event, at):
            self._line.on_event(event, at)

    def _on_state(self, event: StateChanged) -> None:
        state: str = event.state
        if state == "loading":
            self.loading = event.progress
            if event.progress:  # an advance, no other state
                self.loading_changed.emit(self.loading)
                return
        if event.info is not None:
            self._line.info = event.info
        if state == "generating" and self.pace.is_probing and self.current is None:
            state = "measuring"
        self.state = state
        if state == "failed":
            self.trouble = event.message.rstrip(".") or "the engine did not start"
            self.message.emit(
                Message(
                    kind="error",
                    what=event.message or "The engine did not start.",
                    kept="You can draw, edit and export, but not generate.",
                    advice=event.advice,
                )
            )
        self.state_changed.emit(state)
        if event.info is not None:
            self.pace.model_ready(event.info)
