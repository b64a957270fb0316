"""The pixel store of undo: pictures that only undo refers to, moved from memory into mapped files.

A picture stays the same object with the same bytes; its array lies in a mapped file from then on,
and the system reads it when undo brings it back. The files have no name (or go with their handle),
so neither a crash nor a forgotten step leaves anything behind.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from weakref import WeakSet

import numpy as np

from app.document.pixels import Pixels

logger = logging.getLogger(__name__)


class UndoPixelStore:
    """Takes pictures in; `run` writes them on another thread into `folder`, None = the system's."""

    def __init__(self, run: Callable[..., None], folder: Path | None = None) -> None:
        self._run = run
        self._folder = folder
        self._held: WeakSet[Pixels] = WeakSet()
        self.is_storing = False

    def holds(self, image: Pixels) -> bool:
        """Whether the picture's bytes are in a file."""
        return image in self._held

    def store(self, images: Sequence[Pixels], after: Callable[[bool], None]) -> None:
        """Move these out of memory, then call `after` with whether it worked."""
        self.is_storing = True

        def done(arrays: list[np.ndarray]) -> None:
            for image, array in zip(images, arrays, strict=True):
                image.array = array  # the same bytes; other users of the old array keep it
                self._held.add(image)
            self.is_storing = False
            after(True)

        def failed(error: Exception) -> None:
            logger.warning("undo stays in memory: %s", error)
            self.is_storing = False
            after(False)

        self._run(lambda: _mapped(images, self._folder), done, failed)


def _mapped(images: Sequence[Pixels], folder: Path | None) -> list[np.ndarray]:
    """The pictures' arrays in one mapped file, which goes with the last of them; or an OSError."""
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    # Written, and mapped for reading only: a full disk is an error so, else a crash of the process.
    with tempfile.TemporaryFile(dir=folder, prefix="layerloom-undo-") as file:
        for image in images:
            file.write(np.ascontiguousarray(image.array).data)
        file.flush()
        whole = np.memmap(file, np.uint8, "r").view(np.ndarray)
    arrays, start = [], 0
    for image in images:
        end = start + image.array.nbytes
        arrays.append(whole[start:end].reshape(image.array.shape))
        start = end
    return arrays
