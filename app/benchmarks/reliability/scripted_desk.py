"""A random document with the real bridge and a scripted engine, wired as the window does it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

from app.benchmarks.reliability.scripted import HandLoop, ScriptedEngine
from app.benchmarks.reliability.walk import random_command, start
from app.bridge import Bridge, Placed
from app.document import Document
from app.document.commands import Placement, PlacePixels
from app.jobs import Job
from engine import GenerateRequest


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


class ScriptedDesk:
    """Document, bridge and engine; nothing happens but when it is asked for.

    Args:
        document: None = a random one.
    """

    def __init__(self, source: Random, document: Document | None = None) -> None:
        self.loop = HandLoop()
        self.document = document or start(source)
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
        take(self.document, job, results)

    def ask(self, source: Random) -> GenerateRequest | None:
        """A job for a random scope; None when there is nothing to do."""
        ids = [layer.id for layer in self.document.layers]
        chosen = source.sample(ids, min(len(ids), source.randint(1, 2)))
        before = len(self.engine.requests)
        self.bridge.generate(source.choice(("picture", "selected", "empty")), chosen)
        self.loop.run()
        return self.engine.requests[-1] if len(self.engine.requests) > before else None
