"""Plays the whole way through the window as a new user would, and takes a picture at each turn.

    xvfb-run -a -s "-screen 0 1600x1000x24" python tools/screenshots.py [--fake] [--out FOLDER]

Draw three boxes, type, generate, stop half-way, generate again, drag, hide, regenerate, add a box,
undo everything, redo everything, save, reopen, export. Checks the document at each turn and ends
with 1 when something is not as it should be. `--fake` takes a scripted engine instead of the model.
"""

# Run from anywhere: the path is set before the imports of ours.
# ruff: noqa: E402, T201

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import numpy as np
import qasync
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QWidget

from app.bridge import engine_factory
from app.document.composite import composite
from app.document.storage.png import read_picture
from app.jobs import Job, Message
from app.settings import Settings
from app.ui.exchange.export_dialog import ExportDialog
from app.ui.main_window import MainWindow
from tests.fakes import FakeEngine

PROMPT = "a red balloon, a dog and a castle under a blue sky"
BOXES = ((256, 224, 480, 448), (96, 352, 224, 480), (64, 32, 192, 192))
BIRD = (320, 64, 416, 160)
LEFT = Qt.MouseButton.LeftButton


class SlowFake(FakeEngine):
    """Answers by itself, a step each 0.15 s, and stops when told to."""

    def start(self) -> None:
        self.get_ready()

    def submit(self, request) -> None:  # type: ignore[no-untyped-def]
        super().submit(request)
        threading.Thread(target=self._run, args=(request,), daemon=True).start()

    def _run(self, request) -> None:  # type: ignore[no-untyped-def]
        for step in range(1, 13):
            time.sleep(0.15)
            if request.job_id in self.cancelled or None in self.cancelled[-1:]:
                self.end_cancelled(request)
                return
            self.begin(request, steps=step)
        self.finish(request)


class Story:
    """The window, the hand and the camera."""

    def __init__(self, window: MainWindow, out: Path) -> None:
        self.window = window
        self.out = out
        self.count = 0

    # ---- camera ----

    def shot(self, name: str, widget: QWidget | None = None) -> None:
        """Save what the window shows."""
        self.count += 1
        path = self.out / f"{self.count:02d}-{name}.png"
        (widget or self.window).grab().save(str(path))
        print(path)

    def check(self, what: str, is_so: bool) -> None:
        """Stop the story when something is not as it should be."""
        if not is_so:
            raise AssertionError(what)
        print(f"   ok: {what}")

    async def until(self, is_so: Callable[[], bool], seconds: float = 600) -> None:
        """Let the window live until something is so."""
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

    # ---- hand ----

    def press(self, x: float, y: float) -> None:
        QTest.mousePress(self._port, LEFT, pos=self._at(x, y))

    def move(self, x: float, y: float) -> None:
        local = QPointF(self._at(x, y))
        where = QPointF(self._port.mapToGlobal(local.toPoint()))
        none = Qt.KeyboardModifier.NoModifier
        kind = QEvent.Type.MouseMove
        event = QMouseEvent(kind, local, where, Qt.MouseButton.NoButton, LEFT, none)
        QApplication.sendEvent(self._port, event)

    def release(self, x: float, y: float) -> None:
        QTest.mouseRelease(self._port, LEFT, pos=self._at(x, y))

    async def drag(self, x0: float, y0: float, x1: float, y1: float, name: str = "") -> None:
        self.press(x0, y0)
        for part in np.linspace(0.2, 1.0, 5):
            self.move(x0 + (x1 - x0) * part, y0 + (y1 - y0) * part)
            await asyncio.sleep(0.02)
        if name:
            self.shot(name)
        self.release(x1, y1)

    def key(self, key: Qt.Key, ctrl: bool = False, shift: bool = False) -> None:
        modifiers = Qt.KeyboardModifier.NoModifier
        if ctrl:
            modifiers |= Qt.KeyboardModifier.ControlModifier
        if shift:
            modifiers |= Qt.KeyboardModifier.ShiftModifier
        QTest.keyClick(self.window.focusWidget() or self.window, key, modifiers)

    async def file_dialog(self, path: Path) -> None:
        """Answer the file dialog that is open."""
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

    @property
    def _port(self) -> QWidget:
        return self.window.view.viewport()

    def _at(self, x: float, y: float):  # type: ignore[no-untyped-def]
        return self.window.view.to_view().map(QPointF(x, y)).toPoint()


async def play(story: Story, folder: Path) -> None:
    """The story of issue 2, step by step."""
    window = story.window
    bridge, stack = window.session.bridge, window.session.undo.stack
    await story.until(lambda: bridge.state in ("ready", "failed"))
    if bridge.state == "failed":
        raise RuntimeError(bridge.trouble)
    window.settings.first_run_done = True
    await story.rest()
    story.shot("first-start")
    window.messages.dismiss()

    # Draw three boxes.
    for index, (x0, y0, x1, y1) in enumerate(BOXES):
        window.session.selection.clear()
        await story.drag(x0 + 3, y0 + 5, x1 - 4, y1 - 3, "drawing" if index == 2 else "")
    story.check(
        "three boxes on the grid",
        [layer.rect.to_box() for layer in story.document.foregrounds] == list(BOXES),
    )

    # Type.
    story.key(Qt.Key.Key_P)
    QTest.keyClicks(window.prompt.field, PROMPT + " with qwerzhs")
    await asyncio.sleep(0.6)
    story.shot("typed")
    story.check("an unknown word is named", "qwerzhs" in window.prompt.words.text())
    for _ in " with qwerzhs":
        story.key(Qt.Key.Key_Backspace)
    await asyncio.sleep(0.4)

    # Generate, and stop half-way.
    start = story.document.content_hash()
    story.key(Qt.Key.Key_Return, ctrl=True)
    await story.half_way()
    story.shot("generating")
    window.view.setFocus()
    story.key(Qt.Key.Key_X, shift=True)
    story.check("Stop ends the job at once", story.is_idle)
    await story.rest()
    story.shot("stopped")
    story.check("a stopped job changes nothing", story.document.content_hash() == start)

    # Generate again.
    story.key(Qt.Key.Key_Return, ctrl=True)
    await story.until(lambda: story.is_idle and bridge.state == "ready")
    await story.rest()
    story.shot("finished")
    story.check("every layer has pixels", all(x.has_pixels for x in story.document.layers))

    # Drag.
    window.actions_["tool_select"].trigger()
    before = story.hashes()
    layer = story.document.foregrounds[2]
    x, y = layer.rect.centre
    window.session.selection.set([layer.id])
    await story.drag(x, y, x + 130, y + 35, "dragging")
    await story.rest()
    story.check("a drag changes no pixels", story.hashes() == before)
    story.shot("dragged")

    # Hide.
    layer = story.document.foregrounds[1]
    window.session.selection.set([layer.id])
    story.key(Qt.Key.Key_H, ctrl=True)
    await story.rest()
    story.shot("hidden")
    story.check("one layer is hidden", not story.document.foregrounds[1].visible)
    story.key(Qt.Key.Key_H, ctrl=True)

    # Regenerate.
    layer = story.document.foregrounds[0]
    window.session.selection.set([layer.id])
    before = story.hashes()
    story.key(Qt.Key.Key_R, ctrl=True)
    await story.half_way()
    story.shot("regenerating")
    await story.until(lambda: story.is_idle and bridge.state == "ready")
    await story.rest()
    story.shot("regenerated")
    changed = {name for name, value in story.hashes().items() if before[name] != value}
    story.check(f"only '{layer.name}' is another", changed == {layer.name})

    # Add a box.
    window.session.selection.clear()
    window.actions_["tool_box"].trigger()
    await story.drag(BIRD[0] + 2, BIRD[1] + 2, BIRD[2] - 2, BIRD[3] - 2)
    window.prompt.field.setFocus()
    window.prompt.field.moveCursor(window.prompt.field.textCursor().MoveOperation.End)
    QTest.keyClicks(window.prompt.field, ", a moon")
    before = story.hashes()
    window.view.setFocus()
    story.shot("box-added")
    story.key(Qt.Key.Key_R, ctrl=True)
    await story.until(lambda: story.is_idle and bridge.state == "ready")
    await story.rest()
    story.shot("box-filled")
    changed = {name for name, value in story.hashes().items() if before[name] != value}
    story.check("only the new box was filled", changed == {"Layer 4"})

    # Undo everything, redo everything.
    last = story.document.content_hash()
    while stack.canUndo():
        story.key(Qt.Key.Key_Z, ctrl=True)
    await story.rest()
    story.shot("all-undone")
    story.check("undo leads back to nothing", not story.document.foregrounds)
    while stack.canRedo():
        story.key(Qt.Key.Key_Z, ctrl=True, shift=True)
    await story.rest()
    story.check("redo leads to the same bytes", story.document.content_hash() == last)

    # Save, reopen, export.
    path = folder / "walkthrough.ora"
    story.key(Qt.Key.Key_S, ctrl=True)
    await story.file_dialog(path)
    story.check("saved", path.exists() and window.session.undo.is_clean)
    window.session.replace(type(story.document)().contents, "New Picture", None)
    story.key(Qt.Key.Key_O, ctrl=True)
    await story.file_dialog(path)
    await story.until(lambda: len(story.document.foregrounds) == 4, 30)
    await story.rest()
    story.check("reopened with the same bytes", story.document.content_hash() == last)
    window.session.selection.set([story.document.foregrounds[2].id])
    await asyncio.sleep(0.2)
    story.shot("reopened")
    story.key(Qt.Key.Key_E, ctrl=True, shift=True)
    await story.until(lambda: bool(window.findChildren(ExportDialog)), 10)
    (dialog,) = window.findChildren(ExportDialog)
    story.shot("export", dialog)
    dialog.export_button.click()
    await story.file_dialog(folder / "walkthrough.png")
    exported = read_picture(folder / "walkthrough.png")
    story.check("exported what is shown", np.array_equal(exported, composite(story.document)))

    # Both themes, and a message.
    window.actions_["theme_light"].trigger()
    await story.rest()
    story.shot("light")
    window.show_message(
        Message(
            kind="error",
            what="Generating 'Castle' failed.",
            kept="Your picture is as it was.",
            advice="Try again, or copy the details for a report.",
            details="RuntimeError: an example",
        )
    )
    await asyncio.sleep(0.2)
    story.shot("light-message")


def main() -> int:
    """Play, and say how it went."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--fake", action="store_true", help="a scripted engine instead of the model"
    )
    parser.add_argument("--model", type=Path, help="another model than the shipped one")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "walkthrough")
    parser.add_argument("--theme", choices=("dark", "light"), default="dark")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    app = QApplication(sys.argv[:1])
    app.setAttribute(Qt.ApplicationAttribute.AA_DontUseNativeDialogs)
    app.setQuitOnLastWindowClosed(False)
    loop = qasync.QEventLoop(app)
    asyncio.set_event_loop(loop)
    make = SlowFake if options.fake else engine_factory(weights=options.model)
    failure: BaseException | None = None
    with loop, tempfile.TemporaryDirectory() as folder:
        window = MainWindow(loop, make, Settings(theme=options.theme))
        window.resize(1440, 900)
        window.show()
        window.activateWindow()
        window.session.bridge.start()

        async def live() -> None:
            await play(Story(window, options.out), Path(folder))

        try:
            loop.run_until_complete(live())
        except (AssertionError, TimeoutError, RuntimeError) as error:
            failure = error
            window.grab().save(str(options.out / "failed.png"))
        window.session.undo.stack.setClean()
        window.close()
        window.session.shutdown()
    print(f"failed: {failure!r}" if failure else "the whole way was walked")
    return 1 if failure else 0


if __name__ == "__main__":
    sys.exit(main())
