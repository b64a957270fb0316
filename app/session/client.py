"""The engines' client: jobs go to one of them, and their events come out on the UI thread.

The only place that crosses threads. Independent of the document and of what a job is for.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from engine import Engine, Event, GenerateRequest, ModelInfo, Preview, StateChanged

if TYPE_CHECKING:
    from engine.remote import Connection

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

BUILT_IN = "builtin"


@dataclass(frozen=True, slots=True)
class EngineChoice:
    """An engine that jobs can be given to.

    Attributes:
        name: which one it is, such as "builtin" or "comfyui=http://127.0.0.1:8188#ming-design".
        title: for the user.
        make: makes it; nothing is loaded or connected before its `start`.
    """

    name: str
    title: str
    make: MakeEngine = field(compare=False, repr=False)


def engine_factory(threads: int = 0, weights: Path | None = None, cache_mb: int = 0) -> MakeEngine:
    """Makes the real engine; 0 threads or MB = it decides, no weights = the shipped model."""
    return lambda emit: Engine(
        emit, threads=threads or None, weights=weights, cache_bytes=(cache_mb << 20) or None
    )


def built_in(make: MakeEngine | None = None) -> EngineChoice:
    """The engine of this program; `make` as `engine_factory` gives it."""
    return EngineChoice(BUILT_IN, "Built-in", make or engine_factory())


def engine_name(connection: Connection) -> str:
    """The name of a server's engine; the same connection always has the same."""
    graph = "" if connection.own_graph is None else f"@{connection.own_graph.path}"
    model = f"#{connection.model}" if connection.model else ""
    return f"{connection.kind}={connection.address}{model}{graph}"


def remote(
    connection: Connection, token: str | None = None, *, title: str = "", ledger: Path | None = None
) -> EngineChoice:
    """An engine that draws on a server; window and command line share it.

    Args:
        token: of the server; kept in memory only.
        ledger: file for the ids of pictures under way, so that they are collected after a restart;
            None = they are forgotten with the engine.
    """
    return EngineChoice(
        engine_name(connection), title or _title(connection), make_engine(connection, token, ledger)
    )


def make_engine(
    connection: Connection, token: str | None = None, ledger: Path | None = None
) -> MakeEngine:
    """Makes the engine of a connection; arguments as for `remote`."""

    def make(emit: Callable[[Event], None]) -> EngineLike:
        # Imported here: who connects no server needs nothing that opens connections.
        from engine.remote import remote_engine

        return remote_engine(emit, connection, token, ledger=ledger)

    return make


def _title(connection: Connection) -> str:
    host = connection.address.partition("://")[2]
    return f"ComfyUI at {host}" if connection.kind == "comfyui" else f"Images at {host}"


@dataclass(slots=True)
class _Slot:
    """An engine, and what it last said.

    Attributes:
        number: events carry the number of the engine they come from; late ones are dropped by it.
    """

    choice: EngineChoice
    engine: EngineLike
    number: int
    is_started: bool = False
    state: StateChanged | None = None
    info: ModelInfo | None = None


class EngineClient:
    """The engines in use, one of which is chosen, and those that were given up.

    Engines that were used once stay loaded, so that running and waiting jobs can stay with theirs,
    and a change back takes no time. Only the chosen one's states are passed on.

    Args:
        on_event: called on the UI thread with each event but previews, and when it was sent.
        on_preview: called on the UI thread with the newest preview of each layer, at most 30
            times a second.
    """

    def __init__(
        self,
        loop: LoopLike,
        choice: EngineChoice,
        on_event: Callable[[Event, float], None],
        on_preview: Callable[[Preview], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._loop = loop
        self._on_event = on_event
        self._on_preview = on_preview
        self._clock = clock
        self._lock = threading.Lock()
        self._previews: dict[int, Preview] = {}
        self._flush_is_due = False
        self._is_closed = False
        self._count = 0
        self._abandoned: list[EngineLike] = []
        self._slots: dict[str, _Slot] = {}
        self._choices: dict[str, EngineChoice] = {}  # all that were used
        self._chosen = choice.name
        self._add(choice)

    def start(self) -> None:
        """Start the chosen engine's thread, unless it runs; the model loads on it."""
        self._start(self._slots[self._chosen])

    def choose(self, choice: EngineChoice) -> None:
        """Let later requests go to another engine; its state follows as an event.

        One that failed before is made again, with what `choice` says now.
        """
        former, self._chosen = self._chosen, choice.name
        for name in {former, choice.name}:
            # One that is left must not go on asking its server.
            slot = self._slots.get(name)
            if slot is not None and slot.state is not None and slot.state.state == "failed":
                self._retire(slot)
        if choice.name not in self._slots:
            self._add(choice)
        slot = self._slots[choice.name]
        self.start()
        if slot.info is not None:
            self._on_event(StateChanged(state="ready", info=slot.info), self._clock())
        elif slot.state is not None:
            self._on_event(slot.state, self._clock())

    def info_of(self, name: str) -> ModelInfo | None:
        """What an engine said that its model can do; None before."""
        slot = self._slots.get(name)
        return None if slot is None else slot.info

    def submit(self, request: GenerateRequest, name: str | None = None) -> None:
        """Hand a request to the engine of this name, which may have been given up meanwhile.

        Args:
            name: None = the chosen one.
        """
        name = name or self._chosen
        if name not in self._slots:
            self._add(self._choices[name])
            self._start(self._slots[name])
        self._slots[name].engine.submit(request)

    def cancel(self, run_id: int | None = None) -> None:
        for slot in self._slots.values():
            slot.engine.cancel(run_id)

    def forget_previews(self) -> None:
        """None that is still on its way may be shown."""
        with self._lock:
            self._previews.clear()

    def replace(self, name: str | None = None) -> None:
        """Leave a hung thread alone, which cannot be killed, and start another engine."""
        slot = self._slots[name or self._chosen]
        self._retire(slot)
        self._add(slot.choice)
        self._start(self._slots[slot.choice.name])

    def shutdown(self, timeout_s: float = 10.0) -> bool:
        """End all engines; blocks. False: one hangs, and the process must end with `os._exit`."""
        self._is_closed = True
        deadline = time.monotonic() + timeout_s
        engines = [slot.engine for slot in self._slots.values()]
        for engine in engines if len(engines) > 1 else ():
            engine.shutdown(0.0)  # all of them begin to end at once
        ended = [engine.shutdown(max(0.0, deadline - time.monotonic())) for engine in engines]
        return all([*ended, *(engine.shutdown(0.0) for engine in self._abandoned)])

    def _start(self, slot: _Slot) -> None:
        if not slot.is_started:
            slot.is_started = True
            slot.engine.start()

    def _add(self, choice: EngineChoice) -> None:
        self._choices[choice.name] = choice
        self._count += 1
        name, number = choice.name, self._count
        engine = choice.make(lambda event: self._receive(event, name, number))
        self._slots[name] = _Slot(choice, engine, number)

    def _retire(self, slot: _Slot) -> None:
        """Give an engine up; it ends by itself should it ever answer."""
        self._abandoned.append(slot.engine)
        del self._slots[slot.choice.name]
        slot.engine.cancel()
        slot.engine.shutdown(0.0)

    def _is_late(self, name: str, number: int) -> bool:
        slot = self._slots.get(name)
        return self._is_closed or slot is None or slot.number != number

    def _receive(self, event: Event, name: str, number: int) -> None:
        """Called on the engine thread with every event: hand it over, never block, never raise."""
        if self._is_late(name, number):
            return
        try:
            if not isinstance(event, Preview):
                now = self._clock()
                self._loop.call_soon_threadsafe(self._deliver, event, (name, number), now)
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

    def _deliver(self, event: Event, sender: tuple[str, int], at: float) -> None:
        name, number = sender
        if self._is_late(name, number):
            return
        if isinstance(event, StateChanged):
            slot = self._slots[name]
            slot.state = event
            slot.info = event.info or slot.info
            if name != self._chosen:
                return
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
