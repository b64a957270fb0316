"""REL4 and REL5: jobs leave the pixels of every other layer alone, and no end of a job does harm.

Documents are random: boxes anywhere, off the grid, hidden, locked, imported. `isolation` has the
real queue with a scripted engine, `isolation_real` the real engine: its thread, torch and a model
file. `engine_faults` ends jobs in every way at every step; the window and the engine's own thread
are in `in_window`.
"""

from __future__ import annotations

import queue
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any

from app.benchmarks.reliability.figure import Figure
from app.benchmarks.reliability.random_edits import random_command, rect, start
from app.document import Document, Settings, Size, new_contents
from app.document.commands import Placement, PlacePixels, ReplaceDocument, SetSettings
from app.session.client import engine_factory
from app.session.jobs import Job
from app.session.queue import GenerationQueue
from app.testing import FakeEngine, HandLoop, model_info, ready
from engine import Event, GenerateRequest


def take(document: Document, job: Job, results: Sequence[Placement]) -> None:
    """Accept results: those whose layer moved follow it, those whose layer is gone are kept."""
    placements = []
    for each in results:
        layer = document.contents.get(each.layer_id)
        rect = (
            each.rect
            if layer is None
            else each.rect.following(job.rects[each.layer_id], layer.rect)
        )
        placements.append(Placement(each.layer_id, each.pixels, rect, each.record))
    PlacePixels(placements).do(document)


STEPS = 4
SHORT_S = 0.1  # previews are gathered for less, watchdogs wait for more
INFO = model_info(
    token_px=16, canvas_multiple=16, trained_canvases=((96, 64),), default_steps=STEPS
)


def scripted_engine(emit: Callable[[Event], None]) -> FakeEngine:
    """An engine that is ready at once and emits on the caller's thread."""
    return FakeEngine(emit, info=INFO, opening=(ready(INFO),), on_own_thread=False)


class ScriptedDesk:
    """Document, bridge and engine; nothing happens but when it is asked for.

    Args:
        document: None = a random one.
    """

    def __init__(self, source: Random, document: Document | None = None) -> None:
        self.loop = HandLoop(short_s=SHORT_S)
        self.document = document or start(source)
        for _ in range(20):
            random_command(self.document, source)
        engines: list[FakeEngine] = []

        def make(emit: Callable[..., None]) -> FakeEngine:
            engines.append(scripted_engine(emit))
            return engines[0]

        self.bridge = GenerationQueue(self.document, self.loop, make, self._accept)
        self.engine = engines[0]
        self.bridge.start()
        self.loop.run()

    def _accept(self, job: Job, results: Sequence[Placement]) -> None:
        take(self.document, job, results)

    def ask(self, source: Random) -> GenerateRequest | None:
        """A job for a random scope; None when there is nothing to do."""
        ids = [layer.id for layer in self.document.layers]
        chosen = source.sample(ids, min(len(ids), source.randint(1, 2)))
        before = len(self.engine.requests)
        self.bridge.generate(source.choice(("picture", "selected", "empty")), chosen)
        self.loop.run()
        return self.engine.requests[-1] if len(self.engine.requests) > before else None


# ---- REL4: isolation ----

JOBS = 4  # per document
_CELL = 64  # of the shipped model's canvas
_ANSWER_S = 1800.0  # a guard against waiting for ever, not a promise
_OTHERS = "other layers compared"


def isolation(count: int, seed: int) -> Figure:
    """`count` documents with the scripted engine."""
    figure = Figure("REL4 isolation, scripted engine", "documents")
    for number in range(seed, seed + count):
        source = Random(number)
        desk = ScriptedDesk(source)
        for _ in range(JOBS):
            before = hashes(desk.document)
            request = desk.ask(source)
            if request is None:
                continue
            targets = {layer.layer_id for layer in request.layers if layer.is_target}
            figure.count("jobs")
            desk.engine.begin(request, STEPS)
            if source.random() < 0.5:  # the user goes on working
                random_command(desk.document, source)
                before = hashes(desk.document)
            desk.engine.finish(request)
            desk.loop.run()
            _compare(figure, number, before, hashes(desk.document), targets)
        figure.runs += 1
    return figure


def isolation_real(count: int, seed: int, weights: Path | None = None) -> Figure:
    """`count` documents with the real engine.

    Args:
        weights: model file; None = the shipped one.
    """
    figure = Figure("REL4 isolation, real engine", "documents")
    desk = _RealDesk(weights)
    try:
        if desk.bridge.state == "failed":
            figure.notes.append(f"skipped: {desk.bridge.trouble}")
            return figure
        for number in range(seed, seed + count):
            desk.open(Random(f"real:{number}"))
            for _ in range(JOBS):
                _one_job(figure, number, desk)
            figure.runs += 1
    finally:
        desk.bridge.shutdown()
    return figure


def hashes(document: Document) -> dict[int, str | None]:
    """Pixel hash of every layer by id."""
    everything = (document.contents.background, *document.foregrounds)
    return {layer.id: layer.pixel_hash for layer in everything}


def _compare(
    figure: Figure,
    seed: int,
    before: dict[int, str | None],
    after: dict[int, str | None],
    targets: set[int],
) -> None:
    others = before.keys() - targets
    figure.count(_OTHERS, len(others))
    changed = [each for each in others if before[each] != after.get(each)]
    if changed:
        figure.fail(f"seed {seed}: {len(changed)} layers changed that were no targets")


# ---- with the real engine ----


class _QueueLoop(HandLoop):
    """Callbacks may come from the engine's thread; `wait` is for one of them."""

    def __init__(self) -> None:
        super().__init__(short_s=SHORT_S)
        self._arrived: queue.SimpleQueue[None] = queue.SimpleQueue()

    def call_soon_threadsafe(self, callback: Callable[..., object], *args: Any) -> None:
        super().call_soon_threadsafe(callback, *args)
        self._arrived.put(None)

    def run_until(self, is_done: Callable[[], bool]) -> None:
        """Call what comes until it is so.

        Raises:
            queue.Empty: the engine is silent.
        """
        self.run()
        while not is_done():
            self._arrived.get(timeout=_ANSWER_S)
            self.run()


class _RealDesk:
    """One engine for all documents: loading a model takes longer than a job."""

    def __init__(self, weights: Path | None) -> None:
        self.loop = _QueueLoop()
        self.document = Document()
        self.source = Random()
        self.cancel_at: int | None = None
        self.targets: set[int] = set()
        self.bridge = GenerationQueue(
            self.document, self.loop, engine_factory(1, weights), self._accept
        )
        self.bridge.job_changed.connect(self._on_job)
        self.bridge.start()
        self.loop.run_until(lambda: self.bridge.state in ("ready", "failed"))

    def open(self, source: Random) -> None:
        """Another random document."""
        self.source = source
        canvas = Size(_CELL * source.randint(1, 3), _CELL * source.randint(1, 3))
        boxes = [rect(source) for _ in range(source.randint(1, 4))]
        contents = new_contents(canvas, 32, boxes=boxes, prompt="a red dog and a castle")
        ReplaceDocument(contents).do(self.document)
        SetSettings(Settings(steps=source.randint(1, 3), cfg_scale=2.0)).do(self.document)
        for _ in range(20):
            random_command(self.document, source)

    def _accept(self, job: Job, results: Any) -> None:
        take(self.document, job, results)

    def _on_job(self, job: Job) -> None:
        if job is self.bridge.current:
            self.targets = set(job.rects)
            if job.step == self.cancel_at:
                self.bridge.stop()


def _one_job(figure: Figure, seed: int, desk: _RealDesk) -> None:
    source, bridge = desk.source, desk.bridge
    ids = [layer.id for layer in desk.document.layers]
    chosen = source.sample(ids, min(len(ids), source.randint(1, 2)))
    desk.cancel_at = source.choice((None, None, None, 0, 1))
    desk.targets = set()
    before = hashes(desk.document)
    job = bridge.generate(source.choice(("picture", "selected", "empty")), chosen)
    if job is None:
        return
    desk.loop.run_until(lambda: job.has_ended and bridge.state == "ready")
    figure.count(f"jobs {job.state}")
    _compare(figure, seed, before, hashes(desk.document), desk.targets)
    if job.state != "finished" and hashes(desk.document) != before:
        figure.fail(f"seed {seed}: a job that {job.state} changed pixels")


# ---- REL5: faults ----

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
