"""A picture server without a socket, for tests of what stands above it."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from engine import Event, Failed, Finished, GenerateRequest, JobCancelled, LayerRequest
from engine.errors import Cancelled
from engine.remote import (
    Connection,
    PictureJob,
    RemoteEngine,
    RemoteError,
    RemoteModel,
    ServerReport,
    Watch,
)
from engine.remote.runs import Patience

CONNECTION = Connection(kind="comfyui", address="http://127.0.0.1:8188")
MODEL = RemoteModel(
    name="ming", title="Ming-Design", licence="MIT", makes_alpha=True, memory_gb=24.0
)
WAIT_S = 10.0


def gone() -> RemoteError:
    return RemoteError("unreachable", "The server does not answer.", "Start it and try again.")


class ScriptedServer:
    """Makes a disc in the colour of the prompt's hash; faults are set by the tests.

    Attributes:
        faults: raised by `collect`, by number of the call from 0.
        before: called at the start of each `collect`.
        has: jobs that it would answer to `knows`.
    """

    def __init__(self, models: tuple[RemoteModel, ...] = (MODEL,)) -> None:
        self.connection = CONNECTION
        self.models = models
        self.submitted: list[PictureJob] = []
        self.cancelled: list[PictureJob] = []
        self.collected: list[PictureJob] = []
        self.has: set[str] = set()
        self.faults: dict[int, RemoteError] = {}
        self.connects: list[Exception | None] = []  # what the next calls of `connect` do
        self.before: Callable[[PictureJob], None] = lambda job: None
        self.meets: Callable[[], object] = lambda: None  # called at the start of each `connect`
        self.steps = 4
        self.waits = threading.Event()  # set: `collect` waits until it is to stop
        self.is_waiting = threading.Event()

    def connect(self) -> ServerReport:
        self.meets()
        fault = self.connects.pop(0) if self.connects else None
        if fault is not None:
            raise fault
        return ServerReport(title="ComfyUI 0.3.65, cuda", models=self.models)

    def submit(self, job: PictureJob) -> None:
        self.submitted.append(job)
        self.has.add(job.key)

    def collect(self, job: PictureJob, watch: Watch) -> np.ndarray:
        number = len(self.collected)
        self.collected.append(job)
        self.before(job)
        if number in self.faults:
            raise self.faults[number]
        for step in range(self.steps):
            if watch.should_stop():
                raise Cancelled
            watch.progress(step + 1, self.steps)
            watch.preview(np.full((8, 8, 4), 200, np.uint8))
        while self.waits.is_set():
            self.is_waiting.set()
            if watch.should_stop():
                raise Cancelled
            self.waits.wait(0.005)
        return disc(job)

    def cancel(self, job: PictureJob) -> None:
        self.cancelled.append(job)
        self.has.discard(job.key)

    def knows(self, job: PictureJob) -> bool:
        return job.key in self.has


def disc(job: PictureJob) -> np.ndarray:
    """A disc in the middle half of a transparent picture, or a plain opaque one."""
    tone = (sum(job.prompt.encode()) + job.seed) % 200 + 20
    rgba = np.zeros((job.height, job.width, 4), np.uint8)
    rgba[...] = tone, 60, 90, 255
    if job.alpha:
        y, x = np.ogrid[: job.height, : job.width]
        side = min(job.width, job.height)
        far = (y - job.height / 2) ** 2 + (x - job.width / 2) ** 2 > (side / 4) ** 2
        rgba[far] = 0
    return rgba


class Running:
    """A started engine and its events."""

    def __init__(self, server: ScriptedServer, ledger: Path | None = None, **more: Any) -> None:
        self.server = server
        self.events: queue.Queue[Event] = queue.Queue()
        self.seen: list[Event] = []
        self.engine = RemoteEngine(
            self.events.put,
            lambda: server,
            ledger=ledger,
            patience=Patience(0.05, 0.01),
            reconnect_s=(0.01,),
            **more,
        )

    def __enter__(self) -> Running:
        self.engine.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.waits.clear()
        assert self.engine.shutdown(WAIT_S)

    def until(self, wanted: Callable[[Event], bool]) -> Event:
        """The next event of this sort; all on the way are in `seen`."""
        while True:
            event = self.events.get(timeout=WAIT_S)
            self.seen.append(event)
            if wanted(event):
                return event

    def run(self, request: GenerateRequest) -> Finished | Failed | JobCancelled:
        self.engine.submit(request)
        return self.end_of(request.job_id)

    def end_of(self, job_id: int) -> Finished | Failed | JobCancelled:
        event = self.until(lambda event: is_end(event) and event.job_id == job_id)
        assert isinstance(event, (Finished, Failed, JobCancelled))
        return event


def is_end(event: Event) -> bool:
    return isinstance(event, (Finished, Failed, JobCancelled))


def request(prompt: str, *layers: LayerRequest, job_id: int = 1, **more: Any) -> GenerateRequest:
    return GenerateRequest(job_id=job_id, canvas=(512, 384), prompt=prompt, layers=layers, **more)


def background(seed: int = 5, **more: Any) -> LayerRequest:
    return LayerRequest(layer_id=0, kind="background", box=(0, 0, 512, 384), seed=seed, **more)


def box(number: int, x: int, y: int, width: int, height: int, **more: Any) -> LayerRequest:
    return LayerRequest(
        layer_id=number,
        kind="foreground",
        box=(x, y, x + width, y + height),
        seed=more.pop("seed", number),
        **more,
    )
