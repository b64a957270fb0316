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
from collections.abc import Callable, Iterable
from dataclasses import asdict, replace
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


class Ledger:
    """Ids of pictures that are under way, by fingerprint.

    Args:
        path: of the file; None = they are remembered for this run only.
        clock: seconds since 1970.
    """

    def __init__(self, path: Path | None = None, clock: Callable[[], float] = time.time) -> None:
        self._path = path
        self._clock = clock
        self._jobs: dict[str, tuple[str, float]] = self._read()

    def key_of(self, mark: str) -> str | None:
        """The id under which a picture was asked for; None where it was not."""
        found = self._jobs.get(mark)
        return None if found is None else found[0]

    def add(self, mark: str, key: str) -> None:
        self._jobs[mark] = (key, self._clock())
        self._write()

    def remove(self, marks: Iterable[str]) -> None:
        known = [mark for mark in marks if mark in self._jobs]
        for mark in known:
            del self._jobs[mark]
        if known:
            self._write()

    def _read(self) -> dict[str, tuple[str, float]]:
        """What the file has; nothing where it is missing, damaged or of another version."""
        if self._path is None:
            return {}
        try:
            data = json.loads(self._path.read_text(encoding="utf-8"))
            rows = data["jobs"].items() if data["version"] == VERSION else ()
            found = {str(mark): (str(key), float(at)) for mark, (key, at) in rows}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            logger.warning("the list of pictures under way cannot be read: %s", error)
            return {}
        return {mark: row for mark, row in found.items() if self._clock() - row[1] < KEPT_S}

    def _write(self) -> None:
        """Replace the file as a whole; a failure costs only that nothing is picked up later."""
        for mark in list(self._jobs)[:-MOST]:
            del self._jobs[mark]
        if self._path is None:
            return
        temporary = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_text(
                json.dumps({"version": VERSION, "jobs": self._jobs}), encoding="utf-8"
            )
            os.replace(temporary, self._path)
        except OSError as error:
            logger.warning("the list of pictures under way was not written: %s", error)
