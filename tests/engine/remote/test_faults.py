"""Each fault of a server ends in one message that says what happened and what to do.

Both clients, over real sockets, against a server that plays the fault.
"""

from __future__ import annotations

import dataclasses
import itertools
import logging
import traceback
from collections.abc import Iterator

import pytest

from engine.remote import PictureJob, PictureServer, RemoteError, ServerKind, open_server
from tests.engine.remote.fake_server import CERTIFICATE, QUICK, SHORT, FakeServer, fake_server
from tests.engine.remote.watching import Watching, a_job

TOKEN = "sk-the-token-1234"
# Fault -> kind of the error, and words of its message.
TRANSPORT = {
    "401": ("unauthorised", "the server says 401"),
    "403": ("unauthorised", "does not allow this (403)"),
    "404": ("missing", "nothing at this address (404)"),
    "413": ("refused", "too large for 127.0.0.1 (413)"),
    "429": ("refused", "too many requests"),
    "500": ("refused", "failed on its own side (500)"),
    "503": ("unreachable", "busy or still starting"),
    "html": ("answer", "a web page (“Log in & wait”) instead of data"),
    "html 502": ("unreachable", "It sent a web page: “Log in & wait”"),
    "text": ("answer", "text/plain instead of JSON"),
    "broken json": ("answer", "cannot be read"),
    "closes": ("unreachable", "closed the connection without an answer"),
    "cut": ("unreachable", "broke in the middle of an answer"),
    "redirect": ("address", "redirects to 192.0.2.1"),
    "circle": ("answer", "redirects in a circle"),
    "3 GB": ("answer", "at least 3.0 GB; the limit is"),
    "endless": ("answer", "the limit is 4.0 MB"),
}
SLOW = {
    "trickle": ("timeout", "did not finish its answer in time"),
    "slow head": ("timeout", "did not finish its answer in time"),
    "silent": ("timeout", "did not finish its answer in time"),
}
FIRST: dict[ServerKind, str] = {"comfyui": "/system_stats", "openai": "/v1/models"}


@pytest.fixture(scope="module")
def shared() -> Iterator[FakeServer]:
    with fake_server(token=TOKEN) as server:
        yield server


def says(error: RemoteError, kind: str, words: str) -> bool:
    """Whether an error is complete: kind, words, advice, whole sentences, and no token."""
    texts = (str(error), error.advice, repr(error), *traceback.format_exception(error))
    assert not any(TOKEN in text for text in texts)
    assert error.advice.endswith((".", "?")) and len(str(error)) < 700
    assert error.kind == kind, (error.kind, str(error))
    assert words in str(error), str(error)
    return True


def made(server: PictureServer, job: PictureJob) -> None:
    server.submit(job)
    server.collect(job, Watching())


@pytest.mark.parametrize(
    ("kind", "fault"),
    [
        *itertools.product(("comfyui", "openai"), TRANSPORT),
        *[("comfyui" if fault == "trickle" else "openai", fault) for fault in SLOW],
    ],
)
def test_a_connection_that_fails(shared: FakeServer, kind: ServerKind, fault: str) -> None:
    shared.faults = {FIRST[kind]: fault}
    server = open_server(shared.connection(kind), TOKEN, SHORT if fault in SLOW else QUICK)
    with pytest.raises(RemoteError) as caught:
        server.connect()
    assert says(caught.value, *{**TRANSPORT, **SLOW}[fault])


@pytest.mark.parametrize("fault", TRANSPORT)
def test_a_picture_request_that_fails(shared: FakeServer, fault: str) -> None:
    shared.faults = {"/v1/images": fault}
    server = open_server(shared.connection("openai"), TOKEN, QUICK)
    job = a_job()
    server.submit(job)
    with pytest.raises(RemoteError) as caught:
        server.collect(job, Watching())
    assert says(caught.value, *TRANSPORT[fault])


@pytest.mark.parametrize("fault", ["401", "413", "500", "html", "redirect", "broken json"])
@pytest.mark.parametrize("path", ["/prompt", "/history", "/queue", "/view"])
def test_each_question_to_comfyui_may_fail(shared: FakeServer, path: str, fault: str) -> None:
    shared.faults = {path: fault}
    server = open_server(shared.connection(), TOKEN, QUICK)
    job = a_job()
    with pytest.raises(RemoteError) as caught:
        made(server, job)
    kind, words = TRANSPORT[fault]
    if (path, fault) == ("/view", "broken json"):
        kind, words = "picture", "application/json instead of a picture"
    assert says(caught.value, kind, words)


@pytest.mark.parametrize("kind", ["comfyui", "openai"])
def test_another_program_at_the_address(shared: FakeServer, kind: ServerKind) -> None:
    shared.faults = {FIRST[kind]: "other json"}
    with pytest.raises(RemoteError) as caught:
        open_server(shared.connection(kind), TOKEN, QUICK).connect()
    assert says(caught.value, "answer", "")


@pytest.mark.parametrize("kind", ["comfyui", "openai"])
def test_no_server_and_a_wrong_token(kind: ServerKind, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with fake_server(token=TOKEN) as server:
        for token in (None, "another-token-of-mine"):
            with pytest.raises(RemoteError) as caught:
                open_server(server.connection(kind), token, QUICK).connect()
            assert says(caught.value, "unauthorised", "wants a token")
            assert "another-token-of-mine" not in f"{caught.value} {caught.value.advice}"
        assert "wrong token …" in str(caught.value)  # as the server said it, without the token
    with pytest.raises(RemoteError) as caught:
        open_server(server.connection(kind), TOKEN, QUICK).connect()
    assert says(caught.value, "unreachable", "No server answers at 127.0.0.1:")
    assert "token-of-mine" not in caplog.text and TOKEN not in caplog.text


@pytest.mark.parametrize("kind", ["comfyui", "openai"])
def test_https_of_a_server_without_it(shared: FakeServer, kind: ServerKind) -> None:
    connection = shared.connection(kind)
    secure = dataclasses.replace(connection, address=connection.address.replace("http", "https"))
    shared.faults = {}
    with pytest.raises(RemoteError) as caught:
        open_server(secure, TOKEN, QUICK).connect()
    assert says(caught.value, "unreachable", "does not speak https")


@pytest.mark.parametrize("kind", ["comfyui", "openai"])
def test_https_with_a_certificate(kind: ServerKind, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is trusted carries a whole job; one that is not is named, and gets no request."""
    with fake_server(token=TOKEN, tls=True) as fake:
        with pytest.raises(RemoteError) as caught:
            open_server(fake.connection(kind), TOKEN, QUICK).connect()
        assert says(caught.value, "unreachable", "certificate of 127.0.0.1:") and not fake.asked
        monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
        server, job, watch = open_server(fake.connection(kind), TOKEN, QUICK), a_job(), Watching()
        server.submit(job)
        assert server.collect(job, watch).any()
        assert bool(watch.steps) is (kind == "comfyui")  # its websocket is encrypted too


PICTURES = {
    "opaque": "opaque everywhere",
    "inverted": "mask of the picture that came is inverted",
    "checkerboard8": "a checkerboard is painted",
    "checkerboard16": "a checkerboard is painted",
    "empty": "The picture that came is empty",
    "bytes": "is no PNG, WebP or JPEG (29 bytes)",
    "size": "128 × 96; 64 × 96 was asked for",
}


@pytest.mark.parametrize("fault", PICTURES)
@pytest.mark.parametrize("kind", ["comfyui", "openai"])
def test_a_picture_that_is_not_what_was_asked_for(
    shared: FakeServer, kind: ServerKind, fault: str
) -> None:
    shared.faults, shared.picture = {}, fault
    try:
        server = open_server(shared.connection(kind), TOKEN, QUICK)
        job = a_job()
        server.submit(job)
        with pytest.raises(RemoteError) as caught:
            server.collect(job, Watching())
    finally:
        shared.picture = ""
    assert says(caught.value, "picture", PICTURES[fault])


def test_a_background_with_holes(shared: FakeServer) -> None:
    shared.faults, shared.picture = {}, "holes"
    try:
        server = open_server(shared.connection("openai"), TOKEN, QUICK)
        with pytest.raises(RemoteError) as caught:
            server.collect(a_job(alpha=False), Watching())
    finally:
        shared.picture = ""
    assert says(caught.value, "picture", "has transparent parts")


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("variant", "model files of the graph do not fit together: node KSampler (8)"),
        ("memory", "memory is not enough: node KSampler (8)"),
        ("node", "stopped at node KSampler (8): unexpected trouble"),
    ],
)
def test_a_graph_that_fails_on_the_server(shared: FakeServer, fault: str, words: str) -> None:
    shared.faults = {"/history": fault}
    server = open_server(shared.connection(), TOKEN, QUICK)
    job = a_job()
    server.submit(job)
    with pytest.raises(RemoteError) as caught:
        server.collect(job, Watching())
    assert says(caught.value, "refused", words)


def test_a_graph_that_the_server_does_not_take(shared: FakeServer) -> None:
    shared.faults = {"/prompt": "node_errors"}
    with pytest.raises(RemoteError) as caught:
        open_server(shared.connection(), TOKEN, QUICK).submit(a_job())
    assert says(caught.value, "refused", "node VAELoader (7): Value not in list")
