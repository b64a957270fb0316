"""The program that is killed: it must not go on when nobody is left to kill it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from app.benchmarks.reliability import crash_child
from app.document.storage.atomic import is_running


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_worker_ends_with_who_would_kill_it(tmp_path: Path) -> None:
    """A bench that was ended left its worker at full speed for ever."""
    with subprocess.Popen(
        [sys.executable, "-m", crash_child.__name__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdin is not None and server.stdout is not None
        server.stdin.write(f"1 0.05 200 {tmp_path}\n")
        server.stdin.flush()
        worker = int(server.stdout.readline())
        while not (tmp_path / crash_child.LOG).exists():
            time.sleep(0.01)
        assert is_running(worker)
        server.stdin.close()
        assert server.stdout.readline() == "gone\n"
        assert server.wait(60) == 0
    assert not is_running(worker)
