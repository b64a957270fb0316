"""The program as a whole: start, close, traps of the platform. Children run the real start."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import weakref
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QObject, Signal
from shiboken6 import delete

from app.session.settings import Settings, load_settings, save_settings
from app.testing import FakeEngine
from app.ui.main_window import MainWindow

_CLOSES_WHILE_GENERATING = """
import asyncio, gc, sys, threading, time
from app.testing import FakeEngine
from app.ui import application

class Slow(FakeEngine):
    def start(self):
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.live)
        self.thread.start()
    def live(self):
        self.get_ready()
        while not self.stop.wait(0.02):
            if self.requests:
                self.begin(self.last, steps=3)
    def shutdown(self, timeout_s=10.0):
        assert threading.current_thread() is not threading.main_thread(), "join on the UI thread"
        self.stop.set()
        self.thread.join()
        return True

live = application._live
async def drive(window, path):
    async def hand():
        while window.session.bridge.info is None:  # "ready" may last a moment: it measures then
            await asyncio.sleep(0.01)
        assert "torch" not in sys.modules
        window.actions_["new_box"].trigger()
        window.session.undo.mark_saved()
        window.actions_["generate"].trigger()
        await asyncio.sleep(0.2)
        assert window.session.bridge.current is not None
        assert gc.get_freeze_count() > 10_000, "collections walk through what stays"
        window.close()
    task = asyncio.ensure_future(hand())
    result = await live(window, path)
    await task
    return result
application._live = drive
code = application.run_gui(None, Slow)
print("ended", code, [t.name for t in threading.enumerate() if "layerloom" in t.name])
"""

_EXCEPTION_IN_SLOT = """
import asyncio
from PySide6.QtCore import QTimer
from app.testing import FakeEngine
from app.ui import application
live = application._live
async def drive(window, path):
    async def hand():
        def slot():
            raise ValueError("from a slot")
        for _ in range(3):
            QTimer.singleShot(0, slot)
        await asyncio.sleep(0.2)
        print("shown", window.messages.isVisible(), window.messages.details.toPlainText())
        window.close()
    task = asyncio.ensure_future(hand())
    result = await live(window, path)
    await task
    return result
application._live = drive
print("ended", application.run_gui(None, FakeEngine))
"""


def child(code: str, home: Path, **changes: str | None) -> subprocess.CompletedProcess[str]:
    """Run Python in a home of its own."""
    environment = {
        **os.environ,
        "QT_QPA_PLATFORM": "offscreen",
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_STATE_HOME": str(home / "state"),
        "XDG_CACHE_HOME": str(home / "cache"),
    }
    for name, value in changes.items():
        if value is None:
            environment.pop(name, None)
        else:
            environment[name] = value
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        env=environment,
        check=False,
    )


class Emitter(QObject):
    fired = Signal(bool)


def test_emit_keeps_the_references_of_true(qapp: Any) -> None:
    """PySide6 6.12 on CPython 3.11 loses one reference of True per emit."""
    emitter = Emitter()
    seen: list[bool] = []
    emitter.fired.connect(seen.append)
    before = sys.getrefcount(True)
    for _ in range(200):
        emitter.fired.emit(True)
    seen.clear()
    assert sys.getrefcount(True) >= before - 20


def test_closing_while_generating_ends_clean(tmp_path: Path) -> None:
    """The engine is joined off the UI thread, exit code 0."""
    done = child(_CLOSES_WHILE_GENERATING, tmp_path)
    assert done.returncode == 0, done.stderr
    assert "ended 0 []" in done.stdout
    assert (tmp_path / "config" / "Layerloom" / "settings.json").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="signals of a terminal")
def test_ctrl_c_in_the_terminal_closes_the_window(tmp_path: Path) -> None:
    """A terminal's Ctrl+C ends the program as the window's button does: exit code 0."""
    code = _EXCEPTION_IN_SLOT.replace("window.close()", "os.kill(os.getpid(), signal.SIGINT)")
    done = child("import os, signal" + code, tmp_path)
    assert done.returncode == 0, done.stderr
    assert "ended 0" in done.stdout


def test_settings_outlive_a_program_that_is_killed(tmp_path: Path) -> None:
    """What the dialog changed is on the disk when it closes, not when the program ends."""
    kill = """
        window.actions_["settings"].trigger()
        window.dialogs.dialog.fields["undo_steps"].setValue(77)
        window.dialogs.dialog.close()
        os._exit(9)"""
    code = _EXCEPTION_IN_SLOT.replace("        window.close()", kill.lstrip("\n"))
    assert child("import os" + code, tmp_path).returncode == 9
    read, trouble = load_settings(tmp_path / "config" / "Layerloom" / "settings.json")
    assert (read.undo_steps, trouble) == (77, "")


def test_an_exception_nobody_caught_is_logged_and_shown_once(tmp_path: Path) -> None:
    """The log has the traceback, the window says so, the program lives."""
    done = child(_EXCEPTION_IN_SLOT, tmp_path)
    assert done.returncode == 0, done.stderr
    assert "shown True ValueError: from a slot" in done.stdout
    logs = list(tmp_path.rglob("layerloom.log"))
    assert len(logs) == 1
    assert "Traceback" in logs[0].read_text(encoding="utf-8")


def test_without_a_display_one_line_names_the_other_way(tmp_path: Path) -> None:
    """Set-up: where there is no display, one line says so and names the headless command."""
    done = child(
        "import sys; from app.ui.application import run_gui; sys.exit(run_gui(None))",
        tmp_path,
        QT_QPA_PLATFORM=None,
        DISPLAY=None,
        WAYLAND_DISPLAY=None,
    )
    if sys.platform == "linux":
        assert done.returncode == 2
        assert len(done.stderr.strip().splitlines()) == 1
        assert "layerloom generate --help" in done.stderr


def test_settings_survive_damage(tmp_path: Path) -> None:
    """Unreadable settings are set aside and defaults used, with one line."""
    path = tmp_path / "settings.json"
    save_settings(path, Settings(theme="light", threads=3))
    assert load_settings(path) == (Settings(theme="light", threads=3), "")
    path.write_text('{"theme": 7, "threads": true, "unknown": 1}')
    assert load_settings(path) == (Settings(), "")
    path.write_bytes(b"\xff\x00 not json")
    settings, trouble = load_settings(path)
    assert settings == Settings()
    assert "settings.damaged" in trouble
    assert (tmp_path / "settings.damaged").exists()
    assert load_settings(path) == (Settings(), "")


def test_a_closed_window_frees_its_document(qtbot: Any, qloop: Any) -> None:
    """Closing a document frees its layers: nothing global holds on to them."""
    window = MainWindow(qloop, FakeEngine, Settings(first_run_done=True))
    window.show()
    document = weakref.ref(window.session.document)
    window.session.undo.mark_saved()
    window.close()
    window.session.shutdown()
    delete(window)
    del window
    gc.collect()
    assert document() is None
