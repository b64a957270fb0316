"""FakeEngine and helpers: the engine's boundary faked; tests of the window need no torch."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from app.document import Document, Rect, Size, new_contents
from app.document.commands import Placement, PlacePixels
from engine import (
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
)

TOTAL_STEPS = 12


def model_info(**changes: object) -> ModelInfo:
    """What the shipped model announces, more or less."""
    values: dict[str, object] = {
        "name": "fake",
        "file_hash": "f" * 64,
        "token_px": 32,
        "canvas_multiple": 64,
        "trained_canvases": ((512, 512), (640, 512)),
        "max_foregrounds": 50,
        "default_steps": TOTAL_STEPS,
        "default_cfg_scale": 3.0,
        "nouns": ("balloon", "castle", "dog"),
        "looks": ("flat",),
        "colours": ("red", "blue"),
        "backgrounds": ("sky",),
        "parameters": 1_000_000,
        "device": "cpu",
        "precision": "fp32",
        "threads": 1,
    }
    return ModelInfo(**{**values, **changes})  # type: ignore[arg-type]


def paint(seed: int, box: Box, *, is_background: bool = False) -> np.ndarray:
    """Pixels that depend on seed and size alone: a disc on transparency, or a gradient."""
    width, height = box[2] - box[0], box[3] - box[1]
    digest = hashlib.sha256(f"{seed}".encode()).digest()
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


def result_for(layer: LayerRequest) -> LayerResult:
    """What the fake makes of a target."""
    rgba = paint(layer.seed, layer.box, is_background=layer.kind == "background")
    return LayerResult(
        layer_id=layer.layer_id, kind=layer.kind, box=layer.box, seed=layer.seed, rgba=rgba
    )


class FakeEngine:
    """Records what it is asked, and says what the test tells it to.

    Attributes:
        requests: every job, in order.
        cancelled: every job id that was cancelled; None stands for all of them.
        shutdowns: how often it was shut down, with the thread that did it.
        words: what the results show, by layer id; the others show no word.
        left_empty: why boxes stay empty, by layer id; the others are painted.
    """

    def __init__(self, emit: Callable[[Event], None]) -> None:
        self.emit = emit
        self.requests: list[GenerateRequest] = []
        self.cancelled: list[int | None] = []
        self.shutdowns: list[int] = []
        self.words: dict[int, str] = {}
        self.left_empty: dict[int, str] = {}
        self.is_started = False

    # ---- the engine's face ----

    def start(self) -> None:
        self.is_started = True

    def submit(self, request: GenerateRequest) -> None:
        self.requests.append(request)

    def cancel(self, job_id: int | None = None) -> None:
        self.cancelled.append(job_id)

    def shutdown(self, timeout_s: float = 10.0) -> bool:
        self.shutdowns.append(threading.get_ident())
        return True

    # ---- what the test scripts ----

    @property
    def last(self) -> GenerateRequest:
        return self.requests[-1]

    def say(self, *events: Event) -> None:
        """Emit from a thread that is not the UI's, as the real engine does."""
        thread = threading.Thread(target=lambda: [self.emit(event) for event in events])
        thread.start()
        thread.join()

    def get_ready(self, info: ModelInfo | None = None) -> None:
        self.say(
            StateChanged(state="loading"), StateChanged(state="ready", info=info or model_info())
        )

    def begin(self, request: GenerateRequest | None = None, steps: int = 0) -> None:
        """Start a job and take it some steps further, with a preview of each target."""
        request = request or self.last
        self.say(
            StateChanged(state="generating"),
            Started(job_id=request.job_id, total_steps=TOTAL_STEPS, unknown_words=()),
            *(
                Progress(
                    job_id=request.job_id,
                    step=step,
                    total=TOTAL_STEPS,
                    seconds_left=0.6 * (TOTAL_STEPS - step),
                )
                for step in range(1, steps + 1)
            ),
        )
        if steps:
            self.preview(request)

    def preview(self, request: GenerateRequest | None = None) -> None:
        request = request or self.last
        for layer in request.layers:
            if layer.is_target:
                rgba = result_for(layer).rgba[::16, ::16]
                self.say(
                    Preview(
                        job_id=request.job_id, layer_id=layer.layer_id, box=layer.box, rgba=rgba
                    )
                )

    def finish(self, request: GenerateRequest | None = None) -> None:
        """End a job well."""
        request = request or self.last
        self.say(
            Finished(
                job_id=request.job_id,
                results=tuple(self._result(layer) for layer in request.layers if layer.is_target),
                steps=request.steps or TOTAL_STEPS,
                cfg_scale=request.cfg_scale or 3.0,
                clean_colours=request.clean_colours != "off",
                seconds=1.5,
                cache_hits=0,
                cache_misses=0,
                unknown_words=(),
                model_name="fake",
                model_hash="f" * 64,
                device="cpu",
                precision="fp32",
                threads=1,
                torch_version="0",
            ),
            StateChanged(state="ready", info=model_info()),
        )

    def _result(self, layer: LayerRequest) -> LayerResult:
        made, why = result_for(layer), self.left_empty.get(layer.layer_id)
        if why is not None:
            return replace(made, rgba=np.zeros_like(made.rgba), left_empty=why)
        return replace(made, word=self.words.get(layer.layer_id))

    def fail(self, kind: str = "internal", message: str = "RuntimeError: no") -> None:
        self.say(
            Failed(
                job_id=self.last.job_id,
                kind=kind,  # type: ignore[arg-type]
                message=message,
                advice="Try again.",
                details="Traceback: …",
            ),
            StateChanged(state="ready", info=model_info()),
        )

    def end_cancelled(self, request: GenerateRequest | None = None) -> None:
        request = request or self.last
        self.say(
            JobCancelled(job_id=request.job_id), StateChanged(state="ready", info=model_info())
        )


def document_with_boxes(*boxes: Box, prompt: str = "") -> Document:
    """A 512 x 512 document with empty boxes, bottom first."""
    rects = [Rect.from_box(box) for box in boxes]
    return Document(new_contents(Size(512, 512), 32, boxes=rects, prompt=prompt))


def fill(document: Document, prompt: str | None = None, word: str | None = None) -> None:
    """Give every layer painted pixels, as if a job had finished; all of them show `word`."""
    placements = []
    for layer in document.layers:
        box = layer.region(document.grid, document.canvas).to_box()
        seed = document.seed_for(layer, 1)
        record = {
            "prompt": document.prompt if prompt is None else prompt,
            "seed": seed,
            "box": list(box),
            "word": word,
        }
        pixels = paint(seed, box, is_background=layer.is_background)
        placements.append(Placement(layer.id, pixels, Rect.from_box(box), record))
    PlacePixels(placements).do(document)
