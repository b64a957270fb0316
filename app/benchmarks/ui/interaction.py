"""What hands feel: dragging, drawing, zooming, undo, lists, hovering (UI1 to UI12)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from PySide6.QtCore import QEventLoop, QPoint, QPointF, Qt, QTimer
from PySide6.QtGui import QWheelEvent

from app.benchmarks.ui.rows import Row, timed
from app.benchmarks.window import Desk, Watch, filled
from app.document import commands

SLOW_MODES = ("overlay", "soft-light", "color-burn", "color-dodge", "hard-light")


def drags(desk: Desk, moves: int) -> list[float]:
    """Select a layer in the middle of the stack and drag it by the middle of what it shows."""
    window = desk.window
    layer = window.session.document.foregrounds[25]
    window.actions_["tool_select"].trigger()
    window.session.selection.set([layer.id])
    desk.settle()
    x, y = layer.rect.centre
    # The layer is held by its pixels: others may lie above it.
    for other in window.session.document.foregrounds:
        if other.id != layer.id and other.rect.contains_point(x, y):
            window.session.push(commands.SetLocked([other.id], True))
    return desk.drag((x, y), moves)


def dragging(moves: int) -> Iterator[Row]:
    """UI1, UI2 and UI7's drag: one of fifty layers, idle, while generating, below slow modes."""
    with Desk(filled(50, mixed=True)) as desk:
        yield timed("UI1", "drag 1 of 50, idle", drags(desk, moves), median=16, p95=33)
        desk.window.actions_["generate_all"].trigger()
        times = drags(desk, moves)
        desk.window.actions_["stop"].trigger()
        yield timed("UI1", "drag 1 of 50, generating", times, median=16, p95=33)
    with Desk(filled(50, mixed=True, full_above=5)) as desk:
        layers = desk.window.session.document.foregrounds
        for layer, mode in zip(layers[-5:], SLOW_MODES, strict=True):
            desk.window.session.push(commands.SetBlend([layer.id], mode))
        yield timed("UI2", "drag below 5 full slow modes", drags(desk, moves), p95=50)


def scaled(moves: int) -> Row:
    """UI3, in a child process with QT_SCALE_FACTOR=2."""
    with Desk(filled(50, mixed=True)) as desk:
        return timed("UI3", "drag 1 of 50 at scale 2", drags(desk, moves), p95=33)


def drawing(moves: int) -> Iterator[Row]:
    """UI4, UI5: a box with grid and costs; wheel zoom."""
    with Desk(filled(20, mixed=True)) as desk:
        window = desk.window
        window.session.selection.set([])
        window.actions_["tool_box"].trigger()
        times = desk.drag((200, 200), moves)
        yield timed("UI4", "draw a box", times, p95=16)
        port = window.view.viewport()
        times = []
        for turn in range(min(40, moves)):
            step = 120 if turn % 8 < 4 else -120
            middle = QPointF(port.rect().center())
            where, keys = QPointF(port.mapToGlobal(middle.toPoint())), Qt.KeyboardModifier
            none, phase = Qt.MouseButton.NoButton, Qt.ScrollPhase.NoScrollPhase
            turned = (QPoint(), QPoint(0, step), none, keys.ControlModifier, phase, False)
            wheel = QWheelEvent(middle, where, *turned)
            times.append(desk.shown_after(desk.app.sendEvent, port, wheel))
        yield timed("UI5", "zoom step", times, p95=33)


def changing(repeats: int) -> Iterator[Row]:
    """UI6, UI9, UI10: settled composite, eye, opacity, blend, undo."""
    with Desk(filled(50)) as desk:
        session = desk.window.session
        layer = session.document.foregrounds[10]
        settled, eyes, undos = [], [], []
        for turn in range(repeats):
            opacity = 0.5 + 0.01 * (turn % 40)
            eyes.append(desk.shown_after(session.push, commands.SetOpacity([layer.id], opacity)))
            settled.append(desk.settle() * 1000)
            shown = commands.SetVisible([layer.id], bool(turn % 2))
            eyes.append(desk.shown_after(session.push, shown))
            undos.append(desk.shown_after(session.undo.undo))
            undos.append(desk.shown_after(session.undo.redo))
        yield timed(
            "UI6", "settled composite, the 11th of 50 full layers changed", settled, max=200
        )
        yield timed("UI9", "eye and opacity shown", eyes, p95=50)
        yield timed("UI10", "undo and redo", undos, p95=50)


def lists(repeats: int) -> Iterator[Row]:
    """UI8, UI11, UI12: previews, rows, hovering a candidate."""
    contents = filled(50, mixed=True)
    with Desk() as desk:
        window = desk.window
        built = [desk.shown_after(window.session.replace, contents, "Bench", None)]
        yield timed("UI11", "list of 50 rows, built", built, max=100)
        desk.settle()
        bar = window.layers.list.verticalScrollBar()
        frames = [
            desk.shown_after(bar.setValue, place)
            for place in range(0, bar.maximum(), max(1, bar.maximum() // 60))
        ]
        yield timed("UI11", "list of 50 rows, scrolled", frames or [0.0], p95=16)
        layer = window.session.document.foregrounds[30]
        rgba = np.full((32, 32, 4), 128, np.uint8)
        previews = []
        for _ in range(repeats):
            begun = Watch.now()
            window.scene.show_preview(layer.id, layer.rect.to_box(), rgba)
            previews.append((Watch.now() - begun) * 1000)
            desk.app.processEvents()
        window.scene.clear_previews()
        yield timed("UI8", "preview applied", previews, p95=5)
        rng = np.random.default_rng(1)
        for turn in range(8):
            pixels = rng.integers(0, 255, (layer.rect.height, layer.rect.width, 4), np.uint8)
            made = commands.Placement(layer.id, pixels, layer.rect, {"seed": turn}).as_candidate()
            window.session.push(commands.AddCandidates({layer.id: made}))
        window.session.selection.set([layer.id])
        desk.settle()
        shown = [
            desk.shown_after(window.stage.show_place, place)
            for place in list(range(1, 9)) * max(1, repeats // 8)
        ]
        yield timed("UI12", "candidate shown", shown, p95=50)


def typing(seconds: float) -> Row:
    """UI7: gaps of the event loop while a job runs with previews."""
    with Desk(filled(20, mixed=True)) as desk:
        desk.window.actions_["generate_all"].trigger()
        at: list[float] = []
        timer = QTimer()
        timer.setTimerType(Qt.TimerType.PreciseTimer)
        timer.timeout.connect(lambda: at.append(time.perf_counter()))
        timer.start(10)
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            desk.app.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 20)
        timer.stop()
        desk.window.actions_["stop"].trigger()
        gaps = [(b - a) * 1000 for a, b in pairwise(at)]
        return timed("UI7", "gaps while generating", gaps or [0.0], p95=50, max=100)


def checking(prompt: str) -> Row:
    """UI20: the check of the prompt against the boxes, for each character that is typed."""
    with Desk(filled(6)) as desk:
        controller, times = desk.window.prompt_controller, []
        desk.window.session.bridge.summary()  # reads the tables of words
        for end in range(1, len(prompt) + 1):
            desk.window.session.push(commands.SetPrompt(prompt[:end]))
            start = time.perf_counter()
            controller.check_now()
            times.append((time.perf_counter() - start) * 1000)
        return timed("UI20", "words checked after a key", times, p95=5)
