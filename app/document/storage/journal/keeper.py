"""Keeper: a thread that brings the newest state of a document to its work folder.

States are immutable snapshots: handing one over costs the caller nothing. Several that come close
together become one record.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path

from app.document.contents import Contents
from app.document.storage.atomic import Disk
from app.document.storage.errors import StorageError
from app.document.storage.journal.folder import WorkFolder, WorkInfo

logger = logging.getLogger(__name__)

DELAY_S = 0.3
RETRY_S = 5.0
FLUSH_S = 10.0

OnTrouble = Callable[[StorageError | None], None]


class Keeper:
    """Keeps what `note` hands over within a second.

    Args:
        root: below it the work folder is made, by the thread itself.
        on_trouble: called on the keeper's thread, once when keeping begins to fail and once with
            None when it works again.
        on_kept: called on the keeper's thread when everything that was noted is on the disk.
        delay_s: how long states are gathered before one is written, seconds.
    """

    def __init__(
        self,
        root: Path,
        on_trouble: OnTrouble | None = None,
        *,
        on_kept: Callable[[], None] | None = None,
        delay_s: float = DELAY_S,
        disk: Disk | None = None,
    ) -> None:
        self._root = root
        self._on_trouble = on_trouble
        self._on_kept = on_kept
        self._delay_s = delay_s
        self._disk = disk
        self._folder: WorkFolder | None = None
        self._condition = threading.Condition()
        self._latest: tuple[Contents, WorkInfo] | None = None
        self._asked = 0
        self._done = 0
        self._is_urgent = False
        self._is_ending = False
        self._is_failing = False
        self._thread = threading.Thread(target=self._work, name="layerloom-journal", daemon=True)
        self._thread.start()

    @property
    def folder(self) -> Path | None:
        """The work folder; None before the first state was kept."""
        return None if self._folder is None else self._folder.path

    def note(self, contents: Contents, info: WorkInfo) -> None:
        """The document is like this now. Never blocks; any thread."""
        with self._condition:
            self._latest = (contents, info)
            self._asked += 1
            self._condition.notify_all()

    def flush(self) -> bool:
        """Wait until what was noted is on the disk; False when it is not. Blocks."""
        with self._condition:
            target, self._is_urgent = self._asked, True
            self._condition.notify_all()
            self._condition.wait_for(
                lambda: self._done >= target or self._is_failing, timeout=FLUSH_S
            )
            return self._done >= target

    def close(self, *, remove: bool) -> None:
        """Keep what was noted, end the thread, and let go of the folder or remove it. Blocks."""
        with self._condition:
            self._is_ending = True
            if remove:
                self._latest = None
            self._condition.notify_all()
        self._thread.join()
        if self._folder is not None:
            self._folder.close(remove=remove)
            self._folder = None

    # ---- the keeper's thread ----

    def _work(self) -> None:
        while True:
            with self._condition:
                self._condition.wait_for(lambda: self._latest is not None or self._is_ending)
                if not (self._is_ending or self._is_urgent):
                    # Gather what comes in the next moment; a later state replaces this one.
                    self._condition.wait_for(
                        lambda: self._is_ending or self._is_urgent, timeout=self._delay_s
                    )
                state, asked = self._latest, self._asked
                self._latest = None
                if state is None:
                    if self._is_ending:
                        return
                    continue
            is_kept = self._kept(*state)
            with self._condition:
                self._is_urgent = False
                if is_kept:
                    self._done = asked
                elif not self._is_ending and self._latest is None:
                    self._latest = state  # tried again, with what comes until then
                self._condition.notify_all()
                if not is_kept and not self._is_ending:
                    self._condition.wait_for(lambda: self._is_ending, timeout=RETRY_S)
                is_all = is_kept and self._latest is None
            if is_all and self._on_kept is not None:
                self._on_kept()

    def _kept(self, contents: Contents, info: WorkInfo) -> bool:
        try:
            if self._folder is None:
                self._folder = WorkFolder.create(self._root, disk=self._disk)
            began = time.perf_counter()
            self._folder.keep(contents, info)
            logger.debug("kept in %.0f ms", 1000 * (time.perf_counter() - began))
        except StorageError as error:
            logger.warning("not kept: %s", error, exc_info=error.__cause__)
            self._tell(error)
            return False
        except Exception as error:  # the thread must live on: a later state may be kept
            logger.exception("not kept")
            self._tell(StorageError(f"Changes are not being kept for recovery: {error}."))
            return False
        self._tell(None)
        return True

    def _tell(self, error: StorageError | None) -> None:
        if (error is not None) != self._is_failing:
            self._is_failing = error is not None
            if self._on_trouble is not None:
                self._on_trouble(error)
