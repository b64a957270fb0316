"""The `layerloom` command with a scripted engine: run as a child process by the tests of the CLI.

`python child.py SCRIPT ARGUMENTS…`, where SCRIPT is "normal", "slow", "fails", "memory",
"broken" (the model does not load), "dies" or "drifts" (other pixels each time).
"""

from __future__ import annotations

import itertools
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from app.cli import main
from app.testing import LOADING, FakeEngine, finished, model_info, ready, result_for
from engine import (
    Event,
    Failed,
    GenerateRequest,
    JobCancelled,
    LayerRequest,
    Progress,
    Started,
    StateChanged,
    Vocabulary,
)

INFO = model_info(
    name="scripted",
    canvas_multiple=32,
    default_steps=4,
    vocabulary=Vocabulary(
        nouns=("dog", "castle", "balloon"),
        looks=("flat",),
        colours=("red", "blue"),
        backgrounds=("sky",),
    ),
)
BROKEN = StateChanged(
    state="failed", message="The model file is damaged.", advice="Install the package again."
)
_drift = itertools.count(1)


def scripted(script: str, emit: Callable[[Event], None], **options: Any) -> FakeEngine:
    """Behaves like `engine.Engine` as far as the command line can tell."""
    last = BROKEN if script == "broken" else ready(INFO)
    work = partial(run, script=script, threads=options.get("threads") or 1)
    return FakeEngine(emit, info=INFO, opening=(LOADING, last), work=work)


def run(engine: FakeEngine, request: GenerateRequest, *, script: str, threads: int) -> None:
    """One job as the script says, on the engine's thread."""
    steps = request.steps or INFO.default_steps
    words = set(request.prompt.replace(",", " ").split())
    unknown = tuple(word for word in sorted(words) if word.startswith("x"))
    job = request.job_id
    engine.emit(Started(job_id=job, total_steps=steps + 1, unknown_words=unknown))
    for step in range(steps + 1):
        if script == "slow":
            time.sleep(0.1)
        if engine.is_stopped:
            return engine.emit(JobCancelled(job_id=job))
        if step == 1 and script == "dies":
            return engine.emit(StateChanged(state="stopped"))
        if step == 1 and script in ("fails", "memory"):
            kind: Any = "memory" if script == "memory" else "internal"
            message = "Generating failed." if kind == "internal" else "There was no memory."
            return engine.emit(
                Failed(job_id=job, kind=kind, message=message, advice="Try again.", details="trace")
            )
        left = float(steps - step)
        engine.emit(Progress(job_id=job, step=step + 1, total=steps + 1, seconds_left=left))
    drift = next(_drift) if script == "drifts" else 0
    targets = [layer for layer in request.layers if layer.is_target]
    return engine.emit(
        finished(
            request,
            INFO,
            results=tuple(result_for(each, salt_of(each, request, drift)) for each in targets),
            seconds=time.monotonic() % 1,
            cache_misses=len(request.layers) - len(targets),
            unknown_words=unknown,
            threads=threads,
        )
    )


def salt_of(layer: LayerRequest, request: GenerateRequest, drift: int) -> str:
    """What pixels depend on besides seed and size; clean colours count for things only."""
    is_raw = layer.kind == "foreground" and request.clean_colours == "off"
    return f":{request.prompt}:{drift}:{is_raw}"


if __name__ == "__main__":
    chosen, *arguments = sys.argv[1:]
    sys.exit(main(arguments, engine_factory=partial(scripted, chosen)))
