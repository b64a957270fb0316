"""The engine on servers of both kinds, over real sockets, with each fault of the list."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from engine import Failed, Finished, JobCancelled, Preview, Progress, Started
from engine.remote import Connection, RemoteEngine, ServerKind, fitting, open_server
from engine.remote.runs import Patience
from tests.engine.remote.fake_server import QUICK, FakeServer, wait_until
from tests.engine.remote.scripted import Running, background, box, is_end, request

PROMPT = "a red fox and a lantern, in a misty forest, oil painting"
LAYERS = (background(), box(1, 100, 200, 160, 160), box(2, 300, 230, 80, 120))
KINDS: tuple[ServerKind, ...] = ("comfyui", "openai")
TOKEN = "sk-the-token-1234"


@pytest.fixture(autouse=True)
def small_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """A megapixel for each layer is for real models."""
    monkeypatch.setattr(fitting, "AREA", 96 * 96)


@pytest.fixture
def fake() -> Iterator[FakeServer]:
    with FakeServer() as server:
        yield server


class OnServer(Running):
    """A started engine on a real connection, and its events."""

    def __init__(
        self, connection: Connection, ledger: Path | None = None, token: str | None = None
    ) -> None:
        super().__init__(None)  # type: ignore[arg-type]
        self.engine = RemoteEngine(
            self.events.put,
            lambda: open_server(connection, token, QUICK),
            ledger=ledger,
            patience=Patience(0.2, 0.05),
            reconnect_s=(0.05,),
        )

    def __exit__(self, *_: object) -> None:
        assert self.engine.shutdown(10.0)


@pytest.mark.parametrize("kind", KINDS)
def test_layers_are_made(fake: FakeServer, kind: ServerKind) -> None:
    with OnServer(fake.connection(kind)) as running:
        end = running.run(request(PROMPT, *LAYERS))
    assert isinstance(end, Finished), end
    ground, fox, lantern = end.results
    assert (ground.rgba[..., 3] == 255).all() and ground.rgba.shape == (384, 512, 4)
    assert [result.word for result in end.results] == [None, "red fox", "lantern"]
    for result in (fox, lantern):
        alpha = result.rgba[..., 3]
        assert 0.5 < (alpha > 0).mean() < 0.9  # an ellipse that fills its box one way
    assert (fox.rgba != np.resize(lantern.rgba, fox.rgba.shape)).any()
    assert end.engine == kind and end.device and "127.0.0.1" not in end.model_hash
    steps = [event.step for event in running.seen if isinstance(event, Progress)]
    assert steps == sorted(steps) and len(steps) >= 3


def test_progress_and_previews_of_comfyui(fake: FakeServer) -> None:
    fake.steps = 10
    with OnServer(fake.connection()) as running:
        assert isinstance(running.run(request(PROMPT, *LAYERS)), Finished)
    started = next(event for event in running.seen if isinstance(event, Started))
    steps = [event.step for event in running.seen if isinstance(event, Progress)]
    assert started.total_steps == 61 and steps[-1] == 60
    assert {event.layer_id for event in running.seen if isinstance(event, Preview)} <= {0, 1, 2}


@pytest.mark.parametrize(
    ("kind", "path", "fault", "said"),
    [
        ("comfyui", "/prompt", "500", "failed on its own side (500)"),
        ("comfyui", "/prompt", "413", "too large"),
        ("comfyui", "/prompt", "html", "a web page"),
        ("comfyui", "/prompt", "node_errors", "VAELoader"),
        ("comfyui", "/history", "variant", "do not fit together"),
        ("comfyui", "/history", "memory", "memory is not enough"),
        ("comfyui", "/history", "lost", "no longer has the job"),
        ("comfyui", "/history", "running for ever", "without a sign of progress"),
        ("comfyui", "/view", "3 GB", "the limit is"),
        ("comfyui", "/view", "trickle", "did not finish its answer in time"),
        ("openai", "/v1/images", "401", "401"),
        ("openai", "/v1/images", "500", "(500)"),
        ("openai", "/v1/images", "html", "a web page"),
        ("openai", "/v1/images", "redirect", "redirects to"),
    ],
)
def test_each_fault_ends_the_job_with_one_message(
    fake: FakeServer, kind: ServerKind, path: str, fault: str, said: str
) -> None:
    fake.faults, fake.hints = {path: fault}, "silent"
    with OnServer(fake.connection(kind), token=TOKEN) as running:
        end = running.run(request(PROMPT, LAYERS[1]))
        assert isinstance(end, Failed) and end.kind == "request"
        assert said in end.message and end.advice
        assert TOKEN not in repr(running.seen)
        # The engine lives, and the next job is as good as any.
        fake.faults, fake.hints = {}, ""
        assert isinstance(running.run(request(PROMPT, LAYERS[1], job_id=2)), Finished)
    assert sum(map(is_end, running.seen)) == 2


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fault", ["opaque", "inverted", "checkerboard8", "empty", "bytes"])
def test_pictures_that_are_no_cut_outs(fake: FakeServer, kind: ServerKind, fault: str) -> None:
    fake.picture = fault
    with OnServer(fake.connection(kind)) as running:
        end = running.run(request(PROMPT, LAYERS[1]))
    assert isinstance(end, Failed) and end.message and end.advice


@pytest.mark.parametrize("hints", ["refused", "silent", "broken"])
def test_a_dead_websocket_costs_nothing_but_progress(fake: FakeServer, hints: str) -> None:
    fake.hints = hints
    with OnServer(fake.connection()) as running:
        assert isinstance(running.run(request(PROMPT, LAYERS[1])), Finished)


def test_stop_takes_the_jobs_out_of_the_queue(fake: FakeServer) -> None:
    fake.faults = {"/history": "running for ever"}
    with OnServer(fake.connection()) as running:
        running.engine.submit(request(PROMPT, *LAYERS))
        wait_until(lambda: len(fake.waiting) == 3)
        running.engine.cancel()
        assert isinstance(running.end_of(1), JobCancelled)
        assert not fake.waiting, "the running one was interrupted, the others deleted"


def test_a_server_that_restarts_in_between_gets_the_job_again(fake: FakeServer) -> None:
    """Queue and history are empty then, and the user has nothing to do."""
    fake.faults = {"/history": "running for ever"}
    with OnServer(fake.connection()) as running:
        running.engine.submit(request(PROMPT, LAYERS[1]))
        wait_until(lambda: len(fake.waiting) == 1)
        (first,) = fake.waiting
        fake.restart()
        fake.faults = {}
        assert isinstance(running.end_of(1), Finished)
    assert fake.paths("POST").count("/prompt") == 2 and first


def test_a_server_that_went_away_is_asked_for_what_it_has(fake: FakeServer, tmp_path: Path) -> None:
    """The job fails in words; the same request collects the pictures, in another process too."""
    ledger = tmp_path / "ledger.json"
    fake.faults = {"/history": "running for ever"}
    with OnServer(fake.connection(), ledger) as running:
        running.engine.submit(request(PROMPT, *LAYERS))
        wait_until(lambda: len(fake.waiting) == 3)
        keys = set(fake.waiting)
        fake.faults = {"/": "closes"}
        end = running.end_of(1)
    assert isinstance(end, Failed) and "stopped answering" in end.message
    fake.faults = {}
    with OnServer(fake.connection(), ledger) as running:
        assert isinstance(running.run(request(PROMPT, *LAYERS)), Finished)
    assert fake.paths("POST").count("/prompt") == 3, "nothing was queued twice"
    assert set(fake.history) == keys


def test_the_end_of_the_program_leaves_the_jobs_to_the_server(
    fake: FakeServer, tmp_path: Path
) -> None:
    """The ids on the disk are all that is left, and they are enough."""
    ledger = tmp_path / "ledger.json"
    fake.faults = {"/history": "running for ever"}
    ended = OnServer(fake.connection(), ledger)
    ended.engine.start()
    ended.engine.submit(request(PROMPT, *LAYERS))
    wait_until(lambda: len(fake.waiting) == 3)
    assert ended.engine.shutdown(10.0)
    assert len(fake.waiting) == 3 and not fake.interrupted
    fake.faults = {}
    with OnServer(fake.connection(), ledger) as running:
        assert isinstance(running.run(request(PROMPT, *LAYERS)), Finished)
    assert fake.paths("POST").count("/prompt") == 3


@pytest.mark.parametrize("kind", KINDS)
def test_a_server_that_comes_later_is_found(kind: ServerKind) -> None:
    with FakeServer(token=TOKEN) as fake:
        first = "/system_stats" if kind == "comfyui" else "/v1/models"
        fake.faults = {first: "503"}
        with OnServer(fake.connection(kind), token=TOKEN) as running:
            running.until(lambda event: getattr(event, "state", "") == "failed")
            fake.faults = {}
            running.until(lambda event: getattr(event, "state", "") == "ready")
            assert isinstance(running.run(request(PROMPT, LAYERS[1])), Finished)
        assert TOKEN not in repr(running.seen)


def test_a_wrong_token_is_said(fake: FakeServer) -> None:
    fake.token = TOKEN
    with OnServer(fake.connection("openai"), token="sk-another") as running:
        failed = running.until(lambda event: getattr(event, "state", "") == "failed")
    assert "401" in failed.message or "token" in failed.message  # type: ignore[union-attr]
    assert "sk-another" not in repr(running.seen)


def test_one_thread_and_no_other(fake: FakeServer) -> None:
    """The program gives this thread its priority by its name, and waits for it at its end."""
    with OnServer(fake.connection()) as running:
        running.run(request(PROMPT, LAYERS[1]))
        names = [thread.name for thread in threading.enumerate()]
        assert names.count("layerloom-engine") == 1
    assert "layerloom-engine" not in [thread.name for thread in threading.enumerate()]
