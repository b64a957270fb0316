"""The engine's thread gives way, and nothing else does."""

from __future__ import annotations

import os
import sys
import threading

import pytest

from app.session.client import NICENESS, engine_factory, lower_engine_priority


@pytest.mark.skipif(sys.platform != "linux", reason="niceness per thread is Linux's")
def test_only_the_engine_s_thread_gives_way() -> None:
    """The thread's niceness rises, the caller's stays."""
    ends = threading.Event()
    thread = threading.Thread(target=ends.wait, name="layerloom-test-engine")
    own = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    thread.start()
    try:
        assert lower_engine_priority("layerloom-test-engine")
        assert thread.native_id is not None
        assert os.getpriority(os.PRIO_PROCESS, thread.native_id) == max(own, NICENESS)
        assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == own
        assert not lower_engine_priority("no such thread")
    finally:
        ends.set()
        thread.join()


def test_the_threads_of_the_settings_reach_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """The number asked for; 0 leaves one core to others, and at least one thread works."""
    for cores, asked, expected in ((8, 3, 3), (8, 0, 7), (1, 0, 1)):
        monkeypatch.setattr(os, "cpu_count", lambda cores=cores: cores)
        engine = engine_factory(asked)(lambda event: None)
        assert engine._threads == expected  # type: ignore[attr-defined]
