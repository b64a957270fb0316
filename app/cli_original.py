"""A file that has more in it than this program can save is not written over by the command line."""

from __future__ import annotations

from pathlib import Path

from app.cli_jobs import ArgumentProblem
from app.cli_source import Source
from app.document.storage.ora import Opened


def keep_original(source: Source, out: Path, opened: Opened) -> None:
    """Refuse to write over the file that was read, when that would lose something of it.

    Raises:
        ArgumentProblem: says what would be lost.
    """
    read = source.path
    if opened.lost and read is not None and out.exists() and read.samefile(out):
        raise ArgumentProblem(
            f"'{out.name}' contains parts that this program cannot save. {' '.join(opened.lost)}",
            "It was not touched.",
            "Choose another name for --out.",
        )
