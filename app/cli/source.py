"""What the command line reads: a file, or a pipe that gives its bytes once; layers by their names.

`-`, `/dev/stdin`, a FIFO and the shell's `<(…)` are pipes: they are read at once and kept, because
a second reading would find nothing or wait for ever.
"""

from __future__ import annotations

import errno
import io
import os
import stat
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from app.document import Contents, Layer
from app.document.errors import UserError
from app.document.storage.errors import StorageError, cause_of, not_opened
from app.document.storage.layout import text_in, text_of
from app.document.storage.names import shown_path
from app.document.storage.ora.archive import ArchiveReader
from app.document.storage.ora.file import is_ora, load_project, read_ora
from app.document.storage.ora.foreign import Opened
from app.document.words import layer_names

STDIN = "-"
_MAX_PIPE = 2 * 1024**3
_BLOCK = 1024**2
_ZIP = b"PK"
# Errors of a path that cannot be meant; the others are about a file that is there.
_BAD_PATHS = (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP, errno.EINVAL)


class ArgumentProblem(UserError):
    """The arguments cannot be followed: a file that does not exist, a layer without that name."""


class Interrupted(Exception):
    """The user pressed Ctrl+C; the job has ended and nothing of it is kept."""


@dataclass(frozen=True, slots=True)
class Source:
    """One input: a file, or all bytes of a pipe (`path` is None); `name` is for messages."""

    name: str
    path: Path | None
    data: bytes = b""

    @property
    def is_project(self) -> bool:
        """Whether it is to be read as OpenRaster: by its ending, or by its first bytes."""
        if self.path is None:
            return self.data.startswith(_ZIP)
        if is_ora(self.path):
            return True
        try:
            with self.path.open("rb") as stream:
                return stream.read(len(_ZIP)) == _ZIP
        except OSError as error:
            raise not_opened(self.path, error) from error

    def project(self) -> Opened:
        """The project; raises StorageError when it is damaged."""
        if self.path is not None:
            return load_project(self.path)
        with self.archive() as archive:
            return replace(read_ora(archive), stamp=None)

    def text(self) -> str:
        """The text of a layout, or the recipe in a PNG; raises StorageError."""
        return text_in(self.data, self.name) if self.path is None else text_of(self.path)

    def archive(self) -> ArchiveReader:
        """Its members, for a project; raises StorageError."""
        if self.path is not None:
            return ArchiveReader(self.path)
        return ArchiveReader(io.BytesIO(self.data), self.name)


def open_source(path: Path) -> Source:
    """Look at what the arguments name; a pipe is read to its end.

    Raises:
        ArgumentProblem: there is nothing, or a folder.
        StorageError: it cannot be read.
    """
    if str(path) == STDIN:
        if sys.stdin is None:
            raise ArgumentProblem("There is no standard input.", advice="Give the name of a file.")
        return Source("standard input", None, _all_of(sys.stdin.buffer, "standard input"))
    name = shown_path(path)
    try:
        mode = os.stat(path).st_mode
        if stat.S_ISREG(mode):
            return Source(path.name, path)
        if not stat.S_ISDIR(mode) and not stat.S_ISBLK(mode):
            with path.open("rb") as stream:
                return Source(name, None, _all_of(stream, name))
    except FileNotFoundError as error:
        raise ArgumentProblem(f"There is no file '{name}'.", advice="Check the name.") from error
    except OSError as error:
        if error.errno in _BAD_PATHS:
            what = f"'{name}' cannot be read: {cause_of(error)}."
            raise ArgumentProblem(what, advice="Check the name.") from error
        raise not_opened(path, error) from error
    kind = "a folder" if stat.S_ISDIR(mode) else "a device"
    raise ArgumentProblem(f"'{name}' is {kind}, not a file.", advice="Give the name of a file.")


def _all_of(stream: BinaryIO, name: str) -> bytes:
    """All bytes of a pipe, up to a limit."""
    data = bytearray()
    while block := stream.read(_BLOCK):
        data += block
        if len(data) > _MAX_PIPE:
            raise StorageError(
                f"'{name}' gives more than {_MAX_PIPE // 1024**3} GB.",
                "Nothing was changed.",
                "Check what it reads.",
            )
    return bytes(data)


def find_layers(contents: Contents, asked: Sequence[str]) -> list[Layer]:
    """Layers by number or name, each once, in the order of asking.

    A number wins over a name that looks like one, and a name over the word that the window shows
    in its place ("Sunflower 2"), in either case.

    Raises:
        ArgumentProblem: there is none, or several have the name.
    """
    found: dict[int, Layer] = {}
    shown = layer_names(contents.layers)
    for text in asked:
        matches = [layer for layer in contents.layers if str(layer.number) == text.strip()]
        matches = matches or [layer for layer in contents.layers if layer.name == text]
        matches = matches or [
            layer for layer in contents.layers if shown[layer.id].casefold() == text.casefold()
        ]
        if len(matches) != 1:
            known = ", ".join(f"{each.number} ('{shown[each.id]}')" for each in contents.layers)
            problem = "has more than one layer" if matches else "has no layer"
            raise ArgumentProblem(
                f"The file {problem} called '{text}'.",
                "Nothing was changed.",
                f"Use one of these numbers: {known or 'it has no layers'}.",
            )
        found[matches[0].id] = matches[0]
    return list(found.values())


def open_project(source: Source) -> Opened:
    """A project file; what the reader has to tell goes to stderr."""
    opened = source.project()
    for message in opened.messages:
        print(message, file=sys.stderr)
    return opened


def keep_original(source: Source, out: Path, opened: Opened) -> None:
    """Raise ArgumentProblem where writing over the file that was read would lose something."""
    read = source.path
    if opened.lost and read is not None and out.exists() and read.samefile(out):
        raise ArgumentProblem(
            f"'{out.name}' contains parts that this program cannot save. {' '.join(opened.lost)}",
            "It was not touched.",
            "Choose another name for --out.",
        )
