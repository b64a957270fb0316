"""What needs a process of its own: start, quit, memory (UI3, UI13 to UI15, ME1 to ME4)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Iterator
from typing import Any

from app.benchmarks.ui.table import Row
from app.document.commands import (
    Command,
    MoveLayers,
    Placement,
    PlacePixels,
    Rename,
    SetOpacity,
    UseCandidates,
)
from app.document.document import Document
from app.document.pixels import Pixels

MB = 1024 * 1024
_CHILD_LIMIT_S = 180


def child(part: str, *, scale: str = "1", **environment: str) -> dict[str, Any]:
    """Run one part of this bench in a fresh interpreter; its figures.

    Args:
        part: a name in `children.PARTS`.
        scale: Qt's scale factor.
        environment: more variables of the process.

    Raises:
        subprocess.SubprocessError: it failed or hung.
    """
    done = subprocess.run(
        [sys.executable, "-m", "app.benchmarks.ui.bench", "--child", part],
        capture_output=True,
        text=True,
        timeout=_CHILD_LIMIT_S,
        check=True,
        env={
            **os.environ,
            "QT_SCALE_FACTOR": scale,
            "LAYERLOOM_BENCH_T0": str(time.time()),
            **environment,
        },
    )
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def starting() -> Iterator[Row]:
    """UI13, UI15 and ME3: a window without any model, and one with fifty full layers."""
    found = child("start")
    ready = found["usable_s"]
    yield Row("UI13", "window usable, warm", f"{ready:.2f} s", "≤ 1.5 s", ready <= 1.5)
    torch = found["torch"]
    yield Row("UI13", "torch imported by then", str(torch).lower(), "false", not torch)
    quitting = found["quit_s"]
    yield Row("UI15", "quit, idle", f"{quitting:.2f} s", "≤ 1 s", quitting <= 1.0)
    busy = found["quit_busy_s"]
    yield Row("UI15", "quit, generating", f"{busy:.2f} s", "≤ 2 s", busy <= 2.0)
    empty = found["rss_empty"] / MB
    yield Row("ME3", "resident, empty document", f"{empty:.0f} MB", "≤ 180 MB", empty <= 180)
    full = child("full")
    more = (full["rss_full"] - full["rss_empty"]) / MB
    yield Row("ME3", "more with 50 full layers", f"{more:.0f} MB", "≤ 260 MB", more <= 260)


def steps(contents_of_fifty: Any) -> Iterator[Row]:
    """ME1, ME2: what one undo step keeps, with and without pixels."""
    document = Document(contents_of_fifty)
    layer = document.foregrounds[0]
    kept: list[Command] = []
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for turn in range(300):
        command: Command = (
            MoveLayers([layer.id], 1, 0),
            SetOpacity([layer.id], 0.5 + 0.001 * turn),
            Rename(layer.id, f"Layer {turn}"),
        )[turn % 3]
        command.do(document)
        kept.append(command)
    each = (tracemalloc.get_traced_memory()[0] - before) / len(kept) / 1024
    tracemalloc.stop()
    yield Row("ME1", "undo step without pixels", f"{each:.1f} KB", "≤ 4 KB", each <= 4)
    old = document.layer(layer.id)
    assert old.pixels is not None
    pixels = 255 - old.pixels
    size = pixels.nbytes / MB
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    placed = PlacePixels([Placement(layer.id, pixels, old.rect, {"seed": 2})])
    placed.do(document)
    placed.placements = ()
    more = (tracemalloc.get_traced_memory()[0] - before) / MB / size
    yield Row("ME2", "accept: new pixels kept", f"{more:.2f} ×", "≤ 1.01 ×", more <= 1.01)
    before = tracemalloc.get_traced_memory()[0]
    assert old.pixel_hash is not None
    again = UseCandidates({layer.id: old.pixel_hash})
    again.do(document)
    assert document.layer(layer.id).image is Pixels.of(old.pixels)
    more = (tracemalloc.get_traced_memory()[0] - before) / MB / size
    tracemalloc.stop()
    yield Row("ME2", "use a stored candidate", f"{more:.2f} ×", "0 ×", more <= 0.01)


def rss() -> int:
    """Resident bytes of this process; 0 where the system does not say."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, AttributeError):
        return 0
