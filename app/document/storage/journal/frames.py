"""Frames: JSON values one after the other in a file, each with its length and checksum.

A file that was torn anywhere reads up to its last whole frame. Knows nothing of documents.
"""

from __future__ import annotations

import json
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.document.storage.errors import not_opened
from app.document.storage.project_writing import json_bytes

MAX_FRAME = 64 * 1024**2
MAX_FILE = 256 * 1024**2

_HEAD = struct.Struct("<4sII")  # mark, length and CRC-32 of the JSON text that follows
_MARK = b"LLj1"


@dataclass(frozen=True, slots=True)
class Frames:
    """What could be read of a file.

    Attributes:
        values: the JSON objects, in order.
        good_bytes: where the last whole frame ends.
        is_damaged: something that is no whole frame follows.
    """

    values: tuple[dict[str, Any], ...]
    good_bytes: int
    is_damaged: bool


def frame(value: dict[str, Any]) -> bytes:
    """One value as bytes.

    Raises:
        ValueError: not JSON, or longer than a reader would take.
    """
    data = json_bytes(value)
    if len(data) > MAX_FRAME:
        raise ValueError(f"a frame of {len(data):,} bytes; {MAX_FRAME:,} are the limit")
    return _HEAD.pack(_MARK, len(data), zlib.crc32(data)) + data


def read_frames(path: Path) -> Frames:
    """All whole frames from the start of a file.

    Raises:
        StorageError: the file cannot be read at all.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_FILE + 1)
    except OSError as error:
        raise not_opened(path, error) from error
    return parse_frames(data)


def parse_frames(data: bytes) -> Frames:
    """`read_frames` of bytes; never fails."""
    values: list[dict[str, Any]] = []
    at = 0
    while at < len(data):
        value, end = _next(data, at)
        if value is None:
            return Frames(tuple(values), at, True)
        values.append(value)
        at = end
    return Frames(tuple(values), at, False)


def _next(data: bytes, at: int) -> tuple[dict[str, Any] | None, int]:
    if at + _HEAD.size > len(data):
        return None, at
    mark, length, check = _HEAD.unpack_from(data, at)
    start = at + _HEAD.size
    end = start + length
    if mark != _MARK or length > MAX_FRAME or end > len(data):
        return None, at
    text = data[start:end]
    if zlib.crc32(text) != check:
        return None, at
    try:
        value = json.loads(text.decode("utf-8"))
    except (ValueError, RecursionError):
        return None, at
    return (value, end) if isinstance(value, dict) else (None, at)
