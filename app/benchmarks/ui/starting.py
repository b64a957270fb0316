"""A first start: how soon the engine is ready, and how right it predicts (UI14, UI17 to UI19).

The functions of the first half need a fresh process, because torch is imported once; the rows of
the second half start those processes.
"""

from __future__ import annotations

import json
import queue
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from app.benchmarks.ui.rows import Row, child, single
from app.benchmarks.ui.states import rest
from app.document.contents import new_contents
from app.document.geometry import Rect, Size
from app.session.client import engine_factory, lower_engine_priority
from app.session.settings import Settings, resources_folder
from engine import Event, StateChanged

LIMIT_S = 120.0
TICK_S = 0.02
LOOKING_S = 2.5  # a user looks at the button before the first job
# (file in resources/examples, how many of its boxes): ten pictures that differ in size.
FIRST_JOBS = (
    ("three-boxes", 1),
    ("three-boxes", 3),
    ("beach-day", 2),
    ("beach-day", 9),
    ("market-stall", 1),
    ("market-stall", 4),
    ("market-stall", 9),
    ("night-camp", 3),
    ("night-camp", 9),
    ("still-life", 5),
)


def ready_alone() -> float:
    """Seconds until the model is loaded, without any window; at the priority that it has there."""
    events: queue.Queue[Event] = queue.Queue()
    engine = engine_factory()(events.put)
    begun = time.perf_counter()
    engine.start()
    while True:
        event = events.get(timeout=LIMIT_S)
        if isinstance(event, StateChanged) and event.state == "loading" and not event.progress:
            lower_engine_priority()
        if isinstance(event, StateChanged) and event.state in ("ready", "failed"):
            break
    ready = time.perf_counter() - begun
    engine.shutdown()
    return ready


def ready_in_window() -> float:
    """Seconds until the model is loaded, in an empty window that is on the screen."""
    with _program() as (_, ready):
        return ready


def first_job(number: int) -> dict[str, Any]:
    """A first start and its first job, one of `FIRST_JOBS`.

    Seconds: "predicted" by the window before the job, or None; "took"; "measuring_s" after "ready".
    """
    with _program() as (window, _):
        begun = time.perf_counter()
        measuring = 0.0
        bridge = window.session.bridge
        while (now := time.perf_counter() - begun) < LOOKING_S:
            if bridge.pace.is_measuring:
                measuring = now
            rest(TICK_S)
        window.session.replace(_picture(number, bridge.info.token_px), "Bench", None)
        rest(0.3)
        planned = bridge.plan("picture")
        predicted = bridge.seconds_for(planned.targets, planned.context)
        window.actions_["generate"].trigger()
        job = bridge.current
        while not job.has_ended and time.perf_counter() - begun < LIMIT_S:
            rest(TICK_S)
        return {"predicted": predicted, "took": job.seconds, "measuring_s": measuring}


@contextmanager
def _program() -> Iterator[tuple[Any, float]]:
    """A window as the program opens it, with the real engine; and seconds until it was ready."""
    from app.benchmarks.window import Desk
    from app.ui.application import tend_engine

    with Desk(make_engine=engine_factory(), starts=False, settings=Settings()) as desk:
        bridge = desk.window.session.bridge
        tend_engine(desk.window)
        ready: list[float] = []

        def on_state(state: str) -> None:
            if state in ("ready", "failed") and not ready:
                ready.append(time.perf_counter())

        bridge.state_changed.connect(on_state)
        begun = time.perf_counter()
        bridge.start()
        while not ready and time.perf_counter() - begun < LIMIT_S:
            rest(TICK_S * 10)
        yield desk.window, ready[0] - begun


def _picture(number: int, grid: int) -> Any:
    name, count = FIRST_JOBS[number]
    path = resources_folder() / "examples" / f"{name}.json"
    found = json.loads(path.read_text(encoding="utf-8"))
    boxes = [Rect.from_box(tuple(box)) for box in found["boxes"][:count]]
    return new_contents(Size(*found["canvas"]), grid, boxes=boxes, prompt=found["prompt"])


# ---- rows ----

OFF = 0.3
RIGHT = 0.9  # of the first jobs


def ready(pairs: int) -> Iterator[Row]:
    """UI14, UI17: the model is loaded with a window and without, in turn, `pairs` times each."""
    alone, shown = [], []
    for _ in range(pairs):
        alone.append(child("ready_alone")["ready_s"])
        shown.append(child("ready_in_window")["ready_s"])
    seconds, other = statistics.median(shown), statistics.median(alone)
    yield single("UI14", "engine ready after the window", seconds, 8, digits=1)
    what = f"ready in the window / without one ({seconds:.1f} / {other:.1f} s)"
    yield single("UI17", what, seconds / other, 1.15, " ×")


def first_jobs(count: int) -> Iterator[Row]:
    """UI18, UI19: how right the first prediction is, and how soon it is there; `count` starts."""
    jobs = range(min(count, len(FIRST_JOBS)))
    found = [child("first_job", LAYERLOOM_BENCH_JOB=str(number)) for number in jobs]
    yield prediction(found)
    longest = max(each["measuring_s"] for each in found)
    yield single("UI19", "measured after ready, longest", longest, 2, digits=1)


def prediction(found: list[dict[str, Any]]) -> Row:
    """The row of the first jobs' "predicted" and "took", in seconds; None counts as wrong."""
    off = [
        each["predicted"] / each["took"] - 1
        for each in found
        if each["predicted"] is not None and each["took"]
    ]
    right = sum(abs(each) <= OFF for each in off)
    worst = f", worst {max(off, key=abs):+.0%}" if off else ""
    text = f"{right} of {len(found)}{worst}"
    is_met = right >= RIGHT * len(found)
    return Row("UI18", "first prediction within 30 %", text, "9 of 10", is_met)
