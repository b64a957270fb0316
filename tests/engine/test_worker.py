"""The engine thread with a tiny real model: events, cancel, failure, shutdown."""

from __future__ import annotations

import queue
import subprocess
import sys
import threading

import pytest

from engine import Engine, Failed, Finished, JobCancelled, Progress, StateChanged
from engine.models.checkpoint import save_model
from tests.engine.tiny import layer, picture, random_pixels, tiny_model

BOX = (0, 0, 96, 96)


class Running:
    """An engine and its events, in order."""

    def __init__(self, weights) -> None:
        self.events: queue.Queue = queue.Queue()
        self.on_event = lambda event: None
        self.engine = Engine(self._receive, weights=weights, device="cpu", threads=1)

    def _receive(self, event) -> None:
        self.on_event(event)
        self.events.put(event)

    def until(self, kind, timeout: float = 60):
        while True:
            event = self.events.get(timeout=timeout)
            if isinstance(event, kind):
                return event

    def state(self, name: str) -> StateChanged:
        while (event := self.until(StateChanged)).state != name:
            pass
        return event


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "tiny.safetensors"
    save_model(path, tiny_model())
    return path


@pytest.fixture
def running(weights):
    made = Running(weights)
    made.engine.start()
    yield made
    assert made.engine.shutdown(), "the thread must end"
    assert not any(t.name == "layerloom-engine" for t in threading.enumerate())


def job(number: int, **more):
    request = picture(layer(1, BOX), **more)
    return type(request)(**{n: getattr(request, n) for n in request.__slots__} | {"job_id": number})


def test_announces_the_model_then_takes_jobs(running):
    info = running.state("ready").info
    assert (info.name, info.token_px, info.canvas_multiple) == ("tiny", 32, 64)
    running.engine.submit(job(5))
    finished = running.until(Finished)
    assert finished.job_id == 5
    assert finished.results[0].rgba.shape == (96, 96, 4)
    assert finished.model_hash == info.file_hash


def test_bad_requests_and_crashes_are_one_event_and_the_next_job_runs(running, monkeypatch):
    running.state("ready")
    running.engine.submit(job(1, canvas=(100, 100)))
    failed = running.until(Failed)
    assert (failed.job_id, failed.kind) == (1, "request")
    assert "100 x 100" in failed.message

    def crash(event) -> None:
        if isinstance(event, Progress) and event.job_id == 2:
            raise ZeroDivisionError("scripted")

    running.on_event = crash
    running.engine.submit(job(2))
    failed = running.until(Failed)
    assert failed.kind == "internal"
    assert "scripted" in failed.details
    running.engine.submit(job(3))
    assert running.until(Finished).job_id == 3


def test_cancel_while_running(running):
    """No result of a cancelled job, and the next one runs."""
    running.state("ready")
    running.on_event = lambda e: running.engine.cancel(1) if isinstance(e, Progress) else None
    running.engine.submit(job(1, steps=100))
    assert running.until((Finished, JobCancelled)) == JobCancelled(job_id=1)
    running.on_event = lambda e: None
    running.engine.submit(job(2))
    assert running.until(Finished).job_id == 2


def test_cancel_while_waiting(running):
    running.state("ready")
    for number in (1, 2, 3):
        running.engine.submit(job(number, steps=20))
    running.engine.cancel(2)
    ends = [running.until((Finished, JobCancelled)) for _ in range(3)]
    assert [type(e) for e in ends] == [Finished, JobCancelled, Finished]


def test_cancelling_what_is_not_there_does_not_hit_a_later_job(running):
    running.state("ready")
    running.engine.cancel(4)
    running.engine.submit(job(4))
    assert isinstance(running.until((Finished, JobCancelled)), Finished)
    running.engine.cancel(4)
    running.engine.submit(job(4))
    assert isinstance(running.until((Finished, JobCancelled)), Finished)


def test_shutdown_in_the_middle_of_a_job(weights):
    """The thread ends between two network calls, before the interpreter does."""
    made = Running(weights)
    made.engine.start()
    made.state("ready")
    made.engine.submit(job(1, steps=200))
    made.until(Progress)
    assert made.engine.shutdown(timeout_s=20)


def test_a_missing_model_is_one_clear_state_and_jobs_are_answered(tmp_path):
    made = Running(tmp_path / "none.safetensors")
    made.engine.start()
    failed = made.state("failed")
    assert "missing" in failed.message
    assert failed.advice
    made.engine.submit(job(1))
    assert made.until(Failed).job_id == 1
    assert made.engine.shutdown()


def test_context_pixels_are_only_read(running):
    running.state("ready")
    pixels = random_pixels(BOX)
    pixels.flags.writeable = False
    request = picture(layer(1, BOX), layer(2, BOX, pixels))
    running.engine.submit(request)
    assert len(running.until(Finished).results) == 1


def test_the_first_edit_finds_the_layers_of_the_picture(running, monkeypatch):
    """Layers of a job are encoded ahead while the engine is idle."""
    from engine.pipeline import LayerPipeline

    ready, read_ahead = threading.Event(), LayerPipeline.warm_cache

    def told(self, *args):
        read_ahead(self, *args)
        ready.set()

    monkeypatch.setattr(LayerPipeline, "warm_cache", told)
    running.state("ready")
    boxes = [(0, 0, 96, 96), (96, 96, 192, 160), (0, 128, 64, 192)]
    request = picture(*[layer(i, box) for i, box in enumerate(boxes, 1)])
    running.engine.submit(request)
    finished = running.until(Finished)
    assert ready.wait(60)
    made = {result.layer_id: result.rgba for result in finished.results}
    edit = picture(*[layer(i, box, made[i] if i != 2 else None) for i, box in enumerate(boxes, 1)])
    running.engine.submit(edit)
    again = running.until(Finished)
    assert (again.cache_hits, again.cache_misses) == (2, 0)


def test_a_job_that_waits_is_not_kept_waiting_by_reading_ahead(running, monkeypatch):
    """And a failure of it harms nothing."""
    from engine.pipeline import LayerPipeline

    asked: list[bool] = []

    def counted(self, request, finished, goes_on):
        asked.append(goes_on())
        raise RuntimeError("no memory for it")

    monkeypatch.setattr(LayerPipeline, "warm_cache", counted)
    running.state("ready")
    running.on_event = lambda event: (
        running.engine.submit(job(2)) if isinstance(event, Finished) and event.job_id == 1 else None
    )
    running.engine.submit(job(1))
    assert [running.until(Finished).job_id for _ in range(2)] == [1, 2]
    running.state("ready")
    assert asked[0] is False


def test_the_face_of_the_engine_does_not_import_torch():
    code = "import engine, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_out_of_memory_ends_the_job_even_if_the_cache_cannot_be_emptied(running, monkeypatch):
    """One event, and the next job runs."""

    def refuse(self, *args, **kwargs):
        raise MemoryError

    with monkeypatch.context() as patched:
        patched.setattr("engine.cache.RegionTokenCache.clear", refuse)
        patched.setattr("engine.models.art.backbone.decode_layers", refuse)
        running.engine.submit(job(1))
        failed = running.until(Failed)
    assert (failed.job_id, failed.kind) == (1, "memory")
    running.engine.submit(job(2))
    assert running.until(Finished).job_id == 2
