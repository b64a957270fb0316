"""The engine's boundary faked, for tests, benches and tools: no torch, no weights, known pixels.

The installed package does not include this module.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from engine import (
    Assigned,
    Box,
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
    Vocabulary,
)

LOADING = StateChanged(state="loading")


FAKE = ModelInfo(
    name="fake",
    file_hash="f" * 64,
    token_px=32,
    canvas_multiple=64,
    trained_canvases=((512, 512), (640, 512)),
    max_foregrounds=50,
    default_steps=12,
    default_cfg_scale=3.0,
    vocabulary=Vocabulary(("balloon", "castle", "dog"), ("flat",), ("red", "blue"), ("sky",)),
    parameters=1_000_000,
    device="cpu",
    precision="fp32",
    threads=1,
)


def model_info(**changes: Any) -> ModelInfo:
    return replace(FAKE, **changes)


def ready(info: ModelInfo | None = None) -> StateChanged:
    return StateChanged(state="ready", info=info or model_info())


# ---- results ----


def paint(seed: int, box: Box, *, is_background: bool = False, salt: str = "") -> np.ndarray:
    """(h, w, 4) uint8 by seed, size and salt alone: a disc on transparency, or a gradient."""
    width, height = box[2] - box[0], box[3] - box[1]
    digest = hashlib.sha256(f"{seed}{salt}".encode()).digest()
    colour = np.frombuffer(digest[:3], np.uint8).astype(np.float32)
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    rgba = np.empty((height, width, 4), np.uint8)
    shade = 0.6 + 0.4 * rows / max(1, height - 1)
    rgba[..., :3] = (colour[None, None] * shade[..., None]).astype(np.uint8)
    rgba[..., 3] = 255
    if not is_background:
        across = (columns - width / 2 + 0.5) / (width / 2)
        down = (rows - height / 2 + 0.5) / (height / 2)
        edge = (1.0 - np.sqrt(across**2 + down**2)) * min(width, height) / 4
        rgba[..., 3] = (np.clip(edge, 0, 1) * 255).astype(np.uint8)
        rgba[rgba[..., 3] == 0] = 0
    return rgba


def result_for(layer: LayerRequest, salt: str = "") -> LayerResult:
    rgba = paint(layer.seed, layer.box, is_background=layer.kind == "background", salt=salt)
    return LayerResult(
        layer_id=layer.layer_id, kind=layer.kind, box=layer.box, seed=layer.seed, rgba=rgba
    )


def previews_of(request: GenerateRequest) -> list[Preview]:
    """A rough picture of each target."""
    made = [result_for(layer) for layer in request.layers if layer.is_target]
    job = request.job_id
    return [
        Preview(job_id=job, layer_id=each.layer_id, box=each.box, rgba=each.rgba[::16, ::16])
        for each in made
    ]


def finished(request: GenerateRequest, info: ModelInfo | None = None, **changes: Any) -> Finished:
    """The good end of a job, with changes."""
    info = info or model_info()
    made = Finished(
        job_id=request.job_id,
        results=tuple(result_for(layer) for layer in request.layers if layer.is_target),
        steps=request.steps or info.default_steps,
        cfg_scale=request.cfg_scale or info.default_cfg_scale,
        clean_colours=request.clean_colours != "off",
        seconds=1.5,
        cache_hits=0,
        cache_misses=0,
        unknown_words=(),
        model_name=info.name,
        model_hash=info.file_hash,
        device=info.device,
        precision=info.precision,
        threads=info.threads,
        torch_version="0",
    )
    return replace(made, **changes)


# ---- the engine ----


class FakeEngine:
    """Records requests; says what its user scripts, or what `work` says for each job."""

    def __init__(
        self,
        emit: Callable[[Event], None],
        *,
        info: ModelInfo | None = None,
        opening: Sequence[Event] = (),  # events at the start
        # runs each job on a thread of its own; it looks at `is_stopped`. None = jobs wait for
        # `begin`, `finish`, `fail` and `end_cancelled`.
        work: Callable[[FakeEngine, GenerateRequest], None] | None = None,
        # whether scripted events come from another thread, as the real engine's do
        on_own_thread: bool = True,
    ) -> None:
        self.emit = emit
        self.info = info or model_info()
        self._opening = opening
        self._work = work
        self._on_own_thread = on_own_thread
        self._stop = threading.Event()
        self._worker: threading.Thread | None = None
        self.requests: list[GenerateRequest] = []  # every job, in order
        self.cancelled: list[int | None] = []  # every job id; None stands for all of them
        self.shutdowns: list[int] = []  # the thread of each call of `shutdown`
        self.words: dict[int, str] = {}  # that results show, by layer id; others show no word
        self.left_empty: dict[int, str] = {}  # why, by layer id; other boxes are painted
        self.is_started = False

    # ---- the engine's face ----

    def start(self) -> None:
        self.is_started = True
        for event in self._opening:
            self.emit(event)

    def submit(self, request: GenerateRequest) -> None:
        self.requests.append(request)
        if self._work is not None:
            self._stop.clear()
            self._worker = threading.Thread(target=self._work, args=(self, request), daemon=True)
            self._worker.start()

    def cancel(self, job_id: int | None = None) -> None:
        self.cancelled.append(job_id)
        self._stop.set()

    def shutdown(self, timeout_s: float = 10.0) -> bool:
        self.shutdowns.append(threading.get_ident())
        self._stop.set()
        if self._worker is not None:
            self._worker.join(timeout_s)
            self.emit(StateChanged(state="stopped"))
        return True

    # ---- what the user scripts ----

    @property
    def is_stopped(self) -> bool:
        return self._stop.is_set()

    @property
    def last(self) -> GenerateRequest:
        return self.requests[-1]

    def say(self, *events: Event) -> None:
        if not self._on_own_thread:
            for event in events:
                self.emit(event)
            return
        thread = threading.Thread(target=lambda: [self.emit(event) for event in events])
        thread.start()
        thread.join()

    def get_ready(self, info: ModelInfo | None = None) -> None:
        self.say(LOADING, ready(info or self.info))

    def begin(self, request: GenerateRequest | None = None, steps: int = 0) -> None:
        """Start a job and take it some steps further, with a preview of each target."""
        request, total = request or self.last, self.info.default_steps
        job = request.job_id
        self.say(
            StateChanged(state="generating"),
            Started(job_id=job, total_steps=total, unknown_words=()),
            Assigned(job_id=job, words=tuple(self.words.items())),
            *(
                Progress(job_id=job, step=step, total=total, seconds_left=0.6 * (total - step))
                for step in range(1, steps + 1)
            ),
        )
        if steps:
            self.preview(request)

    def preview(self, request: GenerateRequest | None = None) -> None:
        self.say(*previews_of(request or self.last))

    def finish(self, request: GenerateRequest | None = None) -> None:
        request = request or self.last
        results = tuple(self._result(layer) for layer in request.layers if layer.is_target)
        self.say(finished(request, self.info, results=results), ready(self.info))

    def _result(self, layer: LayerRequest) -> LayerResult:
        made, why = result_for(layer), self.left_empty.get(layer.layer_id)
        if why is not None:
            return replace(made, rgba=np.zeros_like(made.rgba), left_empty=why)
        return replace(made, word=self.words.get(layer.layer_id))

    def fail(self, kind: str = "internal", message: str = "RuntimeError: no") -> None:
        said = {"message": message, "advice": "Try again.", "details": "Traceback: …"}
        failed = Failed(job_id=self.last.job_id, kind=kind, **said)  # type: ignore[arg-type]
        self.say(failed, ready(self.info))

    def end_cancelled(self, request: GenerateRequest | None = None) -> None:
        request = request or self.last
        self.say(JobCancelled(job_id=request.job_id), ready(self.info))
