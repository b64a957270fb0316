"""Servers with OpenAI's images interface: vLLM-Omni, SGLang, sd-server, LocalAI and others.

One request makes one picture and waits for it: there is no queue to ask, no progress, and no way to
stop but to close the connection. What servers do not take of a request differs, so a field that a
server refuses by name is left out the next time, and said in `ignored`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import logging
import re
import threading
import uuid
from typing import Any

import numpy as np

from engine.remote.api import (
    Connection,
    PictureJob,
    RemoteError,
    RemoteModel,
    ServerReport,
    Watch,
)
from engine.remote.failures import StatusError, clean
from engine.remote.http import Deadline, HttpClient, Limits
from engine.remote.known_models import known_model
from engine.remote.pictures import checked, decode, encode

logger = logging.getLogger(__name__)

# Fields beyond model, prompt and size; servers that refuse one get the request without it.
_OPTIONAL = (
    "response_format",
    "output_format",
    "background",
    "seed",
    "negative_prompt",
    "num_inference_steps",
    "n",
)
_UNKNOWN = re.compile(r"unknown|unrecogni|unexpected|extra|not permitted|not allowed", re.I)
_MOST_PICTURES = 64
_NO_PICTURES = re.compile(
    r"embed|rerank|whisper|tts|speech|audio|moderation|instruct|chat|gpt-[345](?!.*image)", re.I
)


class OpenAiServer:
    """One server. A job is sent by `collect`, and ends with its connection."""

    def __init__(self, connection: Connection, token: str | None, limits: Limits) -> None:
        self.connection = connection
        self._limits = limits
        self._http = HttpClient(connection.address, token, limits)
        self._models: tuple[RemoteModel, ...] | None = None
        self._refused: set[str] = set()
        self._stopped: set[str] = set()  # keys of jobs that were cancelled
        self._lock = threading.Lock()

    @property
    def ignored(self) -> tuple[str, ...]:
        """Fields of requests that the server refused and goes without, such as "seed"."""
        return tuple(sorted(self._refused))

    def connect(self) -> ServerReport:
        try:
            ids = self._listed()
        except StatusError as error:
            if error.status not in (404, 405) or not self.connection.model:
                raise
            ids = [self.connection.model]  # a server without a list; the name is the user's
        models = tuple(_described(name) for name in ids)
        self._models = tuple(sorted(models, key=_order))
        return ServerReport(
            title=f"OpenAI-compatible images at {self._http.host}", models=self._models
        )

    def submit(self, job: PictureJob) -> None:
        """Only checks that there is a model: the request itself waits for its picture."""
        self._model()
        with self._lock:
            self._stopped.discard(job.key)

    def collect(self, job: PictureJob, watch: Watch) -> np.ndarray:
        if job.layers != 1:
            raise RemoteError(
                "refused",
                f"{job.layers} layers were asked for where one picture is collected.",
                "Ask for one picture.",
            )
        return checked(self._pictures(job, watch)[0], job)

    def collect_layers(self, job: PictureJob, watch: Watch) -> tuple[np.ndarray, ...]:
        """The layers of `job.source`, bottom to top as the server sends them; checked for size."""
        pictures = self._pictures(job, watch)
        size = (job.height, job.width)
        if any(picture.shape[:2] != size for picture in pictures):
            raise RemoteError(
                "picture",
                f"{self._http.host} sent layers of another size than {job.width} × {job.height}.",
                "Choose a model that keeps the size of the picture.",
            )
        if not any((picture[..., 3] < 128).any() for picture in pictures):
            raise RemoteError(
                "picture",
                f"{self._http.host} sent layers that are opaque everywhere.",
                "Choose a model that draws transparency.",
            )
        return tuple(pictures)

    def cancel(self, job: PictureJob) -> None:
        with self._lock:
            self._stopped.add(job.key)

    def knows(self, job: PictureJob) -> bool:
        """Never: a request that broke off is gone on these servers."""
        return False

    def _model(self) -> RemoteModel:
        if self._models is None:
            self.connect()
        models = self._models or ()
        name = self.connection.model
        found = [model for model in models if model.name == name or not name]
        if not found:
            listed = ", ".join(model.name for model in models[:5]) or "none"
            raise RemoteError(
                "missing",
                f"{self._http.host} has no model named “{name}”; it lists {listed}.",
                "Choose another model in the connection's settings.",
            )
        return found[0]

    def _listed(self) -> list[str]:
        found = self._http.get_json("/v1/models")
        data = found.get("data") if isinstance(found, dict) else None
        if not isinstance(data, list):
            raise RemoteError(
                "answer",
                f"{self._http.host} gives no list of models.",
                "Check the address, or choose the other kind of server.",
            )
        rows = [row for row in data if isinstance(row, dict)]
        ids = [row["id"] for row in rows if isinstance(row.get("id"), str)]
        if not ids:
            raise RemoteError(
                "missing",
                f"{self._http.host} lists no models.",
                "Start the server with a model for pictures.",
            )
        return [clean(name) for name in ids]

    def _pictures(self, job: PictureJob, watch: Watch) -> list[np.ndarray]:
        """Exactly `job.layers` decoded pictures."""
        model = self._model()
        if job.layers != 1 and job.source is None:
            raise RemoteError(
                "refused",
                "Several layers can be made of a picture only, and none was sent.",
                "Choose a layer with a picture.",
            )

        def should_stop() -> bool:
            return watch.should_stop() or job.key in self._stopped

        deadline = Deadline(self._limits.picture_s, self._limits.picture_s, should_stop)
        answer = self._ask(job, model, deadline)
        rows = answer.get("data") if isinstance(answer, dict) else None
        if not isinstance(rows, list):
            said = clean(json.dumps(answer))[:80]
            raise RemoteError(
                "answer",
                f"{self._http.host} sent an answer without pictures: {said}",
                "Check that the model makes pictures.",
            )
        if len(rows) < job.layers or len(rows) > _MOST_PICTURES:
            raise RemoteError(
                "picture",
                f"{self._http.host} sent {len(rows)} of {job.layers} pictures.",
                "Nothing of it was used. Try again, or ask for fewer layers.",
            )
        if job.layers > 1 and len(rows) > job.layers:
            raise RemoteError(
                "picture",
                f"{self._http.host} sent {len(rows)} pictures for {job.layers} layers, so which is "
                "which cannot be told.",
                "Ask for the number of layers that the model makes.",
            )
        return [self._decoded(row, deadline) for row in rows[: job.layers]]

    def _ask(self, job: PictureJob, model: RemoteModel, deadline: Deadline) -> Any:
        """The answer; a field that the server refuses by name is left out of the next try."""
        for _ in range(len(_OPTIONAL) + 1):
            fields = {
                name: value
                for name, value in _fields(job, model).items()
                if name not in self._refused
            }
            try:
                return self._send(job, fields, deadline)
            except StatusError as error:
                refused = _refused_field(error, fields)
                if refused is None:
                    raise
                logger.warning("%s does not take the field %s", self._http.host, refused)
                self._refused.add(refused)
        raise RemoteError(
            "refused",
            f"{self._http.host} refuses every form of the request.",
            "Check that its interface is that of OpenAI's images.",
        )

    def _send(self, job: PictureJob, fields: dict[str, object], deadline: Deadline) -> Any:
        if job.source is None:
            return self._http.post_json("/v1/images/generations", fields, deadline)
        body, content_type = _form(fields, encode(job.source))
        return self._http.post_form("/v1/images/edits", body, content_type, deadline)

    def _decoded(self, row: Any, deadline: Deadline) -> np.ndarray:
        data = row.get("b64_json") if isinstance(row, dict) else None
        url = row.get("url") if isinstance(row, dict) else None
        if isinstance(data, str):
            return decode(self._from_base64(data))
        if isinstance(url, str) and url.startswith("data:"):
            return decode(self._from_base64(url.partition(",")[2]))
        if isinstance(url, str):
            return decode(self._http.get_picture_at(self._http.same_origin(url), deadline))
        raise RemoteError(
            "answer",
            f"{self._http.host} sent an entry without a picture.",
            "Check that the model makes pictures.",
        )

    def _from_base64(self, text: str) -> bytes:
        try:
            return base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError) as error:
            raise RemoteError(
                "picture", f"{self._http.host} sent a picture that cannot be decoded.", "Try again."
            ) from error


def _described(name: str) -> RemoteModel:
    known = known_model(name)
    fingerprint = hashlib.sha256(name.encode()).hexdigest()
    if known is None:
        return RemoteModel(
            name=name,
            title=name,
            licence="",
            makes_alpha=False,
            memory_gb=None,
            note="unknown: whether it draws transparency shows with the first picture",
            fingerprint=fingerprint,
        )
    return RemoteModel(
        name=name,
        title=name if known.title.lower() == name.lower() else f"{known.title} ({name})",
        licence=known.licence,
        makes_alpha=known.makes_alpha,
        memory_gb=known.memory_gb,
        note=known.note,
        fingerprint=fingerprint,
    )


def _order(model: RemoteModel) -> tuple[bool, bool, bool]:
    """Models that draw cut-outs from text first, those that make no pictures last."""
    known = known_model(model.name)
    from_picture = known is not None and known.layers_from_picture
    return bool(_NO_PICTURES.search(model.name)), not model.makes_alpha, from_picture


def _fields(job: PictureJob, model: RemoteModel) -> dict[str, object]:
    """A request, with what the job leaves open left out."""
    known = known_model(model.name)
    prefix = known.prefix if known is not None and job.alpha else ""
    fields: dict[str, object] = {
        "model": model.name,
        "prompt": prefix + job.prompt,
        "size": f"{job.width}x{job.height}",
        "n": 1,
        "response_format": "b64_json",
        "output_format": "png",
        "background": "transparent" if job.alpha else "opaque",
        "seed": job.seed,
    }
    if job.negative:
        fields["negative_prompt"] = job.negative
    if job.steps is not None:
        fields["num_inference_steps"] = job.steps
    if job.layers > 1:
        # The names that vLLM-Omni and SGLang have for it; each reads its own.
        fields |= {"layers": job.layers, "num_layers": job.layers}
    return fields


def _refused_field(error: StatusError, fields: dict[str, object]) -> str | None:
    """The optional field that a refusal names; None = it is about something else."""
    if error.status not in (400, 422):
        return None
    text = error.content[: 1 << 16].decode("utf-8", "replace")
    if not _UNKNOWN.search(text):
        return None
    named = [n for n in _OPTIONAL if n in fields and re.search(rf"['\"`]{n}['\"`]", text)]
    return named[0] if named else None


def _form(fields: dict[str, object], picture: bytes) -> tuple[bytes, str]:
    """The fields and a PNG as multipart/form-data, and its content type."""
    edge = uuid.uuid4().hex
    parts = [
        f'--{edge}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    head = (
        f'--{edge}\r\nContent-Disposition: form-data; name="image"; filename="picture.png"\r\n'
        "Content-Type: image/png\r\n\r\n"
    )
    body = b"".join([*parts, head.encode(), picture, f"\r\n--{edge}--\r\n".encode()])
    return body, f"multipart/form-data; boundary={edge}"
