"""REL5 between document and engine: no end of a job harms the document, and the next one runs.

The real bridge with a scripted engine and a clock that stands still. The window and the engine's
own thread are in `window_faults`.
"""

from __future__ import annotations

from random import Random

from app.benchmarks.reliability.figure import Figure
from app.benchmarks.reliability.scripted_desk import STEPS, ScriptedDesk

_ENDS = ("memory", "internal", "request", "cancel", "hang", "vanish")


def engine_faults(count: int, seed: int) -> Figure:
    """`count` documents × every step × every end: document unchanged, the next job runs."""
    figure = Figure("REL5 engine", "ended jobs")
    for number in range(seed, seed + count):
        for step in range(STEPS + 1):
            for end in _ENDS:
                _end_badly(figure, number, step, end)
                figure.runs += 1
    return figure


def _end_badly(figure: Figure, seed: int, step: int, end: str) -> None:
    source = Random(f"{seed}:{step}:{end}")
    desk = ScriptedDesk(source)
    before = desk.document.content_hash()
    request = desk.ask(source)
    if request is None:
        return
    engine, bridge = desk.engine, desk.bridge
    engine.begin(request, step)
    desk.loop.run()
    if end in ("memory", "internal", "request"):
        engine.fail(end, request=request)
    elif end == "cancel":
        bridge.stop()
        engine.end_cancelled(request)
    elif end == "hang":  # stopped, and its result comes all the same, much later
        bridge.stop()
        desk.loop.run()
        engine.finish(request)
    else:  # the engine ends the job by itself
        engine.end_cancelled(request)
    desk.loop.run()
    where = f"seed {seed}, step {step}, {end}"
    if desk.document.content_hash() != before:
        figure.fail(f"{where}: the document changed")
    if bridge.current is not None:
        figure.fail(f"{where}: the job still counts as running")
    bridge.generate("picture")
    desk.loop.run()
    again = engine.requests[-1]
    if again is request:
        if bridge.plan("picture").targets:
            figure.fail(f"{where}: the next job did not begin")
        return
    engine.begin(again, STEPS)
    engine.finish(again)
    desk.loop.run()
    if bridge.current is not None or desk.document.content_hash() == before:
        figure.fail(f"{where}: the next job did not end")
