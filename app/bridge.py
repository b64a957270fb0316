"""Bridge: the one crossing between the document and the engine.

Builds requests from the document, takes the engine's events over to the UI thread and turns
results into one change. Knows no widget: `loop` is whatever has asyncio's `call_soon_threadsafe`
and `call_later`, and what is to happen with a result is a function.
"""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from psygnal import Signal

from app.document.document import Document
from app.document.geometry import Rect
from app.jobs import Job, JobList, Message, Plan, Scope, build_request, failure_message, plan
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
        accept: called once per finished job with its results.

    Events:
        state_changed(state): "loading", "ready", "generating", "stopping", "failed", "stopped".
        job_changed(job): it started, went on or ended.
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
    ) -> None:
        self.document = document
        self.jobs = JobList()
        self.state = "loading"
        self.info: ModelInfo | None = None
        self.trouble = ""
        self._loop = loop
        self._accept = accept
        self._lock = threading.Lock()
        self._previews: dict[int, Preview] = {}
        self._flush_is_due = False
        self._is_closed = False
        self._current: Job | None = None
        self._engine = make_engine(self._receive)

    @property
    def current(self) -> Job | None:
        """The job that is waiting or running; None when nothing runs."""
        return self._current

    def start(self) -> None:
        """Start the engine's thread; the model loads on it."""
        self._engine.start()

    def plan(self, scope: Scope, selected: Collection[int] = ()) -> Plan:
        """Who would take part if the job began now."""
        return plan(self.document.contents, scope, selected)

    def why_not(self, scope: Scope, selected: Collection[int] = ()) -> str:
        """Why the job cannot begin now, as one clause; empty when it can."""
        if self.state in ("failed", "stopped"):
            return self.trouble or "the engine is not running"
        planned = self.plan(scope, selected)
        if planned.targets:
            return ""
        if scope == "picture":
            return "there is no visible, unlocked layer and no background"
        if scope == "empty":
            return "no visible box is empty"
        if not planned.skipped:
            return "no layer is selected"
        return "the layer is locked" if planned.skipped[0].locked else "the layer is hidden"

    def generate(self, scope: Scope, selected: Collection[int] = ()) -> Job | None:
        """Begin a job; the one that is running ends (queue mode "replace").

        Returns:
            the job, or None when there is nothing to generate: a message says why.
        """
        if reason := self.why_not(scope, selected):
            self.message.emit(Message(kind="note", what=f"Nothing was started: {reason}."))
            return None
        contents = self.document.contents
        if self.info is not None and contents.grid % self.info.token_px:
            self.message.emit(
                Message(
                    kind="error",
                    what=f"This picture has a grid of {contents.grid} pixels, and the model works "
                    f"in cells of {self.info.token_px}.",
                    kept="Nothing was started and nothing was changed.",
                    advice="Make a new picture and draw the boxes there.",
                )
            )
            return None
        self.stop()
        planned = self.plan(scope, selected)
        settings = contents.settings
        seed = settings.seed if settings.seed_mode == "fixed" else secrets.randbelow(2**32)
        job_id = self.jobs.next_id()
        request = build_request(contents, planned, job_id, seed)
        job = Job(
            id=job_id,
            scope=scope,
            request=request,
            rects={layer.id: layer.rect for layer in planned.targets},
            names={layer.id: layer.name for layer in planned.targets},
            numbers={layer.id: layer.number for layer in contents.layers},
            picture_seed=seed,
        )
        self.jobs.add(job)
        self._current = job
        self._engine.submit(request)
        self.job_changed.emit(job)
        if planned.skipped:
            names = ", ".join(f"'{layer.name}'" for layer in planned.skipped)
            what = f"Left out because they are locked or hidden: {names}."
            self.message.emit(Message(kind="note", what=what))
        return job

    def stop(self) -> None:
        """End the running job, if any. Its previews vanish at once; nothing of it is kept."""
        job = self._current
        if job is None:
            return
        job.state = "stopping"
        self._engine.cancel(job.id)
        self._end_current()
        self.job_changed.emit(job)

    def stop_all(self) -> None:
        """End every job."""
        self.stop()
        self._engine.cancel()

    def unknown_words(self, prompt: str) -> tuple[str, ...]:
        """Words of the prompt that the model ignores; none when its word list is not there."""
        try:
            return unknown_words(prompt)
        except EngineError as error:
            logger.warning("unknown words: %s", error)
            return ()

    def shutdown(self, timeout_s: float = 10.0) -> bool:
        """End the engine; its late events are dropped. Blocks: call it off the UI thread.

        Returns:
            False when the engine's thread hangs: then the process must end with `os._exit`.
        """
        self._is_closed = True
        return self._engine.shutdown(timeout_s)

    # ---- engine thread ----

    def _receive(self, event: Event) -> None:
        """Called on the engine thread with every event: hand it over, never block, never raise."""
        if self._is_closed:
            return
        try:
            if not isinstance(event, Preview):
                self._loop.call_soon_threadsafe(self._on_event, event)
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

    # ---- UI thread ----

    def _flush_previews(self) -> None:
        with self._lock:
            previews, self._previews = self._previews, {}
            self._flush_is_due = False
        for preview in previews.values():
            if self._current is not None and preview.job_id == self._current.id:
                self.preview_changed.emit(preview.layer_id, preview.box, preview.rgba)

    def _on_event(self, event: Event) -> None:
        if self._is_closed:
            return
        if isinstance(event, StateChanged):
            self._on_state(event)
            return
        job = self.jobs.get(event.job_id)
        if job is None or job.has_ended:
            return
        if job is not self._current:  # cancelled by us: whatever comes now, it is over
            if isinstance(event, (Finished, Failed, JobCancelled)):
                self.jobs.ended(job, "cancelled")
                self.job_changed.emit(job)
            return
        match event:
            case Started():
                job.state, job.total = "running", event.total_steps
            case Progress():
                job.state, job.step, job.total = "running", event.step, event.total
                job.seconds_left = event.seconds_left
            case Finished():
                self._on_finished(job, event)
            case JobCancelled():
                self._end_current()
                self.jobs.ended(job, "cancelled")
            case Failed():
                self._on_failed(job, event)
        self.job_changed.emit(job)

    def _on_state(self, event: StateChanged) -> None:
        self.state = event.state
        if event.info is not None:
            self.info = event.info
        if event.state == "failed":
            self.trouble = event.message.rstrip(".") or "the engine did not start"
            self.message.emit(
                Message(
                    kind="error",
                    what=event.message or "The engine did not start.",
                    kept="You can draw, edit and export, but not generate.",
                    advice=event.advice,
                )
            )
        self.state_changed.emit(event.state)

    def _on_finished(self, job: Job, event: Finished) -> None:
        assert job.request is not None  # released only when the job has ended
        records = records_for(job.request, event, job.numbers)
        placed = [
            Placed(
                result.layer_id, Rect.from_box(result.box), result.rgba, records[result.layer_id]
            )
            for result in event.results
        ]
        job.seconds = event.seconds
        job.step = job.total
        self._end_current()
        self.jobs.ended(job, "finished")
        self._accept(job, placed)

    def _on_failed(self, job: Job, event: Failed) -> None:
        self._end_current()
        self.jobs.ended(job, "failed")
        job.message = failure_message(job, event)
        self.message.emit(job.message)

    def _end_current(self) -> None:
        self._current = None
        with self._lock:
            self._previews.clear()
        self.previews_cleared.emit()
