"""The line of jobs in front of an engine's thread: what waits, and what is to end."""

from __future__ import annotations

import queue
import threading

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
