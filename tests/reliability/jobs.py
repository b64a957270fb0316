"""REL4: jobs leave the pixels of every other layer alone.

Documents are random: boxes anywhere, off the grid, hidden, locked, imported. The queue and the
engine are the real ones: its thread, torch and a model file. Jobs also fail and are stopped, and
the user goes on working meanwhile.
"""

from __future__ import annotations

import queue
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from app.document import Document, Settings, Size, new_contents
from app.document.commands import Placement, PlacePixels, ReplaceDocument, SetSettings
from app.session.client import engine_factory
from app.session.jobs import Job
from app.session.queue import GenerationQueue
from tests.hand_loop import HandLoop
from tests.reliability.figure import Figure
from tests.reliability.random_edits import random_command, rect


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


SHORT_S = 0.1  # previews are gathered for less, watchdogs wait for more
JOBS = 4  # per document
_CELL = 64  # of the shipped model's canvas
_ANSWER_S = 1800.0  # a guard against waiting for ever, not a promise


def isolation(count: int, seed: int, weights: Path | None = None) -> Figure:
    """`count` documents with the real engine and a model file; None = the shipped one."""
    figure = Figure("REL4 isolation", "documents")
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
    everything = (document.contents.background, *document.foregrounds)
    return {layer.id: layer.pixel_hash for layer in everything}


class _QueueLoop(HandLoop):
    """Callbacks may come from the engine's thread; `wait` is for one of them."""

    def __init__(self) -> None:
        super().__init__(short_s=SHORT_S)
        self._arrived: queue.SimpleQueue[None] = queue.SimpleQueue()

    def call_soon_threadsafe(self, callback: Callable[..., object], *args: Any) -> None:
        super().call_soon_threadsafe(callback, *args)
        self._arrived.put(None)

    def run_until(self, is_done: Callable[[], bool]) -> None:
        """Call what comes until it is so. Raises queue.Empty: the engine is silent."""
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
        self.edit_at: int | None = None
        self.before: dict[int, str | None] = {}
        self.targets: set[int] = set()
        make, accept = engine_factory(1, weights), partial(take, self.document)
        self.bridge = GenerationQueue(self.document, self.loop, make, accept)
        self.bridge.job_changed.connect(self._on_job)
        self.bridge.start()
        self.loop.run_until(lambda: self.bridge.state in ("ready", "failed"))

    def open(self, source: Random) -> None:
        self.source = source
        canvas = Size(_CELL * source.randint(1, 3), _CELL * source.randint(1, 3))
        boxes = [rect(source) for _ in range(source.randint(1, 4))]
        contents = new_contents(canvas, 32, boxes=boxes, prompt="a red dog and a castle")
        ReplaceDocument(contents).do(self.document)
        for _ in range(20):
            random_command(self.document, source)
        steps = source.choice((1, 2, 3, 999))  # the engine refuses 999
        SetSettings(Settings(steps=steps, cfg_scale=2.0)).do(self.document)

    def _on_job(self, job: Job) -> None:
        if job is self.bridge.current:
            self.targets = set(job.rects)
            if job.step == self.edit_at:
                self.edit_at = None
                random_command(self.document, self.source)
                self.before = hashes(self.document)
            if job.step == self.cancel_at:
                self.bridge.stop()


def _one_job(figure: Figure, seed: int, desk: _RealDesk) -> None:
    source, bridge = desk.source, desk.bridge
    ids = [layer.id for layer in desk.document.layers]
    chosen = source.sample(ids, min(len(ids), source.randint(1, 2)))
    desk.cancel_at = source.choice((None, None, None, 0, 1))
    desk.edit_at = source.choice((None, 0, 1))
    desk.targets = set()
    desk.before = hashes(desk.document)
    job = bridge.generate(source.choice(("picture", "selected", "empty")), chosen)
    if job is None:
        return
    desk.loop.run_until(lambda: job.has_ended and bridge.state == "ready")
    figure.count(f"jobs {job.state}")
    after, others = hashes(desk.document), desk.before.keys() - desk.targets
    figure.count("other layers compared", len(others))
    changed = [each for each in others if desk.before[each] != after.get(each)]
    if changed:
        figure.fail(f"seed {seed}: {len(changed)} layers changed that were no targets")
    if job.state != "finished" and after != desk.before:
        figure.fail(f"seed {seed}: a job that {job.state} changed pixels")
