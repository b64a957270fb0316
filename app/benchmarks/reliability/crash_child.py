"""The program that REL1 kills: random commands, saves and fake results, each noted in a log.

Run as a process. Reads lines "SEED DELAY RECORDS FOLDER" and forks a worker for each, so that a
run costs no start of Python; a line of the log is written with one call and survives the kill.
"""

from __future__ import annotations

import json
import os
import select
import sys
import time
from pathlib import Path
from random import Random

from app.benchmarks.reliability.waiting import waited_ns
from app.benchmarks.reliability.walk import random_command, start
from app.document.storage.journal import Keeper, WorkInfo, folder
from app.document.storage.ora.file import save_project

_DENSE = (",", ":")
LOG, WORK, DESIGN = "log", "work", "design.ora"


def work(seed: int, place: Path, delay_s: float, records: int) -> None:
    """Until killed, or until nobody is left who would: do something, keep it, note it.

    Args:
        place: an empty folder for log, project and work folder.
        delay_s: how long the journal gathers.
        records: a checkpoint follows so many of them.
    """
    folder.MAX_RECORDS = records
    source = Random(seed)
    document = start(source)
    log = os.open(place / LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    keeper = Keeper(place / WORK, delay_s=delay_s)
    info = WorkInfo(str(place / DESIGN), None, False)

    def note(kind: str) -> None:
        # The system's monotonic clock is the same for parent and child.
        at, digest = time.monotonic(), document.content_hash()
        os.write(
            log, f"{kind} {at:.6f} {json.dumps(waited_ns(), separators=_DENSE)} {digest}\n".encode()
        )

    keeper.note(document.contents, info)
    note("commit")
    while not _is_abandoned():
        random_command(document, source)
        keeper.note(document.contents, info)
        note("commit")
        chance = source.random()
        if chance < 0.1:
            note("begin")
            save_project(document.contents, place / DESIGN)
            note("end")
        elif chance < 0.3:
            time.sleep(source.random() * 0.05)


def _is_abandoned() -> bool:
    """Whether the input has ended: no line comes before this worker is gone."""
    return bool(select.select([sys.stdin], [], [], 0)[0])


def main() -> int:
    """Fork a worker for each line; end with the input."""
    for line in sys.stdin:
        seed, delay, records, place = line.rstrip("\n").split(" ", 3)
        child = os.fork()
        if child == 0:
            work(int(seed), Path(place), float(delay), int(records))
            os._exit(0)  # as a kill: the journal's thread is not waited for
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()
        os.waitpid(child, 0)  # it ends by being killed
        sys.stdout.write("gone\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
