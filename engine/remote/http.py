"""HTTP with bounds: time, size, kind of content, and the one host that a connection names."""

from __future__ import annotations

import http.client
import io
import json
import logging
import re
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from engine.errors import Cancelled
from engine.remote.api import RemoteError
from engine.remote.failures import broke, said_by, status_error, unreachable, web_page

logger = logging.getLogger(__name__)

_CHUNK = 1 << 16
_REDIRECTS = 3
_SLICE_S = 0.25  # how long a stop may wait while a server is silent
_HTML = re.compile(rb"^\s*(?:<!doctype html|<html|<head|<body)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of each answer and each job; seconds and bytes."""

    connect_s: float = 10.0
    idle_s: float = 30.0  # between two pieces of an answer
    answer_s: float = 120.0  # for one whole answer
    picture_s: float = 900.0  # for an answer that waits until a picture is made
    json_bytes: int = 64 << 20
    picture_bytes: int = 256 << 20
    poll_s: float = 1.0  # between two questions whether a job is done
    gone_s: float = 30.0  # a server that stopped answering in the middle of a job
    lost_s: float = 20.0  # a job that is neither queued nor running nor finished
    running_s: float = 3600.0  # a job that runs without a sign of progress
    hint_s: float = 10.0  # between two tries to open the websocket


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer of a server: its status was 200 to 299."""

    body: bytes
    content_type: str  # lower case, without parameters


class Deadline:
    """The end of one exchange: its whole time, its time without a byte, and a stop from outside."""

    def __init__(
        self, total_s: float, idle_s: float, should_stop: Callable[[], bool] | None = None
    ) -> None:
        self.total_s = total_s
        self._idle_s = idle_s
        self._should_stop = should_stop or (lambda: False)
        self._end = time.monotonic() + total_s

    def receive(self, sock: socket.socket, into: memoryview) -> int:
        """Bytes received; TimeoutError: the time is over. Cancelled: stopped from outside."""
        idle_end = time.monotonic() + self._idle_s
        while True:
            left = min(self._end, idle_end) - time.monotonic()
            if left <= 0:
                raise TimeoutError
            if self._should_stop():
                raise Cancelled
            sock.settimeout(min(left, _SLICE_S))
            try:
                return sock.recv_into(into)
            except TimeoutError:
                continue

    def left(self) -> float:
        return max(self._end - time.monotonic(), 0.001)


class _Reader(io.RawIOBase):
    """A socket as a stream under a deadline."""

    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self._sock = sock
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._deadline.receive(self._sock, memoryview(buffer).cast("B"))


class _BoundedSocket:
    """What `http.client` uses of a socket. It does not close: its owner does, after the answer."""

    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self._sock = sock
        self._deadline = deadline

    def sendall(self, data: bytes) -> None:
        self._sock.settimeout(self._deadline.left())
        self._sock.sendall(data)

    def makefile(self, *_: object, **__: object) -> io.BufferedReader:
        return io.BufferedReader(_Reader(self._sock, self._deadline))

    def close(self) -> None:
        """Closed by `_connected`'s caller: the answer is read after http.client is done with it."""


class HttpClient:
    """Requests to one origin.

    Args:
        address: as `checked_address` gives it.
        token: sent as "Authorization: Bearer", to this origin only.
    """

    def __init__(self, address: str, token: str | None, limits: Limits) -> None:
        parts = urlsplit(address)
        self.address = address
        self.limits = limits
        self.host = parts.hostname or ""
        self._is_tls = parts.scheme == "https"
        self._port = parts.port or (443 if self._is_tls else 80)
        self._path = parts.path
        self._token = token or None
        self._tls: ssl.SSLContext | None = None  # made once: it reads the system's certificates

    def __repr__(self) -> str:
        return f"HttpClient({self.address!r})"

    def headers(self) -> dict[str, str]:
        """Those of each request."""
        token = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        return {"User-Agent": "Layerloom", "Accept": "*/*"} | token

    def get_json(self, path: str, should_stop: Callable[[], bool] | None = None) -> Any:
        """The JSON at a path; Cancelled: `should_stop()` became true while it was waited for."""
        deadline = Deadline(self.limits.answer_s, self.limits.idle_s, should_stop)
        return self._json(self.send("GET", path, deadline=deadline, most=self.limits.json_bytes))

    def post_json(self, path: str, body: object, deadline: Deadline | None = None) -> Any:
        answer = self.send(
            "POST",
            path,
            body=json.dumps(body).encode(),
            content_type="application/json",
            deadline=deadline,
            most=self.limits.picture_bytes if deadline else self.limits.json_bytes,
        )
        return self._json(answer)

    def post_form(self, path: str, body: bytes, content_type: str, deadline: Deadline) -> Any:
        """Post a form that is encoded already; the answer may hold pictures."""
        most = self.limits.picture_bytes
        return self._json(
            self.send(
                "POST", path, body=body, content_type=content_type, deadline=deadline, most=most
            )
        )

    def post_without_answer(self, path: str, body: object) -> None:
        """Post JSON where the server answers with a status alone."""
        self.send("POST", path, body=json.dumps(body).encode(), content_type="application/json")

    def get_picture(
        self, path: str, query: Mapping[str, str] | None, deadline: Deadline | None = None
    ) -> bytes:
        """The bytes of a picture, not decoded."""
        answer = self.send(
            "GET", path, query=query, most=self.limits.picture_bytes, deadline=deadline
        )
        if _HTML.match(answer.body) or answer.content_type == "text/html":
            raise web_page(self.host, answer.body)
        if not answer.content_type.startswith(("image/", "application/octet-stream")):
            raise RemoteError(
                "picture",
                f"{self.host} sent {answer.content_type or 'content of no kind'} instead of a "
                "picture.",
                "Check that the output node of the graph saves pictures, and try again.",
            )
        return answer.body

    def send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: bytes | None = None,
        content_type: str = "",
        deadline: Deadline | None = None,
        most: int = 1 << 20,
    ) -> Answer:
        """One exchange, redirects within the origin included.

        Args:
            path: begins with a slash; the path of the address goes before it.
            most: bytes of the answer.

        Raises:
            RemoteError: there is no answer, not in time, too large, or with an error's status.
            Cancelled: the deadline's stop came true.
        """
        deadline = deadline or Deadline(self.limits.answer_s, self.limits.idle_s)
        target = self._path + path + (f"?{urlencode(query)}" if query else "")
        headers = self.headers() | ({"Content-Type": content_type} if content_type else {})
        for _ in range(_REDIRECTS):
            try:
                found = self._exchange(method, target, headers, body, deadline, most)
            except TimeoutError as error:
                raise self._late(deadline) from error
            except (OSError, http.client.HTTPException, ValueError) as error:
                raise broke(self.host, self._port, error) from error
            if isinstance(found, Answer):
                return found
            target = self._within(target, found)
        raise RemoteError(
            "answer",
            f"{self.host} redirects in a circle.",
            "Enter the address that the server itself shows when it starts.",
        )

    def _exchange(
        self,
        method: str,
        target: str,
        headers: dict[str, str],
        body: bytes | None,
        deadline: Deadline,
        most: int,
    ) -> Answer | str:
        """An answer, or where it redirects to."""
        with self._connected() as sock:
            connection = http.client.HTTPConnection(self.host, self._port)
            connection.default_port = 443 if self._is_tls else 80  # left out of the Host header
            # Without a close of its own, so that the answer can be read to its end.
            connection.sock = _BoundedSocket(sock, deadline)
            connection.request(method, target, body, headers)
            response = connection.getresponse()
            if response.status in (301, 302, 303, 307, 308):
                return response.headers.get("Location", "")
            content = self._content(response, most)
            kind = response.headers.get_content_type().lower()
            kind = kind if "Content-Type" in response.headers else ""
        if not 200 <= response.status < 300:
            is_page = kind == "text/html" or bool(_HTML.match(content))
            said = "" if is_page else said_by(content, self._token)
            raise status_error(self.host, response.status, said, content)
        return Answer(content, kind)

    def dial(self) -> socket.socket:
        """An open TCP connection, not encrypted yet; RemoteError: the server is not reached."""
        try:
            return socket.create_connection((self.host, self._port), self.limits.connect_s)
        except OSError as error:
            raise unreachable(self.host, self._port, error) from error

    def websocket_url(self, path: str, query: Mapping[str, str]) -> str:
        """The address of a websocket of this origin."""
        scheme = "wss" if self._is_tls else "ws"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{scheme}://{host}:{self._port}{self._path}{path}?{urlencode(query)}"

    def _connected(self) -> socket.socket:
        sock = self.dial()
        if not self._is_tls:
            return sock
        try:
            self._tls = self._tls or ssl.create_default_context()
            return self._tls.wrap_socket(sock, server_hostname=self.host)
        except (OSError, ValueError) as error:
            sock.close()
            raise unreachable(self.host, self._port, error) from error

    def _content(self, response: http.client.HTTPResponse, most: int) -> bytes:
        """The whole body; an error of the server is cut off rather than refused."""
        is_error = response.status >= 300
        length = response.length
        if length is not None and length > most and not is_error:
            raise self._too_large(length, most)
        if response.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise RemoteError(
                "answer",
                f"{self.host} sent compressed content, which was not asked for.",
                "Turn compression off in the proxy in front of the server.",
            )
        content = bytearray()
        while len(content) <= most:
            piece = response.read1(_CHUNK)
            if not piece:
                break
            content += piece
        if len(content) > most and not is_error:
            raise self._too_large(len(content), most)
        if length is not None and len(content) < min(length, most):
            raise http.client.IncompleteRead(bytes(content), length - len(content))
        return bytes(content)

    def _too_large(self, size: int, most: int) -> RemoteError:
        return RemoteError(
            "answer",
            f"{self.host} sends an answer of at least {_megabytes(size)}; the limit is "
            f"{_megabytes(most)}.",
            "Check that the address is that of a picture server.",
        )

    def _late(self, deadline: Deadline) -> RemoteError:
        return RemoteError(
            "timeout",
            f"{self.host} did not finish its answer in time: at most {deadline.total_s:g} s for a "
            f"whole answer and {self.limits.idle_s:g} s without a byte.",
            "Try again; if it stays like this, look at the server's own messages and at the "
            "connection to it.",
        )

    def _within(self, target: str, location: str) -> str:
        """The path of a redirect; RemoteError: it leads to another origin."""
        scheme = "https" if self._is_tls else "http"
        base = f"{scheme}://{self.host}:{self._port}"
        parts = urlsplit(urljoin(base + target, location))
        try:
            port = parts.port or (443 if parts.scheme == "https" else 80)
        except ValueError:
            port = 0
        if (parts.scheme, parts.hostname, port) != (scheme, self.host, self._port):
            elsewhere = parts.hostname or "another place"
            raise RemoteError(
                "address",
                f"{self.host} redirects to {elsewhere} ({parts.scheme or 'no'} address); nothing "
                "was sent there.",
                f"If you trust {elsewhere}, enter its address in the connection's settings.",
            )
        return parts.path + (f"?{parts.query}" if parts.query else "")

    def same_origin(self, url: str) -> str:
        """The path, with its query, of a URL of this origin; RemoteError: it is of another."""
        return self._within(self._path + "/", url)

    def get_picture_at(self, target: str, deadline: Deadline) -> bytes:
        """The bytes of a picture at a path that `same_origin` gave."""
        path = target.removeprefix(self._path) if self._path else target
        return self.get_picture(path, None, deadline)

    def _json(self, answer: Answer) -> Any:
        if answer.content_type == "text/html" or _HTML.match(answer.body):
            raise web_page(self.host, answer.body)
        if "json" not in answer.content_type:
            raise RemoteError(
                "answer",
                f"{self.host} sent {answer.content_type or 'content of no kind'} instead of JSON.",
                "Check that the address is that of a picture server of the chosen kind.",
            )
        try:
            return json.loads(answer.body)
        except (ValueError, RecursionError) as error:
            raise RemoteError(
                "answer",
                f"{self.host} sent JSON that cannot be read.",
                "Check the address and the proxy in front of the server, and try again.",
            ) from error


def _megabytes(size: int) -> str:
    return f"{size / (1 << 30):.1f} GB" if size >= 1 << 30 else f"{size / (1 << 20):.1f} MB"
