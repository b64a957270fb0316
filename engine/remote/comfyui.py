"""ComfyUI over HTTP: a graph is queued under our own id, and polled until it is done.

`/history/{id}` is `{}` for a job that is not done and for one that is not known, so `/queue` is
asked too: a job that is in neither is lost. A job is picked up again by its id, after a restart of
either side, as long as the server has it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from engine.errors import Cancelled
from engine.remote.api import (
    Connection,
    PictureJob,
    RemoteError,
    ServerReport,
    Watch,
)
from engine.remote.comfyui_answers import (
    device_of,
    files_of,
    is_finished,
    not_taken,
    stopped,
    version_of,
)
from engine.remote.comfyui_hints import Hints
from engine.remote.failures import StatusError
from engine.remote.graph_check import Choice, choices_of
from engine.remote.graphs import Graph, filled, own_graph, shipped_graphs
from engine.remote.http import HttpClient, Limits
from engine.remote.pictures import checked, decode

logger = logging.getLogger(__name__)

Stop = Callable[[], bool]

_PASSING = ("unreachable", "timeout")  # kinds of errors after which polling goes on for a while


class _Since:
    """Since when something has been so, by name. One look alone is never too long."""

    def __init__(self) -> None:
        self._began: dict[str, float] = {}

    def is_over(self, name: str, seconds: float) -> bool:
        """Whether it has been so at each look for longer than `seconds`."""
        now = time.monotonic()
        return now - self._began.setdefault(name, now) > seconds

    def end(self, name: str) -> None:
        self._began.pop(name, None)


class ComfyServer:
    """One ComfyUI."""

    def __init__(self, connection: Connection, token: str | None, limits: Limits) -> None:
        self.connection = connection
        self._limits = limits
        self._http = HttpClient(connection.address, token, limits)
        self._choices: tuple[Choice, ...] | None = None

    def connect(self) -> ServerReport:
        stats = self._http.get_json("/system_stats")
        version = version_of(stats, self._http.host)
        schema = self._http.get_json("/object_info")
        if not isinstance(schema, dict) or not schema:
            raise RemoteError(
                "answer",
                f"{self._http.host} lists no nodes.",
                "Check that the address is that of ComfyUI, and that it has finished starting.",
            )
        own = self.connection.own_graph
        graphs: tuple[Graph, ...] = (own_graph(own),) if own is not None else shipped_graphs()
        self._choices = tuple(
            choice for graph in graphs for choice in choices_of(graph, schema, version)
        )
        device = device_of(stats)
        return ServerReport(
            title=f"ComfyUI {version}" + (f", {device}" if device else ""),
            models=tuple(choice.model for choice in self._choices),
        )

    def submit(self, job: PictureJob) -> None:
        _check_plain(job)
        nodes = filled(self._chosen().graph, job)
        if self._history(job.key) is not None:
            # Of an earlier try under this id, which would be taken for the result of this one.
            self._http.post_without_answer("/history", {"delete": [job.key]})
        body = {"prompt": nodes, "prompt_id": job.key, "client_id": job.key}
        try:
            answer = self._http.post_json("/prompt", body)
        except StatusError as error:
            if error.status == 400:
                raise not_taken(error.content, self._http.host) from error
            raise
        except RemoteError as error:
            # The answer was lost, and perhaps the job was not.
            if error.kind in _PASSING and self.knows(job):
                return
            raise
        given = answer.get("prompt_id") if isinstance(answer, dict) else None
        if given != job.key:
            self._forget(given)
            raise RemoteError(
                "missing",
                "This ComfyUI gives jobs ids of its own, by which they cannot be found again.",
                "Update ComfyUI to 0.3.60 or newer.",
            )

    def collect(self, job: PictureJob, watch: Watch) -> np.ndarray:
        graph = self._chosen().graph
        hints = Hints(self._http, job.key)
        try:
            entry = self._wait(job, watch, hints)
        except Cancelled:
            self.cancel(job)
            raise
        finally:
            hints.close()
        return self._picture(job, graph, entry)

    def cancel(self, job: PictureJob) -> None:
        try:
            if self._place(job.key) == "running":
                # Only where it is ours: an old server interrupts whatever runs.
                self._http.post_without_answer("/interrupt", {"prompt_id": job.key})
            self._forget(job.key)
        except RemoteError as error:
            logger.info("not cancelled on the server: %s", error)

    def knows(self, job: PictureJob) -> bool:
        try:
            entry, place = self._state(job.key)
            if entry is None and place is None:
                entry = self._history(job.key)  # it may have ended between the two questions
        except RemoteError as error:
            logger.info("whether the server has the job is not known: %s", error)
            return False
        if entry is not None:
            return stopped(entry, self._http.host) is None
        return place is not None

    def _chosen(self) -> Choice:
        """The graph of the connection, which the server can run; RemoteError: it cannot."""
        if self._choices is None:
            self.connect()
        choices = self._choices or ()
        name = self.connection.model
        if name and self.connection.own_graph is None:
            found = [choice for choice in choices if choice.model.name == name]
            if not found:
                raise RemoteError(
                    "missing",
                    f"ComfyUI at {self._http.host} has no choice named “{name}”.",
                    "Choose another model in the connection's settings.",
                )
        else:
            found = [choice for choice in choices if choice.model.is_usable] or list(choices)
        model = found[0].model
        if not model.is_usable:
            raise RemoteError(
                "missing",
                f"ComfyUI at {self._http.host} lacks for “{model.title}”: "
                f"{'; '.join(model.missing)}.",
                "Add what is missing on the server and start it again, or choose another model.",
            )
        return found[0]

    def _wait(self, job: PictureJob, watch: Watch, hints: Hints) -> dict[str, Any]:
        """The history's entry of the job, once it has ended."""
        limits, since = self._limits, _Since()
        while True:
            if watch.should_stop():
                raise Cancelled
            try:
                entry, place = self._state(job.key, watch.should_stop)
            except RemoteError as error:
                if error.kind not in _PASSING or since.is_over("gone", limits.gone_s):
                    raise self._gone(error) from error
                hints.wait(limits.poll_s, watch)
                continue
            since.end("gone")
            if entry is not None:
                return entry
            if place is not None:
                since.end("lost")
            elif since.is_over("lost", limits.lost_s):
                raise self._lost()
            if place != "running":
                since.end("running")
            elif since.is_over("running", limits.running_s):
                raise self._silent()
            if hints.wait(limits.poll_s, watch):
                since.end("running")

    def _state(
        self, key: str, should_stop: Stop | None = None
    ) -> tuple[dict[str, Any] | None, str | None]:
        """The history's entry of a job that has ended, or where in the queue it is."""
        entry = self._history(key, should_stop)
        return entry, None if entry is not None else self._place(key, should_stop)

    def _history(self, key: str, should_stop: Stop | None = None) -> dict[str, Any] | None:
        found = self._http.get_json(f"/history/{key}", should_stop)
        if not isinstance(found, dict):
            raise self._odd("/history")
        entry = found.get(key)
        return entry if isinstance(entry, dict) and is_finished(entry) else None

    def _place(self, key: str, should_stop: Stop | None = None) -> str | None:
        """ "running", "pending", or None where the queue does not have the job."""
        queue = self._http.get_json("/queue", should_stop)
        if not isinstance(queue, dict):
            raise self._odd("/queue")
        for name in ("running", "pending"):
            items = queue.get(f"queue_{name}")
            if isinstance(items, list) and any(
                isinstance(item, list) and len(item) > 1 and item[1] == key for item in items
            ):
                return name
        return None

    def _forget(self, key: object) -> None:
        """Take a job out of the queue."""
        self._http.post_without_answer("/queue", {"delete": [key]})

    def _picture(self, job: PictureJob, graph: Graph, entry: dict[str, Any]) -> np.ndarray:
        ending = graph.ending(alpha=job.alpha)
        if (error := stopped(entry, self._http.host)) is not None:
            raise error
        files = files_of(entry, ending.output)
        if len(files) < ending.pictures:
            raise RemoteError(
                "picture",
                f"ComfyUI finished with {len(files)} of {ending.pictures} pictures at node "
                f"{ending.output} of “{graph.title}”.",
                "Check which node saves the picture, and try again.",
            )
        data = self._http.get_picture("/view", files[ending.takes - 1])
        return checked(decode(data), job)

    def _gone(self, error: RemoteError) -> RemoteError:
        if error.kind not in _PASSING:
            return error
        return RemoteError(
            error.kind,
            f"ComfyUI stopped answering in the middle of a job. {error}",
            "Start it again if it has ended. Generate again then: a job that the server still has "
            "is picked up where it is.",
        )

    def _lost(self) -> RemoteError:
        return RemoteError(
            "missing",
            f"ComfyUI at {self._http.host} no longer has the job: it was started again, or its "
            "queue was cleared.",
            "Generate again.",
        )

    def _silent(self) -> RemoteError:
        minutes = self._limits.running_s / 60
        return RemoteError(
            "timeout",
            f"The job has run for {minutes:.0f} minutes without a sign of progress.",
            "Look at the server's own messages. Generate again to go on waiting for the same job.",
        )

    def _odd(self, path: str) -> RemoteError:
        return RemoteError(
            "answer",
            f"{self._http.host} gives an answer at {path} that is not ComfyUI's.",
            "Check the address and the kind of the server.",
        )


def _check_plain(job: PictureJob) -> None:
    """Refuse what is for servers of the other kind only, rather than leave it out."""
    if job.source is not None or job.layers != 1:
        raise RemoteError(
            "refused",
            "ComfyUI graphs make one picture from text here; a picture to take apart was sent.",
            "Use a server with OpenAI's images interface for this.",
        )
