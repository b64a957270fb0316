"""What needs a process of its own: start, quit, memory (UI3, UI13 to UI15, ME1 to ME4).

`PARTS` are the functions that run in the fresh process; each returns plain figures.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

import psutil

from app.benchmarks.ui import idle
from app.benchmarks.ui import starting as first_start
from app.benchmarks.ui.interaction import scaled
from app.benchmarks.ui.rows import Row, child, single
from app.benchmarks.window import Desk, filled
from app.document import commands
from app.document.document import Document
from app.document.pixels import Pixels

MB = 1024 * 1024


def resident_mb() -> float:
    """Resident memory after a collection."""
    gc.collect()
    return float(psutil.Process().memory_info().rss) / MB


def starting() -> Iterator[Row]:
    """UI13, UI15 and ME3: a window without any model, and one with fifty full layers."""
    found = child("start")
    torch = found["torch"]
    yield single("UI13", "window usable, warm", found["usable_s"], 1.5)
    yield Row("UI13", "torch imported by then", str(torch).lower(), "false", not torch)
    yield single("UI15", "quit, idle", found["quit_s"], 1)
    yield single("UI15", "quit, generating", found["quit_busy_s"], 2)
    yield single("ME3", "resident, empty document", found["rss_empty"], 180, " MB", 0)
    full = child("full")
    more = full["rss_full"] - full["rss_empty"]
    yield single("ME3", "more with 50 full layers", more, 260, " MB", 0)


def steps(contents_of_fifty: Any) -> Iterator[Row]:
    """ME1, ME2: what one undo step keeps, with and without pixels."""
    document = Document(contents_of_fifty)
    layer = document.foregrounds[0]
    kept: list[commands.Command] = []
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for turn in range(300):
        command: commands.Command = (
            commands.MoveLayers([layer.id], 1, 0),
            commands.SetOpacity([layer.id], 0.5 + 0.001 * turn),
            commands.Rename(layer.id, f"Layer {turn}"),
        )[turn % 3]
        command.do(document)
        kept.append(command)
    each = (tracemalloc.get_traced_memory()[0] - before) / len(kept) / 1024
    tracemalloc.stop()
    yield single("ME1", "undo step without pixels", each, 4, " KB", 1)
    old = document.layer(layer.id)
    assert old.pixels is not None
    pixels = 255 - old.pixels
    size = pixels.nbytes / MB
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    placed = commands.PlacePixels([commands.Placement(layer.id, pixels, old.rect, {"seed": 2})])
    placed.do(document)
    placed.placements = ()
    more = (tracemalloc.get_traced_memory()[0] - before) / MB / size
    yield single("ME2", "accept: new pixels kept", more, 1.01, " ×")
    before = tracemalloc.get_traced_memory()[0]
    assert old.pixel_hash is not None
    again = commands.UseCandidates({layer.id: old.pixel_hash})
    again.do(document)
    assert document.layer(layer.id).image is Pixels.of(old.pixels)
    more = (tracemalloc.get_traced_memory()[0] - before) / MB / size
    tracemalloc.stop()
    yield single("ME2", "use a stored candidate", more, 0.01, " ×")


# ---- in the fresh process ----

_IDLE_S = 4.0


def start(born: float) -> dict[str, Any]:
    """Time until the window takes input, and until it has gone."""
    desk = Desk()
    usable = time.time() - born
    torch = "torch" in sys.modules
    empty = resident_mb()
    begun = time.perf_counter()
    desk.__exit__()
    idle = time.perf_counter() - begun
    desk = Desk()
    desk.window.actions_["generate_all"].trigger()
    desk.app.processEvents()
    begun = time.perf_counter()
    desk.__exit__()
    busy = time.perf_counter() - begun
    times = {"usable_s": usable, "quit_s": idle, "quit_busy_s": busy}
    return {**times, "torch": torch, "rss_empty": empty}


def full(born: float) -> dict[str, Any]:
    """Resident memory before and after fifty full layers are open and shown."""
    with Desk() as desk:
        empty = resident_mb()
        contents = filled(50)
        # Give back what making the pictures left in the allocator: it is not the window's.
        gc.collect()
        with contextlib.suppress(OSError, AttributeError, TypeError):  # glibc only
            ctypes.CDLL(None).malloc_trim(0)
        desk.window.session.replace(contents, "Bench", None)
        del contents
        desk.settle()
        return {"rss_empty": empty, "rss_full": resident_mb()}


def pictures(born: float) -> dict[str, Any]:
    """ME4: the row of the small pictures that are kept for fifty layers."""
    with Desk(filled(50, mixed=True)) as desk:
        window = desk.window
        bar = window.layers.list.verticalScrollBar()
        for place in range(0, bar.maximum() + 1, 50):
            bar.setValue(place)
            desk.settle(0.2)
        size = window.small_picture_bytes() / MB
        return asdict(single("ME4", "thumbnails, strip and previews", size, 64, " MB", 1))


# Each takes the moment at which the process was started, in seconds of the system's clock.
PARTS: dict[str, Callable[[float], dict[str, Any]]] = {
    "start": start,
    "full": full,
    "pictures": pictures,
    "scaled": lambda born: asdict(scaled(120)),
    "ready_in_window": lambda born: {"ready_s": first_start.ready_in_window()},
    "ready_alone": lambda born: {"ready_s": first_start.ready_alone()},
    "first_job": lambda born: first_start.first_job(int(os.environ["LAYERLOOM_BENCH_JOB"])),
    "idle_window": lambda born: idle.measured("window", _IDLE_S),
    "idle_dialogs": lambda born: idle.measured("dialogs", _IDLE_S / 4),
}
