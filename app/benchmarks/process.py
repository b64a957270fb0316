"""What this process costs: memory, and time without waiting for a processor. No Qt.

On a machine with other work seconds on the clock say nothing about a program. The system's account
of waiting is one number per thread, and both it and the clock go on while it is read.
"""

from __future__ import annotations

import gc
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

_QUICK_S = 0.002  # a reading takes a fraction of it
_MOST_READINGS = 50


class OwnTime:
    """A clock for this process alone.

    Args:
        read: nanoseconds that each of its threads waited so far, by the thread's number.
        clock: seconds on the clock.
    """

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
    return _status("VmRSS") or _highest_ever()


def start_peak() -> None:
    """From now on `peak_mb` counts."""
    try:
        Path("/proc/self/clear_refs").write_text("5")  # the peak begins at what is in use now
    except OSError:
        pass
    _start[0] = resident_mb()


def peak_mb() -> float:
    """The most that was resident since `start_peak`, above what was then."""
    return max(0.0, (_status("VmHWM") or _highest_ever()) - _start[0])


def _status(name: str) -> float:
    """A line of the system's own account; 0 where there is none."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return 0.0
    found = [line.split()[1] for line in lines if line.startswith(name + ":")]
    return int(found[0]) / 1024 if found else 0.0


def _highest_ever() -> float:
    if sys.platform == "win32":
        return 0.0
    import resource  # not there on Windows

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 1024
