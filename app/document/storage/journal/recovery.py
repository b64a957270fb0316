"""Recovery: what unfinished work folders hold, and the newest readable state of one.

Reading changes nothing but a counter of attempts. Damage costs what lies behind it, never what
lies before; nothing is deleted because it cannot be understood.
"""

from __future__ import annotations

import contextlib
import logging
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from app.document.composite import composite
from app.document.contents import Contents
from app.document.pixels import Pixels, fitted
from app.document.storage.atomic import Stamp
from app.document.storage.errors import StorageError, cause_of
from app.document.storage.journal.folder import (
    BASE,
    BLOBS,
    JOURNAL,
    LOCK,
    FolderLock,
    WorkInfo,
    blob_path,
    number_of,
)
from app.document.storage.journal.records import applied, read_frames
from app.document.storage.ora.archive import MAX_UNPACKED
from app.document.storage.ora.foreign import with_pixels
from app.document.storage.ora.project import (
    LayerEntry,
    Project,
    ProjectError,
    json_bytes,
    read_project,
)
from app.document.storage.png import PngError, decode_png, png_size

logger = logging.getLogger(__name__)


MAX_ATTEMPTS = 3
OLD_DAYS = 30

_ATTEMPTS = "attempts"
_SET_ASIDE = ".damaged"


@dataclass(frozen=True, slots=True)
class State:
    """A document as JSON, what belongs to it, and whether something behind it was unreadable."""

    document: dict[str, Any]
    info: WorkInfo
    at: float
    is_damaged: bool


def newest_state(folder: Path) -> State | None:
    """From the newest readable checkpoint on, as far as the records are whole."""
    bases = {number_of(path): path for path in folder.glob(f"{BASE}*")}
    journals = {number_of(path): path for path in folder.glob(f"{JOURNAL}*")}
    for number in sorted((each for each in bases if each is not None), reverse=True):
        state = _checkpoint(bases[number])
        if state is None:
            continue
        # Behind an unreadable checkpoint its journal still fits the end of the one before.
        for later in sorted(each for each in journals if each is not None and each >= number):
            state = _replayed(state, journals[later])
            if state.is_damaged:
                break
        return state
    return None


def _checkpoint(path: Path) -> State | None:
    try:
        frames = read_frames(path)
    except StorageError:
        return None
    if frames.is_damaged or len(frames.values) != 1:
        return None
    (root,) = frames.values
    document = root.get("document")
    if not isinstance(document, dict):
        return None
    return State(document, _info_in(root.get("work")), _time_in(root, 0.0), False)


def _replayed(state: State, journal: Path) -> State:
    try:
        frames = read_frames(journal)
    except StorageError:
        return replace(state, is_damaged=True)
    for record in frames.values:
        try:
            document = applied(state.document, record)
            read_project(json_bytes(document))
        except (ProjectError, ValueError, TypeError):
            logger.warning("a record of %s does not fit", journal, exc_info=True)
            return replace(state, is_damaged=True)
        info = _info_in(record["work"]) if "work" in record else state.info
        state = State(document, info, _time_in(record, state.at), False)
    return replace(state, is_damaged=frames.is_damaged)


def _info_in(value: Any) -> WorkInfo:
    if not isinstance(value, dict):
        return WorkInfo(is_clean=False)
    path, stamp = value.get("path"), value.get("stamp")
    found = None
    if isinstance(stamp, dict):
        size, changed = stamp.get("size"), stamp.get("mtime_ns")
        if isinstance(size, int) and isinstance(changed, int):
            found = Stamp(size, changed)
    return WorkInfo(path if isinstance(path, str) else "", found, value.get("is_clean") is True)


def _time_in(record: dict[str, Any], default: float) -> float:
    at = record.get("at")
    return float(at) if isinstance(at, int | float) and 0 <= at < 1e11 else default


def _with_pictures(project: Project, folder: Path) -> tuple[Contents, int]:
    """Contents with the pictures of the folder, and how many of them are lost."""
    blobs = _Blobs(folder)

    def picture(entry: LayerEntry) -> Pixels | None:
        image, rect = blobs.find(entry.pixel_hash or ""), entry.layer.rect
        fits = image is not None and image.size == (rect.width, rect.height)
        return image if fits else None

    contents, missing = with_pixels(project, picture, blobs.find)
    return contents, len(missing)


class _Blobs:
    """Pictures of a folder by hash; each read once, all together within the limit."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[str, Pixels | None] = {}
        self._unpacked = 0

    def find(self, pixel_hash: str) -> Pixels | None:
        """The picture, or None when it is not there or not what it should be."""
        if pixel_hash not in self._known:
            self._known[pixel_hash] = self._read(pixel_hash)
        return self._known[pixel_hash]

    def _read(self, pixel_hash: str) -> Pixels | None:
        if not pixel_hash.isalnum():
            return None
        try:
            data = blob_path(self._folder, pixel_hash).read_bytes()
            self._unpacked += png_size(data).area * 4
            if self._unpacked > MAX_UNPACKED:
                return None
            image = Pixels.of(decode_png(data))
        except (OSError, PngError):
            logger.warning("picture %s is lost", pixel_hash[:12], exc_info=True)
            return None
        return image if image.hash == pixel_hash else None


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A work folder that a program left behind."""

    folder: Path  # where it is
    info: WorkInfo  # file name and whether anything was unsaved
    changed_at: float  # time of the last kept change, seconds since 1970
    # layers, candidates: how many it holds; 0 when it cannot be read
    layers: int
    candidates: int
    attempts: int  # how often a recovery began and did not end
    is_readable: bool  # whether there is a state to recover

    @property
    def name(self) -> str:
        """The project's file name, "" for one that was never saved."""
        return Path(self.info.path).name

    @property
    def is_old(self) -> bool:
        """Whether nothing happened to it for 30 days."""
        return time.time() - self.changed_at > OLD_DAYS * 86_400


@dataclass(frozen=True, slots=True)
class Recovered:
    """A state that was read."""

    contents: Contents
    info: WorkInfo
    changed_at: float
    messages: tuple[str, ...]  # what is missing, for the user; empty when nothing is
    is_damaged: bool  # keep the folder for inspection


def unfinished(root: Path) -> list[Unfinished]:
    """Folders below `root` that no living program owns, newest first.

    A folder in which everything was saved holds nothing that is not in the user's file; it is
    removed here.
    """
    found: list[Unfinished] = []
    empty: list[Path] = []
    for folder in _folders(root):
        with _locked(folder) as is_ours:
            if not is_ours:
                continue
            each = _look_at(folder)
            if each is None or (each.is_readable and each.info.is_clean):
                _empty(folder)
                empty.append(folder)
            else:
                found.append(each)
    for folder in empty:  # not before: Windows removes no file that is open, as its lock was
        shutil.rmtree(folder, ignore_errors=True)
    return sorted(found, key=lambda each: each.changed_at, reverse=True)


def in_use(root: Path, path: Path, own: Path | None = None) -> bool:
    """Whether another window has this project file open; `own` is this one's folder."""
    for folder in _folders(root):
        if folder == own:
            continue
        with _locked(folder) as is_ours:
            if is_ours:
                continue
            state = newest_state(folder)
            if state is not None and state.info.path == str(path.absolute()):
                return True
    return False


def recover(folder: Path) -> Recovered:
    """The newest state of a work folder, with its pixels.

    Raises:
        StorageError: there is none that can be read, or a living program owns the folder.
    """
    with _locked(folder) as is_ours:
        if not is_ours:
            raise StorageError(
                "Another window is using this work.", "Nothing was opened.", "Go to that window."
            )
        # Counted before reading: should reading end the program, the next start sees it.
        with contextlib.suppress(OSError):
            (folder / _ATTEMPTS).write_text(str(_attempts(folder) + 1), encoding="ascii")
        state = newest_state(folder)
        if state is None:
            raise _nothing_readable(folder)
        try:
            project = read_project(json_bytes(state.document))
            contents, lost = _with_pictures(project, folder)
        except (ProjectError, ValueError) as error:
            raise _nothing_readable(folder) from error
        messages = []
        if lost:
            pictures = "1 picture" if lost == 1 else f"{lost} pictures"
            messages.append(
                f"{pictures} could not be read from the recovery folder, which was kept for "
                "inspection."
            )
        if state.is_damaged:
            at = time.strftime("%H:%M:%S", time.localtime(state.at))
            messages.insert(
                0,
                f"The last changes before the crash could not be read. Everything up to {at} is "
                "here. The damaged journal was kept for inspection.",
            )
        is_damaged = state.is_damaged or bool(lost)
        return Recovered(contents, state.info, state.at, tuple(messages), is_damaged)


def picture_of(folder: Path, side: int) -> np.ndarray | None:
    """What the work looks like, fitted into a square of `side` pixels; None when it cannot be read.

    Counts no attempt; a folder whose recovery failed before is not tried again for a picture.
    """
    if _attempts(folder) >= MAX_ATTEMPTS:
        return None
    try:
        state = newest_state(folder)
        if state is None:
            return None
        contents, _ = _with_pictures(read_project(json_bytes(state.document)), folder)
        return fitted(composite(contents.layers, contents.canvas.rect), side, side)
    except (StorageError, ValueError):
        logger.warning("no picture of %s", folder.name, exc_info=True)
        return None


def finish(folder: Path, *, is_damaged: bool) -> None:
    """The recovered state is safe elsewhere: remove the folder, or set a damaged one aside."""
    if not is_damaged:
        shutil.rmtree(folder, ignore_errors=True)
        return
    with contextlib.suppress(OSError):
        folder.rename(folder.with_name(folder.name + _SET_ASIDE))


def discard(folder: Path) -> None:
    """Delete a work folder; the user was asked twice."""
    shutil.rmtree(folder, ignore_errors=True)


def save_pictures(folder: Path, target: Path) -> int:
    """Copy every readable picture of a work folder as PNG: the way out when nothing else works.

    Args:
        target: a folder; made when it is not there. Files in it are never overwritten.

    Returns:
        how many were copied.

    Raises:
        StorageError: they cannot be written.
    """
    count = 0
    try:
        target.mkdir(parents=True, exist_ok=True)
        for source in sorted((folder / BLOBS).glob("*.png")):
            data = source.read_bytes()
            try:
                decode_png(data)
            except PngError:
                continue
            count += 1
            with (target / f"picture-{count:03d}-{source.stem[:8]}.png").open("xb") as stream:
                stream.write(data)
    except OSError as error:
        raise StorageError(
            f"The pictures could not be written to '{target.name}': {cause_of(error)}.",
            "The kept work is untouched.",
            "Choose another folder.",
        ) from error
    return count


# ---- inside ----


def _folders(root: Path) -> list[Path]:
    try:
        entries = sorted(root.iterdir())
    except OSError:
        return []
    return [each for each in entries if each.is_dir() and each.suffix != _SET_ASIDE]


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[bool]:
    """Hold the folder's lock; False when a living program holds it or that is unknown."""
    try:
        lock = FolderLock.take(folder)
    except OSError:
        lock = None
    try:
        yield lock is not None
    finally:
        if lock is not None:
            lock.release()


def _empty(folder: Path) -> None:
    """Remove what is in a work folder but its lock; a failure only costs space."""
    shutil.rmtree(folder / BLOBS, ignore_errors=True)
    for each in folder.iterdir():
        if each.name != LOCK:
            with contextlib.suppress(OSError):
                each.unlink()


def _look_at(folder: Path) -> Unfinished | None:
    """What to say of a folder; None for one in which nothing was ever kept."""
    if not any(folder.glob(f"{BASE}*")):
        return None
    attempts = _attempts(folder)
    state = newest_state(folder)
    if state is None:
        changed = folder.stat().st_mtime
        return Unfinished(folder, WorkInfo(is_clean=False), changed, 0, 0, attempts, False)
    layers = [each for each in state.document.get("layers", []) if isinstance(each, dict)]
    on = state.document.get("background_on") is True
    count = sum(1 for each in layers if each.get("number") != 0 or on)
    kept = sum(len(each.get("candidates") or ()) for each in layers)
    return Unfinished(folder, state.info, state.at, count, kept, attempts, True)


def _attempts(folder: Path) -> int:
    try:
        return int((folder / _ATTEMPTS).read_text(encoding="ascii")[:4])
    except (OSError, ValueError):
        return 0


def _nothing_readable(folder: Path) -> StorageError:
    return StorageError(
        "The kept work cannot be read.",
        f"Nothing was changed in '{folder}'.",
        "Save its pictures as PNG, or discard it.",
    )
