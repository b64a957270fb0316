"""Running engine jobs from the command line: start, wait, show progress, stop at Ctrl+C.

Turns the engine's events into return values and exceptions. Independent of documents and files.
"""

from __future__ import annotations

import argparse
import queue
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TextIO

from app.cli.source import ArgumentProblem, Interrupted
from app.document.errors import UserError
from app.session.client import EngineLike
from app.session.jobs import painted_steps
from engine import (
    Engine,
    Event,
    Failed,
    Finished,
    GenerateRequest,
    JobCancelled,
    ModelInfo,
    Progress,
    Started,
    StateChanged,
)

# A step of the largest picture takes a few seconds; a stopped job ends after the present one.
STOP_TIMEOUT_S = 30.0
# The loop wakes this often, so that Ctrl+C is noticed on every system.
WAKE_S = 0.2
# Without a terminal, progress goes into a log: a line now and then is enough.
LOG_EVERY_S = 5.0

# Called like `engine.Engine`; tests put a scripted engine in its place.
EngineFactory = Callable[..., EngineLike]


class ProgressLine:
    """Progress on stderr: one line that is rewritten on a terminal, a few lines in a log."""

    def __init__(self, stream: TextIO, *, quiet: bool) -> None:
        self._stream = stream
        self._quiet = quiet
        self._is_terminal = stream.isatty()
        self._last = 0.0
        self._is_open = False

    def show(self, event: Progress, label: str) -> None:
        """Show how many steps are painted, and what is left where that is a second or more."""
        done, total = painted_steps(event.step, event.total)
        text = f"{label}: painting {done} of {total}"
        if event.seconds_left >= 1:
            text += f" · {event.seconds_left:.0f} s left"
        self._show(text, is_last=event.step == event.total)

    def begin(self, label: str) -> None:
        """Show that a job has begun: before the first step the model plans."""
        self._show(f"{label}: planning", is_last=False)

    def _show(self, text: str, *, is_last: bool) -> None:
        if self._quiet:
            return
        if self._is_terminal:
            # Erase to the end of the line: the new text may be shorter.
            self._stream.write(f"\r{text}\x1b[K")
            self._stream.flush()
            self._is_open = True
        elif is_last or time.monotonic() - self._last >= LOG_EVERY_S:
            self._last = time.monotonic()
            print(text, file=self._stream, flush=True)

    def say(self, text: str) -> None:
        """A line of news; never shown when quiet."""
        self.close()
        if not self._quiet:
            print(text, file=self._stream, flush=True)

    def close(self) -> None:
        """End the line that is being rewritten."""
        if self._is_open:
            self._stream.write("\n")
            self._is_open = False


class EngineSession:
    """An engine for the length of a `with` block; `info` is what the loaded model can do."""

    info: ModelInfo

    def __init__(
        self,
        factory: EngineFactory | None = None,
        *,
        device: str = "auto",
        threads: int | None = None,
        model: Path | None = None,
        quiet: bool = False,
    ) -> None:
        self._events: queue.Queue[Event] = queue.Queue()
        # Set from another thread: ends the running job as Ctrl+C does on the main thread.
        self.interrupted = threading.Event()
        self.progress = ProgressLine(sys.stderr, quiet=quiet)
        self._engine = (factory or Engine)(
            self._events.put, device=device, threads=threads, weights=model
        )

    def __enter__(self) -> EngineSession:
        try:
            self._engine.start()
            self.info = self._wait_until_ready()
        except BaseException:
            self._engine.shutdown()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.progress.close()
        self._engine.shutdown()

    def run(self, request: GenerateRequest, label: str) -> Finished:
        """Run one job to its end.

        Raises:
            UserError: the job failed; says why and what to do.
            Interrupted: Ctrl+C; the engine has stopped the job.
        """
        self._engine.submit(request)
        try:
            return self._wait_for(request.job_id, label)
        except KeyboardInterrupt:
            self._stop(request.job_id)
            raise Interrupted from None
        finally:
            self.progress.close()

    def _wait_until_ready(self) -> ModelInfo:
        while True:
            event = self._next()
            if isinstance(event, StateChanged):
                if event.state == "ready" and event.info is not None:
                    return event.info
                if event.state in ("failed", "stopped"):
                    raise UserError(
                        event.message or "The engine did not start.",
                        "Nothing was written.",
                        event.advice or "Install the package again.",
                    )

    def _wait_for(self, job_id: int, label: str) -> Finished:
        while True:
            match self._next():
                case Started(unknown_words=words) as event if event.job_id == job_id:
                    if words and event.check is None:
                        self.progress.say(f"Not known to this model, ignored: {', '.join(words)}.")
                    self.progress.begin(label)
                case Progress() as event if event.job_id == job_id:
                    self.progress.show(event, label)
                case Finished() as event if event.job_id == job_id:
                    return event
                case Failed() as event if event.job_id == job_id:
                    raise UserError(event.message, "Nothing was written.", event.advice)
                case JobCancelled() as event if event.job_id == job_id:
                    raise Interrupted
                case StateChanged(state="stopped"):
                    raise UserError(
                        "The engine ended before the picture was finished.",
                        "Nothing was written.",
                        "Try again.",
                    )
                case _:
                    pass

    def _stop(self, job_id: int) -> None:
        self._engine.cancel(job_id)
        deadline = time.monotonic() + STOP_TIMEOUT_S
        while time.monotonic() < deadline:
            try:
                event = self._events.get(timeout=WAKE_S)
            except queue.Empty:
                continue
            if isinstance(event, (JobCancelled, Finished, Failed)) and event.job_id == job_id:
                return

    def _next(self) -> Event:
        """The next event; wakes now and then so that Ctrl+C is never held up."""
        while not self.interrupted.is_set():
            try:
                return self._events.get(timeout=WAKE_S)
            except queue.Empty:
                continue
        raise KeyboardInterrupt


def built_in_session(
    args: argparse.Namespace, factory: EngineFactory | None, *, quiet: bool = False
) -> EngineSession:
    """The engine of this program as the options ask for it."""
    return EngineSession(
        factory,
        device=args.device,
        threads=args.threads,
        model=args.model,
        quiet=quiet or args.quiet,
    )


def refuse_engine_options(
    args: argparse.Namespace, needs: str, why: str = "no model is loaded"
) -> None:
    """Raise ArgumentProblem for options about the built-in engine, which only `needs` starts."""
    given = [
        name
        for name, is_given in (
            ("--device", args.device != "auto"),
            ("--threads", args.threads is not None),
            ("--model", args.model is not None),
        )
        if is_given
    ]
    if given:
        raise ArgumentProblem(
            f"{', '.join(given)} has no effect here: {why}.",
            "Nothing was done.",
            f"Leave it out, or use it with {needs}.",
        )
