"""REL4 and REL5: regeneration leaves other layers alone, and no end of a job harms the document.

The real bridge with a scripted engine; documents are random. The event loop of a real window and
the engine's own thread have tests of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

from app.benchmarks.reliability.figure import Figure
from app.benchmarks.reliability.scripted import STEPS, HandLoop, ScriptedEngine
from app.benchmarks.reliability.walk import random_command, start
from app.bridge import Bridge, Placed
from app.document import Document
from app.document.commands import Placement, PlacePixels
from app.jobs import Job
from engine import GenerateRequest

_ENDS = ("memory", "internal", "request", "cancel", "hang", "vanish")


class _Desk:
    """A document with bridge and scripted engine, wired as the window does it."""

    def __init__(self, source: Random) -> None:
        self.loop = HandLoop()
        self.document = start(source)
        for _ in range(20):
            random_command(self.document, source)
        engines: list[ScriptedEngine] = []

        def make(emit: Callable[..., None]) -> ScriptedEngine:
            engines.append(ScriptedEngine(emit))
            return engines[0]

        self.bridge = Bridge(self.document, self.loop, make, self._accept)
        self.engine = engines[0]
        self.bridge.start()
        self.loop.run()

    def _accept(self, job: Job, results: Sequence[Placed]) -> None:
        placements = []
        for each in results:
            layer = self.document.contents.get(each.layer_id)
            rect = (
                each.asked
                if layer is None
                else each.asked.following(job.rects[each.layer_id], layer.rect)
            )
            placements.append(Placement(each.layer_id, each.pixels, rect, each.record))
        PlacePixels(placements).do(self.document)

    def ask(self, source: Random) -> GenerateRequest | None:
        """A job for a random scope; None when there is nothing to do."""
        ids = [layer.id for layer in self.document.layers]
        chosen = source.sample(ids, min(len(ids), source.randint(1, 2)))
        before = len(self.engine.requests)
        self.bridge.generate(source.choice(("picture", "selected", "empty")), chosen)
        self.loop.run()
        return self.engine.requests[-1] if len(self.engine.requests) > before else None


def isolation(count: int, seed: int) -> Figure:
    """`count` documents: after jobs of all kinds every other layer has the pixels it had."""
    figure = Figure("REL4 isolation", "documents")
    jobs = 0
    for number in range(seed, seed + count):
        source = Random(number)
        desk = _Desk(source)
        for _ in range(4):
            before = _hashes(desk.document)
            request = desk.ask(source)
            if request is None:
                continue
            targets = {layer.layer_id for layer in request.layers if layer.is_target}
            jobs += 1
            desk.engine.go_on(request, STEPS)
            if source.random() < 0.5:  # the user goes on working
                random_command(desk.document, source)
                before = _hashes(desk.document)
            desk.engine.finish(request)
            desk.loop.run()
            after = _hashes(desk.document)
            changed = {
                layer_id
                for layer_id in before
                if layer_id not in targets and before[layer_id] != after.get(layer_id)
            }
            if changed:
                figure.fail(f"seed {number}: {len(changed)} layers changed that were no targets")
        figure.runs += 1
    figure.facts.append(f"{jobs:,} jobs")
    return figure


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
    desk = _Desk(source)
    before = desk.document.content_hash()
    request = desk.ask(source)
    if request is None:
        return
    engine, bridge = desk.engine, desk.bridge
    engine.go_on(request, step)
    desk.loop.run()
    if end in ("memory", "internal", "request"):
        engine.fail(request, end)  # type: ignore[arg-type]  # one of the literals above
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
    engine.go_on(again, STEPS)
    engine.finish(again)
    desk.loop.run()
    if bridge.current is not None or desk.document.content_hash() == before:
        figure.fail(f"{where}: the next job did not end")


def _hashes(document: Document) -> dict[int, str | None]:
    everything = (document.contents.background, *document.foregrounds)
    return {layer.id: layer.pixel_hash for layer in everything}
