"""Whether a process lives: whatever leaves a doubt counts as alive."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from app.document.storage.leftovers import _is_running_on_windows, is_running


def test_a_process_runs_until_it_has_ended() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert is_running(child.pid) and is_running(os.getpid())
    child.communicate(b"\n")
    assert not is_running(child.pid)
    assert is_running(10**10)  # no such id can be asked about


class Kernel:
    """What Windows says of a process, after its documentation."""

    def __init__(self, process: int | None, error: int = 0, waited: int = 0x102) -> None:
        self.process, self.error, self.waited = process, error, waited
        self.closed: list[int] = []

    def OpenProcess(self, access: int, inherits: bool, pid: int) -> int | None:
        assert access == 0x0010_0000 and not inherits and pid == 7
        return self.process

    def WaitForSingleObject(self, process: int, milliseconds: int) -> int:
        assert process == self.process and milliseconds == 0
        return self.waited

    def CloseHandle(self, process: int) -> None:
        self.closed.append(process)


@pytest.mark.parametrize(
    ("kernel", "expected"),
    [
        (Kernel(None, error=87), False),  # there is none
        (Kernel(None, error=5), True),  # another user's
        (Kernel(50), True),  # the wait timed out
        (Kernel(50, waited=0), False),  # it has ended, and somebody still holds a handle
        (Kernel(50, waited=0xFFFF_FFFF), True),  # the wait failed
    ],
)
def test_windows(kernel: Kernel, expected: bool) -> None:
    assert _is_running_on_windows(7, kernel, lambda: kernel.error) is expected
    assert kernel.closed == ([] if kernel.process is None else [kernel.process])
