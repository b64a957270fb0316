"""The client for OpenAI's images interface."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
import pytest

from engine.errors import Cancelled
from engine.remote import LayerServer, RemoteError, open_server
from engine.remote.openai_images import OpenAiServer
from engine.remote.pictures import encode
from tests.engine.remote.fake_server import QUICK, FakeServer, drawn, fake_server
from tests.engine.remote.watching import Watching, a_job


@pytest.fixture
def fake() -> Iterator[FakeServer]:
    with fake_server() as server:
        yield server


def request(fake: FakeServer) -> dict[str, object]:
    return next(body for _, path, body in reversed(fake.asked) if path.startswith("/v1/images"))


def layer_server(fake: FakeServer) -> LayerServer:
    server = open_server(fake.connection("openai"), None, QUICK)
    assert isinstance(server, OpenAiServer)
    return server


def test_models_are_listed_with_what_is_known(fake: FakeServer) -> None:
    fake.models = ["text-embedding-3", "Qwen/Qwen-Image", "mystery", "Ming-Image-0.1-Design"]
    models = open_server(fake.connection("openai"), None, QUICK).connect().models
    assert [model.name for model in models] == [
        "Ming-Image-0.1-Design",
        "Qwen/Qwen-Image",
        "mystery",
        "text-embedding-3",
    ]
    assert [model.licence for model in models] == ["MIT", "Apache-2.0", "", ""]
    assert [model.makes_alpha for model in models] == [True, False, False, False]
    assert models[2].note.startswith("unknown")


@pytest.mark.parametrize("form", ["", "url"])
def test_a_picture_comes_back_as_the_server_drew_it(fake: FakeServer, form: str) -> None:
    fake.picture = form
    server, job = open_server(fake.connection("openai"), None, QUICK), a_job(negative="blue")
    server.submit(job)
    assert np.array_equal(server.collect(job, Watching()), drawn(64, 96, 7))
    assert request(fake) == {
        "model": "Ming-Image-0.1-Design",
        "prompt": "RGBA, 4-channel, transparent background. a red ball",
        "size": "64x96",
        "n": 1,
        "response_format": "b64_json",
        "output_format": "png",
        "background": "transparent",
        "seed": 7,
        "negative_prompt": "blue",
    }


def test_a_background_is_asked_for_as_opaque(fake: FakeServer) -> None:
    connection = fake.connection("openai", model="unknown-model")
    picture = open_server(connection, None, QUICK).collect(a_job(alpha=False, steps=9), Watching())
    assert np.array_equal(picture, drawn(64, 96, 7, alpha=False))
    sent = request(fake)
    assert (sent["background"], sent["num_inference_steps"]) == ("opaque", 9)
    assert (sent["prompt"], sent["model"]) == ("a red ball", "unknown-model")


def test_a_url_of_another_host_is_not_fetched(fake: FakeServer) -> None:
    fake.picture = "url elsewhere"
    with pytest.raises(RemoteError, match=r"to 192\.0\.2\.1") as caught:
        open_server(fake.connection("openai"), None, QUICK).collect(a_job(), Watching())
    assert caught.value.kind == "address"


def test_fields_that_a_server_refuses_are_left_out_and_named(fake: FakeServer) -> None:
    fake.refused_fields = {"response_format", "seed"}
    server = layer_server(fake)
    assert server.collect(a_job(), Watching()).any()
    assert isinstance(server, OpenAiServer) and server.ignored == ("response_format", "seed")
    count = len(fake.asked)
    server.collect(a_job(), Watching())
    assert len(fake.asked) == count + 1


def test_a_refusal_of_the_prompt_is_an_error(fake: FakeServer) -> None:
    fake.refused_fields = {"prompt"}
    with pytest.raises(RemoteError, match=r"Unknown parameter: 'prompt'") as caught:
        open_server(fake.connection("openai"), None, QUICK).collect(a_job(), Watching())
    assert caught.value.kind == "refused"


def test_layers_of_a_picture_are_counted(fake: FakeServer) -> None:
    source = drawn(64, 96, 3, alpha=False)
    server, job = layer_server(fake), a_job(source=source, layers=3)
    layers = server.collect_layers(job, Watching())
    assert [np.array_equal(made, drawn(64, 96, 7 + n)) for n, made in enumerate(layers)] == [
        True
    ] * 3
    assert fake.paths("POST") == ["/v1/images/edits"]
    sent = request(fake)
    assert (sent["image"], sent["layers"], sent["num_layers"]) == (encode(source), "3", "3")
    fake.picture = "short"
    with pytest.raises(RemoteError, match="sent 2 of 3 pictures") as caught:
        server.collect_layers(job, Watching())
    assert caught.value.kind == "picture"
    fake.picture = "opaque"
    with pytest.raises(RemoteError, match="opaque everywhere"):
        server.collect_layers(job, Watching())


def test_a_thing_is_lifted_out_of_a_picture(fake: FakeServer) -> None:
    job = a_job(source=drawn(64, 96, 3, alpha=False))
    assert np.array_equal(layer_server(fake).collect(job, Watching()), drawn(64, 96, 7))
    assert fake.paths("POST") == ["/v1/images/edits"]


def test_layers_need_a_picture_and_collect_takes_one(fake: FakeServer) -> None:
    server = layer_server(fake)
    with pytest.raises(RemoteError, match="none was sent"):
        server.collect_layers(a_job(layers=3), Watching())
    with pytest.raises(RemoteError, match="3 layers were asked for"):
        server.collect(a_job(layers=3), Watching())


@pytest.mark.parametrize("how", ["watch", "cancel"])
def test_stop_closes_the_connection_while_the_server_works(fake: FakeServer, how: str) -> None:
    fake.faults = {"/v1/images": "silent"}
    server, job, stop = (
        open_server(fake.connection("openai"), None, QUICK),
        a_job(),
        threading.Event(),
    )
    server.submit(job)
    threading.Timer(0.1, stop.set if how == "watch" else lambda: server.cancel(job)).start()
    with pytest.raises(Cancelled):
        server.collect(job, Watching(stop.is_set))
    assert not fake.silence_ended and not server.knows(job)


def test_a_server_without_a_list_of_models(fake: FakeServer) -> None:
    fake.faults = {"/v1/models": "404"}
    with pytest.raises(RemoteError, match="404"):
        open_server(fake.connection("openai"), None, QUICK).connect()
    server = open_server(fake.connection("openai", model="sd.gguf"), None, QUICK)
    assert [model.name for model in server.connect().models] == ["sd.gguf"]
    assert server.collect(a_job(), Watching()).any()


def test_a_model_that_is_not_listed(fake: FakeServer) -> None:
    server = open_server(fake.connection("openai", model="other"), None, QUICK)
    with pytest.raises(RemoteError, match="no model named “other”; it lists Ming"):
        server.submit(a_job())
