"""Waiting for a processor is no loss, waiting for the journal is; no worker is left over."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from app.document.storage.atomic import is_running
from tests.reliability import crash
from tests.reliability.crash import _judge, _Moment
from tests.reliability.figure import Figure

MS = 1_000_000


@pytest.mark.parametrize(
    ("waited", "lost", "is_kept"),
    [
        ({"1": 10 * MS, "2": 20 * MS}, 1980, False),
        ({"1": 10 * MS, "2": 1020 * MS}, 980, True),
        ({"1": 700 * MS, "2": 800 * MS}, 1200, False),  # side by side: the longer one counts
        ({}, 2000, False),  # a system without such an account
    ],
)
def test_a_loss(waited: dict[str, int], lost: int, is_kept: bool) -> None:
    figure = Figure("REL1", "kills", runs=1)
    _judge(figure, 7, _Moment(5.0, {}), _Moment(7.0, waited))
    assert figure.is_kept is is_kept
    assert round(figure.peaks["most lost {:.0f} ms"]) == lost
    assert round(figure.peaks["by the clock {:.0f} ms"]) == 2000


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_worker_ends_with_who_would_kill_it(tmp_path: Path) -> None:
    """A worker of a bench that was ended would go on at full speed for ever."""
    with subprocess.Popen(
        [sys.executable, "-m", crash.PROGRAM],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdin is not None and server.stdout is not None
        server.stdin.write(f"1 0.05 200 {tmp_path}\n")
        server.stdin.flush()
        worker = int(server.stdout.readline())
        while not (tmp_path / crash.LOG).exists():
            time.sleep(0.01)
        assert is_running(worker)
        server.stdin.close()
        assert server.stdout.readline() == "gone\n"
        assert server.wait(60) == 0
    assert not is_running(worker)
