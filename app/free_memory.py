"""Free memory: how many bytes programs could still get, asked of each system in its own way.

Knows nothing of jobs. Who does not say leaves the question open: then nothing is refused.
"""

from __future__ import annotations

import ctypes
import sys

_MEMINFO = "/proc/meminfo"
_HOST_VM_INFO64 = 4
_VM_WORDS = 64  # more than any version of macOS fills
_FREE, _INACTIVE = 0, 2  # places in its table, in pages


def free_bytes() -> int | None:
    """Memory that programs could still get; None where the system does not say."""
    ask = {"linux": _of_linux, "win32": _of_windows, "darwin": _of_macos}.get(sys.platform)
    try:
        return None if ask is None else ask()
    except (OSError, ValueError, IndexError, AttributeError):
        return None


def _of_linux() -> int | None:
    with open(_MEMINFO, encoding="ascii") as file:
        for line in file:
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    return None


class _WindowsMemory(ctypes.Structure):
    """MEMORYSTATUSEX."""

    _fields_ = (
        ("length", ctypes.c_uint32),
        ("load", ctypes.c_uint32),
        ("total", ctypes.c_uint64),
        ("available", ctypes.c_uint64),
        ("total_page_file", ctypes.c_uint64),
        ("available_page_file", ctypes.c_uint64),
        ("total_virtual", ctypes.c_uint64),
        ("available_virtual", ctypes.c_uint64),
        ("available_extended", ctypes.c_uint64),
    )


def _of_windows() -> int | None:
    status = _WindowsMemory(length=ctypes.sizeof(_WindowsMemory))
    kernel = getattr(ctypes, "windll").kernel32  # noqa: B009 - there on Windows only
    return int(status.available) if kernel.GlobalMemoryStatusEx(ctypes.byref(status)) else None


def _of_macos() -> int | None:
    system = ctypes.CDLL(None)
    table, count = (ctypes.c_uint32 * _VM_WORDS)(), ctypes.c_uint32(_VM_WORDS)
    system.mach_host_self.restype = ctypes.c_uint32
    host = system.mach_host_self()
    if system.host_statistics64(host, _HOST_VM_INFO64, table, ctypes.byref(count)) != 0:
        return None
    return (table[_FREE] + table[_INACTIVE]) * int(system.getpagesize())
