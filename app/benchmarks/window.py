"""A real window for measuring: a fake engine that keeps busy, documents of any size, events.

Nothing here judges.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import qasync
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication

from app.document.commands import Placement, PlacePixels
from app.document.contents import Contents, new_contents
from app.document.document import Document
from app.document.geometry import Rect, Size
from app.session.settings import Settings
from app.testing import FakeEngine, model_info, ready
from app.ui.main_window import MainWindow
from app.ui.session import MakeEngine
from engine import Event, GenerateRequest, Preview, Progress, Started, Vocabulary

SIDE = 1024
GRID = 32
LEFT = Qt.MouseButton.LeftButton
FRAME_S = 0.016


class Watch:
    """What times are taken with: the clock, or with `layerloom bench ui --cpu` processor time.

    `now` is of the calling thread, `now_of_all` of the process, in seconds.
    """

    now: Callable[[], float] = staticmethod(time.perf_counter)
    now_of_all: Callable[[], float] = staticmethod(time.perf_counter)


INFO = model_info(
    name="bench",
    trained_canvases=((512, 512), (SIDE, SIDE)),
    vocabulary=Vocabulary(looks=("flat",)),
)


def busy_engine(emit: Callable[[Event], None]) -> FakeEngine:
    """An engine whose jobs keep one core busy and send 30 previews a second until they end."""
    return FakeEngine(emit, info=INFO, opening=(ready(INFO),), work=_keep_busy)


def _keep_busy(engine: FakeEngine, request: GenerateRequest) -> None:
    job = request.job_id
    engine.emit(Started(job_id=job, total_steps=1000, unknown_words=()))
    matrix = np.random.default_rng(0).random((384, 384), np.float32)
    step, shown = 0, 0.0
    while not engine.is_stopped:
        matrix = matrix @ matrix
        matrix /= np.abs(matrix).max()
        if time.monotonic() - shown < 1 / 30:
            continue
        shown, step = time.monotonic(), step + 1
        engine.emit(Progress(job_id=job, step=step % 999, total=1000, seconds_left=9.0))
        for layer in request.layers[:4]:
            rgba = np.full((32, 32, 4), (step % 255, 90, 160, 200), np.uint8)
            engine.emit(Preview(job_id=job, layer_id=layer.layer_id, box=layer.box, rgba=rgba))


def filled(count: int, *, mixed: bool = False, full_above: int = 0) -> Contents:
    """A canvas of 1024 x 1024 with layers that have pixels: full ones, or of mixed sizes.

    So many of the uppermost are full ones in any case.
    """
    rng = np.random.default_rng(0)
    boxes = []
    for place in range(count):
        side_x, side_y = SIDE, SIDE
        if mixed and place < count - full_above:
            side_x, side_y = (int(rng.integers(2, 17)) * GRID for _ in range(2))
        x = int(rng.integers(0, (SIDE - side_x) // GRID + 1)) * GRID
        y = int(rng.integers(0, (SIDE - side_y) // GRID + 1)) * GRID
        boxes.append(Rect(x, y, side_x, side_y))
    document = Document(new_contents(Size(SIDE, SIDE), GRID, boxes=boxes))
    placements = [
        Placement(layer.id, _blob(layer.rect, rng), layer.rect, {"prompt": "", "seed": 1})
        for layer in document.layers
    ]
    PlacePixels(placements).do(document)
    return document.contents


def _blob(rect: Rect, rng: np.random.Generator) -> np.ndarray:
    """A soft disc in one colour, with a little noise so that no two are equal."""
    rows, columns = np.mgrid[-1 : 1 : rect.height * 1j, -1 : 1 : rect.width * 1j]
    alpha = np.clip((1.0 - np.hypot(rows, columns)) * 4, 0, 1)
    rgba = np.empty((rect.height, rect.width, 4), np.uint8)
    rgba[..., :3] = rng.integers(0, 255, 3)
    rgba[..., 0] ^= rng.integers(0, 4, (rect.height, rect.width), dtype=np.uint8)
    rgba[..., 3] = (alpha * 255).astype(np.uint8)
    return rgba


class Desk:
    """One open window. Use as a context manager."""

    def __init__(
        self,
        contents: Contents | None = None,
        *,
        make_engine: MakeEngine = busy_engine,
        starts: bool = True,  # whether the engine is started
        # of the user; None = the dark theme, and not the first start
        settings: Settings | None = None,
        work_root: Path | None = None,  # where unsaved work is kept; None = nowhere
    ) -> None:
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
        app = QApplication.instance() or QApplication([])
        assert isinstance(app, QApplication)
        self.app = app
        self.loop = qasync.QEventLoop(app)
        asyncio.set_event_loop(self.loop)
        self.window = MainWindow(
            self.loop,
            make_engine,
            settings or Settings(theme="dark", first_run_done=True),
            work_root=work_root,
        )
        self.window.resize(1400, 900)
        self.window.show()
        if starts:
            self.window.session.bridge.start()
        self.settle()
        if contents is not None:
            self.window.session.replace(contents, "Bench", None)
        self.settle()

    def __enter__(self) -> Desk:
        return self

    def __exit__(self, *_: object) -> None:
        self.window.session.undo.mark_saved()
        self.window.close()
        self.window.session.shutdown()
        self.window.deleteLater()
        del self.window
        self.app.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        self.app.processEvents()
        self.loop.close()
        asyncio.set_event_loop(None)

    # ---- time and events ----

    def settle(self, limit_s: float = 5.0) -> float:
        """Handle events until the exact composite is shown; seconds that took."""
        start, begun = time.perf_counter(), Watch.now_of_all()
        while time.perf_counter() - start < limit_s:
            self.app.processEvents()
            if self.window.scene.is_settled and not self.window.session.pictures.is_busy:
                break
            time.sleep(0.001)
        return Watch.now_of_all() - begun

    def shown_after(self, act: Callable[..., object], *args: Any) -> float:
        """Milliseconds from the beginning of `act` to the end of the paint that shows it."""
        start = Watch.now()
        act(*args)
        self.app.sendPostedEvents()
        self.app.processEvents()
        return (Watch.now() - start) * 1000

    def mouse(self, kind: QEvent.Type, x: float, y: float) -> None:
        port = self.window.view.viewport()
        point = self.window.view.to_view().map(QPointF(x, y))
        button = Qt.MouseButton.NoButton if kind == QEvent.Type.MouseMove else LEFT
        held = Qt.MouseButton.NoButton if kind == QEvent.Type.MouseButtonRelease else LEFT
        place, none = QPointF(port.mapToGlobal(point.toPoint())), Qt.KeyboardModifier.NoModifier
        self.app.sendEvent(port, QMouseEvent(kind, point, place, button, held, none))

    def drag(self, start: tuple[float, float], moves: int = 200) -> list[float]:
        """Press, move `moves` times along a circle, release; milliseconds of each move."""
        x, y = start
        times = []
        self.mouse(QEvent.Type.MouseButtonPress, x, y)
        for turn in range(moves):
            angle = turn / 16
            to_x, to_y = x + 160 * np.sin(angle), y + 120 * (1 - np.cos(angle))
            begun = time.perf_counter()
            times.append(self.shown_after(self.mouse, QEvent.Type.MouseMove, to_x, to_y))
            time.sleep(max(0.0, FRAME_S - (time.perf_counter() - begun)))
        self.mouse(QEvent.Type.MouseButtonRelease, x, y)
        self.app.processEvents()
        return times
