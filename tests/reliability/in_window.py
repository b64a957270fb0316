"""REL5 and REL7 in the real window; each runs in a process of its own.

REL5: each end of a job at each step; the window stays live and the next job runs. Window, queue
and the engine's thread are the real ones. Only the pipeline is scripted: it is put where
`engine.pipeline` would be, so torch is never imported.

REL7: commands, undo, generations, saves, journal. Resident memory is read after collection once
the caches are full, and at the end; nothing is left of the window afterwards.
"""

from __future__ import annotations

import gc
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any
from weakref import ReferenceType, ref

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from shiboken6 import isValid

from app.benchmarks.window import Desk
from app.document.commands import ReplaceDocument
from app.document.storage.ora.file import save_project
from app.session.client import engine_factory
from app.testing import FakeEngine, finished, model_info, previews_of, ready
from app.ui.session import MakeEngine
from engine import EngineError, Event, GenerateRequest, JobCancelled, Progress, Started
from tests.reliability.figure import Figure
from tests.reliability.process import OwnTime, resident_mb
from tests.reliability.random_edits import MAKERS, random_command, start

MAX_GAP_S, MAX_STOP_S, MAX_RESTART_S = 0.1, 0.5, 5.0
TOLD = ("exception", "memory", "refused")
FAULTS = (*TOLD, "cancel", "late", "vanish", "hang")
STEPS = 4
INFO = model_info(
    token_px=16, canvas_multiple=16, trained_canvases=((96, 64),), default_steps=STEPS
)
_STEP_S = 0.01
_PATIENCE_S = 60.0


# ---- a window that is watched ----

_TICK_MS = 10
_LONGEST_WAIT_S = 600.0


class WatchedDesk(Desk):
    """A window with the gaps of its event loop, and waits that leave other programs out."""

    def __init__(self, *, make_engine: MakeEngine, work_root: Path | None = None) -> None:
        super().__init__(make_engine=make_engine, work_root=work_root)
        self.time, self.gaps = OwnTime(), Gaps()

    def __exit__(self, *_: object) -> None:
        self.gaps.timer.stop()
        super().__exit__()

    def until(self, is_so: Callable[[], bool]) -> float:
        """Handle events until it is so; seconds that took, waiting for a processor left out."""
        began, limit = self.time.now(), time.monotonic() + _LONGEST_WAIT_S
        while not is_so():
            self.app.processEvents()
            time.sleep(0.001)
            if time.monotonic() > limit:
                raise TimeoutError("the window waits for something that does not come")
        return max(0.0, self.time.now() - began)


class Gaps:
    """How long the event loop was not heard of, at most, since `start`.

    What the system made our threads wait for a processor is taken off: on a machine with other work
    it is not the window's doing. Since threads wait side by side that may take off too much, so
    what the window's thread itself computed counts in any case.
    """

    def __init__(self) -> None:
        self.longest_s = 0.0
        self._time = OwnTime()
        self._last = (0.0, 0.0)
        self.timer = QTimer()
        self.timer.setInterval(_TICK_MS)
        self.timer.timeout.connect(self._tick)

    def start(self) -> None:
        self.longest_s = 0.0
        self._last = (self._time.now(), time.thread_time())
        self.timer.start()

    def stop(self) -> float:
        """The longest gap so far, seconds."""
        self._tick()
        self.timer.stop()
        return self.longest_s

    def _tick(self) -> None:
        now = (self._time.now(), time.thread_time())
        gaps = (after - before for after, before in zip(now, self._last))
        self.longest_s = max(self.longest_s, *gaps)
        self._last = now


# ---- REL5 ----


class _NoCache:
    """What the worker asks of a cache: a budget, and to be emptied when memory is short."""

    budget_bytes = 0

    def clear(self) -> None:
        """There is nothing in it."""


class ScriptedPipeline:
    """Stands in for `engine.pipeline.LayerPipeline`: at one step it does what the script says."""

    fault = ""
    at_step = 0
    hangs = threading.Event()
    goes_on = threading.Event()
    info = INFO

    def __init__(self) -> None:
        self.cache = _NoCache()

    @classmethod
    def load(cls, path: Path | None = None, **_: Any) -> ScriptedPipeline:
        return cls()

    def warm_cache(self, *_: object) -> None:
        """Nothing is kept of finished layers."""

    def run(
        self,
        request: GenerateRequest,
        *,
        emit: Callable[[Event], None],
        should_stop: Callable[[], bool],
    ) -> Event:
        """A job of a few short steps; called on the engine's thread."""
        script = ScriptedPipeline
        fault, script.fault = script.fault, ""
        emit(Started(job_id=request.job_id, total_steps=STEPS, unknown_words=()))
        for step in range(STEPS + 1):
            if step == script.at_step:
                if fault in ("cancel", "late"):  # on a busy machine the stop may come late
                    _wait_for(should_stop)
                elif fault and fault != "vanish":
                    self._fail(fault)
                if fault == "late":  # stopped, and its result comes all the same
                    break
                if fault == "vanish":  # the engine ends the job by itself
                    return JobCancelled(job_id=request.job_id)
            if should_stop():
                return JobCancelled(job_id=request.job_id)
            if step < STEPS:
                emit(Progress(job_id=request.job_id, step=step + 1, total=STEPS, seconds_left=0.0))
                for event in previews_of(request):
                    emit(event)
            time.sleep(_STEP_S)
        return finished(request, INFO)

    @staticmethod
    def _fail(fault: str) -> None:
        match fault:
            case "exception":
                raise RuntimeError("from a script")
            case "memory":
                raise MemoryError
            case "refused":
                raise EngineError("The script refuses.", advice="Try again.")
            case _:  # inside an operation that does not come back
                ScriptedPipeline.hangs.set()
                ScriptedPipeline.goes_on.wait()


def _wait_for(is_so: Callable[[], bool]) -> None:
    """On the engine's thread, as long as a user may need."""
    limit = time.monotonic() + _PATIENCE_S
    while not is_so() and time.monotonic() < limit:
        time.sleep(0.001)


def window_faults(count: int, seed: int, *, judges_time: bool = True) -> Figure:
    """`count` documents × every step × every end of a job.

    Gaps, stops and restarts are measured in any case; `judges_time` makes long ones failures.
    """
    figure = Figure("REL5 engine", "ended jobs")
    stand_in = ModuleType("engine.pipeline")
    stand_in.LayerPipeline = ScriptedPipeline  # type: ignore[attr-defined]
    sys.modules["engine.pipeline"] = stand_in
    with WatchedDesk(make_engine=engine_factory(1)) as desk:
        for number in range(seed, seed + count):
            for step in range(STEPS + 1):
                for fault in FAULTS:
                    _one_fault(figure, desk, number, step, fault)
                    figure.runs += 1
        ScriptedPipeline.goes_on.set()  # threads that hang may end before the process does
    if judges_time:
        for name, limit in _LIMITS.items():
            if figure.peaks.get(name, 0.0) > 1000 * limit:
                figure.fail(f"seeds from {seed}: {name.format(figure.peaks[name])}")
    return figure


_GAP, _STOP, _RESTART = (
    "longest gap {:.0f} ms",
    "stopped after at most {:.0f} ms",
    "restarted after at most {:.0f} ms",
)
_LIMITS = {_GAP: MAX_GAP_S, _STOP: MAX_STOP_S, _RESTART: MAX_RESTART_S}


def _one_fault(figure: Figure, desk: WatchedDesk, seed: int, step: int, fault: str) -> None:
    window, script = desk.window, ScriptedPipeline
    session, bridge = window.session, window.session.bridge
    where = f"seed {seed}, step {step}, {fault}"
    source = Random(f"{seed}:{step}:{fault}")
    document = start(source)
    for _ in range(5):
        random_command(document, source)
    session.push(ReplaceDocument(document.contents))
    desk.until(lambda: bridge.state == "ready")
    if not bridge.plan("picture").targets:
        figure.count("without a target")
        return
    script.fault, script.at_step = fault, step
    script.hangs.clear()
    before, steps = session.document.content_hash(), session.undo.index
    window.messages.dismiss()
    desk.gaps.start()
    window.actions_["generate_all"].trigger()
    job = bridge.current
    if job is None:
        figure.fail(f"{where}: the job did not begin")
        return
    if fault == "hang":
        desk.until(script.hangs.is_set)
        bridge.restart()  # what the action does once the silence has been noticed
        figure.peak(_RESTART, 1000 * desk.until(lambda: bridge.state == "ready"))
    elif fault in ("cancel", "late"):
        desk.until(lambda: job.step >= step)
        window.actions_["stop"].trigger()
        stopped = desk.until(lambda: job.has_ended and bridge.state == "ready")
        figure.peak(_STOP, 1000 * stopped)
    else:
        desk.until(lambda: job.has_ended and bridge.state == "ready")
        if fault in TOLD and not window.messages.isVisible():
            figure.fail(f"{where}: nothing was said")
    figure.peak(_GAP, 1000 * desk.gaps.stop())
    if session.document.content_hash() != before or session.undo.index != steps:
        figure.fail(f"{where}: the document changed")
    if not job.has_ended:
        figure.fail(f"{where}: the job still counts as running")
    _next_job(figure, desk, where)


def _next_job(figure: Figure, desk: WatchedDesk, where: str) -> None:
    session, bridge = desk.window.session, desk.window.session.bridge
    before = session.document.content_hash()
    desk.window.actions_["generate_all"].trigger()
    again = bridge.current
    if again is None:
        figure.fail(f"{where}: the next job did not begin")
        return
    desk.until(lambda: again.has_ended and bridge.state == "ready")
    if again.state != "finished" or session.document.content_hash() == before:
        figure.fail(f"{where}: the next job {again.state}")


# ---- REL7 ----

MAX_GROWTH_MB = 50.0
GREW = "grew by {:.0f} MB"
JOB_EVERY = 40  # commands: some 250 generations in 10,000
WARM_UP = 0.2  # of all commands: until the caches and the undo stack have their size


def window_soak(count: int, seed: int) -> Figure:
    """`count` commands in a shown window, with a generation and a save every so often."""
    figure = Figure("REL7 memory", "commands")
    source = Random(seed)
    engines: list[FakeEngine] = []

    def make(emit: Callable[..., None]) -> FakeEngine:
        engines.append(FakeEngine(emit, info=INFO, opening=(ready(INFO),), on_own_thread=False))
        return engines[-1]

    with tempfile.TemporaryDirectory() as folder:
        with WatchedDesk(make_engine=make, work_root=Path(folder)) as desk:
            file = Path(folder, "design.ora")
            grown, watched = _use_window(figure, desk, engines, source, count, file)
        engines.clear()
        del desk
        gc.collect()
    figure.peak(GREW, max(0.0, grown))
    if grown > MAX_GROWTH_MB:
        figure.fail(f"seed {seed}: resident memory grew by {grown:.0f} MB")
    _check_nothing_is_left(figure, seed, watched)
    return figure


def _use_window(
    figure: Figure,
    desk: WatchedDesk,
    engines: list[FakeEngine],
    source: Random,
    count: int,
    file: Path,
) -> tuple[float, list[ReferenceType[Any]]]:
    """All the commands; the MB that the process grew, and what must be gone after closing."""
    window, session = desk.window, desk.window.session
    threads = threading.active_count()
    desk.until(lambda: session.bridge.state == "ready")
    full = 0.0
    for number in range(count):
        _step(desk, source, number)
        if number % JOB_EVERY == JOB_EVERY - 1:
            _generate(figure, desk, engines[-1])
        if number % 100 == 99:
            save_project(session.document.contents, file)
        if number == int(count * WARM_UP):
            full = resident_mb()
        figure.runs += 1
    desk.until(lambda: not session.pictures.is_busy and not session.files.is_busy)
    grown = resident_mb() - full
    if threading.active_count() > threads + 2:  # files and pictures have one each
        figure.fail(f"{threading.active_count() - threads} new threads")
    watched: list[ReferenceType[Any]] = [ref(session.document), ref(session), ref(window)]
    images = [layer.image for layer in session.document.layers if layer.image is not None]
    watched += [ref(image) for image in images]
    session.selection.set([])
    return grown, watched


def _step(desk: WatchedDesk, source: Random, number: int) -> None:
    window, session = desk.window, desk.window.session
    if number % 500 == 499:  # a picture grows without end otherwise
        session.push(ReplaceDocument(start(source).contents))
    elif source.random() < 0.2:
        window.actions_["undo"].trigger()
    else:
        make = MAKERS[source.choice(list(MAKERS))]
        session.push(make(session.document, source))
    ids = [layer.id for layer in session.document.layers]
    if ids and source.random() < 0.2:
        session.selection.set(source.sample(ids, min(len(ids), source.randint(1, 3))))
    desk.app.processEvents()


def _generate(figure: Figure, desk: WatchedDesk, engine: FakeEngine) -> None:
    bridge = desk.window.session.bridge
    desk.window.actions_["generate_all"].trigger()
    job = bridge.current
    if job is None:
        return
    request = engine.requests[-1]
    engine.begin(request, STEPS)
    engine.finish(request)
    desk.until(lambda: job.has_ended)
    engine.requests.clear()
    figure.count("generations")


def _check_nothing_is_left(figure: Figure, seed: int, watched: list[ReferenceType[Any]]) -> None:
    left = [type(each()).__name__ for each in watched if each() is not None]
    if left:
        figure.fail(f"seed {seed}: still there after closing: {', '.join(sorted(set(left)))}")
    threads = [each.name for each in threading.enumerate() if "layerloom" in each.name]
    if threads:
        figure.fail(f"seed {seed}: threads are left: {threads}")
    timers = [
        each
        for each in gc.get_objects()
        if type(each) is QTimer and isValid(each) and each.isActive()
    ]
    if timers:
        figure.fail(f"seed {seed}: {len(timers)} timers are left")
    if QApplication.topLevelWidgets():
        names = [type(each).__name__ for each in QApplication.topLevelWidgets()]
        figure.fail(f"seed {seed}: widgets are left: {names}")
