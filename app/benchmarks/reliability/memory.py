"""How much memory this process has, MB: now, and at most since a moment."""

from __future__ import annotations

import gc
import sys
from pathlib import Path

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
    return int(found[0]) / 1e3 if found else 0.0


def _highest_ever() -> float:
    if sys.platform == "win32":
        return 0.0
    import resource  # not there on Windows

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak / 1e3
