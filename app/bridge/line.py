"""Line: which job runs, which ones wait, and what each event does to them.

One run is with the engine, the rest waits here. Knows how to make a request from a job's document;
neither why a job was asked for nor what becomes of its results.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from psygnal import Signal

from app.bridge.link import EngineLink
from app.bridge.results import Placed, placed_results
from app.costs import Load, load_of
from app.document.contents import Contents
from app.document.document import Document
from app.jobs import Job, JobList, JobState, build_request, failure_message, plan_for
from app.pace import Pace
from engine import (
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
)

Accept = Callable[[Job, list[Placed]], None]


class JobLine:
    """The jobs of one window, on the UI thread.

    Args:
        document: as it is when a job begins, the job is made from it.
        accept: called once per finished variation with its results.

    Attributes:
        jobs: all that are remembered.
        current: the job that is starting or running; None when nothing runs.
        info: what the model announced; None before.
        preview_every: rough pictures each k-th step; 0 = none.
        pace: set by the owner before the first job; it is told of each run.
        fitting: set by the owner: how many tokens would fit after a job ran out of memory.

    Events:
        job_changed(job): it was asked for, started, went on or ended.
        job_failed(message): what the user should read of it.
        previews_cleared(): none of them is valid any more.
    """

    job_changed = Signal(object)
    job_failed = Signal(object)
    previews_cleared = Signal()

    pace: Pace

    def __init__(self, document: Document, link: EngineLink, accept: Accept) -> None:
        self.jobs = JobList()
        self.current: Job | None = None
        self.info: ModelInfo | None = None
        self.preview_every = 1
        self._document = document
        self._link = link
        self._accept = accept
        self._waiting: list[Job] = []
        self._runs: dict[int, Job] = {}
        self.fitting: Callable[[Load], int] = lambda load: 0

    @property
    def waiting(self) -> tuple[Job, ...]:
        """Jobs that come after the current one, first in line first."""
        return tuple(self._waiting)

    # ---- asking and stopping ----

    def add(self, job: Job, *, is_next: bool = False) -> None:
        """Take a job in. See `Bridge.generate` for what becomes of the others."""
        self.jobs.add(job)
        if is_next and self.current is not None:
            self._waiting.insert(0, job)
            self.job_changed.emit(job)
            return
        self._drop_waiting(set(job.target_ids))
        self._stop_current()
        self._begin(job)

    def stop(self, job: Job | None = None) -> None:
        """End the running job, or this one. Its previews vanish at once; finished ones stay."""
        job = job or self.current
        if job is None or job.has_ended:
            return
        if job is self.current:
            self._stop_current()
            self._begin_next()
        elif job in self._waiting:
            self._waiting.remove(job)
            self._ended(job, "cancelled")

    def stop_all(self) -> None:
        """End every job."""
        self._drop_waiting(None)
        self._stop_current()
        self._link.cancel()

    def lose_engine(self) -> None:
        """The engine is given up: the running job failed, nothing else is asked of it."""
        job = self.current
        self._runs.clear()
        if job is not None:
            self._end_current()
            self._ended(job, "failed")

    def go_on(self) -> None:
        """Begin the first that waits, if nothing runs."""
        self._begin_next()

    def submit_probe(self, request: GenerateRequest) -> bool:
        """Time a job of nobody's, if the engine has nothing better to do."""
        if self.current is None and not self._runs:
            self._link.submit(request)
            return True
        return False

    # ---- events ----

    def is_shown(self, preview: Preview) -> bool:
        """Whether the preview is one of the present run."""
        request = None if self.current is None else self.current.request
        return request is not None and preview.job_id == request.job_id

    def on_event(self, event: Event, at: float) -> None:
        """An event of a run, sent at `at` in monotonic seconds; those of others are dropped."""
        if isinstance(event, (StateChanged, Preview)):
            return
        ends = isinstance(event, (Finished, Failed, JobCancelled))
        job = self._runs.pop(event.job_id, None) if ends else self._runs.get(event.job_id)
        if ends and not self._runs:
            self.pace.all_answered()
        if job is None or job.has_ended:
            return
        if job is not self.current or (
            job.request is not None and job.request.job_id != event.job_id
        ):  # cancelled by us: whatever comes now, it is over
            if ends:
                _stop_clock(job, at)
                self._ended(job, "cancelled")
            return
        match event:
            case Started():
                job.state, job.total = "running", event.total_steps
                self.pace.times.started = at
                job.began = at if job.began is None else job.began
            case Progress():
                job.state, job.step, job.total = "running", event.step, event.total
                job.seconds_left = event.seconds_left
                self.pace.times.steps.append(at)
            case Finished():
                self._on_finished(job, event, at)
            case JobCancelled():
                _stop_clock(job, at)
                self._end_current()
                self.jobs.ended(job, "cancelled")
                self._begin_next()
            case Failed():
                _stop_clock(job, at)
                self._on_failed(job, event)
        self.job_changed.emit(job)

    def _on_finished(self, job: Job, event: Finished, at: float) -> None:
        placed = placed_results(job, event)
        if not any(each.left_empty for each in placed):
            # Boxes that stay empty cost less than the load says, so nothing is learned of them.
            self.pace.run_ended(self._load(job), job.total, at)
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
        elif job is self.current:  # accepting may have stopped it
            self._next_run(job)

    def _on_failed(self, job: Job, event: Failed) -> None:
        self._end_current()
        load = self._load(job)
        tokens = fitting = 0
        if load is not None:
            tokens = load.seen
            fitting = self.fitting(load) if event.kind == "memory" else 0
        job.message = failure_message(job, event, tokens, fitting)
        self.jobs.ended(job, "failed")
        self.job_failed.emit(job.message)
        self._begin_next()

    # ---- runs ----

    def _begin(self, job: Job) -> None:
        """Make the job the current one, with the document as it is now."""
        contents = self._document.contents
        planned = plan_for(contents, job.target_ids)
        job.contents = contents
        job.rects = {layer.id: layer.rect for layer in planned.targets}
        job.hashes = {layer.id: layer.pixel_hash for layer in planned.targets}
        job.numbers = {layer.id: layer.number for layer in contents.layers}
        self.pace.cancel_probes()
        self.current = job
        self._next_run(job)
        self.job_changed.emit(job)

    def _begin_next(self) -> None:
        while self.current is None and self._waiting:
            job = self._waiting.pop(0)
            if plan_for(self._document.contents, job.target_ids).targets:
                self._begin(job)
            else:  # all of its layers were deleted, locked or hidden meanwhile
                self._ended(job, "cancelled")

    def _next_run(self, job: Job) -> None:
        assert job.contents is not None  # set by `_begin`, let go when the job has ended
        planned = plan_for(job.contents, job.target_ids)
        run_id = self.jobs.next_id()
        request = build_request(
            _with_seeds(job), planned, run_id, job.picture_seed, self.preview_every, job.done
        )
        job.request, job.step, job.total = request, 0, 0
        self._runs[run_id] = job
        self._link.submit(request)
        self.pace.run_begins(self._load(job))

    def _load(self, job: Job) -> Load | None:
        if self.info is None or job.contents is None:
            return None
        planned = plan_for(job.contents, job.target_ids)
        return load_of(job.contents, planned.targets, planned.context, self.info)

    def _stop_current(self) -> None:
        job = self.current
        if job is None:
            return
        job.state = "stopping"
        if job.request is not None:
            self._link.cancel(job.request.job_id)
        self._end_current()
        self.job_changed.emit(job)

    def _drop_waiting(self, ids: set[int] | None) -> None:
        """Forget waiting jobs that make some of these layers; None = all of them."""
        for job in list(self._waiting):
            if ids is None or ids & set(job.target_ids):
                self._waiting.remove(job)
                self._ended(job, "cancelled")

    def _end_current(self) -> None:
        self.current = None
        self._link.forget_previews()
        self.previews_cleared.emit()

    def _ended(self, job: Job, state: JobState) -> None:
        self.jobs.ended(job, state)
        self.job_changed.emit(job)


def _with_seeds(job: Job) -> Contents:
    """The document as the runs see it: a seed for this job alone counts as a pinned one."""
    assert job.contents is not None  # a run is under way
    layers = [layer for layer in job.contents.layers if layer.id in job.seeds]
    return job.contents.with_layers(replace(each, seed=job.seeds[each.id]) for each in layers)


def _stop_clock(job: Job, at: float) -> None:
    """The job ends before its time: what it took is known by the clock alone."""
    if job.began is not None:
        job.seconds = at - job.began
