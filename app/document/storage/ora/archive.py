"""Zip archives as project files need them: the same bytes every time, and no trust on reading.

Names, bytes and pictures, independent of their meaning.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import unicodedata
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import BinaryIO
from urllib.parse import unquote

import numpy as np

from app.document.pixels import Pixels, hash_of
from app.document.storage.atomic import backup_path
from app.document.storage.errors import MemberError, StorageError, damaged, not_opened
from app.document.storage.pictures import kind_of, picture_of
from app.document.storage.png import (
    Encoded,
    PngError,
    decode_png,
    encode_png,
    encoded_pictures,
    has_png_head,
    png_size,
    without_srgb_profile,
)

MAX_MEMBERS = 10_000
MAX_UNPACKED = 2 * 1024**3

# The member whose folder is the root of the others.
_ANCHOR = "stack.xml"
_READ_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
_METHOD_NAMES = {1: "Shrink", 6: "Implode", 9: "Deflate64", 93: "Zstandard", 95: "xz", 98: "PPMd"}
_AES = 99
_ENCRYPTED = 0x1
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
        self._write(name, data, zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED)
        self.expected[name] = hashlib.sha256(data).hexdigest()

    def add_picture(self, name: str, pixels: np.ndarray | Pixels) -> None:
        """A member that is a PNG of these pixels, (h, w, 4) uint8."""
        # A PNG is deflated already; packing it once more only takes time.
        if isinstance(pixels, Pixels):
            encoded = encoded_pictures.png(pixels)
            self._write(name, encoded.data, zipfile.ZIP_STORED)
            self.expected[name] = pixels.hash
            self.encoded[name] = encoded
        else:
            self._write(name, encode_png(pixels), zipfile.ZIP_STORED)
            self.expected[name] = hash_of(pixels)

    def __enter__(self) -> ArchiveWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Write the directory; the stream stays open."""
        if error is None:
            self._zip.close()
        else:  # else the zip would write its directory when it is collected, long after the stream
            with contextlib.suppress(Exception):
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
        self._has_backup = False
        if isinstance(source, Path):
            self.name = name or source.name
            self._has_backup = os.path.exists(backup_path(source))
            try:
                stream: BinaryIO = open(source, "rb")  # noqa: SIM115  # closed by __exit__
            except OSError as error:
                raise not_opened(source, error) from error
        else:
            self.name, stream = name or "the data", source
        try:
            self._refuse_other_kinds(stream)
            self._zip = zipfile.ZipFile(stream)
            self._stream = stream
            infos = self._zip.infolist()
            self._members = {info.filename: info for info in infos}
            self._check(infos)
            self._names = MemberNames(self._members, _ANCHOR)
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
        """Whether there is a member of this name, however that is spelled."""
        return self._names.find(name) is not None

    def read(self, name: str) -> bytes:
        """The bytes of a member.

        Raises:
            MemberError: it is not there.
            StorageError: it is damaged, has a password, or is packed in an unknown way.
        """
        found = self._names.find(name)
        if found is None:
            raise MemberError(self.name, f"'{name[:80]}' is not in the file")
        info = self._members[found]
        if info.compress_type == _AES or info.flag_bits & _ENCRYPTED:
            raise StorageError(
                f"'{self.name}' has a password: '{name[:80]}' in it is encrypted.",
                "Nothing was opened and the file is untouched.",
                "Save it without a password in the program that made it.",
            )
        if info.compress_type not in _READ_METHODS:
            method = _METHOD_NAMES.get(info.compress_type, f"method {info.compress_type}")
            raise StorageError(
                f"'{name[:80]}' in '{self.name}' is packed in a way this program does not read "
                f"({method}).",
                "Nothing was opened and the file is untouched.",
                "Save it again in the program that made it, or pack it again with Deflate.",
            )
        try:
            return self._zip.read(info)
        except Exception as error:  # zipfile and its decompressors raise many kinds
            raise self.damaged(name) from error

    def picture(self, name: str) -> Pixels:
        """The pixels of a PNG member.

        Raises:
            MemberError: it is not there, no PNG, or larger than the limit.
            StorageError: it is damaged, or too large together with those before.
        """
        data = self.read(name)
        kind = kind_of(data)
        if kind and kind != "a PNG picture":
            raise MemberError(self.name, f"'{name[:80]}' is {kind}, and only PNG is read")
        try:
            size = png_size(data)
        except PngError as error:
            if has_png_head(data):  # whole, but of a size that is not allowed
                raise MemberError(self.name, f"'{name[:80]}' is {error}") from error
            raise self.damaged(name) from error
        self._unpacked += size.area * 4
        if self._unpacked > MAX_UNPACKED:
            raise self._too_large()
        try:
            pixels = picture_of(without_srgb_profile(data), name).pixels
        except StorageError as error:
            raise self.damaged(name, error.what.partition(": ")[2].rstrip(".")) from error
        if sorted(pixels.shape[:2]) != sorted((size.width, size.height)):
            raise self.damaged(name, "its size is declared twice")
        return Pixels.of(pixels)

    def damaged(self, where: str, detail: str = "") -> StorageError:
        return damaged(self.name, where, self._has_backup, detail)

    def _refuse_other_kinds(self, stream: BinaryIO) -> None:
        """A file that is something else is called what it is, not damaged."""
        kind = kind_of(stream.read(4096))
        stream.seek(0)
        if kind and kind != "a zip archive":
            raise StorageError(
                f"'{self.name}' is {kind}, not an OpenRaster file.",
                "Nothing was opened and the file is untouched.",
                "Give it the ending of its kind, or save it as OpenRaster in the program that "
                "made it.",
            )

    def _check(self, infos: list[zipfile.ZipInfo]) -> None:
        if len(infos) > MAX_MEMBERS or sum(info.file_size for info in infos) > MAX_UNPACKED:
            raise self._too_large()
        if len(self._members) != len(infos):
            raise self.damaged("two members of one name")
        for info in infos:
            # Some programs begin names with a slash; nothing is unpacked to a path.
            parts = info.filename.replace("\\", "/").split("/")
            if ".." in parts or ":" in parts[0]:
                raise self.damaged(info.filename[:80])

    def _too_large(self) -> StorageError:
        return StorageError(
            f"'{self.name}' unpacks to more than this program reads "
            f"({MAX_UNPACKED // 1024**3} GB, {MAX_MEMBERS:,} members).",
            "Nothing was opened and the file is untouched.",
        )


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


class MemberNames:
    """Finds members as they are named elsewhere in the file.

    Taken for the same: a leading slash, `./`, backslashes, `%20` for a space, composed and
    decomposed letters, UTF-8 read as the code page of DOS, and at last capitals. When everything
    lies in one folder, names count from there.

    Args:
        names: of all members, as the archive has them.
        anchor: the member whose folder is the root, such as "stack.xml".
    """

    def __init__(self, names: Iterable[str], anchor: str) -> None:
        self._exact = {name for name in names if not name.endswith(("/", "\\"))}
        self._by_key: defaultdict[str, list[str]] = defaultdict(list)
        self._by_loose_key: defaultdict[str, list[str]] = defaultdict(list)
        for name in sorted(self._exact):
            for key in dict.fromkeys(_spellings(name)):
                self._by_key[key].append(name)
                self._by_loose_key[key.casefold()].append(name)
        self._root = ""
        if self.find(anchor) is None:
            self._root = self._folder_of(anchor)

    def find(self, name: str) -> str | None:
        """The member that is meant; None when there is none, or when it could be several."""
        if name in self._exact:
            return name
        for key in _spellings(name):
            for place in dict.fromkeys((self._root + key, key)):
                if found := self._only(place):
                    return found
        return None

    def _only(self, key: str) -> str | None:
        for table, wanted in ((self._by_key, key), (self._by_loose_key, key.casefold())):
            found = dict.fromkeys(table.get(wanted, ()))
            if len(found) == 1:
                return next(iter(found))
        return None

    def _folder_of(self, anchor: str) -> str:
        """The one folder that has the anchor, with a slash at its end; "" without such a one."""
        ending = f"/{anchor.casefold()}"
        keys = (key for key in self._by_key if key.casefold().endswith(ending))
        folders = {key[: -len(anchor)] for key in keys}
        return folders.pop() if len(folders) == 1 else ""


def _spellings(name: str) -> Iterator[str]:
    """The name without what does not count, as it is, then as if it had been written otherwise."""
    yield _plain(name)
    if "%" in name:
        yield _plain(unquote(name))
    if not name.isascii():
        try:
            yield _plain(name.encode("cp437").decode("utf-8"))
        except UnicodeError:
            pass


def _plain(name: str) -> str:
    parts: list[str] = []
    for part in name.replace("\\", "/").split("/"):
        if part == "..":
            del parts[-1:]
        elif part not in ("", "."):
            parts.append(part)
    return unicodedata.normalize("NFC", "/".join(parts))
