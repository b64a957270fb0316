"""Camera and hand for walks through the window.

Used by `tools/screenshots.py`, which has the steps.
"""

# ruff: noqa: T201

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QImage, QMouseEvent, QPainter
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QWidget

from app.session.jobs import Job
from app.ui.main_window import MainWindow
from app.ui.widgets.images import to_array

LEFT = Qt.MouseButton.LeftButton
MAX_BYTES = 145_000


def save(picture: QImage, path: Path) -> None:
    """As WebP of at most 145 kB: without loss where that is small enough."""
    image = Image.fromarray(to_array(picture)).convert("RGB")
    for quality in (100, 92, 85, 75, 60):
        stream = io.BytesIO()
        image.save(stream, "WEBP", method=6, quality=quality, lossless=quality == 100)
        if stream.tell() <= MAX_BYTES:
            break
    path.write_bytes(stream.getvalue())


class Story:
    """The window, the hand and the camera."""

    def __init__(self, window: MainWindow, out: Path, suffix: str) -> None:
        self.window = window
        self.out = out
        self.suffix = suffix

    # ---- camera ----

    def shot(self, name: str, dialog: QWidget | None = None) -> None:
        """Save what the window shows; a dialog covers its middle, as the user sees it."""
        picture = self.window.grab().toImage()
        if dialog is not None:
            shown = dialog.grab().toImage()
            painter = QPainter(picture)
            painter.fillRect(picture.rect(), QColor(0, 0, 0, 90))
            place = picture.rect().center() - shown.rect().center()
            painter.drawImage(place, shown)
            painter.setPen(QColor(128, 128, 128))  # the frame that a desktop would draw
            painter.drawRect(shown.rect().translated(place).adjusted(-1, -1, 0, 0))
            painter.end()
        path = self.out / f"{name}-{self.suffix}.webp"
        save(picture, path)
        print(f"{path} ({path.stat().st_size // 1000} kB)")

    def check(self, what: str, is_so: bool) -> None:
        """Stop the story when something is not as it should be."""
        if not is_so:
            raise AssertionError(what)
        print(f"   ok: {what}")

    async def until(self, is_so: Callable[[], bool], seconds: float = 600) -> None:
        end = time.monotonic() + seconds
        while not is_so():
            if time.monotonic() > end:
                raise TimeoutError("it did not happen")
            await asyncio.sleep(0.02)

    async def half_way(self) -> None:
        """Until the running job has done half of its steps, and a preview is on the screen."""
        bridge = self.window.session.bridge
        seen = {"half": False}

        def on_job(job: Job) -> None:
            seen["half"] |= bool(job.total) and 2 * job.step >= job.total - 1

        bridge.job_changed.connect(on_job)
        await self.until(lambda: seen["half"])
        bridge.job_changed.disconnect(on_job)
        await asyncio.sleep(0.06)
        if bridge.current is None:
            raise AssertionError("the job was over before half-way could be shown: a toy model?")

    async def rest(self) -> None:
        """Until the exact picture is on the screen."""
        await asyncio.sleep(0.1)
        await self.until(lambda: self.window.scene.is_settled, 20)
        await asyncio.sleep(0.25)

    async def back(self) -> None:
        """To the canvas after a dialog: without a window manager it does not come by itself."""
        self.window.activateWindow()
        self.window.view.setFocus()
        await asyncio.sleep(0.3)

    async def finished(self) -> None:
        """Until nothing runs and the exact picture is on the screen."""
        bridge = self.window.session.bridge
        await self.until(lambda: self.is_idle and bridge.state == "ready")
        await asyncio.sleep(0.1)
        if self.window.stage.place == 0:
            await self.rest()

    # ---- hand ----

    async def drag(self, x0: float, y0: float, x1: float, y1: float, name: str = "") -> None:
        """Between two places of the canvas; a picture is taken before the end."""
        port = self.window.view.viewport()

        def at(x: float, y: float) -> QPoint:
            return self.window.view.to_view().map(QPointF(x, y)).toPoint()

        QTest.mousePress(port, LEFT, pos=at(x0, y0))
        for part in np.linspace(0.2, 1.0, 5):
            place = at(x0 + (x1 - x0) * part, y0 + (y1 - y0) * part)
            where, none = QPointF(port.mapToGlobal(place)), Qt.KeyboardModifier.NoModifier
            kind, button = QEvent.Type.MouseMove, Qt.MouseButton.NoButton
            QApplication.sendEvent(
                port, QMouseEvent(kind, QPointF(place), where, button, LEFT, none)
            )
            await asyncio.sleep(0.02)
        if name:
            self.shot(name)
        QTest.mouseRelease(port, LEFT, pos=at(x1, y1))

    def key(self, key: Qt.Key, ctrl: bool = False, shift: bool = False) -> None:
        held = Qt.KeyboardModifier
        modifiers = held.ControlModifier if ctrl else held.NoModifier
        modifiers |= held.ShiftModifier if shift else held.NoModifier
        QTest.keyClick(self.window.focusWidget() or self.window, key, modifiers)

    async def file_dialog(self, path: Path) -> None:
        await self.until(lambda: bool(self.window.findChildren(QFileDialog)), 10)
        (dialog,) = self.window.findChildren(QFileDialog)
        dialog.selectFile(str(path))
        dialog.accept()
        await self.until(lambda: not self.window.findChildren(QFileDialog), 10)
        await self.until(lambda: not self.window.session.files.is_busy, 60)

    # ---- what is there ----

    @property
    def document(self):  # type: ignore[no-untyped-def]
        return self.window.session.document

    def hashes(self) -> dict[str, str | None]:
        return {layer.name: layer.pixel_hash for layer in self.document.layers}

    @property
    def is_idle(self) -> bool:
        return self.window.session.bridge.current is None
