"""REL7 in the real window: commands, undo, generations, journal; nothing is left of it afterwards.

Runs in a process of its own.
"""

from __future__ import annotations

import gc
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any
from weakref import ReferenceType, ref

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from shiboken6 import isValid

from app.benchmarks.reliability.figure import Figure
from app.benchmarks.reliability.memory import resident_mb
from app.benchmarks.reliability.scripted_desk import STEPS, scripted_engine
from app.benchmarks.reliability.soak import GREW, JOB_EVERY, MAX_GROWTH_MB
from app.benchmarks.reliability.walk import MAKERS, start
from app.benchmarks.reliability.window_desk import WindowDesk
from app.document.commands import ReplaceDocument
from app.testing import FakeEngine

_WARM_UP = 0.2  # of all commands: until caches, fonts and the undo stack have their size


def window_soak(count: int, seed: int) -> Figure:
    """`count` commands in a shown window, with a generation every so often."""
    figure = Figure("REL7 memory, real window", "commands")
    source = Random(seed)
    engines: list[FakeEngine] = []

    def make(emit: Callable[..., None]) -> FakeEngine:
        engines.append(scripted_engine(emit))
        return engines[-1]

    with tempfile.TemporaryDirectory() as folder:
        with WindowDesk(make, Path(folder)) as desk:
            grown, watched = _use(figure, desk, engines, source, count)
        engines.clear()
        del desk
        gc.collect()
    figure.peak(GREW, max(0.0, grown))
    if grown > MAX_GROWTH_MB:
        figure.fail(f"seed {seed}: resident memory grew by {grown:.0f} MB")
    _check_nothing_is_left(figure, seed, watched)
    return figure


def _use(
    figure: Figure, desk: WindowDesk, engines: list[FakeEngine], source: Random, count: int
) -> tuple[float, list[ReferenceType[Any]]]:
    """All the commands.

    Returns:
        by how many MB the process grew, and what must be gone once the window is closed.
    """
    window = desk.window
    assert window is not None
    session = window.session
    threads = threading.active_count()
    session.bridge.start()
    desk.until(lambda: session.bridge.state == "ready")
    full = 0.0
    for number in range(count):
        _step(desk, source, number)
        if number % JOB_EVERY == JOB_EVERY - 1:
            _generate(figure, desk, engines[-1])
        if number == int(count * _WARM_UP):
            full = resident_mb()
        figure.runs += 1
    desk.until(lambda: not session.pictures.is_busy and not session.files.is_busy)
    grown = resident_mb() - full
    if threading.active_count() > threads + 2:  # files and pictures have one each
        figure.fail(f"{threading.active_count() - threads} new threads")
    watched: list[ReferenceType[Any]] = [ref(session.document), ref(session), ref(window)]
    images = [layer.image for layer in session.document.layers if layer.image is not None]
    watched += [ref(image) for image in images]
    session.selection.set([])
    return grown, watched


def _step(desk: WindowDesk, source: Random, number: int) -> None:
    window = desk.window
    assert window is not None
    session = window.session
    if number % 500 == 499:  # a picture grows without end otherwise
        session.push(ReplaceDocument(start(source).contents))
    elif source.random() < 0.2:
        window.actions_["undo"].trigger()
    else:
        make = MAKERS[source.choice(list(MAKERS))]
        session.push(make(session.document, source))
    ids = [layer.id for layer in session.document.layers]
    if ids and source.random() < 0.2:
        session.selection.set(source.sample(ids, min(len(ids), source.randint(1, 3))))
    desk.app.processEvents()


def _generate(figure: Figure, desk: WindowDesk, engine: FakeEngine) -> None:
    assert desk.window is not None
    bridge = desk.window.session.bridge
    desk.window.actions_["generate_all"].trigger()
    job = bridge.current
    if job is None:
        return
    request = engine.requests[-1]
    engine.begin(request, STEPS)
    engine.finish(request)
    desk.until(lambda: job.has_ended)
    engine.requests.clear()
    figure.count("generations")


def _check_nothing_is_left(figure: Figure, seed: int, watched: list[ReferenceType[Any]]) -> None:
    left = [type(each()).__name__ for each in watched if each() is not None]
    if left:
        figure.fail(f"seed {seed}: still there after closing: {', '.join(sorted(set(left)))}")
    threads = [each.name for each in threading.enumerate() if "layerloom" in each.name]
    if threads:
        figure.fail(f"seed {seed}: threads are left: {threads}")
    timers = [
        each
        for each in gc.get_objects()
        if type(each) is QTimer and isValid(each) and each.isActive()
    ]
    if timers:
        figure.fail(f"seed {seed}: {len(timers)} timers are left")
    if QApplication.topLevelWidgets():
        names = [type(each).__name__ for each in QApplication.topLevelWidgets()]
        figure.fail(f"seed {seed}: widgets are left: {names}")
