"""The thread of an engine, and the line of jobs in front of it: what waits, what is to end."""

from __future__ import annotations

import queue
import threading
from abc import ABC, abstractmethod

from engine.api import GenerateRequest


class JobLine:
    """Requests in the order of their arrival, and which of them were cancelled. Thread-safe."""

    def __init__(self) -> None:
        self._requests: queue.Queue[GenerateRequest | None] = queue.Queue()
        self._lock = threading.Lock()
        self._open: list[int] = []  # jobs that have not ended
        self._cancelled: set[int] = set()
        self._closed = threading.Event()

    @property
    def is_closed(self) -> bool:
        return self._closed.is_set()

    @property
    def is_empty(self) -> bool:
        """Whether no job waits."""
        return self._requests.empty()

    def submit(self, request: GenerateRequest) -> None:
        with self._lock:
            self._open.append(request.job_id)
        self._requests.put(request)

    def cancel(self, job_id: int | None = None) -> None:
        """Mark one job, waiting or running, or all of them."""
        with self._lock:
            # A job that has ended meanwhile must not leave its id behind.
            self._cancelled.update(each for each in self._open if job_id in (None, each))

    def close(self) -> None:
        """No further job begins, and the running one is to end."""
        self._closed.set()
        self._requests.put(None)

    def next(self, timeout_s: float | None = None) -> GenerateRequest | None:
        """The next job; None once the line is closed.

        Raises:
            queue.Empty: none came within the time.
        """
        return self._requests.get(timeout=timeout_s)

    def is_to_end(self, job_id: int) -> bool:
        """Whether a job is to end before it is finished."""
        with self._lock:
            return self._closed.is_set() or job_id in self._cancelled

    def is_cancelled(self, job_id: int) -> bool:
        with self._lock:
            return job_id in self._cancelled

    def ended(self, job_id: int) -> None:
        with self._lock:
            self._cancelled.discard(job_id)
            if job_id in self._open:
                self._open.remove(job_id)

    def wait_closed(self, seconds: float) -> bool:
        """Wait so long, or until the line is closed; whether it is."""
        return self._closed.wait(seconds)


class EngineThread(ABC):
    """An engine as callers see it: jobs go in, a thread of its own does them one by one."""

    def __init__(self) -> None:
        self._line = JobLine()
        self._thread = threading.Thread(target=self._run, name="layerloom-engine", daemon=True)

    def start(self) -> None:
        """Start the thread; it loads or connects, and `StateChanged("ready")` follows."""
        self._thread.start()

    def submit(self, request: GenerateRequest) -> None:
        """Queue a job. Returns at once; the job's events carry its id."""
        self._line.submit(request)

    def cancel(self, job_id: int | None = None) -> None:
        """End one job, waiting or running, or all of them; each answers with `JobCancelled`."""
        self._line.cancel(job_id)

    def shutdown(self, timeout_s: float = 10.0) -> bool:
        """End what runs, and the thread. Call off the GUI thread.

        Returns:
            True when the thread has ended. False: it hangs inside an operation or waits for an
            answer; a process that ends now must do so with `os._exit` after flushing its files.
        """
        self._line.close()
        if self._thread.ident is None:
            return True
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    @abstractmethod
    def _run(self) -> None:
        """What the thread does until the line is closed."""
