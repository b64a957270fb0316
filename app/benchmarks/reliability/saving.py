"""REL2: a failed save leaves the old file byte-identical and says why, wherever it fails."""

from __future__ import annotations

import errno
import tempfile
from collections.abc import Callable
from pathlib import Path
from random import Random

from app.benchmarks.reliability.faults import FaultyDisk
from app.benchmarks.reliability.figure import Figure
from app.benchmarks.reliability.walk import random_command, start
from app.document import Contents
from app.document.contents import content_hash
from app.document.storage.atomic import Disk
from app.document.storage.errors import StorageError
from app.document.storage.formats.options import ExportOptions
from app.document.storage.formats.table import FORMATS, Format
from app.document.storage.journal import WorkFolder, WorkInfo, recover
from app.document.storage.ora.file import load_project, save_project

_CODES = (errno.ENOSPC, errno.EACCES, errno.EROFS, errno.EIO, errno.EDQUOT)
Write = Callable[[Contents, Path, Disk], object]


def saving(count: int, seed: int) -> Figure:
    """Every fault point of saving, of each export and of the journal, for `count` documents."""
    figure = Figure("REL2 save", "fault points")
    for number in range(seed, seed + count):
        source = Random(number)
        document = start(source)
        for _ in range(12):
            random_command(document, source)
        old = document.contents
        random_command(document, source)
        new = document.contents
        _try_all(figure, number, "project", ".ora", _save, old, new, source)
        form = FORMATS[number % len(FORMATS)]
        suffix = "" if form.is_folder else form.suffixes[0]
        _try_all(figure, number, form.key, suffix, _export(form), old, new, source)
        _journal(figure, number, old, new, source)
    return figure


def _save(contents: Contents, path: Path, disk: Disk) -> object:
    return save_project(contents, path, disk=disk)


def _export(form: Format) -> Write:
    return lambda contents, path, disk: form.write(contents, path, ExportOptions(), disk)


def _try_all(
    figure: Figure,
    seed: int,
    kind: str,
    suffix: str,
    write: Write,
    old: Contents,
    new: Contents,
    source: Random,
) -> None:
    is_folder = not suffix  # one that is there already is refused, so there is no old one

    def prepare(path: Path) -> None:
        if not is_folder:
            write(old, path, Disk())

    reference = FaultyDisk(0, 0)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"a{suffix}")
        prepare(path)
        write(new, path, reference)
    points = [(number, 0) for number in range(1, len(reference.calls) + 1)]
    points += [(0, number) for number in range(1, reference.writes + 1)]
    for fail_at, torn_at in points:
        figure.runs += 1
        where = f"seed {seed}: {kind}, call {fail_at}, write {torn_at}"
        disk = FaultyDisk(fail_at, source.choice(_CODES), torn_at=torn_at)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, f"a{suffix}")
            prepare(path)
            before = _bytes(path)
            try:
                write(new, path, disk)
                if kind == "project" and content_hash(load_project(path).contents) != content_hash(
                    new
                ):
                    figure.fail(f"{where}: said to be saved and is not")
            except StorageError as error:
                figure.count("refused with a message")
                if _bytes(path) != before:
                    figure.fail(f"{where}: what was there is another")
                if not (error.what and error.kept and error.advice):
                    figure.fail(f"{where}: message without a part: {error}")


def _bytes(path: Path) -> object:
    """What stands there: bytes of a file, bytes by name of a folder, None for nothing."""
    if path.is_dir():
        return {each.name: each.read_bytes() for each in path.iterdir()}
    return path.read_bytes() if path.exists() else None


def _journal(figure: Figure, seed: int, old: Contents, new: Contents, source: Random) -> None:
    dirty = WorkInfo(is_clean=False)
    calls = 30
    for number in range(1, calls):
        figure.runs += 1
        with tempfile.TemporaryDirectory() as name:
            disk = FaultyDisk(number, source.choice(_CODES))
            folder = WorkFolder.create(Path(name), disk=disk)
            kept = None
            for contents in (old, new):
                try:
                    folder.keep(contents, dirty)
                    kept = contents
                except StorageError:
                    continue
            folder.close(remove=False)
            if len(disk.calls) < number:
                break  # there are no more calls to fail
            if kept is None:
                continue
            found = content_hash(recover(folder.path).contents)
            # A state whose keeping failed late may be there all the same: newer is no loss.
            if found not in (content_hash(kept), content_hash(new)):
                figure.fail(f"seed {seed}: journal, call {number}: a kept state is lost")
