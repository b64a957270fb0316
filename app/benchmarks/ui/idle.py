"""What a window at rest costs: processor time in each of its states (UI16).

The states are in `states`. Xvfb is a display without a screen, so that a real window system can be
measured anywhere.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from PySide6.QtWidgets import QApplication

from app.benchmarks.ui.rows import Row, child, single
from app.benchmarks.ui.states import PARTS, rest

_SCREEN = "2400x1400x24"
_END_LIMIT_S = 5.0


def has_xvfb() -> bool:
    return shutil.which("Xvfb") is not None


@contextlib.contextmanager
def xvfb() -> Iterator[str]:
    """Run Xvfb; yields its display, such as ":99", once it takes windows. OSError: it cannot."""
    # It chooses a free number itself and writes it when it is ready.
    reading, writing = os.pipe()
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", _SCREEN, "-nolisten", "tcp"]
    try:
        null = subprocess.DEVNULL
        server = subprocess.Popen(
            command, pass_fds=(writing,), stdin=null, stdout=null, stderr=null
        )
    except OSError:
        os.close(reading)
        raise
    finally:
        os.close(writing)
    try:
        with os.fdopen(reading) as answer:
            number = answer.readline().strip()
        if not number:
            raise OSError("Xvfb ended before it had a display")
        yield f":{number}"
    finally:
        server.terminate()
        try:
            server.wait(_END_LIMIT_S)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


# ---- rows ----

MOST_CPU = 2.0  # percent of a core
_QUIET_S = 0.1


def measured(part: str, seconds: float) -> dict[str, float]:
    """Processor time of each main state of a part, percent of a core, a blinking caret included.

    Each state is watched for `seconds`, after as long for settling.
    """
    QApplication.instance() or QApplication([])
    found = {}
    with tempfile.TemporaryDirectory(prefix="layerloom-idle-") as folder:
        for state in PARTS[part](Path(folder)):
            if state.is_main:
                rest(seconds + _QUIET_S)
                begun, cpu = time.monotonic(), time.process_time()
                rest(seconds)
                spent, took = time.process_time() - cpu, time.monotonic() - begun
                found[state.name] = 100 * spent / took
    return found


def idle() -> Iterator[Row]:
    """UI16: each main state offscreen and on xcb; of the dialogs the one that costs most.

    Where there is no Xvfb, xcb has one row that says so.
    """
    for platform in ("offscreen", "xcb") if sys.platform == "linux" else ("offscreen",):
        if platform == "xcb" and not has_xvfb():
            yield Row("UI16", "idle on xcb", "no Xvfb here", "≤ 2 %", None)
            continue
        with ExitStack() as stack:
            environment = {"QT_QPA_PLATFORM": platform}
            if platform == "xcb":
                environment["DISPLAY"] = stack.enter_context(xvfb())
            for state, part in child("idle_window", **environment).items():
                yield single("UI16", f"idle, {state}, {platform}", part, MOST_CPU, " %", 1)
            dialogs: dict[str, float] = child("idle_dialogs", **environment)
            worst = max(dialogs, key=dialogs.__getitem__)
            most = worst.removeprefix("dialog ")
            what = f"idle, {len(dialogs)} dialogs, most: {most}, {platform}"
            yield single("UI16", what, dialogs[worst], MOST_CPU, " %", 1)
