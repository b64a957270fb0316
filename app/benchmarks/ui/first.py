"""From the start of the engine to the first job: how soon it is ready, how right it predicts.

Each function needs a fresh process: torch is imported once.
"""

from __future__ import annotations

import json
import queue
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from app.benchmarks.ui.states import rest
from app.document.contents import new_contents
from app.document.geometry import Rect, Size
from app.session.client import engine_factory, lower_engine_priority
from app.session.settings import Settings, resources_folder
from engine import Event, StateChanged

LIMIT_S = 120.0
TICK_S = 0.02
LOOKING_S = 2.5  # somebody looks at the button before the first job
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
    """A first start, and its first job.

    Args:
        number: which of `FIRST_JOBS`.

    Returns:
        "predicted": seconds that the window said before the job, or None; "took": what it was;
        "measuring_s": how long after "ready" times were still being measured.
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
    from app.benchmarks.ui.desk import Desk
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
