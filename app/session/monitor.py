"""The engine's monitor: how fast it is, and whether it still answers. It learns from every job.

Short calibration jobs show the speed of a machine before the first real one. Knows neither the
engine nor the document: what it asks of the engine goes through two functions. All on the UI
thread.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Literal, Protocol

from psygnal import Signal

from app.session.estimates import Costs, key_of
from engine import (
    Event,
    Failed,
    Finished,
    GenerateRequest,
    JobCancelled,
    LayerRequest,
    ModelInfo,
    Progress,
    Vocabulary,
    WorkEstimate,
    estimate,
)
from engine import Started as StartedEvent

WATCH_INTERVAL_S = 0.5
# From the model's announcement to the end of all measuring, waiting for the window included. Users
# wait 2 s at most; a run that is cancelled ends a little later.
MEASURE_LIMIT_S = 1.8
# The window is idle once its thread has computed for less than this part of such a time.
IDLE_SLICE_S = 0.1
IDLE_PART = 0.3
IDLE_LIMIT_S = 0.6  # what is still busy then is measured as it is
# Silence of the engine that is shown, and that is taken for a hang.
QUIET_S = 5.0
QUIET_STEPS = 10
HUNG_S = 60.0
Level = Literal["", "quiet", "hung"]
# Calibration jobs: steps, cells of the small box, boxes of the two pictures.
PROBE_STEPS = 2
_CELLS = 2
_FEW, _MANY = 3, 6


class Later(Protocol):
    """What is used of an asyncio loop."""

    def call_later(self, delay: float, callback: Callable[..., object], *args: Any) -> Any: ...


class EngineMonitor:
    """The engine's speed and pulse.

    Args:
        submit: starts a probe; False when the engine has something better to do.
        cancel: ends one.
        next_id: a job id that was never used.
        clock: monotonic seconds.
        work: seconds that the calling thread has computed.
    """

    costs_changed = Signal()  # times are predicted from other numbers now
    # level, seconds: the engine is "quiet" or "hung"; "" = it answers.
    silence_changed = Signal(str, float)

    def __init__(
        self,
        loop: Later,
        submit: Callable[[GenerateRequest], bool],
        cancel: Callable[[int], None],
        next_id: Callable[[], int],
        clock: Callable[[], float],
        work: Callable[[], float],
    ) -> None:
        # Whether short jobs are timed when nothing is known about the machine.
        self.measures = False
        # Whether they are being timed, or are about to be; two seconds at most.
        self.is_measuring = False
        # What was learnt before, by model and machine; changed in place.
        self.saved: dict[str, Any] = {}
        self.costs = Costs()
        self.times = StepTimes()  # of the present run
        self._loop = loop
        self._submit = submit
        self._cancel = cancel
        self._next_id = next_id
        self._clock = clock
        self._work = work
        self._info: ModelInfo | None = None
        self._expected_step_s: float | None = None
        self._last_sign: float | None = None  # of life; None = nothing is asked of the engine
        self._watch_is_due = False
        self._level: Level = ""
        self._probes: list[GenerateRequest] = []
        self._probe_estimates: dict[int, WorkEstimate] = {}
        self._measuring = 0  # a number for each time that was measured
        self._ends_at = 0.0

    # ---- what a run tells ----

    def run_begins(self, load: WorkEstimate | None) -> None:
        self.times = StepTimes()
        self._expected_step_s = None if load is None else self.costs.step_seconds(load)
        self._last_sign = self._clock()
        self._watch_soon()

    def run_ended(self, load: WorkEstimate | None, total: int, at: float) -> None:
        """A run ended well: learn from it."""
        if self._info is None or load is None:
            return
        times = self.times
        if self._info.server:
            # A server tells its steps in no even pace, or not at all: only the whole job counts.
            began = at if times.started is None else times.started
            step = (at - began) / load.steps
            self.costs.add_job(load, [step], step, 0.0)
        else:
            self.costs.add_job(
                load,
                times.step_seconds(total),
                times.start_seconds(),
                times.decoding_seconds(total, at),
            )
        self.saved[key_of(self._info)] = self.costs.to_json()
        self.costs_changed.emit()

    def heard(self, at: float) -> None:
        if self._last_sign is not None:
            self._last_sign = at

    def all_answered(self) -> None:
        """Nothing is asked of the engine any more."""
        self._last_sign = None
        if self._level:
            self._level = ""
            self.silence_changed.emit("", 0.0)

    def reset(self, *, is_busy: bool = False) -> None:
        """Another engine follows, of which nothing is known yet.

        Args:
            is_busy: a run of the former engine goes on, and its pulse is watched.
        """
        self._probe_estimates.clear()
        self._end_measuring()
        self._info = None
        if not is_busy:
            self.all_answered()

    # ---- watching ----

    def _watch_soon(self) -> None:
        if not self._watch_is_due:
            self._watch_is_due = True
            self._loop.call_later(WATCH_INTERVAL_S, self._watch)

    def _watch(self) -> None:
        self._watch_is_due = False
        if self._last_sign is None:
            return
        now = self._clock()
        if self._info is None:  # a model may take its time to load
            self._last_sign = now
        silent = max(0.0, now - self._last_sign)
        level: Level = "hung" if silent >= HUNG_S else ""
        if not level and silent >= max(QUIET_S, QUIET_STEPS * (self._expected_step_s or 0.0)):
            level = "quiet"
        if level or self._level:
            self._level = level
            self.silence_changed.emit(level, silent)
        self._watch_soon()

    # ---- measuring ----

    @property
    def is_probing(self) -> bool:
        return bool(self._probe_estimates)

    def model_ready(self, info: ModelInfo) -> None:
        """The model is there: take up what was learnt about it, or measure. Repeats are ignored."""
        if self._info == info:
            return
        self._info = info
        self.costs = Costs.from_json(self.saved.get(key_of(info)))
        self.costs_changed.emit()
        if self.measures and not self.costs.is_known and not info.server:
            self._measure()

    def measure_again(self) -> None:
        """Forget what was learnt about this machine and time the short jobs again."""
        self.costs = Costs()
        self.costs_changed.emit()
        self._measure()

    def _measure(self) -> None:
        if self._info is None or self.is_measuring or self.is_probing or self._info.server:
            return
        self._measuring += 1
        self._probes = probes(self._info, self._next_id)
        begun = self._clock()
        self._ends_at = begun + MEASURE_LIMIT_S
        self._loop.call_later(MEASURE_LIMIT_S, self._on_limit, self._measuring)
        self._show_measuring(True)
        self._look_later(begun)

    def _look_later(self, begun: float) -> None:
        state = (self._measuring, begun, self._clock(), self._work())
        self._loop.call_later(IDLE_SLICE_S, self._look, *state)

    def _look(self, number: int, begun: float, then: float, worked: float) -> None:
        """Begin as soon as the window is idle: what it computes would count as the engine's."""
        if number != self._measuring or not self.is_measuring:
            return
        now = self._clock()
        is_idle = self._work() - worked <= IDLE_PART * (now - then)
        if is_idle or now - begun >= IDLE_LIMIT_S:
            self._next_probe()
        else:
            self._look_later(begun)

    def _next_probe(self) -> None:
        request = self._pick_probe()
        if request is None or self._info is None:
            self._end_measuring()
            return
        self._probes.remove(request)
        self.times = StepTimes()
        if self._submit(request):
            self._probe_estimates[request.job_id] = estimate(request, self._info)
        else:  # the engine has something better to do
            self._end_measuring()

    def _pick_probe(self) -> GenerateRequest | None:
        """The quickest, then the longest that should end in time: one size says little."""
        left = self._ends_at - self._clock()
        if self._info is None or left <= 0:
            return None
        sizes = len(self.costs.steps)
        if sizes:
            for request in reversed(self._probes):
                if (self.costs.seconds(estimate(request, self._info)) or 0.0) < left:
                    return request
        return self._probes[0] if self._probes and sizes < 2 else None

    def _on_limit(self, number: int) -> None:
        if number == self._measuring:
            self.cancel_probes()

    def cancel_probes(self) -> None:
        """A job needs the engine, or it takes too long."""
        for job_id in self._probe_estimates:
            self._cancel(job_id)
        self._end_measuring()

    def _end_measuring(self) -> None:
        self._probes.clear()
        self._show_measuring(False)

    def _show_measuring(self, is_measuring: bool) -> None:
        if is_measuring != self.is_measuring:
            self.is_measuring = is_measuring
            self.costs_changed.emit()

    def take_probe(self, event: Event, at: float) -> bool:
        """Whether the event was a probe's, and is dealt with."""
        job_id = getattr(event, "job_id", None)
        if job_id not in self._probe_estimates:
            return False
        if isinstance(event, StartedEvent):
            self.times.started = at
        elif isinstance(event, Progress):
            self.times.steps.append(at)
        elif isinstance(event, Finished):
            load = self._probe_estimates.pop(job_id)
            self.run_ended(load, load.steps + 1, at)
            self._next_probe()
        elif isinstance(event, (Failed, JobCancelled)):
            self._probe_estimates.pop(job_id)
            self._end_measuring()
        return True


@dataclass(slots=True)
class StepTimes:
    """Times of one run's events, monotonic seconds."""

    started: float | None = None
    steps: list[float] = field(default_factory=list)

    def step_seconds(self, total: int) -> list[float]:
        """Seconds of each sampling step but the first; the last of `total` is decoding."""
        at = self.steps[: max(0, total - 1)]
        return [later - earlier for earlier, later in pairwise(at)]

    def start_seconds(self) -> float:
        """From the start to the end of the first step."""
        if self.started is None or not self.steps:
            return 0.0
        return self.steps[0] - self.started

    def decoding_seconds(self, total: int, now: float) -> float:
        """From the last sampling step to now."""
        at = self.steps[: max(0, total - 1)]
        return now - at[-1] if at else 0.0


# ---- calibration jobs ----


def probes(info: ModelInfo, next_id: Callable[[], int]) -> list[GenerateRequest]:
    """A small box alone, and two pictures, of two steps; with previews as most jobs have them."""
    smallest = min(info.trained_canvases, key=lambda size: size[0] * size[1])
    side = info.token_px * _CELLS
    small = LayerRequest(layer_id=1, kind="foreground", box=(0, 0, side, side), seed=1)
    return [
        GenerateRequest(
            job_id=next_id(),
            canvas=canvas,
            prompt=_prompt(info),
            layers=layers,
            steps=PROBE_STEPS,
            preview_every=1,
        )
        for canvas, layers in (
            (smallest, (small,)),
            (smallest, _picture(smallest, _FEW, info.token_px)),
            (info.trained_canvases[0], _picture(info.trained_canvases[0], _MANY, info.token_px)),
        )
    ]


def _picture(canvas: tuple[int, int], count: int, step: int) -> tuple[LayerRequest, ...]:
    """A background, and square boxes in a row."""
    width, height = canvas
    side = max(step, min(width // count, height) // step * step)
    ground = LayerRequest(layer_id=0, kind="background", box=(0, 0, width, height), seed=0)
    things = (
        LayerRequest(
            layer_id=place + 1,
            kind="foreground",
            box=(place * side, 0, (place + 1) * side, side),
            seed=place + 1,
        )
        for place in range(min(count, width // side))
    )
    return (ground, *things)


def _prompt(info: ModelInfo) -> str:
    """A sentence of words of the vocabulary, with a thing for each box."""
    words = info.vocabulary or Vocabulary()
    colours = itertools.cycle(words.colours or ("new",))
    nouns = words.nouns[:_MANY]
    things = ", ".join(f"a {colour} {noun}" for noun, colour in zip(nouns, colours, strict=False))
    return " in ".join(filter(None, (things, *words.backgrounds[:1])))
