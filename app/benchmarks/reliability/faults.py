"""Disks that fail: at the n-th call of any operation, or in the middle of the n-th write."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from app.document.storage.atomic import Disk

OPERATIONS = frozenset(name for name in vars(Disk) if not name.startswith("_"))


class FaultyDisk(Disk):
    """Fails once, at the n-th call; a reference run with 0 counts the calls.

    Attributes:
        calls: names of the operations so far.
        torn_at: the n-th write into any new file stops half-way instead, and so do all after it.
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

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stream.close()
