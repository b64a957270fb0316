"""Work off the UI thread, results back on the UI thread: a worker, and errands that may hang.

Functions must not touch widgets or the document.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from typing import TypeVar

from app.session.client import LoopLike

logger = logging.getLogger(__name__)
T = TypeVar("T")
R = TypeVar("R")


class Worker:
    """Runs functions one after the other on a thread of its own; results come on the UI thread."""

    def __init__(self, loop: LoopLike) -> None:
        self._loop = loop
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="layerloom-files")
        self._open = 0
        self._is_closed = False

    @property
    def is_busy(self) -> bool:
        """Whether something was asked for and has not reported yet."""
        return self._open > 0

    def run(
        self,
        work: Callable[[], T],
        done: Callable[[T], None] = lambda result: None,
        failed: Callable[[Exception], None] = lambda error: None,
    ) -> None:
        """Do `work` on the worker, then call `done` or `failed` on the UI thread."""
        if self._is_closed:
            return  # the window is going
        self._open += 1

        def report(future: Future[T]) -> None:
            if not (future.cancelled() or self._is_closed):
                self._loop.call_soon_threadsafe(self._finish, future, done, failed)

        self._executor.submit(work).add_done_callback(report)

    def check(self) -> None:
        """Called by long work that need not be finished: raises CancelledError after `shutdown`."""
        if self._is_closed:
            raise CancelledError

    def shutdown(self) -> None:
        """Finish what has begun; nothing is reported any more. May block for a file's length."""
        self._is_closed = True
        self._executor.shutdown(wait=True, cancel_futures=True)

    def _finish(
        self, future: Future[T], done: Callable[[T], None], failed: Callable[[Exception], None]
    ) -> None:
        self._open -= 1
        if self._is_closed:
            return  # the caller may be gone
        error = future.exception()
        if error is None:
            done(future.result())
        elif isinstance(error, Exception):
            logger.info("background work failed", exc_info=error)
            failed(error)
        else:
            raise error


class Errands:
    """Runs functions that may never answer, each on a thread of its own.

    For servers and keyrings: the program ends without waiting for them.
    """

    def __init__(self, loop: LoopLike) -> None:
        self._loop = loop
        self._is_closed = False

    def run(
        self,
        work: Callable[[], T],
        done: Callable[[T], None] = lambda result: None,
        failed: Callable[[Exception], None] = lambda error: None,
    ) -> None:
        """Do `work` on another thread, then call `done` or `failed` on the UI thread."""
        if self._is_closed:
            return  # the window is going

        def go() -> None:
            try:
                result = work()
            except Exception as error:
                logger.info("an errand failed: %s", type(error).__name__)
                self._report(failed, error)
            else:
                self._report(done, result)

        threading.Thread(target=go, name="layerloom-errand", daemon=True).start()

    def shutdown(self) -> None:
        """Report nothing any more; what runs is left alone."""
        self._is_closed = True

    def _report(self, call: Callable[[R], None], value: R) -> None:
        try:
            self._loop.call_soon_threadsafe(self._finish, call, value)
        except RuntimeError:  # the loop was closed in between: the window is gone
            logger.debug("an errand ended after the window")

    def _finish(self, call: Callable[[R], None], value: R) -> None:
        if not self._is_closed:
            call(value)
