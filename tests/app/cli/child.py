"""The `layerloom` command with a scripted engine: run as a child process by the tests of the CLI.

`python child.py SCRIPT ARGUMENTS…`, where SCRIPT is "normal", "slow", "fails", "memory",
"broken" (the model does not load), "dies" or "drifts" (other pixels each time).
"""

from __future__ import annotations

import hashlib
import itertools
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from app.cli import main
from engine import (
    Event,
    Failed,
    Finished,
    GenerateRequest,
    JobCancelled,
    LayerRequest,
    LayerResult,
    ModelInfo,
    Progress,
    Started,
    StateChanged,
)

INFO = ModelInfo(
    name="scripted",
    file_hash="f" * 64,
    token_px=32,
    canvas_multiple=32,
    trained_canvases=((512, 512), (640, 512)),
    max_foregrounds=50,
    default_steps=4,
    default_cfg_scale=3.0,
    nouns=("dog", "castle", "balloon"),
    looks=("flat",),
    colours=("red", "blue"),
    backgrounds=("sky",),
    parameters=1234,
    device="cpu",
    precision="fp32",
    threads=1,
)
_drift = itertools.count()


def paint(
    layer: LayerRequest, prompt: str, drift: int = 0, *, clean_colours: bool = True
) -> np.ndarray:
    """Pixels that depend on the request alone: a round spot on nothing, or full."""
    x0, y0, x1, y1 = layer.box
    height, width = y1 - y0, x1 - x0
    text = f"{layer.seed}:{width}:{height}:{prompt}:{drift}"
    rgba = np.empty((height, width, 4), np.uint8)
    rgba[..., :3] = list(hashlib.sha256(text.encode()).digest()[:3])
    rgba[..., 3] = 255
    if layer.kind == "foreground":
        rgba[::2, :, 0] ^= not clean_colours
        y, x = np.ogrid[:height, :width]
        far = ((y - height / 2) / height) ** 2 + ((x - width / 2) / width) ** 2 > 0.2
        rgba[far] = 0
    return rgba


class ScriptedEngine:
    """Behaves like `engine.Engine` as far as the command line can tell."""

    def __init__(self, script: str, emit: Callable[[Event], None], **options: Any) -> None:
        self._script = script
        self._emit = emit
        self._threads = options.get("threads") or 1
        self._cancelled = threading.Event()
        self._worker: threading.Thread | None = None

    def start(self) -> None:
        self._emit(StateChanged(state="loading"))
        if self._script == "broken":
            message, advice = "The model file is damaged.", "Install the package again."
            self._emit(StateChanged(state="failed", message=message, advice=advice))
        else:
            self._emit(StateChanged(state="ready", info=INFO))

    def submit(self, request: GenerateRequest) -> None:
        self._worker = threading.Thread(target=self._run, args=(request,))
        self._worker.start()

    def cancel(self, job_id: int | None = None) -> None:
        self._cancelled.set()

    def shutdown(self, timeout_s: float = 10.0) -> bool:
        self._cancelled.set()
        if self._worker is not None:
            self._worker.join(timeout_s)
        self._emit(StateChanged(state="stopped"))
        return True

    def _run(self, request: GenerateRequest) -> None:
        steps = request.steps or INFO.default_steps
        words = set(request.prompt.replace(",", " ").split())
        unknown = tuple(word for word in sorted(words) if word.startswith("x"))
        job = request.job_id
        self._emit(Started(job_id=job, total_steps=steps + 1, unknown_words=unknown))
        for step in range(steps + 1):
            if self._script == "slow":
                time.sleep(0.1)
            if self._cancelled.is_set():
                return self._emit(JobCancelled(job_id=job))
            if step == 1 and self._script == "dies":
                return self._emit(StateChanged(state="stopped"))
            if step == 1 and self._script in ("fails", "memory"):
                kind: Any = "memory" if self._script == "memory" else "internal"
                message = "Generating failed." if kind == "internal" else "There was no memory."
                return self._emit(
                    Failed(
                        job_id=job, kind=kind, message=message, advice="Try again.", details="trace"
                    )
                )
            left = float(steps - step)
            self._emit(Progress(job_id=job, step=step + 1, total=steps + 1, seconds_left=left))
        return self._emit(self._finished(request, steps, unknown))

    def _finished(self, request: GenerateRequest, steps: int, unknown: tuple[str, ...]) -> Finished:
        drift = next(_drift) + 1 if self._script == "drifts" else 0
        results = tuple(
            LayerResult(
                layer_id=layer.layer_id,
                kind=layer.kind,
                box=layer.box,
                seed=layer.seed,
                rgba=paint(
                    layer, request.prompt, drift, clean_colours=request.clean_colours != "off"
                ),
            )
            for layer in request.layers
            if layer.is_target
        )
        return Finished(
            job_id=request.job_id,
            results=results,
            steps=steps,
            cfg_scale=request.cfg_scale or INFO.default_cfg_scale,
            clean_colours=request.clean_colours != "off",
            seconds=time.monotonic() % 1,
            cache_hits=0,
            cache_misses=len(request.layers) - len(results),
            unknown_words=unknown,
            model_name=INFO.name,
            model_hash=INFO.file_hash,
            device="cpu",
            precision="fp32",
            threads=self._threads,
            torch_version="0",
        )


if __name__ == "__main__":
    script, *arguments = sys.argv[1:]
    sys.exit(main(arguments, engine_factory=lambda *a, **k: ScriptedEngine(script, *a, **k)))
