"""The ComfyUI client: the way of a job, and what happens when a side of it goes away."""

from __future__ import annotations

import dataclasses
import logging
import threading
from collections.abc import Iterator

import numpy as np
import pytest

from engine.errors import Cancelled
from engine.remote import RemoteError, open_server
from tests.engine.remote.fake_server import QUICK, SHORT, FakeServer, drawn, fake_server
from tests.engine.remote.watching import Watching, a_job


@pytest.fixture
def fake() -> Iterator[FakeServer]:
    with fake_server() as server:
        yield server


def test_the_report_names_server_models_and_licences(fake: FakeServer) -> None:
    report = open_server(fake.connection(), None, QUICK).connect()
    assert report.title == "ComfyUI 0.38.1, NVIDIA Test 24, 24 GB"
    assert [model.name for model in report.models] == [
        "ming-design",
        "qwen-image-layered",
        "checkpoint/plain.safetensors",
        "checkpoint/xl/other.safetensors",
    ]
    assert all(model.is_usable for model in report.models)
    ming, layered, plain, other = report.models
    assert (ming.licence, layered.licence, plain.licence) == ("MIT", "Apache-2.0", "")
    assert "weak" in layered.note and all("untested" in model.note for model in report.models)
    assert len({model.fingerprint for model in report.models}) == 4
    assert other.title.endswith("xl/other.safetensors")


@pytest.mark.parametrize("name", ["", "qwen-image-layered", "checkpoint/xl/other.safetensors"])
@pytest.mark.parametrize("alpha", [True, False])
def test_a_picture_comes_back_as_the_server_drew_it(
    fake: FakeServer, name: str, alpha: bool
) -> None:
    server = open_server(fake.connection(model=name), None, QUICK)
    job, watch = a_job(alpha=alpha, negative="blue", steps=5), Watching()
    server.submit(job)
    assert server.knows(job)
    picture = server.collect(job, watch)
    assert np.array_equal(picture, drawn(64, 96, 7, alpha=alpha))
    assert server.knows(job)
    ((_, _, body),) = [asked for asked in fake.asked if asked[1] == "/prompt"]
    values = [str(v) for node in body["prompt"].values() for v in node["inputs"].values()]
    assert any("a red ball" in value for value in values) and "5" in values
    assert (body["prompt_id"], body["client_id"]) == (job.key, job.key)
    if name.startswith("checkpoint"):
        assert "xl/other.safetensors" in values
        kinds = {node["class_type"] for node in body["prompt"].values()}
        assert ("RemoveBackground" in kinds) is alpha


def test_progress_and_previews_come_by_the_websocket(fake: FakeServer) -> None:
    fake.steps = 10**6
    server, job = open_server(fake.connection(), None, QUICK), a_job()
    watch = Watching(lambda: bool(watch.previews))
    server.submit(job)
    with pytest.raises(Cancelled):
        server.collect(job, watch)
    assert watch.steps == [(1, 3), (2, 3), (3, 3)]
    assert np.array_equal(watch.previews[0], drawn(16, 16, 1))


def test_no_log_has_the_token(caplog: pytest.LogCaptureFixture) -> None:
    """At the finest level, through a whole job with its websocket."""
    caplog.set_level(logging.DEBUG)
    with fake_server(token="sk-of-mine") as fake:
        server, job, watch = (
            open_server(fake.connection(), "sk-of-mine", QUICK),
            a_job(),
            Watching(),
        )
        server.submit(job)
        server.collect(job, watch)
    assert "/ws" in fake.paths() and "sk-of-mine" not in caplog.text
    assert "sk-of-mine" not in f"{server!r} {vars(server)}"


@pytest.mark.parametrize("hints", ["refused", "silent", "broken"])
def test_a_dead_websocket_costs_only_the_hints(fake: FakeServer, hints: str) -> None:
    fake.hints, fake.steps = hints, 5
    server, job, watch = open_server(fake.connection(), None, QUICK), a_job(), Watching()
    server.submit(job)
    assert server.collect(job, watch).shape == (96, 64, 4)
    assert "/ws" in fake.paths() and not watch.steps


def test_stop_interrupts_a_running_job_and_takes_out_a_waiting_one(fake: FakeServer) -> None:
    fake.steps = 10**6
    server = open_server(fake.connection(), None, QUICK)
    running, waiting = a_job(), a_job()
    server.submit(running)
    server.submit(waiting)
    with pytest.raises(Cancelled):
        server.collect(waiting, Watching(lambda: True))
    assert not fake.interrupted and not server.knows(waiting) and server.knows(running)
    server.cancel(running)
    assert fake.interrupted == [running.key] and not server.knows(running)


def test_a_job_that_was_stopped_can_be_made_again_under_its_id(fake: FakeServer) -> None:
    """The history of the first try is no result of the second."""
    fake.steps = 10**6
    server, job = open_server(fake.connection(), None, QUICK), a_job()
    server.submit(job)
    server.cancel(job)
    with pytest.raises(RemoteError, match="was stopped on the server"):
        server.collect(job, Watching())
    assert not server.knows(job)
    fake.steps = 3
    server.submit(job)
    assert server.knows(job)
    assert np.array_equal(server.collect(job, Watching()), drawn(64, 96, 7))


def test_stop_works_while_the_server_is_silent(fake: FakeServer) -> None:
    """A question is not answered; the stop does not wait for its time to end."""
    fake.steps = 10**6
    patient = dataclasses.replace(QUICK, idle_s=60.0, answer_s=60.0)
    server, job, stop = open_server(fake.connection(), None, patient), a_job(), threading.Event()
    server.submit(job)
    fake.faults = {f"/history/{job.key}": "silent"}
    threading.Timer(0.1, stop.set).start()
    with pytest.raises(Cancelled):
        server.collect(job, Watching(stop.is_set))
    assert not fake.silence_ended and not fake.waiting


def test_cancel_never_raises() -> None:
    with fake_server() as fake:
        server, job = open_server(fake.connection(), None, QUICK), a_job()
        server.submit(job)
    server.cancel(job)
    assert not server.knows(job)


def test_a_server_that_goes_away_in_the_middle(fake: FakeServer) -> None:
    fake.steps = 10**6
    server, job = open_server(fake.connection(), None, SHORT), a_job()
    server.submit(job)
    watch = Watching()
    threading.Timer(0.1, fake.stop).start()
    with pytest.raises(RemoteError) as caught:
        server.collect(job, watch)
    assert caught.value.kind in ("unreachable", "timeout")
    assert "stopped answering in the middle of a job" in str(caught.value)
    assert "picked up" in caught.value.advice


def test_a_short_failure_in_the_middle_is_bridged(fake: FakeServer) -> None:
    """A proxy that answers 503 for a moment ends no job."""
    fake.steps = 3
    server, job = open_server(fake.connection(), None, QUICK), a_job()
    server.submit(job)
    fake.faults = {"/history": "503"}
    threading.Timer(0.1, fake.faults.clear).start()
    assert server.collect(job, Watching()).any()


def test_a_job_is_picked_up_after_our_restart(fake: FakeServer) -> None:
    job = a_job()
    open_server(fake.connection(), None, QUICK).submit(job)
    again = open_server(fake.connection(), None, QUICK)
    assert again.knows(job)
    assert np.array_equal(again.collect(job, Watching()), drawn(64, 96, 7))
    assert fake.paths("POST").count("/prompt") == 1


def test_a_server_that_was_started_again_has_lost_the_job(fake: FakeServer) -> None:
    fake.steps = 10**6
    server, job = open_server(fake.connection(), None, SHORT), a_job()
    server.submit(job)
    fake.restart()
    assert not server.knows(job)
    with pytest.raises(RemoteError, match="no longer has the job") as caught:
        server.collect(job, Watching())
    assert (caught.value.kind, caught.value.advice) == ("missing", "Generate again.")
    fake.steps = 2
    again = open_server(fake.connection(), None, QUICK)
    again.submit(job)
    assert again.collect(job, Watching()).any()


def test_an_empty_history_for_ever_ends(fake: FakeServer) -> None:
    """`{}` means not done and not known: the queue tells which."""
    server, job = open_server(fake.connection(), None, SHORT), a_job()
    fake.faults = {"/history": "lost"}
    server.submit(job)
    with pytest.raises(RemoteError, match="no longer has the job"):
        server.collect(job, Watching())
    fake.faults, fake.hints = {"/history": "running for ever"}, "silent"
    server.submit(job)
    with pytest.raises(RemoteError, match="without a sign of progress") as caught:
        server.collect(job, Watching())
    assert caught.value.kind == "timeout" and server.knows(job)


def test_a_lost_answer_to_a_submission_is_no_lost_job(fake: FakeServer) -> None:
    """The server took the graph, and the connection broke before it said so."""
    server, job = open_server(fake.connection(), None, QUICK), a_job()
    server.connect()
    take = fake.queue_prompt

    def take_and_break(body: dict[str, object]) -> tuple[int, dict[str, object]]:
        take(body)
        raise ConnectionResetError

    fake.queue_prompt = take_and_break  # type: ignore[method-assign]
    server.submit(job)
    assert server.collect(job, Watching()).any()
    assert fake.paths("POST").count("/prompt") == 1


def test_a_server_with_ids_of_its_own_is_refused(fake: FakeServer) -> None:
    fake.faults = {"/prompt": "own id"}
    with pytest.raises(RemoteError, match="ids of its own"):
        open_server(fake.connection(), None, QUICK).submit(a_job())
    assert not fake.waiting


def test_fewer_layers_than_the_graph_gives_are_refused(fake: FakeServer) -> None:
    fake.picture = "short"
    server, job = open_server(fake.connection(model="qwen-image-layered"), None, QUICK), a_job()
    server.submit(job)
    with pytest.raises(RemoteError, match="1 of 2 pictures") as caught:
        server.collect(job, Watching())
    assert caught.value.kind == "picture"


def test_what_is_missing_is_named_before_anything_is_queued(fake: FakeServer) -> None:
    fake.version = "0.3.64"
    del fake.schema["RemoveBackground"]
    fake.schema["VAELoader"]["input"]["required"]["vae_name"][0] = []
    server = open_server(fake.connection(), None, QUICK)
    ming, layered, plain, _ = server.connect().models
    assert ming.missing == (
        "ComfyUI 0.38.0 or newer (this is 0.3.64)",
        "ming_image_vae_bf16.safetensors in models/vae",
    )
    assert layered.missing == ("qwen_image_layered_vae.safetensors in models/vae",)
    assert plain.missing == ("node RemoveBackground",)
    with pytest.raises(RemoteError, match=r"lacks for “Ming-Image 0\.1 Design”: ComfyUI 0\.38"):
        server.submit(a_job())
    assert "/prompt" not in fake.paths()


def test_a_node_that_changed_is_named(fake: FakeServer) -> None:
    required = fake.schema["JoinImageWithAlpha"]["input"]["required"]
    required["mask"] = required.pop("alpha")
    fake.schema["RemoveBackground"]["output"] = ["IMAGE"]
    plain = open_server(fake.connection(), None, QUICK).connect().models[2]
    assert plain.missing == (
        "input mask of node InvertMask (9): it takes MASK, not IMAGE",
        "input mask of node JoinImageWithAlpha (10), which it needs",
        "input alpha of node JoinImageWithAlpha (10): it has none of that name",
    )


def test_a_model_that_is_not_there(fake: FakeServer) -> None:
    with pytest.raises(RemoteError, match="no choice named “other”") as caught:
        open_server(fake.connection(model="other"), None, QUICK).submit(a_job())
    assert caught.value.kind == "missing"


def test_jobs_for_the_other_kind_of_server_are_refused(fake: FakeServer) -> None:
    server = open_server(fake.connection(), None, QUICK)
    for job in (a_job(layers=3), a_job(source=np.zeros((8, 8, 4), np.uint8))):
        with pytest.raises(RemoteError, match="one picture from text"):
            server.submit(job)


def test_nothing_is_sent_before_it_is_asked_for(fake: FakeServer) -> None:
    open_server(fake.connection(), "token", QUICK)
    assert fake.asked == []
