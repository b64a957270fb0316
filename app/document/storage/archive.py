"""Zip archives as project files need them: the same bytes every time, and no trust on reading.

Knows names, bytes and pictures, but not what they mean.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import numpy as np

from app.document.pixels import Pixels, hash_of
from app.document.storage.atomic import backup_path
from app.document.storage.encoded import Encoded
from app.document.storage.encoded import shared as encoded_pictures
from app.document.storage.errors import StorageError, damaged, not_opened
from app.document.storage.png import PngError, decode_png, encode_png, png_size

MAX_MEMBERS = 10_000
MAX_UNPACKED = 2 * 1024**3

_EPOCH = (1980, 1, 1, 0, 0, 0)
_UNIX = 3


class ArchiveWriter:
    """Writes members in the order of the calls; remembers what each must read back as.

    Attributes:
        expected: pixel hash of each picture, SHA-256 of each other member, by name.
        encoded: bytes of those pictures that are kept between saves, by name.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._zip = zipfile.ZipFile(stream, "w", allowZip64=True)
        self.expected: dict[str, str] = {}
        self.encoded: dict[str, Encoded] = {}

    def add(self, name: str, data: bytes, *, stored: bool = False) -> None:
        """A member of bytes, deflated unless `stored`."""
        self._write(name, data, zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED)
        self.expected[name] = hashlib.sha256(data).hexdigest()

    def add_picture(self, name: str, pixels: np.ndarray | Pixels, *, small: bool = False) -> None:
        """A member that is a PNG of these pixels, (h, w, 4) uint8.

        Args:
            small: take more time for fewer bytes; not for `Pixels`, whose bytes are kept.
        """
        # A PNG is deflated already; packing it once more only takes time.
        if isinstance(pixels, Pixels):
            encoded = encoded_pictures.png(pixels)
            self._write(name, encoded.data, zipfile.ZIP_STORED)
            self.expected[name] = pixels.hash
            self.encoded[name] = encoded
        else:
            self._write(name, encode_png(pixels, small=small), zipfile.ZIP_STORED)
            self.expected[name] = hash_of(pixels)

    def close(self) -> None:
        """Write the directory; the stream stays open."""
        self._zip.close()

    def _write(self, name: str, data: bytes, method: int) -> None:
        info = zipfile.ZipInfo(name, _EPOCH)
        info.compress_type = method
        info.create_system = _UNIX  # else the bytes would tell on which system they were written
        info.external_attr = 0o644 << 16
        self._zip.writestr(info, data)


class ArchiveReader:
    """Reads members of a zip that may be damaged or hostile.

    Args:
        source: the file, or a stream that has all of it; the reader closes either.
        name: how messages call it; None = the path's name.

    Raises:
        StorageError: it cannot be opened, is no zip, or breaks a limit.
    """

    def __init__(self, source: Path | BinaryIO, name: str | None = None) -> None:
        self._unpacked = 0
        if isinstance(source, Path):
            self.name = name or source.name
            self._has_backup = os.path.exists(backup_path(source))
            try:
                stream: BinaryIO = open(source, "rb")  # noqa: SIM115  # closed by __exit__
            except OSError as error:
                raise not_opened(source, error) from error
        else:
            self.name, self._has_backup, stream = name or "the data", False, source
        try:
            self._zip = zipfile.ZipFile(stream)
            self._stream = stream
            infos = self._zip.infolist()
            self._members = {info.filename: info for info in infos}
            self._check(infos)
        except StorageError:
            stream.close()
            raise
        except Exception as error:  # zipfile raises many kinds for damaged directories
            stream.close()
            raise self.damaged("the directory of the file") from error

    def __enter__(self) -> ArchiveReader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._zip.close()
        self._stream.close()

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._members)

    def has(self, name: str) -> bool:
        """Whether there is a member of this name."""
        return name in self._members

    def read(self, name: str) -> bytes:
        """The bytes of a member.

        Raises:
            StorageError: it is not there or damaged.
        """
        try:
            return self._zip.read(self._members[name])
        except Exception as error:  # zipfile and its decompressors raise many kinds
            raise self.damaged(name) from error

    def picture(self, name: str) -> Pixels:
        """The pixels of a PNG member.

        Raises:
            StorageError: not there, damaged, or too large together with those before.
        """
        data = self.read(name)
        try:
            self._unpacked += png_size(data).area * 4
            if self._unpacked > MAX_UNPACKED:
                raise self._too_large()
            return Pixels.of(decode_png(data))
        except PngError as error:
            raise self.damaged(name) from error

    def damaged(self, where: str) -> StorageError:
        """MS9 for a place in this file."""
        return damaged(self.name, where, self._has_backup)

    def _check(self, infos: list[zipfile.ZipInfo]) -> None:
        if len(infos) > MAX_MEMBERS or sum(info.file_size for info in infos) > MAX_UNPACKED:
            raise self._too_large()
        if len(self._members) != len(infos):
            raise self.damaged("two members of one name")
        for info in infos:
            parts = info.filename.replace("\\", "/").split("/")
            if info.filename.startswith(("/", "\\")) or ".." in parts or ":" in parts[0]:
                raise self.damaged(info.filename[:80])

    def _too_large(self) -> StorageError:
        return StorageError(
            f"'{self.name}' unpacks to more than this program reads "
            f"({MAX_UNPACKED // 1024**3} GB, {MAX_MEMBERS:,} members).",
            "Nothing was opened and the file is untouched.",
        )


@contextmanager
def writing(stream: BinaryIO) -> Iterator[ArchiveWriter]:
    """An `ArchiveWriter` whose directory is written at the end of the block."""
    writer = ArchiveWriter(stream)
    try:
        yield writer
    except BaseException:
        # Otherwise the zip would try to write its directory when it is collected, long after
        # the stream is closed.
        with contextlib.suppress(Exception):
            writer.close()
        raise
    writer.close()


def check_archive(
    path: Path, expected: Mapping[str, str], encoded: Mapping[str, Encoded] | None = None
) -> None:
    """Read everything back and compare.

    Args:
        expected: `ArchiveWriter.expected`.
        encoded: `ArchiveWriter.encoded`; a picture whose bytes gave the pixels back before is
            compared byte by byte instead of being decoded again.

    Raises:
        StorageError: a member is missing, damaged, or not what was written.
    """
    with ArchiveReader(path) as archive:
        if set(archive.names) != set(expected):
            raise archive.damaged("the directory of the file")
        for name, value in expected.items():
            known = (encoded or {}).get(name)
            if not _reads_as(archive.read(name), name, value, known):
                raise archive.damaged(name)


def _reads_as(data: bytes, name: str, expected: str, known: Encoded | None) -> bool:
    if not name.endswith(".png"):
        return hashlib.sha256(data).hexdigest() == expected
    if known is not None and known.is_proved:
        return data == known.data
    if hash_of(decode_png(data)) != expected:
        return False
    if known is not None and data == known.data:
        known.is_proved = True
    return True


def is_complete_zip(path: Path) -> bool:
    """Whether every member reads back with its checksum."""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.testzip() is None
    except Exception:  # zipfile raises many kinds for damaged files
        return False
