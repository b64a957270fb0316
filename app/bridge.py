"""Bridge: the one crossing between the document and the engine.

Builds requests from the document, takes the engine's events over to the UI thread and turns
results into one change. Knows no widget: `loop` is whatever has asyncio's `call_soon_threadsafe`
and `call_later`, and what is to happen with a result is a function.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from psygnal import Signal

from app.costs import Load, load_of, tokens_of
from app.document.document import Document
from app.document.geometry import Rect
from app.document.layer import Layer
from app.jobs import (
    Job,
    JobList,
    Message,
    Plan,
    Scope,
    build_request,
    failure_message,
    plan,
    plan_for,
    reason_against,
)
from app.pace import Pace
from app.records import records_for
from engine import (
    Engine,
    EngineError,
    Event,
    Failed,
    Finished,
    GenerateRequest,
    JobCancelled,
    ModelInfo,
    Preview,
    Progress,
    Started,
    StateChanged,
    tokenize,
    unknown_words,
)

logger = logging.getLogger(__name__)

PREVIEW_INTERVAL_S = 1 / 30


class EngineLike(Protocol):
    """What the bridge uses of `engine.Engine`."""

    def start(self) -> None: ...
    def submit(self, request: GenerateRequest) -> None: ...
    def cancel(self, job_id: int | None = None) -> None: ...
    def shutdown(self, timeout_s: float = 10.0) -> bool: ...


class LoopLike(Protocol):
    """What the bridge uses of an asyncio loop."""

    def call_soon_threadsafe(self, callback: Callable[..., object], *args: Any) -> Any: ...
    def call_later(self, delay: float, callback: Callable[..., object], *args: Any) -> Any: ...


def engine_factory(
    threads: int = 0, weights: Path | None = None
) -> Callable[[Callable[[Event], None]], EngineLike]:
    """Makes the real engine when called with the function that takes its events.

    Args:
        threads: torch threads on the CPU; 0 = cores - 1.
        weights: model file; None = the shipped one.
    """
    return lambda emit: Engine(emit, threads=threads or None, weights=weights)


@dataclass(frozen=True, slots=True)
class Placed:
    """One result of a job, ready for the document.

    Attributes:
        asked: the region that was generated, canvas pixels.
        pixels: (h, w, 4) uint8 of exactly that size.
        record: how it was made, plain JSON values.
    """

    layer_id: int
    asked: Rect
    pixels: np.ndarray
    record: dict[str, Any]


Accept = Callable[[Job, list[Placed]], None]


class Bridge:
    """Starts jobs and reports on them; all events are emitted on the UI thread.

    Args:
        document: the design that jobs are made from.
        loop: the UI thread's event loop.
        make_engine: called with the function that takes events; `engine.Engine` or a fake.
        accept: called once per finished variation with its results.
        clock: monotonic seconds.

    Attributes:
        preview_every: rough pictures each k-th step; 0 = none.
        pace: how fast the engine is, and whether it still answers.

    Events:
        state_changed(state): "loading", "measuring", "ready", "generating", "stopping",
            "restarting", "failed", "stopped".
        job_changed(job): it was asked for, started, went on or ended.
        preview_changed(layer_id, box, rgba): a rough picture of a target, at most 30 a second.
        previews_cleared(): none of them is valid any more.
        message(message): something the user should read.
    """

    state_changed = Signal(str)
    job_changed = Signal(object)
    preview_changed = Signal(int, object, object)
    previews_cleared = Signal()
    message = Signal(object)

    def __init__(
        self,
        document: Document,
        loop: LoopLike,
        make_engine: Callable[[Callable[[Event], None]], EngineLike],
        accept: Accept,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.document = document
        self.jobs = JobList()
        self.state = "loading"
        self.info: ModelInfo | None = None
        self.trouble = ""
        self.preview_every = 1
        self._loop = loop
        self._accept = accept
        self._clock = clock
        self._make_engine = make_engine
        self._lock = threading.Lock()
        self._previews: dict[int, Preview] = {}
        self._flush_is_due = False
        self._is_closed = False
        self._current: Job | None = None
        self._waiting: list[Job] = []
        self._runs: dict[int, Job] = {}
        self._generation = 0
        self._abandoned: list[EngineLike] = []
        self._engine = self._new_engine()
        self.pace = Pace(loop, self._submit_probe, self._cancel_run, self.jobs.next_id, clock)

    @property
    def current(self) -> Job | None:
        """The job that is starting or running; None when nothing runs."""
        return self._current

    @property
    def waiting(self) -> tuple[Job, ...]:
        """Jobs that come after it, first in line first."""
        return tuple(self._waiting)

    def start(self) -> None:
        """Start the engine's thread; the model loads on it."""
        self._engine.start()

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

    def tokens(self) -> int:
        """Tokens of the visible picture."""
        contents = self.document.contents
        shown = [layer for layer in contents.layers if layer.visible]
        return sum(tokens_of(layer, contents, self.info) for layer in shown)

    # ---- asking ----

    def generate(
        self, scope: Scope, selected: Collection[int] = (), *, is_next: bool = False
    ) -> Job | None:
        """Ask for a job (GE7).

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
        settings = self.document.settings
        job = Job(
            id=self.jobs.next_id(),
            scope=scope,
            target_ids=tuple(layer.id for layer in planned.targets),
            names={layer.id: layer.name for layer in planned.targets},
            picture_seed=(
                settings.seed if settings.seed_mode == "fixed" else secrets.randbelow(2**32)
            ),
            variations=settings.variations,
        )
        self.jobs.add(job)
        if is_next and self._current is not None:
            self._waiting.insert(0, job)
            self.job_changed.emit(job)
        else:
            self._drop_waiting(set(job.target_ids))
            self._stop_current()
            self._begin(job)
        if planned.skipped:
            names = ", ".join(f"'{layer.name}'" for layer in planned.skipped)
            what = f"Left out because they are locked or hidden: {names}."
            self.message.emit(Message(kind="note", what=what))
        return job

    def stop(self, job: Job | None = None) -> None:
        """End the running job, or this one. Its previews vanish at once; finished ones stay."""
        job = job or self._current
        if job is None or job.has_ended:
            return
        if job is self._current:
            self._stop_current()
            self._begin_next()
        elif job in self._waiting:
            self._waiting.remove(job)
            self.jobs.ended(job, "cancelled")
            self.job_changed.emit(job)

    def stop_all(self) -> None:
        """End every job."""
        self._drop_waiting(None)
        self._stop_current()
        self._engine.cancel()

    def unknown_words(self, prompt: str) -> tuple[str, ...]:
        """Words of the prompt that the model ignores; none when its word list is not there."""
        try:
            return unknown_words(prompt)
        except EngineError as error:
            logger.warning("unknown words: %s", error)
            return ()

    def words(self, prompt: str) -> tuple[str, ...]:
        """The words of a prompt as the model would look them up."""
        return tuple(tokenize(prompt))

    def restart(self) -> None:
        """Give up on the engine's thread and load the model on a new one (REL5).

        A hung thread cannot be killed: it is left alone, and whatever it says late is dropped.
        """
        job = self._current
        self._abandoned.append(self._engine)
        self._engine.cancel()
        self._engine.shutdown(0.0)  # it ends by itself should it ever answer
        self._runs.clear()
        self.pace.reset()
        if job is not None:
            self._end_current()
            self.jobs.ended(job, "failed")
            self.job_changed.emit(job)
        self.state = "restarting"
        self.state_changed.emit(self.state)
        self._engine = self._new_engine()
        self._engine.start()
        self._begin_next()

    def shutdown(self, timeout_s: float = 10.0) -> bool:
        """End the engine; its late events are dropped. Blocks: call it off the UI thread.

        Returns:
            False when an engine's thread hangs: then the process must end with `os._exit`.
        """
        self._is_closed = True
        ended = self._engine.shutdown(timeout_s)
        return all([ended, *(engine.shutdown(0.0) for engine in self._abandoned)])

    # ---- engine thread ----

    def _new_engine(self) -> EngineLike:
        self._generation += 1
        generation = self._generation
        return self._make_engine(lambda event: self._receive(event, generation))

    def _receive(self, event: Event, generation: int) -> None:
        """Called on the engine thread with every event: hand it over, never block, never raise."""
        if self._is_closed or generation != self._generation:
            return
        try:
            if not isinstance(event, Preview):
                now = self._clock()
                self._loop.call_soon_threadsafe(self._on_event, event, generation, now)
                return
            with self._lock:
                self._previews[event.layer_id] = event
                if self._flush_is_due:
                    return
                self._flush_is_due = True
            self._loop.call_soon_threadsafe(
                self._loop.call_later, PREVIEW_INTERVAL_S, self._flush_previews
            )
        except RuntimeError:  # the loop was closed in between: the window is gone
            logger.debug("event after the end: %r", event)

    # ---- UI thread: runs ----

    def _begin(self, job: Job) -> None:
        """Make the job the current one, with the document as it is now."""
        contents = self.document.contents
        planned = plan_for(contents, job.target_ids)
        job.contents = contents
        job.rects = {layer.id: layer.rect for layer in planned.targets}
        job.hashes = {layer.id: layer.pixel_hash for layer in planned.targets}
        job.numbers = {layer.id: layer.number for layer in contents.layers}
        self.pace.cancel_probes()
        self._current = job
        self._next_run(job)
        self.job_changed.emit(job)

    def _begin_next(self) -> None:
        while self._current is None and self._waiting:
            job = self._waiting.pop(0)
            if plan_for(self.document.contents, job.target_ids).targets:
                self._begin(job)
            else:  # all of its layers were deleted, locked or hidden meanwhile
                self.jobs.ended(job, "cancelled")
                self.job_changed.emit(job)

    def _next_run(self, job: Job) -> None:
        assert job.contents is not None
        planned = plan_for(job.contents, job.target_ids)
        run_id = self.jobs.next_id()
        request = build_request(
            job.contents, planned, run_id, job.picture_seed, self.preview_every, job.done
        )
        job.request, job.step, job.total = request, 0, 0
        self._runs[run_id] = job
        self._engine.submit(request)
        self.pace.run_begins(self._load(job, planned))

    def _load(self, job: Job, planned: Plan) -> Load | None:
        if self.info is None or job.contents is None:
            return None
        return load_of(job.contents, planned.targets, planned.context, self.info)

    def _submit_probe(self, request: GenerateRequest) -> bool:
        """Time a job of nobody's, if the engine has nothing better to do."""
        if self._current is None and not self._runs:
            self._engine.submit(request)
            return True
        return False

    def _cancel_run(self, run_id: int) -> None:
        self._engine.cancel(run_id)

    def _stop_current(self) -> None:
        job = self._current
        if job is None:
            return
        job.state = "stopping"
        if job.request is not None:
            self._engine.cancel(job.request.job_id)
        self._end_current()
        self.job_changed.emit(job)

    def _drop_waiting(self, ids: set[int] | None) -> None:
        """Forget waiting jobs that make some of these layers; None = all of them."""
        for job in list(self._waiting):
            if ids is None or ids & set(job.target_ids):
                self._waiting.remove(job)
                self.jobs.ended(job, "cancelled")
                self.job_changed.emit(job)

    def _end_current(self) -> None:
        self._current = None
        with self._lock:
            self._previews.clear()
        self.previews_cleared.emit()

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

    # ---- UI thread: events ----

    def _flush_previews(self) -> None:
        with self._lock:
            previews, self._previews = self._previews, {}
            self._flush_is_due = False
        request = None if self._current is None else self._current.request
        for preview in previews.values():
            if request is not None and preview.job_id == request.job_id:
                self.preview_changed.emit(preview.layer_id, preview.box, preview.rgba)

    def _on_event(self, event: Event, generation: int, at: float) -> None:
        if self._is_closed or generation != self._generation:
            return
        self.pace.heard(at)
        if isinstance(event, StateChanged):
            self._on_state(event)
            return
        if self.pace.take_probe(event, at):
            return
        ends = isinstance(event, (Finished, Failed, JobCancelled))
        job = self._runs.pop(event.job_id, None) if ends else self._runs.get(event.job_id)
        if ends and not self._runs:
            self.pace.all_answered()
        if job is None or job.has_ended:
            return
        if job is not self._current or (
            job.request is not None and job.request.job_id != event.job_id
        ):  # cancelled by us: whatever comes now, it is over
            if ends:
                self.jobs.ended(job, "cancelled")
                self.job_changed.emit(job)
            return
        match event:
            case Started():
                job.state, job.total = "running", event.total_steps
                self.pace.times.started = at
            case Progress():
                job.state, job.step, job.total = "running", event.step, event.total
                job.seconds_left = event.seconds_left
                self.pace.times.steps.append(at)
            case Finished():
                self._on_finished(job, event, at)
            case JobCancelled():
                self._end_current()
                self.jobs.ended(job, "cancelled")
                self._begin_next()
            case Failed():
                self._on_failed(job, event)
        self.job_changed.emit(job)

    def _on_state(self, event: StateChanged) -> None:
        state: str = event.state
        if event.info is not None:
            self.info = event.info
        if state == "generating" and self.pace.is_probing and self._current is None:
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

    def _on_finished(self, job: Job, event: Finished, at: float) -> None:
        assert job.request is not None  # released only when the job has ended
        records = records_for(job.request, event, job.numbers)
        placed = [
            Placed(
                result.layer_id, Rect.from_box(result.box), result.rgba, records[result.layer_id]
            )
            for result in event.results
        ]
        planned = (
            Plan((), (), ()) if job.contents is None else plan_for(job.contents, job.target_ids)
        )
        self.pace.run_ended(self._load(job, planned), job.total, at)
        job.seconds = (job.seconds or 0.0) + event.seconds
        job.done += 1
        job.step = job.total
        is_last = job.done >= job.variations
        if is_last:
            self._end_current()
        self._accept(job, placed)
        if is_last:
            self.jobs.ended(job, "finished")
            self._begin_next()
        elif job is self._current:  # accepting may have stopped it
            self._next_run(job)

    def _on_failed(self, job: Job, event: Failed) -> None:
        self._end_current()
        self.jobs.ended(job, "failed")
        job.message = failure_message(job, event)
        self.message.emit(job.message)
        self._begin_next()
