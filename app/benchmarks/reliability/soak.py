"""REL7: memory does not grow with use, and a document that is gone is gone.

Commands, undo, fake generations, saves and the journal in one process; resident memory is read
after collection once the caches are full, and at the end. With a real window: `window_soak`.
"""

from __future__ import annotations

import gc
import tempfile
import threading
import weakref
from collections import deque
from pathlib import Path
from random import Random

from app.benchmarks.reliability.figure import Figure
from app.benchmarks.reliability.memory import resident_mb
from app.benchmarks.reliability.scripted_desk import STEPS, ScriptedDesk
from app.benchmarks.reliability.walk import random_command, start
from app.document import Document
from app.document.commands import Command, ReplaceDocument
from app.document.storage.journal import Keeper, WorkInfo
from app.document.storage.ora.file import save_project

MAX_GROWTH_MB = 50.0
UNDO_STEPS = 1000
GREW = "grew by {:.0f} MB"
JOB_EVERY = 40  # commands: some 200 fake generations in 10,000, where there is a target
_WARM_UP = 0.2  # of all commands: until the caches and the undo stack have their size


def soak(count: int, seed: int) -> Figure:
    """`count` commands, with undo in between, a save every hundred, and a new document now and
    then; resident memory may grow by 50 MB once the caches are full."""
    figure = Figure("REL7 memory", "commands")
    source = Random(seed)
    threads = threading.active_count()
    with tempfile.TemporaryDirectory() as folder:
        desk = ScriptedDesk(source)
        document = desk.document
        keeper = Keeper(Path(folder, "work"), delay_s=0.05)
        done: deque[Command] = deque(maxlen=UNDO_STEPS)
        full = 0.0
        for number in range(count):
            _step(document, done, source)
            keeper.note(document.contents, WorkInfo(is_clean=False))
            if number % JOB_EVERY == JOB_EVERY - 1:
                _generate(figure, desk, source)
            if number % 100 == 99:
                save_project(document.contents, Path(folder, "design.ora"))
            if number % 500 == 499:  # a picture grows without end otherwise
                done.append(ReplaceDocument(start(source).contents))
                done[-1].do(document)
            if number == int(count * _WARM_UP):
                full = resident_mb()
            figure.runs += 1
        grown = resident_mb() - full
        keeper.close(remove=True)
        watched = weakref.ref(document)
        layers = [weakref.ref(layer.image) for layer in document.layers if layer.image is not None]
        done.clear()
        desk.bridge.shutdown()
        del document, desk
        gc.collect()
        left = sum(1 for each in layers if each() is not None)
    figure.peak(GREW, max(0.0, grown))
    if grown > MAX_GROWTH_MB:
        figure.fail(f"seed {seed}: resident memory grew by {grown:.0f} MB")
    if watched() is not None or left:
        figure.fail(f"seed {seed}: the closed document is still there, {left} pictures with it")
    if threading.active_count() != threads:
        figure.fail(f"seed {seed}: a thread is left")
    return figure


def _step(document: Document, done: deque[Command], source: Random) -> None:
    if done and source.random() < 0.2:
        done.pop().undo(document)
    else:
        done.append(random_command(document, source))


def _generate(figure: Figure, desk: ScriptedDesk, source: Random) -> None:
    request = desk.ask(source)
    if request is not None:
        desk.engine.begin(request, STEPS)
        desk.engine.finish(request)
        desk.loop.run()
        desk.engine.requests.clear()
        figure.count("generations")
