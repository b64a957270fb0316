"""What a picture server takes and gives: connections, jobs, reports and errors.

Frozen dataclasses of plain numbers, texts and numpy arrays. Pictures are (h, w, 4) uint8, straight
alpha, sRGB. A token is an argument of `open_server` only: no dataclass, text, repr or log has it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np

from engine.errors import EngineError

ServerKind = Literal["comfyui", "openai"]
# address: the address of the connection cannot be used. unreachable: no answer, or the connection
# broke. unauthorised: 401 and 403. missing: a node, a file, a model or a job is not there. refused:
# the server does not take the job. answer: what came is not what the interface says. timeout: the
# time of an answer or a job is over. picture: what came is not the picture that was asked for.
ErrorKind = Literal[
    "address", "unreachable", "unauthorised", "missing", "refused", "answer", "timeout", "picture"
]


class RemoteError(EngineError):
    """A server failed: the message says what happened, `advice` what to do, `kind` which sort."""

    def __init__(self, kind: ErrorKind, message: str, advice: str) -> None:
        super().__init__(message, advice)
        self.kind: ErrorKind = kind


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnGraph:
    """A ComfyUI graph of the user, as "Export (API)" writes it, with its inputs and its output.

    An input is a node and the name of its field with a dot between: "6.text". A node is its id, or
    its title where that is unique: "Positive.text". Several have a comma between: "5.width,
    12.width". An empty input is left as the file has it.
    """

    path: str  # of the JSON file
    prompt: str
    # a node that saves or previews pictures: "9". In a graph of cut-outs a second one may follow
    # for opaque pictures: "9, 12"
    output: str
    negative: str = ""
    seed: str = ""
    width: str = ""
    height: str = ""
    steps: str = ""
    makes_alpha: bool = False  # whether the pictures that come back are cut-outs


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """A server as the settings keep it; never with a token.

    Attributes:
        address: as `checked_address` gives it: "http://127.0.0.1:8188".
        model: `RemoteModel.name`; "" = the first that the server can use.
        allows_plain: http is allowed for other machines too.
        own_graph: for ComfyUI, in place of the shipped graphs.
    """

    kind: ServerKind
    address: str
    model: str = ""
    allows_plain: bool = False
    own_graph: OwnGraph | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteModel:
    """One choice that a server has: a graph of ComfyUI, or a model of an images interface."""

    name: str  # what `Connection.model` takes
    title: str
    licence: str  # SPDX, or a short name; "" = unknown
    makes_alpha: bool  # cut-outs, whether of its own or by a background-removal node
    memory_gb: float | None  # on the server's GPU, about; None = unknown
    missing: tuple[str, ...] = ()  # nodes and files by name; () = usable
    note: str = ""  # "weak: …", "untested: …"
    # SHA-256 of what draws, for records: the graph with its files, or the model's id
    fingerprint: str = ""

    @property
    def is_usable(self) -> bool:
        return not self.missing


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerReport:
    """What a server is, and what it can draw with."""

    title: str  # "ComfyUI 0.3.64, cpu"
    models: tuple[RemoteModel, ...]  # in the order of preference


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureJob:
    """One picture to be made.

    Attributes:
        key: the caller's own id, a UUID of version 4; ComfyUI keeps the job under it.
        width, height: pixels, multiples of 16.
        seed: 0 to 4294967295.
        alpha: a cut-out (True) or an opaque picture (False).
        steps: of the sampler; None = the model's.
        source: (h, w, 4) uint8, the picture out of which the thing of the prompt is lifted; for
            servers with OpenAI's interface only.
        layers: pictures asked for with one prompt; more than one through `LayerServer` only.
    """

    key: str
    prompt: str
    negative: str = ""
    width: int
    height: int
    seed: int
    alpha: bool
    steps: int | None = None
    source: np.ndarray | None = field(default=None, repr=False, compare=False)
    layers: int = 1


class Watch(Protocol):
    """What a running picture reports to, on the thread that collects it."""

    def progress(self, step: int, total: int) -> None: ...
    def preview(self, rgba: np.ndarray) -> None: ...
    def should_stop(self) -> bool: ...


class PictureServer(Protocol):
    """A server that makes pictures. For one thread at a time; `cancel` from any."""

    @property
    def connection(self) -> Connection: ...

    def connect(self) -> ServerReport:
        """What the server is and has. RemoteError: it cannot be used at all."""
        ...

    def submit(self, job: PictureJob) -> None:
        """Return once the server has the job (openai: once it is kept for `collect`)."""
        ...

    def collect(self, job: PictureJob, watch: Watch) -> np.ndarray:
        """Wait for the picture of a submitted job: (h, w, 4) uint8, checked as `pictures` says.

        Raises:
            RemoteError: it cannot be had. `knows` says whether a later `collect` can succeed.
            Cancelled: `watch.should_stop()` was true; the job is cancelled on the server too.
        """
        ...

    def cancel(self, job: PictureJob) -> None:
        """Take the job out of the queue or stop it, as far as the server can; never raises."""
        ...

    def knows(self, job: PictureJob) -> bool:
        """Whether the server has the job: queued, running, or finished with its picture kept."""
        ...


class LayerServer(PictureServer, Protocol):
    """A server that makes several layers of one picture in one job."""

    def collect_layers(self, job: PictureJob, watch: Watch) -> tuple[np.ndarray, ...]:
        """As `collect`, with exactly `job.layers` pictures; RemoteError: there are fewer."""
        ...
