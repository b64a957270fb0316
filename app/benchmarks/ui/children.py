"""The parts that run in a fresh process; each returns plain figures."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from app.benchmarks.ui import first, idle
from app.benchmarks.ui.desk import Desk, filled
from app.benchmarks.ui.interaction import scaled
from app.benchmarks.ui.process import rss

_IDLE_S = 4.0


def start(born: float) -> dict[str, Any]:
    """Time until the window takes input, and until it has gone."""
    desk = Desk()
    usable = time.time() - born
    torch = "torch" in sys.modules
    gc.collect()
    empty = rss()
    begun = time.perf_counter()
    desk.__exit__()
    idle = time.perf_counter() - begun
    desk = Desk()
    desk.window.actions_["generate_all"].trigger()
    desk.app.processEvents()
    begun = time.perf_counter()
    desk.__exit__()
    busy = time.perf_counter() - begun
    return {
        "usable_s": usable,
        "torch": torch,
        "rss_empty": empty,
        "quit_s": idle,
        "quit_busy_s": busy,
    }


def full(born: float) -> dict[str, Any]:
    """Resident memory before and after fifty full layers are open and shown."""
    with Desk() as desk:
        gc.collect()
        empty = rss()
        contents = filled(50)
        _trim()
        desk.window.session.replace(contents, "Bench", None)
        del contents
        desk.settle()
        gc.collect()
        return {"rss_empty": empty, "rss_full": rss()}


def _trim() -> None:
    """Give back what making the pictures left in the allocator: it is not the window's."""
    gc.collect()
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):  # another C library has no such call
            ctypes.CDLL(None).malloc_trim(0)


def scaled_drag(born: float) -> dict[str, Any]:
    """UI3 at the scale of this process."""
    return asdict(scaled(120))


def ready_in_window(born: float) -> dict[str, Any]:
    """Seconds from the start of the real engine to a loaded model, with a window."""
    return {"ready_s": first.ready_in_window()}


def ready_alone(born: float) -> dict[str, Any]:
    """The same without a window."""
    return {"ready_s": first.ready_alone()}


def first_job(born: float) -> dict[str, Any]:
    """One first start and its first job; which one is in the environment."""
    return first.first_job(int(os.environ["LAYERLOOM_BENCH_JOB"]))


def pictures(born: float) -> dict[str, Any]:
    """Bytes of small pictures that are kept for fifty layers."""
    with Desk(filled(50, mixed=True)) as desk:
        window = desk.window
        bar = window.layers.list.verticalScrollBar()
        for place in range(0, bar.maximum() + 1, 50):
            bar.setValue(place)
            desk.settle(0.2)
        return {"bytes": float(window.small_picture_bytes())}


def idle_window(born: float) -> dict[str, Any]:
    """Processor time of the window's states, as parts of a core."""
    return {each.state: each.cpu for each in idle.measured("window", _IDLE_S)}


def idle_dialogs(born: float) -> dict[str, Any]:
    """Processor time while a dialog is open, as parts of a core."""
    return {each.state: each.cpu for each in idle.measured("dialogs", _IDLE_S / 4)}


PARTS: dict[str, Callable[[float], dict[str, Any]]] = {
    "start": start,
    "full": full,
    "scaled": scaled_drag,
    "ready_in_window": ready_in_window,
    "ready_alone": ready_alone,
    "first_job": first_job,
    "pictures": pictures,
    "idle_window": idle_window,
    "idle_dialogs": idle_dialogs,
}
