"""A random document with the real bridge and a scripted engine, wired as the window does it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

from app.benchmarks.reliability.walk import random_command, start
from app.document import Document
from app.document.commands import Placement, PlacePixels
from app.session.jobs import Job
from app.session.queue import GenerationQueue, Placed
from app.testing import FakeEngine, HandLoop, model_info, ready
from engine import Event, GenerateRequest


def take(document: Document, job: Job, results: Sequence[Placed]) -> None:
    """Accept results: those whose layer moved follow it, those whose layer is gone are kept."""
    placements = []
    for each in results:
        layer = document.contents.get(each.layer_id)
        rect = (
            each.asked
            if layer is None
            else each.asked.following(job.rects[each.layer_id], layer.rect)
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

    def _accept(self, job: Job, results: Sequence[Placed]) -> None:
        take(self.document, job, results)

    def ask(self, source: Random) -> GenerateRequest | None:
        """A job for a random scope; None when there is nothing to do."""
        ids = [layer.id for layer in self.document.layers]
        chosen = source.sample(ids, min(len(ids), source.randint(1, 2)))
        before = len(self.engine.requests)
        self.bridge.generate(source.choice(("picture", "selected", "empty")), chosen)
        self.loop.run()
        return self.engine.requests[-1] if len(self.engine.requests) > before else None
