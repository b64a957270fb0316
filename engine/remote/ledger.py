"""The ledger of pictures that a server was asked for and that have not arrived.

A small file of the ids under which a server keeps the pictures, by a hash of what was asked. When
the same is asked again after a restart of either side, the id is found, and the picture is
collected instead of made twice. The file has neither prompts nor addresses.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from engine.remote.api import Connection, PictureJob

logger = logging.getLogger(__name__)

VERSION = 1
KEPT_S = 7 * 24 * 3600.0  # no server keeps its history longer than this by default
MOST = 500


def fingerprint(job: PictureJob, connection: Connection) -> str:
    """A hash of all that decides what a picture shows; the job's own id is not part of it."""
    plain = asdict(replace(job, key="", source=None))
    pixels = b"" if job.source is None else job.source.tobytes()
    text = json.dumps([asdict(connection), plain], sort_keys=True)
    return hashlib.sha256(text.encode() + pixels).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One picture under way.

    Attributes:
        mark: `fingerprint` of its job.
        loose: the same without the seed.
        key: the id under which the server has it.
        at: when it was asked for, seconds since 1970.
        process: that asked for it.
    """

    mark: str
    loose: str
    key: str
    seed: int
    at: float = 0.0
    process: int = 0


class Ledger:
    """The pictures under way. Several processes may share a file: each keeps its own entries.

    Args:
        path: of the file; None = they are remembered for this run only.
        clock: seconds since 1970.
    """

    def __init__(self, path: Path | None = None, clock: Callable[[], float] = time.time) -> None:
        self._path = path
        self._clock = clock
        self._entries: dict[str, Entry] = {}  # of this run
        self._removed: set[str] = set()

    @property
    def is_kept(self) -> bool:
        """Whether the next run of the program finds the entries."""
        return self._path is not None

    def find(self, mark: str, loose: str = "", taken: Collection[str] = ()) -> Entry | None:
        """The picture with this mark, else the oldest with this loose one; None = there is none.

        Pictures for which another process waits are not found.

        Args:
            loose: "" = it must be the mark.
            taken: marks of pictures that are given away.
        """
        entries = self._all()
        found = [entries[mark]] if mark in entries else []
        found += [
            each
            for each in entries.values()
            if loose and each.loose == loose and each.mark not in taken
        ]
        return next((each for each in found if not _is_waited_for(each)), None)

    def add(self, entry: Entry) -> None:
        self._removed.discard(entry.mark)
        self._entries[entry.mark] = replace(entry, at=self._clock(), process=os.getpid())
        self._write()

    def remove(self, marks: Iterable[str]) -> None:
        marks = set(marks)
        self._removed |= marks
        known = marks & self._all(with_removed=True).keys()
        for mark in marks:
            self._entries.pop(mark, None)
        if known:
            self._write()

    def _all(self, *, with_removed: bool = False) -> dict[str, Entry]:
        """The entries of the file and of this run, oldest first."""
        found = {**self._read(), **self._entries}
        if with_removed:
            return found
        return {mark: each for mark, each in found.items() if mark not in self._removed}

    def _read(self) -> dict[str, Entry]:
        """What the file has; nothing where it is missing, damaged or of another version."""
        if self._path is None:
            return {}
        try:
            data = json.loads(self._path.read_text(encoding="utf-8"))
            rows = data["pictures"] if data["version"] == VERSION else ()
            found = [
                Entry(
                    mark=str(row["mark"]),
                    loose=str(row["loose"]),
                    key=str(row["key"]),
                    seed=int(row["seed"]),
                    at=float(row["at"]),
                    process=int(row["process"]),
                )
                for row in rows
            ]
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            logger.warning("the list of pictures under way cannot be read: %s", error)
            return {}
        now = self._clock()
        return {entry.mark: entry for entry in found if now - entry.at < KEPT_S}

    def _write(self) -> None:
        """Replace the file as a whole; a failure costs only that nothing is picked up later."""
        if self._path is None:
            return
        rows = [asdict(entry) for entry in self._all().values()][-MOST:]
        temporary = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            text = json.dumps({"version": VERSION, "pictures": rows})
            temporary.write_text(text, encoding="utf-8")
            os.replace(temporary, self._path)
        except OSError as error:
            logger.warning("the list of pictures under way was not written: %s", error)


def _is_waited_for(entry: Entry) -> bool:
    """Whether another process that asked for a picture still runs."""
    if entry.process == os.getpid():
        return False
    import psutil  # only where something is under way

    try:
        # A younger process has the number of one that is gone.
        return bool(psutil.Process(entry.process).create_time() <= entry.at)
    except (psutil.Error, ValueError, OverflowError):
        return False
