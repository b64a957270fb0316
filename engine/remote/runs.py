"""One run: the pictures of a request asked for, waited for, and kept where something fails."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from engine.api import Event, GenerateRequest, Preview, Progress
from engine.errors import Cancelled
from engine.remote.api import PictureJob, PictureServer, RemoteError
from engine.remote.ledger import Entry, Ledger
from engine.remote.orders import Order, OrderList

logger = logging.getLogger(__name__)

HEARTBEAT_S = 2.0  # between two events of a run, so that silence is not taken for a hang
# After these a server may be back soon, with or without the job.
MAY_RETURN = ("unreachable", "missing")
# After these the picture may still come; after all others the same job would fail in the same way.
MAY_ARRIVE = ("unreachable", "timeout")


class EngineLeaves(Exception):
    """The engine ends in the middle of a run: what the server has under way stays there."""


@dataclass(frozen=True, slots=True)
class _Arrived:
    """A picture as it came, (h, w, 4) uint8, and what it is of; see `Order`."""

    picture: np.ndarray
    loose: str
    seed: int


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a run waits for a server that went away.

    Attributes:
        seconds: in all, each time.
        pause_s: between two tries.
    """

    seconds: float = 15.0
    pause_s: float = 1.5


class RunReport:
    """Tells the progress of one run: steps of all its pictures together, previews, life.

    Args:
        steps: shown for each picture.
        should_stop: whether the run is to end; raises EngineLeaves.
    """

    def __init__(
        self,
        request: GenerateRequest,
        orders: Sequence[Order],
        steps: int,
        emit: Callable[[Event], None],
        should_stop: Callable[[], bool],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.total = max(1, len(orders)) * steps + 1  # fitting counts as one more
        self.should_stop_run = should_stop
        self._request, self._steps, self._emit, self._clock = request, steps, emit, clock
        self._began = self._last = clock()
        self._done = 0
        self._previews = 0

    def reached(self, place: int, part: float) -> None:
        """So much of the picture at this place is done, 0 to 1; nothing goes backwards."""
        done = int((place + min(1.0, part)) * self._steps)
        if done > self._done:
            self._done = done
            self._tell()

    def keep_alive(self) -> None:
        if self._clock() - self._last >= HEARTBEAT_S:
            self._tell()

    def preview(self, order: Order, rgba: np.ndarray) -> None:
        self._previews += 1
        every = self._request.preview_every
        if every and self._previews % every == 0:
            self._emit(
                Preview(
                    job_id=self._request.job_id,
                    layer_id=order.layer.layer_id,
                    box=order.layer.box,
                    rgba=rgba,
                )
            )

    def _tell(self) -> None:
        self._last = self._clock()
        left = 0.0
        if self._done:
            left = (self._last - self._began) * (self.total - self._done) / self._done
        self._emit(
            Progress(
                job_id=self._request.job_id, step=self._done, total=self.total, seconds_left=left
            )
        )


class _Watch:
    """What one picture reports to."""

    def __init__(self, report: RunReport, order: Order, place: int) -> None:
        self._report, self._order, self._place = report, order, place

    def progress(self, step: int, total: int) -> None:
        if total > 0:
            self._report.reached(self._place, step / total)

    def preview(self, rgba: np.ndarray) -> None:
        self._report.preview(self._order, rgba)

    def should_stop(self) -> bool:
        self._report.keep_alive()
        return self._report.should_stop_run()


class Collector:
    """Gets pictures from one server.

    Pictures of a run that failed are kept until the next one that ends well, so that asking for
    the same again asks the server only for those that are missing. Where no particular seed is
    asked for, a picture that differs in its seed alone is the same.

    Args:
        wait: sleeps so many seconds, or until the engine ends; whether that is so.
    """

    def __init__(
        self,
        server: PictureServer,
        ledger: Ledger,
        wait: Callable[[float], bool],
        patience: Patience,
    ) -> None:
        self._server, self._ledger, self._wait, self._patience = server, ledger, wait, patience
        self._arrived: dict[str, _Arrived] = {}

    def run(self, made: OrderList, report: RunReport) -> None:
        """Fill in the pictures of all orders.

        Raises:
            RemoteError: one cannot be had. Cancelled: the run was stopped. EngineLeaves.
        """
        orders = made.orders
        wanted = {order.loose for order in orders}
        self._arrived = {k: each for k, each in self._arrived.items() if each.loose in wanted}
        try:
            self._match(orders)
            for order in orders:
                self._ask(order, report)
            for place, order in enumerate(orders):
                here = self._arrived.get(order.mark)
                picture = self._collect(order, place, report) if here is None else here.picture
                order.fit(picture)
                self._arrived[order.mark] = _Arrived(picture, order.loose, order.job.seed)
                report.reached(place, 1.0)
        except Cancelled:
            self._withdraw(orders)
            self._arrived.clear()  # who stops a run wants other pictures
            raise
        except RemoteError as error:
            if error.kind not in MAY_ARRIVE:
                self._withdraw(orders)
            raise
        self._ledger.remove(order.mark for order in orders)
        self._arrived.clear()

    def _match(self, orders: Sequence[Order]) -> None:
        """Give orders the pictures that are here or under way; nothing is sent but questions."""
        taken = {order.mark for order in orders}
        for order in orders:
            loose = order.loose if order.layer.seed_is_free else ""
            here = [
                k for k, each in self._arrived.items() if each.loose == loose and k not in taken
            ]
            if order.mark not in self._arrived and here:
                order.take_over(here[0], self._arrived[here[0]].seed)
            elif order.mark not in self._arrived:
                entry = self._ledger.find(order.mark, loose, taken)
                if entry is None:
                    continue
                job = replace(order.job, key=entry.key)
                if self._is_known(job):
                    logger.info("picked up picture %s", entry.key)
                    order.take_over(entry.mark, entry.seed, entry.key)
                    order.is_under_way = True
                else:
                    self._ledger.remove([entry.mark])
            taken.add(order.mark)

    def _ask(self, order: Order, report: RunReport) -> None:
        """Submit a picture, unless it is here already or under way from an earlier run."""
        if report.should_stop_run():
            raise Cancelled
        if order.mark in self._arrived or order.is_under_way:
            return
        # The id is written down first: it must not be lost if this process ends meanwhile.
        job = order.job
        self._ledger.add(Entry(mark=order.mark, loose=order.loose, key=job.key, seed=job.seed))
        self._server.submit(job)

    def _is_known(self, job: PictureJob) -> bool:
        try:
            return self._server.knows(job)
        except RemoteError:
            return False

    def _collect(self, order: Order, place: int, report: RunReport) -> np.ndarray:
        """One picture; a server that restarts meanwhile is waited for, and asked once again."""
        watch = _Watch(report, order, place)
        was_asked_again = False
        returns = 0
        while True:
            try:
                return self._server.collect(order.job, watch)
            except RemoteError as error:
                returns += 1
                if error.kind not in MAY_RETURN or returns > 3 or not self._is_back(watch):
                    raise
                if self._is_known(order.job):
                    continue
                if was_asked_again:
                    raise
                was_asked_again = True
                logger.info("asked again for picture %s", order.job.key)
                self._server.submit(order.job)

    def _is_back(self, watch: _Watch) -> bool:
        """Wait for a server that went away; whether it answers in time."""
        tries = max(1, round(self._patience.seconds / self._patience.pause_s))
        for _ in range(tries):
            if watch.should_stop():
                raise Cancelled
            try:
                self._server.connect()
                return True
            except RemoteError as error:
                if error.kind not in ("unreachable", "timeout", "answer"):
                    return False
            if self._wait(self._patience.pause_s) and watch.should_stop():
                raise Cancelled
        return False

    def _withdraw(self, orders: Sequence[Order]) -> None:
        """Take back what has not arrived."""
        for order in orders:
            if order.mark not in self._arrived:
                self._server.cancel(order.job)
        self._ledger.remove(order.mark for order in orders)
