"""The engine's client: one engine at a time, whose events come out on the UI thread.

The only place that crosses threads. Independent of the document and of what a job is for.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from engine import Engine, Event, GenerateRequest, Preview

logger = logging.getLogger(__name__)

PREVIEW_INTERVAL_S = 1 / 30

ENGINE_THREAD = "layerloom-engine"
NICENESS = 10


class EngineLike(Protocol):
    """What is used of `engine.Engine`."""

    def start(self) -> None: ...
    def submit(self, request: GenerateRequest) -> None: ...
    def cancel(self, job_id: int | None = None) -> None: ...
    def shutdown(self, timeout_s: float = 10.0) -> bool: ...


class LoopLike(Protocol):
    """What is used of an asyncio loop."""

    def call_soon_threadsafe(self, callback: Callable[..., object], *args: Any) -> Any: ...
    def call_later(self, delay: float, callback: Callable[..., object], *args: Any) -> Any: ...


MakeEngine = Callable[[Callable[[Event], None]], EngineLike]


def engine_factory(threads: int = 0, weights: Path | None = None, cache_mb: int = 0) -> MakeEngine:
    """Makes the real engine; 0 threads or MB = it decides, no weights = the shipped model."""
    return lambda emit: Engine(
        emit, threads=threads or None, weights=weights, cache_bytes=(cache_mb << 20) or None
    )


class EngineClient:
    """The engine in use and those that were given up.

    Args:
        on_event: called on the UI thread with each event but previews, and when it was sent.
        on_preview: called on the UI thread with the newest preview of each layer, at most 30
            times a second.
    """

    def __init__(
        self,
        loop: LoopLike,
        make_engine: MakeEngine,
        on_event: Callable[[Event, float], None],
        on_preview: Callable[[Preview], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._loop = loop
        self._make_engine = make_engine
        self._on_event = on_event
        self._on_preview = on_preview
        self._clock = clock
        self._lock = threading.Lock()
        self._previews: dict[int, Preview] = {}
        self._flush_is_due = False
        self._is_closed = False
        # Events carry the number of the engine they come from: late ones are dropped by it.
        self._generation = 0
        self._abandoned: list[EngineLike] = []
        self._engine = self._new_engine()

    def start(self) -> None:
        """Start the engine's thread; the model loads on it."""
        self._engine.start()

    def submit(self, request: GenerateRequest) -> None:
        self._engine.submit(request)

    def cancel(self, run_id: int | None = None) -> None:
        self._engine.cancel(run_id)

    def forget_previews(self) -> None:
        """None that is still on its way may be shown."""
        with self._lock:
            self._previews.clear()

    def replace(self) -> None:
        """Leave a hung thread alone, which cannot be killed, and start another engine."""
        self._abandoned.append(self._engine)
        self._engine.cancel()
        self._engine.shutdown(0.0)  # it ends by itself should it ever answer
        self._engine = self._new_engine()
        self._engine.start()

    def shutdown(self, timeout_s: float = 10.0) -> bool:
        """End the engine; blocks. False: it hangs, and the process must end with `os._exit`."""
        self._is_closed = True
        ended = self._engine.shutdown(timeout_s)
        return all([ended, *(engine.shutdown(0.0) for engine in self._abandoned)])

    def _new_engine(self) -> EngineLike:
        self._generation += 1
        generation = self._generation
        return self._make_engine(lambda event: self._receive(event, generation))

    def _is_late(self, generation: int) -> bool:
        return self._is_closed or generation != self._generation

    def _receive(self, event: Event, generation: int) -> None:
        """Called on the engine thread with every event: hand it over, never block, never raise."""
        if self._is_late(generation):
            return
        try:
            if not isinstance(event, Preview):
                now = self._clock()
                self._loop.call_soon_threadsafe(self._deliver, event, generation, now)
                return
            with self._lock:
                self._previews[event.layer_id] = event
                if self._flush_is_due:
                    return
                self._flush_is_due = True
            self._loop.call_soon_threadsafe(
                self._loop.call_later, PREVIEW_INTERVAL_S, self._flush_previews
            )
        except RuntimeError:  # the loop was closed in between: the window is gone
            logger.debug("event after the end: %r", event)

    def _deliver(self, event: Event, generation: int, at: float) -> None:
        if not self._is_late(generation):
            self._on_event(event, at)

    def _flush_previews(self) -> None:
        with self._lock:
            previews, self._previews = self._previews, {}
            self._flush_is_due = False
        for preview in previews.values():
            self._on_preview(preview)


def lower_engine_priority(name: str = ENGINE_THREAD) -> bool:
    """Let the engine's thread come after everybody else's; whether the system took it."""
    if sys.platform != "linux":  # elsewhere niceness is a whole process's
        return False
    found = [thread for thread in threading.enumerate() if thread.name == name]
    for thread in found:  # more than one after a restart
        if thread.native_id is None:
            return False
        try:
            os.setpriority(os.PRIO_PROCESS, thread.native_id, NICENESS)
        except OSError as error:
            logger.info("no lower priority: %s", error)
            return False
    return bool(found)
