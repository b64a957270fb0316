"""Time that passed for this process: seconds on the clock less those it waited for a processor.

On a machine with other work seconds on the clock say nothing about a program. The system's account
of waiting is one number per thread, and neither it nor the clock stand still while it is read.
"""

from __future__ import annotations

import os
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
