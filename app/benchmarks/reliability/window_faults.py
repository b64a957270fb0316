"""REL5 in the real window: each fault at each step; it stays live and the next job runs.

Window, bridge and the engine's thread are the real ones. Only the generator is scripted: it stands
where `engine.pipeline` would, so torch is never imported. Runs in a process of its own.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any

from app.benchmarks.reliability.figure import Figure
from app.benchmarks.reliability.scripted_desk import INFO, STEPS
from app.benchmarks.reliability.walk import random_command, start
from app.benchmarks.reliability.window_desk import WindowDesk
from app.document.commands import ReplaceDocument
from app.session.client import engine_factory
from app.testing import finished, previews_of
from engine import EngineError, Event, GenerateRequest, JobCancelled, Progress, Started

MAX_GAP_S, MAX_STOP_S, MAX_RESTART_S = 0.1, 0.5, 5.0
FAULTS = ("exception", "memory", "refused", "cancel", "hang")
_STEP_S = 0.01
_PATIENCE_S = 60.0


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
        """There is nothing to load."""
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
                if fault == "cancel":  # a busy machine must not let the job end before the stop
                    _wait_for(should_stop)
                elif fault:
                    self._fail(fault)
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
    """`count` documents × every step × every fault.

    Args:
        judges_time: whether a gap, a stop or a restart that takes too long is a failure. They are
            measured in any case.
    """
    figure = Figure("REL5 engine, real window", "ended jobs")
    stand_in = ModuleType("engine.pipeline")
    stand_in.LayerPipeline = ScriptedPipeline  # type: ignore[attr-defined]
    sys.modules["engine.pipeline"] = stand_in
    with WindowDesk(engine_factory(1)) as desk:
        desk.window.session.bridge.start()  # type: ignore[union-attr]
        for number in range(seed, seed + count):
            for step in range(STEPS + 1):
                for fault in FAULTS:
                    _one_fault(figure, desk, number, step, fault)
                    figure.runs += 1
        ScriptedPipeline.goes_on.set()  # whoever hangs may end before the process does
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


def _one_fault(figure: Figure, desk: WindowDesk, seed: int, step: int, fault: str) -> None:
    window, script = desk.window, ScriptedPipeline
    assert window is not None
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
    elif fault == "cancel":
        desk.until(lambda: job.step >= step)
        window.actions_["stop"].trigger()
        stopped = desk.until(lambda: job.has_ended and bridge.state == "ready")
        figure.peak(_STOP, 1000 * stopped)
    else:
        desk.until(lambda: job.has_ended and bridge.state == "ready")
        if not window.messages.isVisible():
            figure.fail(f"{where}: nothing was said")
    figure.peak(_GAP, 1000 * desk.gaps.stop())
    if session.document.content_hash() != before or session.undo.index != steps:
        figure.fail(f"{where}: the document changed")
    if not job.has_ended:
        figure.fail(f"{where}: the job still counts as running")
    _next_job(figure, desk, where)


def _next_job(figure: Figure, desk: WindowDesk, where: str) -> None:
    assert desk.window is not None
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
