"""RemoteEngine: the thread that lets a server make pictures. The same face as `engine.Engine`.

Nothing is asked of the network before `start`. The prompt's words, sizes and seeds go out;
pictures come back and are fitted into their boxes.
"""

from __future__ import annotations

import logging
import queue
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from engine.api import (
    Assigned,
    Event,
    Failed,
    Finished,
    GenerateRequest,
    JobCancelled,
    ModelInfo,
    Started,
    StateChanged,
)
from engine.errors import Cancelled, EngineError
from engine.job_line import EngineThread
from engine.remote.api import Connection, PictureServer, RemoteError, RemoteModel, ServerReport
from engine.remote.ledger import Ledger
from engine.remote.orders import MOST_FOREGROUNDS, order_pictures, results_of
from engine.remote.runs import Collector, EngineLeaves, Patience, RunReport
from engine.remote.servers import open_server

logger = logging.getLogger(__name__)

HASH_PREFIX = "remote:"  # of a model's hash in records: its pixels cannot be made again here
SIDE_TOKENS = 64  # of every picture, whatever its box: all are asked for at one size
GRID = 16  # canvas pixels to which boxes snap
CANVASES = ((1024, 1024), (1216, 832), (832, 1216), (1344, 768), (768, 1344))
SHOWN_STEPS = 20  # of each picture's progress, where the request names no number
RECONNECT_S = (3.0, 10.0, 30.0)  # between tries while the server does not answer; the last repeats
WAITS_FOR = ("unreachable", "timeout")  # kinds of errors after which waiting helps

MakeServer = Callable[[], PictureServer]


class RemoteEngine(EngineThread):
    """Runs jobs one after the other on a server.

    What the server has under way at `shutdown` stays there where a ledger is kept, to be collected
    when the same is asked again; else it is cancelled.

    Args:
        emit: called with every event, on the engine's thread; must not block.
        make_server: called once, on the engine's thread.
        ledger: file for the ids of pictures under way; None = they are forgotten with the engine.
        patience: how long a job waits for a server that restarts.
        reconnect_s: seconds between tries while the server does not answer.
    """

    def __init__(
        self,
        emit: Callable[[Event], None],
        make_server: MakeServer,
        *,
        ledger: Path | None = None,
        patience: Patience | None = None,
        reconnect_s: tuple[float, ...] = RECONNECT_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self._emit = emit
        self._make_server = make_server
        self._ledger = Ledger(ledger)
        self._patience = patience or Patience()
        self._reconnect_s = reconnect_s
        self._clock = clock
        self._collector: Collector | None = None
        self._server: PictureServer | None = None
        self._info: ModelInfo | None = None
        self._trouble: EngineError | None = None

    # ---- engine thread ----

    def _run(self) -> None:
        self._emit(StateChanged(state="loading"))
        if not self._connect():
            assert self._trouble is not None
            trouble = self._trouble
            self._emit(StateChanged(state="failed", message=str(trouble), advice=trouble.advice))
        tries = 0
        while not self._line.is_closed:
            try:
                request = self._line.next(self._pause(tries))
            except queue.Empty:  # only while the server does not answer
                tries += 1
                self._connect()
                continue
            if request is None:
                break
            self._take(request)
        self._emit(StateChanged(state="stopped"))

    def _pause(self, tries: int) -> float | None:
        """Seconds to the next try to connect; None = there is no need for one."""
        kind = self._trouble.kind if isinstance(self._trouble, RemoteError) else None
        if self._info is not None or kind not in WAITS_FOR:
            return None
        return self._reconnect_s[min(tries, len(self._reconnect_s) - 1)]

    def _connect(self) -> bool:
        """Connect and say that the engine is ready; whether it succeeded."""
        try:
            self._server = self._server or self._make_server()
            report = self._server.connect()
            model = chosen_model(report, self._server.connection)
            self._info = _info(report, model, self._server.connection)
        except EngineError as error:
            logger.info("no connection: %s", error)
            self._trouble = error
            return False
        except Exception as error:
            logger.exception("the server could not be asked")
            self._trouble = EngineError(
                f"The server could not be asked: {type(error).__name__}: {error}",
                "Check the connection in the settings, or use Built-in.",
            )
            return False
        self._trouble = None
        if self._collector is None:
            self._collector = Collector(
                self._server, self._ledger, self._line.wait_closed, self._patience
            )
        self._emit(StateChanged(state="ready", info=self._info))
        return True

    def _take(self, request: GenerateRequest) -> None:
        """Run one job to its last event; whatever happens, exactly one event ends it."""
        if self._info is None and not self._connect():
            assert self._trouble is not None
            self._line.ended(request.job_id)
            self._emit(_failed(request, "request", str(self._trouble), self._trouble.advice))
            return
        self._emit(StateChanged(state="generating"))
        end = self._one_job(request)
        self._emit(end)
        if not self._line.is_closed:
            self._emit(StateChanged(state="ready", info=self._info))

    def _one_job(self, request: GenerateRequest) -> Event:
        try:
            return self._generate(request)
        except (Cancelled, EngineLeaves):
            return JobCancelled(job_id=request.job_id)
        except EngineError as error:
            logger.info("job %d failed: %s", request.job_id, error)
            return _failed(request, "request", str(error), error.advice)
        except MemoryError:
            message = "There was not enough memory."
            return _failed(request, "memory", message, "Use fewer layers.")
        except Exception as error:
            logger.exception("job %d failed", request.job_id)
            message = f"Generating failed: {type(error).__name__}: {error}"
            return _failed(request, "internal", message, "Try again, or copy the details.")
        finally:
            self._line.ended(request.job_id)

    def _is_to_stop(self, job_id: int) -> bool:
        """Whether a job was cancelled; EngineLeaves where the engine ends and finds it later."""
        if self._line.is_cancelled(job_id):
            return True
        is_closed = self._line.is_closed  # read once: it may be closed between two looks
        if is_closed and self._ledger.is_kept:
            raise EngineLeaves
        return is_closed

    def _generate(self, request: GenerateRequest) -> Finished:
        server, collector, info = self._server, self._collector, self._info
        assert server is not None and collector is not None and info is not None
        began = self._clock()
        made = order_pictures(request, server.connection)
        steps = request.steps or SHOWN_STEPS
        report = RunReport(
            request,
            made.orders,
            steps,
            self._emit,
            lambda: self._is_to_stop(request.job_id),
            self._clock,
        )
        self._emit(
            Started(
                job_id=request.job_id,
                total_steps=report.total,
                unknown_words=(),
                check=made.prompt.check,
            )
        )
        words = ((order.layer.layer_id, order.word) for order in made.orders)
        self._emit(
            Assigned(
                job_id=request.job_id,
                words=tuple((layer, word) for layer, word in words if word is not None),
            )
        )
        collector.run(made, report)
        return Finished(
            job_id=request.job_id,
            results=results_of(request, made),
            steps=request.steps or 0,
            cfg_scale=info.default_cfg_scale,
            clean_colours=False,
            seconds=self._clock() - began,
            cache_hits=0,
            cache_misses=0,
            unknown_words=(),
            model_name=info.name,
            model_hash=info.file_hash,
            # What the server is, not where: records travel in files.
            device=info.precision,
            precision="",
            threads=0,
            torch_version="",
            engine=server.connection.kind,
            reading=request.reading,
            check=made.prompt.check,
            not_placed=made.not_placed,
        )


def remote_engine(
    emit: Callable[[Event], None],
    connection: Connection,
    token: str | None = None,
    *,
    ledger: Path | None = None,
) -> RemoteEngine:
    """The engine of a connection; `RemoteEngine` has the arguments."""

    return RemoteEngine(emit, lambda: open_server(connection, token), ledger=ledger)


def chosen_model(report: ServerReport, connection: Connection) -> RemoteModel:
    """The model that a connection names, else the first that the server can use.

    Raises:
        RemoteError: of kind "missing": there is none, or it lacks nodes or files.
    """
    names = ", ".join(model.name for model in report.models) or "none"
    if not connection.model or connection.own_graph is not None:
        usable = [model for model in report.models if model.is_usable]
        if usable:
            return usable[0]
        lacks = "; ".join(f"{m.title}: {', '.join(m.missing)}" for m in report.models)
        raise RemoteError(
            "missing",
            f"{report.title} has no model that can be used."
            + (f" Missing: {lacks}." if lacks else ""),
            "Install what is missing on the server, and connect again.",
        )
    for model in report.models:
        if model.name == connection.model:
            if model.is_usable:
                return model
            raise RemoteError(
                "missing",
                f"{model.title} cannot be used on {report.title}. "
                f"Missing: {', '.join(model.missing)}.",
                "Install these on the server, or choose another model.",
            )
    raise RemoteError(
        "missing",
        f"{report.title} has no model '{connection.model}'.",
        f"Choose one of: {names}.",
    )


def _info(report: ServerReport, model: RemoteModel, connection: Connection) -> ModelInfo:
    return ModelInfo(
        name=model.title,
        file_hash=HASH_PREFIX + (model.fingerprint or f"{connection.kind}:{model.name}"),
        token_px=GRID,
        canvas_multiple=1,
        trained_canvases=CANVASES,
        max_foregrounds=MOST_FOREGROUNDS,
        default_steps=SHOWN_STEPS,
        default_cfg_scale=1.0,
        vocabulary=None,
        parameters=0,
        device=connection.address,
        precision=report.title,
        threads=0,
        side_tokens=SIDE_TOKENS,
        server=connection.address,
        licence=model.licence,
    )


def _failed(
    request: GenerateRequest,
    kind: Literal["memory", "request", "internal"],
    message: str,
    advice: str,
) -> Failed:
    details = traceback.format_exc()
    return Failed(
        job_id=request.job_id,
        kind=kind,
        message=message,
        advice=advice,
        details="" if details.startswith("NoneType") else details,
    )
