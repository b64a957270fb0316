"""REL2: a failed save leaves the old file byte-identical and says why, wherever it fails.

The disk fails at the n-th call of any operation, or in the middle of the n-th write.
"""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path
from random import Random
from typing import Any, BinaryIO

from app.document import Contents
from app.document.contents import content_hash
from app.document.storage.atomic import Disk
from app.document.storage.errors import StorageError
from app.document.storage.formats.options import ExportOptions
from app.document.storage.formats.table import FORMATS, Format
from app.document.storage.journal import WorkFolder, WorkInfo, recover
from app.document.storage.ora.file import load_project, save_project
from tests.reliability.figure import Figure
from tests.reliability.random_edits import random_command, start

OPERATIONS = frozenset(name for name in vars(Disk) if not name.startswith("_"))


class FaultyDisk(Disk):
    """Fails once, at the n-th call; a reference run with 0 counts the calls.

    With `torn_at` the n-th write into any new file stops half-way instead, and so do all after it.
    """

    def __init__(self, fail_at: int, code: int, *, torn_at: int = 0) -> None:
        self.calls: list[str] = []
        self.writes = 0
        self.torn_at = torn_at
        self._fail_at = fail_at
        self.code = code

    def __getattribute__(self, name: str) -> Any:
        if name in OPERATIONS:
            self.calls.append(name)
            if len(self.calls) == self._fail_at:
                return self._fail
        return super().__getattribute__(name)

    def create(self, path: Path, mode: int) -> BinaryIO:
        """Disk override: counts what is written."""
        return _Stream(super().create(path, mode), self)  # type: ignore[return-value]

    def _fail(self, *_: object) -> None:
        raise OSError(self.code, os.strerror(self.code))


class _Stream:
    """A file of which some write is the last."""

    def __init__(self, stream: BinaryIO, disk: FaultyDisk) -> None:
        self._stream = stream
        self._disk = disk

    def write(self, data: bytes) -> int:
        disk = self._disk
        disk.writes += 1
        if disk.torn_at and disk.writes >= disk.torn_at:
            self._stream.write(bytes(data)[: len(data) // 2])
            raise OSError(disk.code, os.strerror(disk.code))
        return self._stream.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def __enter__(self) -> _Stream:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()


# ---- the promise ----

_CODES = (errno.ENOSPC, errno.EACCES, errno.EROFS, errno.EIO, errno.EDQUOT)


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
        _try_all(figure, number, None, old, new, source)
        _try_all(figure, number, FORMATS[number % len(FORMATS)], old, new, source)
        _journal(figure, number, old, new, source)
    return figure


def _try_all(
    figure: Figure, seed: int, form: Format | None, old: Contents, new: Contents, source: Random
) -> None:
    kind = "project" if form is None else form.key
    suffix = ".ora" if form is None else "" if form.is_folder else form.suffixes[0]

    def write(contents: Contents, path: Path, disk: Disk) -> None:
        if form is None:
            save_project(contents, path, disk=disk)
        else:
            form.write(contents, path, ExportOptions(), disk)

    def prepare(path: Path) -> None:
        if suffix:  # a folder that is there already is refused, so there is no old one
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
    """What is there: bytes of a file, bytes by name of a folder, None for nothing."""
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
