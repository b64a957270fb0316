"""What this process costs: memory, and time without waiting for a processor. No Qt.

On a machine with other work seconds on the clock say nothing about a program. The system's account
of waiting is one number per thread, and both it and the clock go on while it is read.
"""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable
from pathlib import Path

import psutil

_QUICK_S = 0.002  # a reading takes a fraction of it
_MOST_READINGS = 50


class OwnTime:
    """A clock for this process alone."""

    def __init__(
        self,
        read: Callable[[], dict[str, int]] | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._read = read or waited_ns
        self._clock = clock
        self._known = self._read()
        self._waited_ns = 0

    def now(self) -> float:
        """Seconds since some moment.

        A thread that ended takes nothing back, and a reading in the middle of which the system
        stopped us is made again: clock and account would be of two moments.
        """
        for _ in range(_MOST_READINGS):
            began = self._clock()
            found = self._read()
            if self._clock() - began < _QUICK_S:
                break
        for thread, waited in found.items():
            self._waited_ns += max(0, waited - self._known.get(thread, 0))
        self._known = found
        return began - self._waited_ns / 1e9


def waited_ns(process: int | str = "self") -> dict[str, int]:
    """Nanoseconds that each thread was ready and had no processor; empty where unknown.

    What a thread waits for at this moment is not in it, but for the one that asks and for threads
    of a process that is stopped.
    """
    found: dict[str, int] = {}
    try:
        threads = os.listdir(f"/proc/{process}/task")
    except OSError:
        return found
    for thread in threads:
        try:
            account = Path(f"/proc/{process}/task", thread, "schedstat").read_text()
            found[thread] = int(account.split()[1])
        except (OSError, ValueError, IndexError):  # it just ended, or there is no such account
            continue
    return found


# ---- memory ----

_start = [0.0]


def resident_mb() -> float:
    """Resident memory after a collection."""
    gc.collect()
    return float(psutil.Process().memory_info().rss) / 2**20


def start_peak() -> None:
    """From now on `peak_mb` counts."""
    try:
        Path("/proc/self/clear_refs").write_text("5")  # the peak begins at what is in use now
    except OSError:
        pass
    _start[0] = resident_mb()


def peak_mb() -> float:
    """The most that was resident since `start_peak`, above what was then; 0 but on Linux."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return 0.0
    (highest,) = (line.split()[1] for line in lines if line.startswith("VmHWM:"))
    return max(0.0, int(highest) / 1024 - _start[0])
