"""The queue of generation: what the window asks of the engine, which job runs, which ones wait.

Builds jobs from the document and turns the engine's events into signals on the UI thread. Knows no
widget: `loop` is whatever has asyncio's `call_soon_threadsafe` and `call_later`, and what is to
happen with a result is a function.
"""

from __future__ import annotations

import itertools
import logging
import secrets
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace

from psygnal import Signal

from app.document import Contents, Document, Layer, Rect, Size
from app.document.commands import Placement
from app.document.words import shown_name, word_of
from app.session.client import BUILT_IN, EngineChoice, EngineClient, LoopLike, MakeEngine, built_in
from app.session.estimates import estimate_layers, fitting_tokens, memory_trouble, tokens_of
from app.session.jobs import (
    Job,
    JobState,
    Message,
    Plan,
    Rest,
    Scope,
    build_request,
    failure_message,
    plan,
    plans,
    reason_against,
)
from app.session.monitor import EngineMonitor
from app.session.prompt_summary import PromptSummary, summarise
from app.session.records import records_for
from engine import (
    Assigned,
    EngineError,
    Event,
    Failed,
    Finished,
    GenerateRequest,
    JobCancelled,
    ModelInfo,
    Preview,
    Progress,
    PromptCheck,
    Started,
    StateChanged,
    WorkEstimate,
    check_pin,
    check_prompt,
    free_memory,
)

logger = logging.getLogger(__name__)

MAX_KEPT_JOBS = 50


# ---- results and the list of jobs ----


def placements_of(job: Job, event: Finished) -> list[Placement]:
    """The results of one run with their records, in the order of the request."""
    assert job.request is not None  # let go of when the job has ended
    records = records_for(job.request, event, job.numbers)
    return [
        Placement(
            result.layer_id,
            result.rgba,
            Rect.from_box(result.box),
            records[result.layer_id],
            is_empty=bool(result.left_empty),
        )
        for result in event.results
    ]


Accept = Callable[[Job, list[Placement]], None]


@dataclass(slots=True)
class JobList:
    """The jobs of this window, oldest first; forgets stopped ones and the oldest ended ones."""

    _jobs: dict[int, Job] = field(default_factory=dict)
    _ids: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def __iter__(self) -> Iterator[Job]:
        return iter(self._jobs.values())

    def __len__(self) -> int:
        return len(self._jobs)

    def next_id(self) -> int:
        return next(self._ids)

    def add(self, job: Job) -> None:
        self._jobs[job.id] = job

    def clear(self) -> None:
        for job_id in [job.id for job in self._jobs.values() if job.has_ended]:
            del self._jobs[job_id]

    def ended(self, job: Job, state: JobState) -> None:
        """Mark a job as ended and let go of its pixels; one that left nothing is forgotten."""
        job.state = state
        job.request = job.contents = job.planned = None
        job.seconds_left = None
        if job.state == "cancelled" and not (job.done or job.message):
            self._jobs.pop(job.id, None)
        old = [each.id for each in self._jobs.values() if each.has_ended]
        for job_id in old[: max(0, len(self._jobs) - MAX_KEPT_JOBS)]:
            del self._jobs[job_id]


# ---- the queue ----


class GenerationQueue:
    """Starts jobs and reports on them; all events are emitted on the UI thread.

    Args:
        accept: called once per finished variation with its results.
        work: seconds that the UI thread has computed.
    """

    # state: "loading", "measuring", "ready", "generating", "stopping", "restarting", "failed",
    # "stopped".
    state_changed = Signal(str)
    engine_changed = Signal(object)  # choice: later jobs go to another engine
    loading_changed = Signal(float)  # part: so much of loading the model is done, 0 to 1
    job_changed = Signal(object)  # job: it was asked for, started, went on or ended
    # layer_id, box, rgba: a rough picture of a target, at most 30 a second.
    preview_changed = Signal(int, object, object)
    previews_cleared = Signal()  # none of them is valid any more
    message = Signal(object)  # message: something the user should read

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
        self.engine: EngineChoice = built_in(make_engine)  # which later jobs are given to
        self.state = "loading"  # of that engine
        self.loading = 0.0  # the part of loading the model that is done, 0 to 1
        self.trouble = ""
        # Bytes that programs could still get, or None where that is unknown.
        self.free_memory: Callable[[], int | None] = free_memory
        self.jobs = JobList()  # all that are remembered
        # The job that is starting or running; None when nothing runs.
        self.current: Job | None = None
        self.info: ModelInfo | None = None  # what the model announced; None before
        # The job of a server that failed last, until another job begins; None = none did.
        self.failed: Job | None = None
        self.preview_every = 1  # rough pictures each k-th step; 0 = none
        self._accept = accept
        self._summary: tuple[object, PromptSummary] | None = None
        self._waiting: list[Job] = []
        self._runs: dict[int, Job] = {}
        self._plans: tuple[Contents, dict[frozenset[int], dict[Scope, Plan]]] = (
            document.contents,
            {},
        )
        self._client = EngineClient(loop, self.engine, self._on_event, self._on_preview, clock)
        # How fast the engine is, and whether it still answers.
        self.pace = EngineMonitor(
            loop, self._submit_probe, self._client.cancel, self.jobs.next_id, clock, work
        )

    @property
    def waiting(self) -> tuple[Job, ...]:
        """Jobs that come after the current one, first in line first."""
        return tuple(self._waiting)

    @property
    def is_remote(self) -> bool:
        """Whether later jobs go to a server, and not to the engine of this program."""
        return self.engine.name != BUILT_IN

    @property
    def is_loading(self) -> bool:
        return self.state in ("loading", "restarting")

    def start(self) -> None:
        """Start the engine's thread; the model loads on it."""
        self._client.start()

    def use_engine(self, choice: EngineChoice) -> None:
        """Give later jobs to another engine.

        A running job and waiting ones stay with the engine that they were asked of. The engine
        loads, or connects, at once; one that failed before tries again.
        """
        if choice.name == self.engine.name and self.state != "failed":
            return
        self.pace.cancel_probes()
        self.pace.reset(is_busy=bool(self._runs))
        self.engine = choice
        self.info, self.trouble = None, ""
        self.state, self.loading = "loading", 0.0
        self.state_changed.emit(self.state)
        self.engine_changed.emit(choice)
        self._client.choose(choice)

    # ---- what could be asked ----

    def plan(self, scope: Scope, selected: Collection[int] = ()) -> Plan:
        """Who would take part if the job began now."""
        return self.plans(selected)[scope]

    def plans(self, selected: Collection[int] = ()) -> dict[Scope, Plan]:
        """The plans of all scopes, made once for each state of document and selection."""
        contents, key = self.document.contents, frozenset(selected)
        if self._plans[0] is not contents:
            self._plans = (contents, {})
        known = self._plans[1]
        if key not in known:
            known[key] = plans(contents, key)
        return known[key]

    def why_not(self, scope: Scope, selected: Collection[int] = ()) -> str:
        """Why the job cannot begin now, as one clause; empty when it can."""
        return self._engine_trouble() or reason_against(self.plan(scope, selected), scope)

    def _engine_trouble(self) -> str:
        if self.state in ("failed", "stopped"):
            return self.trouble or "the engine is not running"
        return ""

    def seconds_for(self, targets: Iterable[Layer], context: Iterable[Layer]) -> float | None:
        """Predicted seconds of one variation; None while nothing was measured."""
        if self.info is None:
            return None
        return self.pace.costs.seconds(
            estimate_layers(self.document.contents, targets, context, self.info)
        )

    def seconds_of(self, job: Job) -> float | None:
        """Predicted seconds of a job that waits; None while nothing was measured."""
        if job.engine != self.engine.name:
            return None
        planned = plan(self.document.contents, "selected", job.target_ids)
        one = self.seconds_for(planned.targets, planned.context)
        return None if one is None else one * job.variations

    def tokens(self) -> int:
        contents = self.document.contents
        shown = [layer for layer in contents.layers if layer.visible]
        return sum(tokens_of(layer, contents, self.info) for layer in shown)

    def read_words(self) -> None:
        """Read the tables of words, so that the first check of a prompt is fast. Any thread."""
        try:
            check_prompt("a", self.info)
        except EngineError as error:
            logger.warning("the tables of words cannot be read: %s", error)

    def summary(self) -> PromptSummary:
        """The prompt against the boxes of the picture; the last one is kept."""
        contents = self.document.contents
        shown = [layer for layer in contents.foregrounds if layer.visible]
        boxes = tuple(self._noun_of(layer) for layer in shown)
        foreign = self._foreign_words(shown)
        key = (contents.prompt, boxes, foreign, self.info)
        if self._summary is None or self._summary[0] != key:
            check = PromptCheck()
            try:
                if contents.prompt.strip():  # a start with an empty prompt reads no tables
                    check = check_prompt(contents.prompt, self.info)
            except EngineError as error:
                logger.warning("the prompt was not checked: %s", error)
            self._summary = key, summarise(check, boxes, foreign)
        return self._summary[1]

    def _noun_of(self, layer: Layer) -> str | None:
        """The thing that is pinned to a layer or that its pixels show; "" for another thing."""
        word = layer.shows or (word_of(layer) if layer.has_pixels else "")
        if not word:
            return "" if layer.has_pixels else None
        try:
            return check_pin(word, self.info).noun or ""
        except EngineError:
            return ""

    def _foreign_words(self, layers: Iterable[Layer]) -> tuple[str, ...]:
        """Words pinned to layers that the model cannot draw, as of a layout for another model."""
        if self.info is None:
            return ()
        words = dict.fromkeys(layer.shows for layer in layers if layer.shows)
        return tuple(word for word in words if check_pin(word, self.info).noun is None)

    # ---- asking ----

    def generate(
        self,
        scope: Scope,
        selected: Collection[int] = (),
        *,
        is_next: bool = False,
        again: Rest | None = None,
    ) -> Job | None:
        """Ask for a job.

        Args:
            again: of one that did not end well, whose seeds it gets.
            is_next: leave the running job alone and go first in line. Otherwise the running job
                ends, and waiting ones that make some of the same layers are dropped.

        Returns:
            the job, or None when there is nothing to generate: a message says why.
        """
        planned = self.plan(scope, selected)
        if reason := self._engine_trouble() or reason_against(planned, scope):
            self.message.emit(Message(kind="note", what=f"Nothing was started: {reason}."))
            return None
        if trouble := _canvas_trouble(self.document.canvas, self.info):
            self.message.emit(trouble)
            return None
        if trouble := self._words_trouble(planned):
            self.message.emit(trouble)
            return None
        if trouble := self._memory_trouble(planned):
            self.message.emit(trouble)
            return None
        job = _new_job(self.document, self.jobs.next_id(), scope, planned, self.engine)
        if again is not None:
            job.picture_seed, job.variations = again.picture_seed, again.variations
            job.seeds = again.seeds
        self._add(job, planned, is_next=is_next)
        if planned.skipped:
            names = ", ".join(f"'{shown_name(layer)}'" for layer in planned.skipped)
            what = f"Not generated, because locked or hidden: {names}."
            self.message.emit(Message(kind="note", what=what))
        return job

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
        self._drop_waiting(None)
        self._stop_current()
        self._client.cancel()

    def restart(self) -> None:
        """Give up on the engine's thread and load the model on a new one."""
        self.pace.reset()
        job = self.current
        name = self.engine.name if job is None else job.engine
        self._runs.clear()
        if job is not None:
            self._end_current()
            self._ended(job, "failed")
        if name == self.engine.name:
            self.state = "restarting"
            self.loading = 0.0
            self.state_changed.emit(self.state)
        self._client.replace(name)
        self._begin_next()

    def shutdown(self, timeout_s: float = 10.0) -> bool:
        """End the engine; blocks. False: it hangs, and the process must end with `os._exit`."""
        return self._client.shutdown(timeout_s)

    def _words_trouble(self, planned: Plan) -> Message | None:
        """A message where a word that is pinned to a target cannot be drawn."""
        words = self._foreign_words(planned.targets)
        if not words:
            return None
        named = ", ".join(f"'{word}'" for word in words)
        return Message(
            kind="error",
            what=f"This model cannot draw {named}.",
            kept="Nothing was started and nothing was changed.",
            advice="Type another word into 'Shows', or clear it: then the model decides.",
        )

    def _memory_trouble(self, planned: Plan) -> Message | None:
        """A message where the job would not fit; None where the model does not run on the CPU."""
        info, contents = self.info, self.document.contents
        if info is None or info.device != "cpu":
            return None
        whole = estimate_layers(contents, planned.targets, planned.context, info)
        # One by one, each layer sees all the others, those that are made before it included.
        everyone = (*planned.targets, *planned.context)
        singles = [
            estimate_layers(
                contents, [layer], (other for other in everyone if other is not layer), info
            )
            for layer in planned.targets
        ]
        return memory_trouble(whole, singles, self.free_memory())

    def _fitting_tokens(self, failed: WorkEstimate) -> int:
        """Tokens that would fit; 0 for other devices, whose memory is not known here."""
        on_cpu = self.info is not None and self.info.device == "cpu"
        return fitting_tokens(failed, self.free_memory()) if on_cpu else 0

    # ---- events ----

    def _on_preview(self, preview: Preview) -> None:
        request = None if self.current is None else self.current.request
        if request is not None and preview.job_id == request.job_id:
            self.preview_changed.emit(preview.layer_id, preview.box, preview.rgba)

    def _on_event(self, event: Event, at: float) -> None:
        self.pace.heard(at)
        if isinstance(event, StateChanged):
            self._on_state(event)
        elif not self.pace.take_probe(event, at):
            self._on_run_event(event, at)

    def _on_state(self, event: StateChanged) -> None:
        state: str = event.state
        if state == "loading":
            self.loading = event.progress
            if event.progress:  # an advance, no other state
                self.loading_changed.emit(self.loading)
                return
        if event.info is not None:
            self.info = event.info
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
                    action="restart_engine" if self.is_remote else "",
                    other_action="engines" if self.is_remote else "",
                )
            )
        self.state_changed.emit(state)
        if event.info is not None:
            self.pace.model_ready(event.info)

    def _on_run_event(self, event: Event, at: float) -> None:
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
            case Assigned():
                job.words = dict(event.words)
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
        placed = placements_of(job, event)
        if not any(each.is_empty for each in placed):
            # Boxes that stay empty cost less than the load says, so nothing is learned of them.
            is_of_this = job.engine == self.engine.name
            self.pace.run_ended(self._load(job) if is_of_this else None, job.total, at)
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
            fitting = self._fitting_tokens(load) if event.kind == "memory" else 0
        job.message = failure_message(job, event, tokens, fitting)
        if job.engine != BUILT_IN:
            job.message = replace(job.message, action="retry_job", other_action="engines")
            self.failed = job
        self.jobs.ended(job, "failed")
        self.message.emit(job.message)
        self._begin_next()

    # ---- the line of jobs ----

    def _add(self, job: Job, planned: Plan, *, is_next: bool = False) -> None:
        """Take a job in; see `generate` for what becomes of the others."""
        self.jobs.add(job)
        if is_next and self.current is not None:
            self._waiting.insert(0, job)
            self.job_changed.emit(job)
            return
        self._drop_waiting(set(job.target_ids))
        self._stop_current()
        self._begin(job, planned)

    def _submit_probe(self, request: GenerateRequest) -> bool:
        """Run a calibration job if the engine is idle."""
        if self.current is None and not self._runs:
            self._client.submit(request)
            return True
        return False

    def _begin(self, job: Job, planned: Plan) -> None:
        """Make the job the current one, with the document as it is now, for which it is planned."""
        contents = self.document.contents
        self.failed = None
        job.contents, job.planned = contents, planned
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
            planned = plan(self.document.contents, "selected", job.target_ids)
            if planned.targets:
                self._begin(job, planned)
            else:  # all of its layers were deleted, locked or hidden meanwhile
                self._ended(job, "cancelled")

    def _next_run(self, job: Job) -> None:
        assert job.planned is not None  # set by `_begin`, let go when the job has ended
        run_id = self.jobs.next_id()
        request = build_request(
            _with_seeds(job),
            job.planned,
            run_id,
            job.picture_seed,
            self.preview_every,
            job.done,
            seeds_are_free=self.document.settings.seed_mode != "fixed",
        )
        job.request, job.step, job.total = request, 0, 0
        self._runs[run_id] = job
        self._client.submit(request, job.engine)
        self.pace.run_begins(self._load(job) if job.engine == self.engine.name else None)

    def steps_of(self, job: Job) -> int | None:
        """Steps of each picture of a running job; None where that is not known."""
        info, request = self._client.info_of(job.engine), job.request
        return None if info is None or request is None else request.steps or info.default_steps

    def _load(self, job: Job) -> WorkEstimate | None:
        """What a job asks of its engine; None before the model is there and after its end."""
        info = self._client.info_of(job.engine)
        if info is None or job.contents is None or job.planned is None:
            return None
        return estimate_layers(job.contents, job.planned.targets, job.planned.context, info)

    def _stop_current(self) -> None:
        job = self.current
        if job is None:
            return
        job.state = "stopping"
        if job.request is not None:
            self._client.cancel(job.request.job_id)
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
        self._client.forget_previews()
        self.previews_cleared.emit()

    def _ended(self, job: Job, state: JobState) -> None:
        self.jobs.ended(job, state)
        self.job_changed.emit(job)


def _new_job(
    document: Document, job_id: int, scope: Scope, planned: Plan, engine: EngineChoice
) -> Job:
    settings = document.settings
    return Job(
        id=job_id,
        scope=scope,
        target_ids=tuple(layer.id for layer in planned.targets),
        names={layer.id: shown_name(layer) for layer in planned.targets},
        picture_seed=settings.seed if settings.seed_mode == "fixed" else secrets.randbelow(2**32),
        seeds=document.take_next_seeds(layer.id for layer in planned.targets),
        prompt=document.prompt,
        variations=settings.variations,
        engine=engine.name,
        engine_title=engine.title,
    )


def _canvas_trouble(canvas: Size, info: ModelInfo | None) -> Message | None:
    if info is None or canvas.is_multiple_of(info.canvas_multiple):
        return None
    return Message(
        kind="error",
        what=f"The canvas is {canvas.width} × {canvas.height}; this model needs sides that are "
        f"multiples of {info.canvas_multiple}.",
        kept="Nothing was started and nothing was changed.",
        advice="Choose another size in Canvas Size.",
    )


def _with_seeds(job: Job) -> Contents:
    """The document as the runs see it: a seed for this job alone counts as a pinned one."""
    assert job.contents is not None  # a run is under way
    layers = [layer for layer in job.contents.layers if layer.id in job.seeds]
    return job.contents.with_layers(replace(each, seed=job.seeds[each.id]) for each in layers)


def _stop_clock(job: Job, at: float) -> None:
    """The job ends before its time: what it took is known by the clock alone."""
    if job.began is not None:
        job.seconds = at - job.began
