"""ComfyUI's websocket, as a hint: progress, previews and the end of a job, sooner than polling.

Nothing depends on it. A socket that cannot be opened, ends, or stays silent costs only the hints.
"""

from __future__ import annotations

import contextlib
import json
import logging
import struct
import time
from typing import TYPE_CHECKING, Any

from engine.remote.api import RemoteError, Watch
from engine.remote.http import HttpClient
from engine.remote.pictures import decode

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection

logger = logging.getLogger(__name__)
# For the library, whose log has the headers, and so the token.
_SILENT = logging.Logger("websocket", logging.CRITICAL + 1)

_MOST_BYTES = 16 << 20  # of a message
_SLICE_S = 0.2  # how long a stop may wait
_PREVIEW = 1  # number of the binary message: 4 bytes of it, 4 of the format, then the picture


class Hints:
    """The messages about one job."""

    def __init__(self, http: HttpClient, key: str) -> None:
        self._http = http
        self._key = key
        self._socket: ClientConnection | None = None
        self._open_socket = contextlib.ExitStack()
        self._next_try = 0.0

    def wait(self, seconds: float, watch: Watch) -> bool:
        """Wait, and pass on what comes meanwhile. Whether there was a sign of progress.

        Returns early when the job ends or `watch.should_stop()` is true.
        """
        end = time.monotonic() + seconds
        had_progress = False
        while (left := end - time.monotonic()) > 0 and not watch.should_stop():
            message = self._receive(min(left, _SLICE_S))
            if isinstance(message, bytes):
                self._show(message, watch)
                had_progress = True
            elif message is not None:
                kind, data = _parsed(message)
                if data.get("prompt_id", self._key) != self._key:
                    continue
                if kind == "progress":
                    had_progress = True
                    self._count(data, watch)
                elif kind in ("execution_success", "execution_error", "execution_interrupted"):
                    return True
        return had_progress

    def close(self) -> None:
        self._socket = None
        try:
            self._open_socket.close()
        except Exception as error:  # the server may be gone, and nothing depends on it
            logger.debug("websocket not closed: %s", error)

    def _receive(self, seconds: float) -> str | bytes | None:
        """The next message; None = none within the time."""
        if self._socket is None and not self._open():
            time.sleep(seconds)
            return None
        assert self._socket is not None
        try:
            return self._socket.recv(timeout=seconds)
        except TimeoutError:
            return None
        except Exception as error:  # closed, broken, or no websocket at all
            logger.info("no more hints of %s: %s", self._http.host, error)
            self.close()
            return None

    def _open(self) -> bool:
        now = time.monotonic()
        if now < self._next_try:
            return False
        self._next_try = now + self._http.limits.hint_s
        from websockets.sync.client import connect

        try:
            opening = connect(
                self._http.websocket_url("/ws", {"clientId": self._key}),
                sock=self._http.dial(),  # of our own: the library does not redirect then
                additional_headers=self._http.headers(),
                user_agent_header=None,
                compression=None,
                proxy=None,
                open_timeout=self._http.limits.connect_s,
                ping_interval=None,
                close_timeout=1.0,
                max_size=_MOST_BYTES,
                logger=_SILENT,
            )
            self._socket = self._open_socket.enter_context(opening)
        except RemoteError as error:
            logger.info("no hints: %s", error)
        except Exception as error:  # the library raises its own kinds, OSError and ValueError
            logger.info("no hints of %s: %s", self._http.host, type(error).__name__)
        return self._socket is not None

    def _count(self, data: dict[str, Any], watch: Watch) -> None:
        step, total = data.get("value"), data.get("max")
        if isinstance(step, int) and isinstance(total, int) and 0 <= step <= total and total:
            watch.progress(step, total)

    def _show(self, message: bytes, watch: Watch) -> None:
        if len(message) < 9 or struct.unpack(">I", message[:4])[0] != _PREVIEW:
            return
        try:
            watch.preview(decode(message[8:], "The preview"))
        except RemoteError as error:
            logger.debug("preview left out: %s", error)


def _parsed(message: str) -> tuple[str, dict[str, Any]]:
    """Kind and content of a text message; ("", {}) where it has none."""
    try:
        found = json.loads(message)
    except (ValueError, RecursionError):
        return "", {}
    data = found.get("data") if isinstance(found, dict) else None
    kind = found.get("type") if isinstance(found, dict) else None
    return (kind if isinstance(kind, str) else "", data if isinstance(data, dict) else {})
