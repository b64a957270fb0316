"""An engine that does what a script says, on the caller's thread, and a loop that runs when asked.

Pixels depend on seed and box alone. Together with the real bridge this is everything between
document and engine except torch.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from engine import (
    Event,
    Failed,
    Finished,
    GenerateRequest,
    JobCancelled,
    LayerRequest,
    LayerResult,
    ModelInfo,
    Preview,
    Progress,
    Started,
    StateChanged,
)

STEPS = 4
SHORT_S = 0.1  # previews are gathered for less, watchdogs wait for more
INFO = ModelInfo(
    name="scripted",
    file_hash="0" * 64,
    token_px=16,
    canvas_multiple=16,
    trained_canvases=((96, 64),),
    max_foregrounds=50,
    default_steps=STEPS,
    default_cfg_scale=3.0,
    nouns=("castle",),
    looks=(),
    colours=(),
    backgrounds=(),
    parameters=0,
    device="cpu",
    precision="fp32",
    threads=1,
)


class HandLoop:
    """Keeps callbacks until `run`. Time does not pass: what waits for some of it never comes."""

    def __init__(self) -> None:
        self._callbacks: deque[tuple[Callable[..., object], tuple[Any, ...]]] = deque()

    def call_soon_threadsafe(self, callback: Callable[..., object], *args: Any) -> None:
        self._callbacks.append((callback, args))

    def call_later(self, delay: float, callback: Callable[..., object], *args: Any) -> HandTimer:
        """A short delay is over at once; a watchdog's never is."""
        if delay <= SHORT_S:
            self._callbacks.append((callback, args))
        return HandTimer()

    def run(self) -> None:
        """Call everything that waits, and what that leads to."""
        while self._callbacks:
            callback, args = self._callbacks.popleft()
            callback(*args)


class HandTimer:
    """What `call_later` gives back."""

    def cancel(self) -> None:
        """Nothing runs by itself, so there is nothing to stop."""


class ScriptedEngine:
    """Takes jobs; the script says when each goes on and how it ends."""

    def __init__(self, emit: Callable[[Event], None]) -> None:
        self._emit = emit
        self.requests: list[GenerateRequest] = []
        self.cancelled: list[int | None] = []

    def start(self) -> None:
        self._emit(StateChanged(state="ready", info=INFO))

    def submit(self, request: GenerateRequest) -> None:
        self.requests.append(request)

    def cancel(self, job_id: int | None = None) -> None:
        self.cancelled.append(job_id)

    def shutdown(self, timeout_s: float = 10.0) -> bool:
        return True

    def go_on(self, request: GenerateRequest, steps: int) -> None:
        """Start the job and take so many steps, with previews."""
        self._emit(StateChanged(state="generating"))
        self._emit(Started(job_id=request.job_id, total_steps=STEPS, unknown_words=()))
        for step in range(1, steps + 1):
            self._emit(Progress(job_id=request.job_id, step=step, total=STEPS, seconds_left=0.0))
            for event in preview(request):
                self._emit(event)

    def finish(self, request: GenerateRequest) -> None:
        """End the job well."""
        self._emit(finished(request))
        self._emit(StateChanged(state="ready", info=INFO))

    def fail(
        self, request: GenerateRequest, kind: Literal["memory", "request", "internal"]
    ) -> None:
        """End the job with an error."""
        self._emit(
            Failed(
                job_id=request.job_id, kind=kind, message="scripted", advice="", details="details"
            )
        )
        self._emit(StateChanged(state="ready", info=INFO))

    def end_cancelled(self, request: GenerateRequest) -> None:
        """End the job as one that was cancelled."""
        self._emit(JobCancelled(job_id=request.job_id))
        self._emit(StateChanged(state="ready", info=INFO))


def preview(request: GenerateRequest) -> list[Preview]:
    """A rough picture of each target."""
    return [
        Preview(
            job_id=request.job_id,
            layer_id=layer.layer_id,
            box=layer.box,
            rgba=paint(layer)[::8, ::8],
        )
        for layer in request.layers
        if layer.is_target
    ]


def finished(request: GenerateRequest) -> Finished:
    """The good end of a job."""
    return Finished(
        job_id=request.job_id,
        results=tuple(_result(each) for each in request.layers if each.is_target),
        steps=STEPS,
        cfg_scale=3.0,
        clean_colours=request.clean_colours != "off",
        seconds=0.1,
        cache_hits=0,
        cache_misses=0,
        unknown_words=(),
        model_name=INFO.name,
        model_hash=INFO.file_hash,
        device="cpu",
        precision="fp32",
        threads=1,
        torch_version="0",
    )


def paint(layer: LayerRequest) -> np.ndarray:
    """Pixels of a target: noise of its seed with a transparent frame."""
    x0, y0, x1, y1 = layer.box
    digest = hashlib.sha256(f"{layer.seed}:{x1 - x0}:{y1 - y0}".encode()).digest()
    rng = np.random.default_rng(int.from_bytes(digest[:8], "big"))
    rgba = rng.integers(0, 256, (y1 - y0, x1 - x0, 4), dtype=np.uint8)
    rgba[0] = 0
    return rgba


def _result(layer: LayerRequest) -> LayerResult:
    return LayerResult(
        layer_id=layer.layer_id,
        kind=layer.kind,
        box=layer.box,
        seed=layer.seed,
        rgba=paint(layer),
    )
