"""Whether a process is alive; whatever leaves a doubt counts as alive."""

from __future__ import annotations

import ctypes
import os
import sys
from typing import Any

_SYNCHRONIZE = 0x0010_0000  # the right to wait for its end, and none to do it harm
_NO_SUCH_PROCESS = 87  # ERROR_INVALID_PARAMETER
_HAS_ENDED = 0  # WAIT_OBJECT_0


def is_running(pid: int) -> bool:
    """Whether a process of this machine has this id."""
    if sys.platform == "win32":  # `os.kill` would end the process there
        return _is_running_on_windows(pid, _kernel(), ctypes.get_last_error)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


def _is_running_on_windows(pid: int, kernel: Any, last_error: Any) -> bool:
    """The same by the system's own functions.

    Args:
        kernel: kernel32, or what stands in for it.
        last_error: gives the number of the error of the call before.
    """
    process = kernel.OpenProcess(_SYNCHRONIZE, False, pid)
    if not process:  # one of another user is refused, but it is there
        return bool(last_error() != _NO_SUCH_PROCESS)
    try:
        # An ended process keeps its id while anybody holds a handle of it.
        return bool(kernel.WaitForSingleObject(process, 0) != _HAS_ENDED)
    finally:
        kernel.CloseHandle(process)


if sys.platform == "win32":

    def _kernel() -> Any:
        """kernel32 with the types of what is called: a handle is as wide as a pointer."""
        kernel = ctypes.WinDLL("kernel32", use_last_error=True)
        handle, number = ctypes.c_void_p, ctypes.c_uint32
        kernel.OpenProcess.argtypes, kernel.OpenProcess.restype = [number, number, number], handle
        kernel.WaitForSingleObject.argtypes = [handle, number]
        kernel.WaitForSingleObject.restype = number
        kernel.CloseHandle.argtypes = [handle]
        return kernel
