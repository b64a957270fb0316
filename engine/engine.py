"""Engine: the one thread that owns torch. Requests go in, events come out.

Independent of Qt and of the document. torch is imported inside the thread only.
"""

from __future__ import annotations

import logging
import os
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine.api import Event, Failed, Finished, GenerateRequest, JobCancelled, StateChanged
from engine.errors import Cancelled, EngineError, is_out_of_memory
from engine.job_line import EngineThread
from engine.loading import Loading

logger = logging.getLogger(__name__)


class Engine(EngineThread):
    """Runs jobs one after the other on its own thread.

    Args:
        emit: called with every event, on the engine thread; must not block.
        weights: model file; None = the one shipped with the package.
        device: "auto", "cpu", "cuda" or "mps".
        threads: torch threads on the CPU; None = cores - 1, at least 1.
        cache_bytes: budget of the region token cache; None = a quarter of free memory, at most
            1 GB.
    """

    def __init__(
        self,
        emit: Callable[[Event], None],
        *,
        weights: Path | None = None,
        device: str = "auto",
        threads: int | None = None,
        cache_bytes: int | None = None,
    ) -> None:
        super().__init__()
        self._emit = emit
        self._weights = weights
        self._device = device
        self._cache_bytes = cache_bytes
        self._threads = threads or max(1, (os.cpu_count() or 2) - 1)

    # ---- engine thread ----

    def _run(self) -> None:
        self._emit(StateChanged(state="loading"))
        loading = Loading(lambda part: self._emit(StateChanged(state="loading", progress=part)))
        try:
            with loading.imports():
                # Imported here: torch takes seconds, and the window must show before it.
                from engine.pipeline import LayerPipeline

            generator = LayerPipeline.load(
                self._weights,
                device=self._device,
                threads=self._threads,
                report=loading.reached,
            )
        except EngineError as error:
            logger.exception("the model did not load")
            self._emit(StateChanged(state="failed", message=str(error), advice=error.advice))
            self._refuse_all()
            return
        except Exception as error:
            logger.exception("the engine did not start")
            self._emit(
                StateChanged(
                    state="failed",
                    message=f"The engine did not start: {error}",
                    advice="You can edit and export, but not generate. Install the package again.",
                )
            )
            self._refuse_all()
            return
        if self._cache_bytes is not None:
            generator.cache.budget_bytes = self._cache_bytes
        self._emit(StateChanged(state="ready", info=generator.info))
        while not self._line.is_closed:
            request = self._line.next()
            if request is None:
                break
            self._emit(StateChanged(state="generating"))
            end = self._one_job(generator, request)
            self._emit(end)
            if not self._line.is_closed:
                self._emit(StateChanged(state="ready", info=generator.info))
            if isinstance(end, Finished):
                self._warm_cache(generator, request, end)
        self._emit(StateChanged(state="stopped"))

    def _one_job(self, generator, request: GenerateRequest) -> Event:  # type: ignore[no-untyped-def]
        """Run one job to its last event; whatever happens, exactly one event ends it."""
        job_id = request.job_id
        try:
            return generator.run(
                request, emit=self._emit, should_stop=lambda: self._line.is_to_end(job_id)
            )
        except Cancelled:
            return JobCancelled(job_id=job_id)
        except EngineError as error:
            return self._failed(job_id, "request", str(error), error.advice)
        except Exception as error:
            logger.exception("job %d failed", job_id)
            if is_out_of_memory(error):
                _make_room(generator)
                message = "There was not enough memory."
                return self._failed(job_id, "memory", message, "Use fewer layers.")
            message = f"Generating failed: {type(error).__name__}: {error}"
            return self._failed(job_id, "internal", message, "Try again, or copy the details.")
        finally:
            self._line.ended(job_id)

    def _warm_cache(self, generator: Any, request: GenerateRequest, end: Finished) -> None:
        """Warm the cache while idle, so that the first edit is as fast as later ones."""
        try:
            generator.warm_cache(
                request, end, lambda: self._line.is_empty and not self._line.is_closed
            )
        except Exception:  # only speed is lost
            logger.exception("the layers of job %d were not read ahead", request.job_id)

    def _failed(self, job_id: int, kind, message: str, advice: str) -> Failed:  # type: ignore[no-untyped-def]
        return Failed(
            job_id=job_id, kind=kind, message=message, advice=advice, details=traceback.format_exc()
        )

    def _refuse_all(self) -> None:
        """The model is not there: answer every request with an error until shutdown."""
        while (request := self._line.next()) is not None:
            message = "The engine is not running, so nothing was generated."
            advice = "You can edit and export. Install the package again."
            self._emit(self._failed(request.job_id, "internal", message, advice))


def _make_room(generator: Any) -> None:
    """Empty the cache: only speed is lost, and the next job may fit. The job ends either way."""
    try:
        generator.cache.clear()
    except Exception:
        logger.exception("the region cache could not be emptied")
