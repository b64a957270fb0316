"""Sentences for what goes wrong between this program and a server."""

from __future__ import annotations

import html
import http.client
import json
import re
import socket
import ssl

from engine.remote.api import ErrorKind, RemoteError

_MOST_SAID = 300  # characters of a server's own words
_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_CHECK_SERVER = "Check that the server runs and that the address is right, then try again."
_STATUSES: dict[int, tuple[ErrorKind, str, str]] = {
    401: (
        "unauthorised",
        "{host} wants a token, or does not accept this one (401).",
        "Enter the token of the server in the connection's settings.",
    ),
    403: (
        "unauthorised",
        "{host} does not allow this (403).",
        "Check the token, and that its account may use this model.",
    ),
    404: (
        "missing",
        "{host} has nothing at this address (404).",
        "Check the address, the kind of the server, and the name of the model.",
    ),
    408: ("timeout", "{host} gave up waiting (408).", "Try again."),
    413: (
        "refused",
        "The request is too large for {host} (413).",
        "Make the picture smaller, or raise the limit of the proxy in front of the server.",
    ),
    429: (
        "refused",
        "{host} has too many requests at the moment (429).",
        "Wait a minute and try again.",
    ),
    502: ("unreachable", "The proxy {host} cannot reach the server (502).", _CHECK_SERVER),
    503: ("unreachable", "{host} is busy or still starting (503).", "Wait a minute and try again."),
    504: (
        "timeout",
        "The proxy {host} stopped waiting for the server (504).",
        "Make the picture smaller, or raise the proxy's time limit.",
    ),
}


class StatusError(RemoteError):
    """An answer with an error's status: its number, the server's own message, and its body."""

    def __init__(self, status: int, said: str, content: bytes, error: RemoteError) -> None:
        super().__init__(error.kind, str(error), error.advice)
        self.status = status
        self.said = said
        self.content = content


def status_error(host: str, status: int, said: str, content: bytes) -> StatusError:
    """The error for an answer with an error's status; `said` is the server's own message."""
    if status in _STATUSES:
        kind, message, advice = _STATUSES[status]
        message = message.format(host=host)
    elif status >= 500:
        kind = "refused"
        message = f"{host} failed on its own side ({status})."
        advice = "Look at the server's own messages, then try again."
    else:
        kind = "refused"
        message = f"{host} does not take the request ({status})."
        advice = "Check the model and the settings of the connection."
    if said:
        message += f" It says: {said}"
    elif title := _title(content):
        message += f" It sent a web page: “{title}”."
    return StatusError(status, said, content, RemoteError(kind, message, advice))


def web_page(host: str, content: bytes) -> RemoteError:
    """The error for HTML where data or a picture should be."""
    title = _title(content)
    named = f" (“{title}”)" if title else ""
    return RemoteError(
        "answer",
        f"{host} sent a web page{named} instead of data.",
        "The address may be that of a login page or of a proxy whose server is down. Open it in a "
        "browser, or enter the server's own address.",
    )


def unreachable(host: str, port: int, error: Exception) -> RemoteError:
    """The error for a connection that could not be opened."""
    place = f"{host}:{port}"
    if isinstance(error, ssl.SSLCertVerificationError):
        return RemoteError(
            "unreachable",
            f"The certificate of {place} is not valid: {error.verify_message}.",
            "Use the name that the certificate is for, or reach the server through an SSH tunnel.",
        )
    if isinstance(error, ssl.SSLError):
        return RemoteError(
            "unreachable",
            f"{place} does not speak https.",
            "If the server speaks plain http, reach it through an SSH tunnel to 127.0.0.1, or "
            "allow plain http for this connection.",
        )
    if isinstance(error, socket.gaierror):
        return RemoteError(
            "unreachable", f"There is no machine named {host}.", "Check the address."
        )
    if isinstance(error, ConnectionRefusedError):
        return RemoteError("unreachable", f"No server answers at {place}.", _CHECK_SERVER)
    if isinstance(error, TimeoutError):
        return RemoteError("unreachable", f"{place} does not answer.", _CHECK_SERVER)
    return RemoteError("unreachable", f"{place} cannot be reached: {error}.", _CHECK_SERVER)


def broke(host: str, port: int, error: Exception) -> RemoteError:
    """The error for an exchange that ended in the middle."""
    if isinstance(error, http.client.IncompleteRead | ConnectionError) and not isinstance(
        error, http.client.BadStatusLine
    ):
        return RemoteError(
            "unreachable",
            f"The connection to {host}:{port} broke in the middle of an answer.",
            _CHECK_SERVER,
        )
    if isinstance(error, http.client.RemoteDisconnected):
        return RemoteError(
            "unreachable", f"{host}:{port} closed the connection without an answer.", _CHECK_SERVER
        )
    if isinstance(error, OSError):
        return RemoteError(
            "unreachable", f"The connection to {host}:{port} failed: {error}.", _CHECK_SERVER
        )
    return RemoteError(
        "answer",
        f"{host}:{port} does not answer in HTTP.",
        "Check the port, and whether the address begins with http or https.",
    )


def said_by(content: bytes, token: str | None) -> str:
    """A server's own message out of its JSON or plain text, in one line; "" = none."""
    text = content[: 1 << 16].decode("utf-8", "replace")
    try:
        text = _message(json.loads(text))
    except (ValueError, RecursionError):
        pass
    return clean(text, token)


def clean(text: str, token: str | None = None) -> str:
    """A text of a server in one line of bounded length, without the token."""
    if token:
        text = text.replace(token, "…")
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= _MOST_SAID else line[: _MOST_SAID - 1] + "…"


def _message(data: object) -> str:
    """The words of an error in its usual forms: {"error": {"message"}}, {"detail"}, {"message"}."""
    for name in ("error", "detail", "message", "msg"):
        if isinstance(data, dict) and data.get(name):
            return _message(data[name])
    if isinstance(data, list):
        return "; ".join(filter(None, map(_message, data[:5])))
    return data if isinstance(data, str) else ""


def _title(content: bytes) -> str:
    found = _TITLE.search(content[: 1 << 16].decode("utf-8", "replace"))
    return clean(html.unescape(found[1])) if found else ""
